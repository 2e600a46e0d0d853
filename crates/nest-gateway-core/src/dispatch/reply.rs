//! What a handler may return.

use std::borrow::Cow;
use std::pin::Pin;

use futures_core::Stream;
use futures_util::StreamExt as _;
use serde::Serialize;

use crate::error::WsException;
use crate::payload::Payload;

/// What came of a message, before a codec puts it on the wire (CONTRACT
/// section 4).
#[non_exhaustive]
pub enum Reply<'a> {
    /// Nothing: `()` or `None`. A client that asked for an answer gets an empty
    /// one.
    None,
    /// The handler took the [`Ack`](super::Ack) and answers by itself.
    Taken,
    /// A value, under the event that was handled.
    Value(Payload),
    /// A value under another event.
    Response(Emission),
    /// Items that are sent as they come, at the pace at which the client reads.
    Stream(ReplyStream<'a>),
}

/// The items of a streamed reply; an error ends it.
pub type ReplyStream<'a> = Pin<Box<dyn Stream<Item = Result<Emission, WsException>> + Send + 'a>>;

/// One thing to send: a value, under the event that was handled or under its
/// own.
#[derive(Clone, Debug, Default)]
pub struct Emission {
    /// The event; `None` for the one that was handled.
    pub event: Option<Cow<'static, str>>,
    /// The value; empty for none.
    pub data: Payload,
}

impl From<Payload> for Emission {
    fn from(data: Payload) -> Self {
        Self { event: None, data }
    }
}

impl<'a> Reply<'a> {
    /// A reply with this value.
    ///
    /// # Errors
    /// An internal error when it cannot be serialised.
    pub fn value<T: Serialize + ?Sized>(value: &T) -> Result<Self, WsException> {
        Ok(Self::Value(
            Payload::from_serialize(value).map_err(WsException::internal)?,
        ))
    }

    /// A reply of these items.
    pub fn stream(items: impl Stream<Item = Result<Emission, WsException>> + Send + 'a) -> Self {
        Self::Stream(Box::pin(items))
    }

    /// Changes the value, or each item of a stream. A reply without a value
    /// stays as it is.
    #[must_use]
    pub fn map(self, mut change: impl FnMut(Payload) -> Payload + Send + 'a) -> Self {
        self.try_map(move |payload| Ok(change(payload)))
            .unwrap_or_else(|never: WsException| unreachable!("the change cannot fail: {never}"))
    }

    /// [`Reply::map`] with a change that can fail. A failure on an item of a
    /// stream ends the stream with that error.
    ///
    /// # Errors
    /// What the change returned for a plain value.
    pub fn try_map(
        self,
        mut change: impl FnMut(Payload) -> Result<Payload, WsException> + Send + 'a,
    ) -> Result<Self, WsException> {
        Ok(match self {
            Self::None => Self::None,
            Self::Taken => Self::Taken,
            Self::Value(value) => Self::Value(change(value)?),
            Self::Response(mut emission) => {
                emission.data = change(emission.data)?;
                Self::Response(emission)
            }
            Self::Stream(items) => Self::Stream(Box::pin(items.map(move |item| {
                let mut emission = item?;
                emission.data = change(emission.data)?;
                Ok(emission)
            }))),
        })
    }
}

impl std::fmt::Debug for Reply<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Taken => f.write_str("Taken"),
            Self::Value(value) => f.debug_tuple("Value").field(value).finish(),
            Self::Response(emission) => f.debug_tuple("Response").field(emission).finish(),
            Self::Stream(_) => f.write_str("Stream(..)"),
        }
    }
}

/// A reply under another event than the one that was handled.
///
/// Only this type reroutes a reply: data that happens to look like
/// `{event, data}` is data.
#[derive(Clone, Debug)]
pub struct WsResponse<T> {
    /// The event under which the data is sent.
    pub event: Cow<'static, str>,
    /// The data.
    pub data: T,
}

impl<T> WsResponse<T> {
    /// Data under this event.
    pub fn new(event: impl Into<Cow<'static, str>>, data: T) -> Self {
        Self {
            event: event.into(),
            data,
        }
    }
}

/// What may be returned from a handler: `()`, any `Serialize`, `Option` of it,
/// [`WsResponse`], [`Reply`], a `Stream` of these, and `Result` of all of them.
///
/// The macros tell these apart by their traits. A type of your own can
/// implement this trait to become something else than its serialised form.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a handler's reply",
    label = "neither `Serialize` nor a stream of serialisable items",
    note = "return `()`, a type with `#[derive(Serialize)]`, `WsResponse`, a `Stream` of them, or a `Result` of these"
)]
pub trait IntoReply<'a> {
    /// The reply.
    ///
    /// # Errors
    /// The error that the client gets.
    fn into_reply(self) -> Result<Reply<'a>, WsException>;
}

impl<'a> IntoReply<'a> for Reply<'a> {
    fn into_reply(self) -> Result<Reply<'a>, WsException> {
        Ok(self)
    }
}

impl<'a, T: Serialize> IntoReply<'a> for WsResponse<T> {
    fn into_reply(self) -> Result<Reply<'a>, WsException> {
        Ok(Reply::Response(self.into_emission()?))
    }
}

/// What may be an item of a streamed reply: any `Serialize`, or a
/// [`WsResponse`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an item of a streamed reply",
    label = "does not implement `Serialize`",
    note = "yield a type with `#[derive(Serialize)]`, a `WsResponse`, or a `Result` of these"
)]
pub trait IntoEmission {
    /// The item to send.
    ///
    /// # Errors
    /// The error that ends the stream.
    fn into_emission(self) -> Result<Emission, WsException>;
}

impl IntoEmission for Emission {
    fn into_emission(self) -> Result<Emission, WsException> {
        Ok(self)
    }
}

impl<T: Serialize> IntoEmission for WsResponse<T> {
    fn into_emission(self) -> Result<Emission, WsException> {
        Ok(Emission {
            event: Some(self.event),
            data: Payload::from_serialize(&self.data).map_err(WsException::internal)?,
        })
    }
}
