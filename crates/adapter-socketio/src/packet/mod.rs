//! Socket.IO packets (Socket.IO protocol v5) over Engine.IO messages.
//!
//! ```text
//! <type>[<attachments>-][<namespace>,][<id>][<JSON>]   then the attachments, one binary message each
//! ```
//!
//! Decoding slices the received bytes and copies nothing; encoding writes straight
//! into a WebSocket frame that every receiver shares.
//!
//! The parser crates of the socketioxide project are the oracle of this codec's
//! tests and not its engine: their text type cannot take over received bytes without
//! a copy (its only constructor from `Bytes` is `unsafe`), their attachment rules
//! accept a count of zero and read the clock, and a refusal cannot carry data.

mod arguments;
mod assembler;
mod decode;
pub mod encode;

pub use arguments::Arguments;
pub use assembler::{Assembler, AssemblyLimits};
pub use decode::PacketError;

use bytes::Bytes;

/// A complete packet from a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The namespace it is for, with its leading slash.
    pub namespace: Text,
    /// What it says.
    pub body: Body,
}

/// What a packet says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Join the namespace; the JSON object that came along, if one did.
    Connect(Option<Bytes>),
    /// Leave the namespace.
    Disconnect,
    /// An event; with an id when an ack is asked for.
    Event {
        /// The ack id.
        id: Option<u64>,
        /// The name, unescaped.
        event: Text,
        /// What came with it.
        arguments: Arguments,
    },
    /// The answer to an event of the server.
    Ack {
        /// The id that the server gave.
        id: u64,
        /// The answer.
        arguments: Arguments,
    },
}

/// UTF-8 text that is a slice of what was received.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Text(Bytes);

impl Text {
    /// Takes bytes over; `None` when they are not UTF-8.
    pub fn new(bytes: Bytes) -> Option<Self> {
        std::str::from_utf8(&bytes).is_ok().then_some(Self(bytes))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("checked when it was made")
    }

    /// The same bytes, shared.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Bytes::from(text))
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_str().fmt(f)
    }
}
