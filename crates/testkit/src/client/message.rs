//! What a client sends and sees, the same words for every transport.

use std::fmt;

use bytes::Bytes;
use serde_json::{Value, json};

use super::http::HttpResponse;

/// The data of a message: nothing, one value, or what Socket.IO allows beyond
/// that (several arguments, binary attachments).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payload {
    pub(crate) args: Vec<Value>,
    pub(crate) attachments: Vec<Bytes>,
}

impl Payload {
    /// No data at all, which is not the same as `null`.
    pub fn none() -> Self {
        Self::default()
    }

    /// Several arguments; only Socket.IO can carry more than one.
    pub fn args(args: impl IntoIterator<Item = Value>) -> Self {
        Self {
            args: args.into_iter().collect(),
            attachments: Vec::new(),
        }
    }

    /// One binary argument; only Socket.IO can carry it under an event name.
    pub fn binary(bytes: impl Into<Bytes>) -> Self {
        Self::none().with_binary(bytes)
    }

    /// Appends a binary argument.
    #[must_use]
    pub fn with_binary(mut self, bytes: impl Into<Bytes>) -> Self {
        self.args.push(placeholder(self.attachments.len()));
        self.attachments.push(bytes.into());
        self
    }

    /// Binaries that `args` refer to by Socket.IO placeholders.
    #[must_use]
    pub fn with_attachments(mut self, attachments: impl IntoIterator<Item = Bytes>) -> Self {
        self.attachments.extend(attachments);
        self
    }

    /// The arguments.
    pub fn as_args(&self) -> &[Value] {
        &self.args
    }

    /// The binary attachments.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }
}

impl From<()> for Payload {
    fn from((): ()) -> Self {
        Self::none()
    }
}

macro_rules! one_value {
    ($($type:ty),*) => {$(
        impl From<$type> for Payload {
            fn from(value: $type) -> Self {
                Self::args([value.into()])
            }
        }
    )*};
}

// Not for all `T: Into<Value>`: there `()` would be `null`, here it is nothing.
one_value!(
    Value,
    &str,
    String,
    bool,
    i32,
    i64,
    u32,
    u64,
    usize,
    f64,
    Vec<Value>
);

/// The stand-in of a binary attachment in Socket.IO's JSON.
pub fn placeholder(number: usize) -> Value {
    json!({"_placeholder": true, "num": number})
}

/// Joins a request with its answers: a number, or a string on the native wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequestId(pub(crate) Value);

impl RequestId {
    /// The id as it stands on the wire.
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

impl<T: Into<Value>> From<T> for RequestId {
    fn from(value: T) -> Self {
        Self(value.into())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event that the server sent without being a reply to a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The event's name.
    pub name: String,
    /// The arguments; the native wire has none or one.
    pub args: Vec<Value>,
    /// Binary attachments, in the order of their placeholders.
    pub attachments: Vec<Bytes>,
    /// Its offset, where it stands beside the arguments (the native envelope with recovery).
    pub offset: Option<String>,
    /// The frame as it came, for checks on its exact shape.
    pub raw: String,
    /// Position among all that this client received.
    pub order: u64,
}

impl Event {
    /// The first argument, `null` when there is none.
    pub fn data(&self) -> &Value {
        self.args.first().unwrap_or(&Value::Null)
    }

    /// The first argument by value, `null` when there is none.
    pub fn into_data(self) -> Value {
        self.args.into_iter().next().unwrap_or(Value::Null)
    }

    /// Whether the frame carried data at all.
    pub fn has_data(&self) -> bool {
        !self.args.is_empty()
    }
}

/// A frame that answers a request: the reply, a stream's item or its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The request it answers.
    pub id: RequestId,
    /// The event it came under; Socket.IO's acks have none.
    pub event: Option<String>,
    /// The arguments; the native wire has none or one.
    pub args: Vec<Value>,
    /// Binary attachments, in the order of their placeholders.
    pub attachments: Vec<Bytes>,
    /// Whether the frame says that a stream has ended.
    pub done: bool,
    /// The frame as it came.
    pub raw: String,
    /// Position among all that this client received.
    pub order: u64,
}

impl Reply {
    /// The value, `null` when there is none.
    pub fn data(&self) -> &Value {
        self.args.first().unwrap_or(&Value::Null)
    }

    /// The value, taken out; `null` when there is none.
    pub fn into_data(self) -> Value {
        self.args.into_iter().next().unwrap_or(Value::Null)
    }

    /// Whether the reply carried a value at all.
    pub fn has_data(&self) -> bool {
        !self.args.is_empty()
    }

    /// The error object, if this is an exception.
    ///
    /// The native wire says so by the event `exception`; an ack of Socket.IO
    /// has no event, so there the object's `status` decides.
    pub fn exception(&self) -> Option<&Value> {
        let failed = match &self.event {
            Some(event) => event == "exception",
            None => self.data().get("status") == Some(&json!("error")),
        };
        failed.then(|| self.data())
    }
}

/// An event by which the server asks the client for an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What the answer has to name.
    pub id: RequestId,
    /// The event's name.
    pub event: String,
    /// The arguments.
    pub args: Vec<Value>,
    /// Position among all that this client received.
    pub order: u64,
}

impl Question {
    /// The first argument, `null` when there is none.
    pub fn data(&self) -> &Value {
        self.args.first().unwrap_or(&Value::Null)
    }
}

/// What a request for a stream brought.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamSeen {
    /// Each item with the event it came under.
    pub items: Vec<(String, Value)>,
    /// The terminal frame, ack or exception.
    pub end: Reply,
}

impl StreamSeen {
    /// The items' values alone.
    pub fn values(&self) -> Vec<Value> {
        self.items.iter().map(|(_, value)| value.clone()).collect()
    }
}

/// How a client's connection (or its namespace) ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseSeen {
    /// The close frame's code; 1005 when it had none or when a Socket.IO
    /// packet ended the client, 1006 when nobody said goodbye.
    pub code: u16,
    /// The close frame's text, or the name of what ended the client.
    pub reason: String,
    /// What ended it.
    pub by: Ending,
}

impl CloseSeen {
    /// Whether the server said that it ends the client, in whichever way the
    /// transport has for that.
    pub fn was_told(&self) -> bool {
        matches!(
            self.by,
            Ending::CloseFrame | Ending::Disconnect | Ending::EngineClose
        )
    }
}

/// What ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The server's close frame, the first or the answer to ours.
    CloseFrame,
    /// Socket.IO's DISCONNECT packet for this namespace.
    Disconnect,
    /// Engine.IO's close packet.
    EngineClose,
    /// The TCP connection ended (FIN) without a word.
    Eof,
    /// The TCP connection was reset (RST) without a word.
    Reset,
    /// A polling request was refused, or failed.
    Http,
    /// This client left the namespace or cut the connection.
    Us,
}

/// Why a client did not get in.
#[derive(Clone, Debug, thiserror::Error)]
#[error("refused: {message}")]
pub struct Refused {
    /// The HTTP status, if that is how it was refused.
    pub status: Option<u16>,
    /// The HTTP body, or the message of Socket.IO's CONNECT_ERROR.
    pub message: String,
    /// The `data` of Socket.IO's CONNECT_ERROR.
    pub data: Option<Value>,
    /// The HTTP response, if that is how it was refused.
    pub response: Option<Box<HttpResponse>>,
}

impl Refused {
    /// A refusal without an HTTP response.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            status: None,
            message: message.into(),
            data: None,
            response: None,
        }
    }
}

impl From<HttpResponse> for Refused {
    fn from(response: HttpResponse) -> Self {
        Self {
            status: Some(response.status),
            message: format!("HTTP {}: {}", response.status, response.text()),
            data: None,
            response: Some(Box::new(response)),
        }
    }
}

impl From<std::io::Error> for Refused {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}
