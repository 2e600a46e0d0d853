//! Messages: what comes in from a client and what goes out to one.
//!
//! These types are the whole vocabulary between core and adapters. They hold
//! no frames and no transport; a codec turns them into bytes and back.

use bytes::Bytes;

use crate::id::RequestId;
use crate::payload::Payload;

/// The arguments of an event. Native messages carry none or one, Socket.IO
/// events any number.
#[derive(Clone, Debug, Default)]
pub enum Arguments {
    /// No argument at all, as distinct from `null`.
    #[default]
    None,
    /// One argument: the usual case, without an allocation.
    One(Payload),
    /// Two or more.
    Many(Box<[Payload]>),
}

impl Arguments {
    /// All arguments in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Payload] {
        match self {
            Self::None => &[],
            Self::One(payload) => std::slice::from_ref(payload),
            Self::Many(payloads) => payloads,
        }
    }

    /// The first argument, which is the message body; empty when there is none.
    #[must_use]
    pub fn first(&self) -> Payload {
        // Written where the caller wants it, and not carried there in an `Option`.
        match self.as_slice() {
            [first, ..] => first.clone(),
            [] => Payload::empty(),
        }
    }

    /// Whether any argument holds binary data.
    #[must_use]
    pub fn has_binary(&self) -> bool {
        self.as_slice().iter().any(Payload::has_binary)
    }
}

impl From<Payload> for Arguments {
    /// An empty payload becomes no argument.
    fn from(payload: Payload) -> Self {
        if payload.is_empty() {
            Self::None
        } else {
            Self::One(payload)
        }
    }
}

impl From<Vec<Payload>> for Arguments {
    fn from(mut payloads: Vec<Payload>) -> Self {
        match payloads.len() {
            0 => Self::None,
            1 => Self::One(payloads.remove(0)),
            _ => Self::Many(payloads.into()),
        }
    }
}

/// One message from a client, as its adapter decoded it.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The event's name. Any string; the session checks its length.
    pub event: &'a str,
    /// The body, still encoded.
    pub arguments: Arguments,
    /// Under which name the client expects an answer, if it does.
    pub request: Option<RequestId>,
    /// What the message weighs in the session's inbox, in bytes: its encoded
    /// size.
    pub size: usize,
}

/// One message to a client, before a codec encodes it.
///
/// Which of these become frames, and how many, is the codec's decision: the
/// table in CONTRACT section 4 gives both wires.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Outgoing<'a> {
    /// The server emits an event.
    Event {
        /// The event's name.
        event: &'a str,
        /// Its arguments.
        arguments: &'a Arguments,
    },
    /// The server emits an event and waits for the client's answer.
    Question {
        /// The number that the answer must carry.
        id: u64,
        /// The event's name.
        event: &'a str,
        /// Its arguments.
        arguments: &'a Arguments,
    },
    /// A handler returned a value, or nothing (`None`).
    Reply {
        /// The event that was handled.
        event: &'a str,
        /// The request that is answered, if the client asked for an answer.
        request: Option<&'a RequestId>,
        /// The value.
        data: Option<&'a Payload>,
    },
    /// A handler answered by hand, with any number of values.
    Answer {
        /// The event that was handled.
        event: &'a str,
        /// The request that is answered.
        request: Option<&'a RequestId>,
        /// The values.
        arguments: &'a Arguments,
    },
    /// A handler answered under another event (`WsResponse`).
    Response {
        /// The event of the answer.
        event: &'a str,
        /// The request that is answered.
        request: Option<&'a RequestId>,
        /// The value.
        data: Option<&'a Payload>,
    },
    /// One item of a stream that a handler returned.
    Item {
        /// The handled event, or the item's own.
        event: &'a str,
        /// The request that the stream answers.
        request: Option<&'a RequestId>,
        /// The item.
        data: Option<&'a Payload>,
    },
    /// The end of a stream, told only to a client that asked with a request id.
    Done {
        /// The event that was handled.
        event: &'a str,
        /// The request that is now fully answered.
        request: &'a RequestId,
    },
    /// An error answer: an `exception` event, or the answer to the request.
    Exception {
        /// The request that failed, if it had an id.
        request: Option<&'a RequestId>,
        /// The object that is sent.
        data: &'a Payload,
    },
}

/// How a message is to travel: what becomes of it when a client reads too
/// slowly, and whether its transport may compress it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    volatile: bool,
    uncompressed: bool,
}

impl Delivery {
    /// Delivered, or the slow-consumer policy acts. The default.
    pub const RELIABLE: Self = Self {
        volatile: false,
        uncompressed: false,
    };
    /// First to be dropped when the client's outbox is full.
    pub const VOLATILE: Self = Self {
        volatile: true,
        uncompressed: false,
    };

    /// The same, first to be dropped.
    #[must_use]
    pub const fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    /// The same; `false` keeps a transport that could compress it from trying.
    #[must_use]
    pub const fn compress(mut self, compress: bool) -> Self {
        self.uncompressed = !compress;
        self
    }

    /// Whether it is the first to be dropped.
    #[must_use]
    pub const fn is_volatile(self) -> bool {
        self.volatile
    }

    /// Whether a transport that can compress may do so.
    #[must_use]
    pub const fn may_compress(self) -> bool {
        !self.uncompressed
    }
}

/// A message as it goes onto one wire: complete, encoded once, shared by all
/// receivers of the format. `None` where the wire has nothing to say.
pub type Encoded = Option<Bytes>;
