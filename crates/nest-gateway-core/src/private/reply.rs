//! The ladder from what a handler returned to a reply.

use std::error::Error;
use std::fmt;

use futures_core::Stream;
use futures_util::StreamExt as _;
use serde::Serialize;

use super::Tag;
use crate::dispatch::{Emission, HandlerResult, IntoEmission, IntoReply, Reply};
use crate::error::{BoxError, WsException};
use crate::payload::Payload;

/// The error of what cannot fail, and the item of what is no stream.
#[derive(Debug)]
pub enum Never {}

impl fmt::Display for Never {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Error for Never {}

impl From<Never> for WsException {
    fn from(never: Never) -> Self {
        match never {}
    }
}

impl IntoEmission for Never {
    fn into_emission(self) -> Result<Emission, WsException> {
        match self {}
    }
}

/// First: a `Result` is taken apart.
pub trait ResultRung<T, E> {
    /// The result as it is.
    fn result(&self, out: Result<T, E>) -> Result<T, E>;
}

impl<T, E> ResultRung<T, E> for &Tag<Result<T, E>> {
    fn result(&self, out: Result<T, E>) -> Result<T, E> {
        out
    }
}

/// Anything else did not fail.
pub trait NoResultRung<R> {
    /// What it is.
    fn result(&self, out: R) -> Result<R, Never>;
}

impl<R> NoResultRung<R> for Tag<R> {
    fn result(&self, out: R) -> Result<R, Never> {
        Ok(out)
    }
}

/// Then: an `Option` is taken apart.
pub trait OptionRung<T> {
    /// The option as it is.
    fn option(&self, out: Option<T>) -> Option<T>;
}

impl<T> OptionRung<T> for &Tag<Option<T>> {
    fn option(&self, out: Option<T>) -> Option<T> {
        out
    }
}

/// Anything else is there.
pub trait NoOptionRung<R> {
    /// What it is.
    fn option(&self, out: R) -> Option<R>;
}

impl<R> NoOptionRung<R> for Tag<R> {
    fn option(&self, out: R) -> Option<R> {
        Some(out)
    }
}

/// An error that says itself what the client may see.
pub trait ExceptionRung<E> {
    /// Its own form.
    fn exception(&self, error: E) -> WsException;
}

impl<E: Into<WsException>> ExceptionRung<E> for &&Tag<E> {
    fn exception(&self, error: E) -> WsException {
        error.into()
    }
}

/// `Box<dyn Error>`, which cannot leave its thread; only its text can.
pub trait BoxedErrorRung {
    /// An internal error.
    fn exception(&self, error: Box<dyn Error>) -> WsException;
}

impl BoxedErrorRung for &Tag<Box<dyn Error>> {
    fn exception(&self, error: Box<dyn Error>) -> WsException {
        match error.downcast::<WsException>() {
            Ok(exception) => *exception,
            Err(error) => WsException::internal(error.to_string()),
        }
    }
}

/// Any other error stays in the log.
pub trait InternalErrorRung<E> {
    /// An internal error.
    fn exception(&self, error: E) -> WsException
    where
        E: HandlerError;
}

impl<E> InternalErrorRung<E> for Tag<E> {
    fn exception(&self, error: E) -> WsException
    where
        E: HandlerError,
    {
        // Behind a `Box<dyn Error>` or an `anyhow::Error` there may be one that
        // was meant for the client.
        match error.into_error().downcast::<WsException>() {
            Ok(exception) => *exception,
            Err(error) => WsException::internal(error),
        }
    }
}

/// An error of a handler. Only there for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a handler",
    label = "neither a `WsException` nor a `std::error::Error`",
    note = "to show it to clients, put `#[derive(WsError)]` on it or return `WsException`",
    note = "to log it and answer \"Internal server error\", implement `std::error::Error` for it (with `thiserror`, say)"
)]
pub trait HandlerError {
    /// The error, boxed.
    fn into_error(self) -> BoxError;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> HandlerError for E {
    fn into_error(self) -> BoxError {
        self.into()
    }
}

/// A type that makes its own reply, `()` and `WsResponse` among them.
pub trait IntoReplyRung<'a, R> {
    /// Its own form.
    fn reply<F>(&self, out: R, items: F) -> HandlerResult<'a>
    where
        F: FnMut(Never) -> Result<Emission, WsException>;
}

impl<'a, R: IntoReply<'a>> IntoReplyRung<'a, R> for &&Tag<R> {
    fn reply<F>(&self, out: R, _: F) -> HandlerResult<'a>
    where
        F: FnMut(Never) -> Result<Emission, WsException>,
    {
        out.into_reply()
    }
}

/// A stream.
pub trait StreamRung<S: Stream> {
    /// Its items, as the function makes them.
    fn reply<'a, F>(&self, out: S, items: F) -> HandlerResult<'a>
    where
        S: Send + 'a,
        F: FnMut(S::Item) -> Result<Emission, WsException> + Send + 'a;
}

impl<S: Stream> StreamRung<S> for &Tag<S> {
    fn reply<'a, F>(&self, out: S, items: F) -> HandlerResult<'a>
    where
        S: Send + 'a,
        F: FnMut(S::Item) -> Result<Emission, WsException> + Send + 'a,
    {
        Ok(Reply::stream(out.map(items)))
    }
}

/// Anything else is a value.
pub trait ValueRung<R> {
    /// Its serialised form.
    fn reply<'a, F>(&self, out: R, items: F) -> HandlerResult<'a>
    where
        R: ReplyValue,
        F: FnMut(Never) -> Result<Emission, WsException>;
}

impl<R> ValueRung<R> for Tag<R> {
    fn reply<'a, F>(&self, out: R, _: F) -> HandlerResult<'a>
    where
        R: ReplyValue,
        F: FnMut(Never) -> Result<Emission, WsException>,
    {
        out.into_value().map(Reply::Value)
    }
}

/// A value that a handler returns. Only there for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a handler's reply",
    label = "neither `Serialize` nor a `Stream`",
    note = "return `()`, a type with `#[derive(Serialize)]`, `WsResponse`, a `Stream` of them, or an `Option` or `Result` of these; a future is not awaited, so write `async fn`"
)]
pub trait ReplyValue {
    /// The value, serialised.
    fn into_value(self) -> Result<Payload, WsException>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> ReplyValue for T {
    fn into_value(self) -> Result<Payload, WsException> {
        Payload::from_serialize(&self).map_err(WsException::internal)
    }
}

/// An item that says itself what is sent.
pub trait IntoEmissionRung<T> {
    /// Its own form.
    fn emission(&self, item: T) -> Result<Emission, WsException>;
}

impl<T: IntoEmission> IntoEmissionRung<T> for &Tag<T> {
    fn emission(&self, item: T) -> Result<Emission, WsException> {
        item.into_emission()
    }
}

/// Any other item is a value.
pub trait ItemRung<T> {
    /// Its serialised form.
    fn emission(&self, item: T) -> Result<Emission, WsException>
    where
        T: StreamItem;
}

impl<T> ItemRung<T> for Tag<T> {
    fn emission(&self, item: T) -> Result<Emission, WsException>
    where
        T: StreamItem,
    {
        Ok(item.into_value()?.into())
    }
}

/// A value that a stream yields. Only there for its message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an item of a handler's stream",
    label = "the items are not `Serialize`",
    note = "yield a type with `#[derive(Serialize)]`, a `WsResponse`, or a `Result` of these"
)]
pub trait StreamItem {
    /// The value, serialised.
    fn into_value(self) -> Result<Payload, WsException>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize> StreamItem for T {
    fn into_value(self) -> Result<Payload, WsException> {
        ReplyValue::into_value(self)
    }
}
