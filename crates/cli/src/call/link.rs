//! What both protocols have in common.

use std::time::Duration;

use serde_json::value::RawValue;

use crate::failure::Outcome;

/// A connection to a gateway.
pub(crate) trait Link: Send {
    /// Sends an event. With a number, a reply is asked for under it.
    fn send(&mut self, event: &str, data: Option<&RawValue>, request: Option<u64>) -> Outcome<()>;

    /// Cancels streams: those of a request, or all of an event.
    fn cancel(&mut self, what: &Cancel) -> Outcome<()>;

    /// Answers a question of the server.
    fn answer(&mut self, question: &str, data: Option<&RawValue>) -> Outcome<()>;

    /// The next thing that the server says, waited for at most this long.
    fn next(&mut self, timeout: Duration) -> Outcome<Option<Said>>;

    /// Says goodbye.
    fn close(&mut self);

    /// Whether a reply is complete when it is there. Otherwise it may be the
    /// first item of a stream.
    fn replies_end_streams(&self) -> bool;
}

/// What to cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cancel {
    Request(u64),
    Event(String),
}

/// What a server says. Data is JSON as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A reply, or one item of it.
    Reply { request: u64, data: Option<String> },
    /// The end of a reply of several items.
    Done { request: u64 },
    /// An error; without a number it answers nothing in particular.
    Exception { request: Option<u64>, data: String },
    /// An event.
    Event { event: String, data: Option<String> },
    /// An event that wants an answer.
    Question {
        id: String,
        event: String,
        data: Option<String>,
    },
    /// Bytes without an envelope.
    Binary { length: usize },
    /// Something that is none of these.
    Unknown { text: String },
    /// The connection ended.
    Closed { code: Option<u16>, reason: String },
}
