//! What a client can say besides messages.

use crate::id::RequestId;

/// What a client wants to cancel.
#[derive(Clone, Debug, PartialEq)]
pub enum CancelTarget {
    /// The request with this id; a text that is no running request's id is
    /// taken as an event's name.
    Request(RequestId),
    /// All running streams of this event.
    Event(String),
}

/// What is wrong with a message that could not be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Malformed {
    /// Not in the wire's format at all.
    #[error("Message is not valid JSON")]
    Syntax,
    /// Valid, but not an object.
    #[error("Message is not an object")]
    NotAnObject,
    /// The event is missing.
    #[error("Message has no event")]
    NoEvent,
    /// The event is not a string.
    #[error("The event is not a string")]
    EventNotText,
    /// The event's name is too long.
    #[error("The event's name is too long")]
    EventTooLong,
    /// The id is neither a number nor a string.
    #[error("The id is neither a number nor a string")]
    BadId,
    /// Larger than a message may be, on a transport that read it all the same.
    #[error("Message is too large")]
    TooLarge,
    /// Binary data for a gateway that has no handler for it.
    #[error("Binary messages are not supported here")]
    Binary,
}
