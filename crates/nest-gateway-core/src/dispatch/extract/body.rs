//! The message itself.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{FromContext, FromMessage};
use crate::dispatch::context::ExecutionContext;
use crate::dispatch::handler::HandlerResult;
use crate::dispatch::reply::{IntoReply, Reply};
use crate::error::WsException;
use crate::message::Arguments;
use crate::payload::Payload;
use crate::value::Value;

/// The message's body (its first argument) as a type.
///
/// A body that does not fit is answered with code `bad_request` and the paths
/// of the fields that are wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageBody<T>(pub T);

impl<T: DeserializeOwned + Send> FromMessage for MessageBody<T> {
    async fn from_body(
        context: &ExecutionContext,
        body: Option<Payload>,
    ) -> Result<Self, WsException> {
        let body = body.unwrap_or_else(|| context.data());
        Ok(Self(body.decode()?))
    }
}

/// All arguments of a Socket.IO event as a tuple or a vector. On the native
/// wire, whose messages have one body, an array stands for several arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MessageArgs<T>(pub T);

impl<T: DeserializeOwned + Send> FromContext for MessageArgs<T> {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        let arguments = context.arguments();
        if let Arguments::One(only) = arguments
            && !context.client().has_many_arguments()
            && only
                .as_json()
                .is_some_and(|json| json.trim_ascii_start().first() == Some(&b'['))
            && let Ok(all) = only.decode()
        {
            return Ok(Self(all));
        }
        let values: Result<Vec<Value>, _> =
            arguments.as_slice().iter().map(Payload::to_value).collect();
        let all = Payload::from_value(Value::Array(values?));
        Ok(Self(all.decode()?))
    }
}

/// The message's body as it came: not decoded, and sent on or returned without
/// being encoded again.
#[derive(Clone, Debug, Default)]
pub struct RawBody(pub Payload);

impl FromMessage for RawBody {
    async fn from_body(
        context: &ExecutionContext,
        body: Option<Payload>,
    ) -> Result<Self, WsException> {
        let body = body.unwrap_or_else(|| context.data());
        // It may go to other clients as it is, and must not break them.
        body.check_portable()?;
        Ok(Self(body))
    }
}

impl<'a> IntoReply<'a> for RawBody {
    fn into_reply(self) -> HandlerResult<'a> {
        Ok(if self.0.is_empty() {
            Reply::None
        } else {
            Reply::Value(self.0)
        })
    }
}

/// A message that is one block of bytes: a native binary frame without an
/// envelope, or a binary argument on Socket.IO.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binary(pub Bytes);

impl FromMessage for Binary {
    async fn from_body(
        context: &ExecutionContext,
        body: Option<Payload>,
    ) -> Result<Self, WsException> {
        let body = body.unwrap_or_else(|| context.data());
        match body.as_value() {
            Some(Value::Binary(bytes)) => Ok(Self(bytes.clone())),
            _ => Err(WsException::new("Binary data expected").with_code("bad_request")),
        }
    }
}

impl<'a> IntoReply<'a> for Binary {
    fn into_reply(self) -> HandlerResult<'a> {
        Ok(Reply::Value(Payload::from_value(Value::Binary(self.0))))
    }
}

/// The name of the event that is handled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventName(pub String);

impl FromContext for EventName {
    fn from_context(context: &ExecutionContext) -> Result<Self, WsException> {
        Ok(Self(context.event().to_owned()))
    }
}
