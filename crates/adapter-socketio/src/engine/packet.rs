//! Engine.IO packets as a client sends them (Engine.IO protocol v4, "Protocol").
//!
//! A text frame, or one entry of a polling body, begins with the packet's type as
//! one digit. A binary WebSocket frame is a message without a digit; a polling body
//! carries the same message as `b` followed by base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

/// A packet from a client. Text is valid UTF-8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// `1`: the client ends the session.
    Close,
    /// `2`: only valid as `2probe` on a transport that is being probed.
    Ping(Bytes),
    /// `3`: the answer to a ping.
    Pong,
    /// `4`: a text message, without the digit.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// `5`: the probed transport takes over.
    Upgrade,
    /// `6`: nothing.
    Noop,
}

/// Why bytes are not a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// There is not even a type.
    #[error("empty packet")]
    Empty,
    /// The type is not one that a client may send.
    #[error("unknown packet type")]
    UnknownType,
    /// A `b` packet whose rest is not base64.
    #[error("invalid base64")]
    Base64,
}

impl Packet {
    /// Reads one packet from text that is known to be valid UTF-8. The message is a
    /// slice of `text`, not a copy.
    pub fn from_text(text: &Bytes) -> Result<Self, PacketError> {
        let kind = *text.first().ok_or(PacketError::Empty)?;
        Ok(match kind {
            b'1' => Self::Close,
            b'2' => Self::Ping(text.slice(1..)),
            b'3' => Self::Pong,
            b'4' => Self::Text(text.slice(1..)),
            b'5' => Self::Upgrade,
            b'6' => Self::Noop,
            _ => return Err(PacketError::UnknownType),
        })
    }

    /// Reads one entry of a polling body, where binary messages are base64.
    pub fn from_body_entry(entry: &Bytes) -> Result<Self, PacketError> {
        if entry.first() != Some(&b'b') {
            return Self::from_text(entry);
        }
        let bytes = STANDARD
            .decode(&entry[1..])
            .map_err(|_| PacketError::Base64)?;
        Ok(Self::Binary(Bytes::from(bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &'static str) -> Result<Packet, PacketError> {
        Packet::from_text(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn every_type_that_a_client_may_send_is_read() {
        assert_eq!(read("1"), Ok(Packet::Close));
        assert_eq!(
            read("2probe"),
            Ok(Packet::Ping(Bytes::from_static(b"probe")))
        );
        assert_eq!(read("3"), Ok(Packet::Pong));
        assert_eq!(read("3probe"), Ok(Packet::Pong));
        assert_eq!(
            read("4hello"),
            Ok(Packet::Text(Bytes::from_static(b"hello")))
        );
        assert_eq!(read("4"), Ok(Packet::Text(Bytes::new())));
        assert_eq!(read("5"), Ok(Packet::Upgrade));
        assert_eq!(read("6"), Ok(Packet::Noop));
    }

    #[test]
    fn a_message_is_a_slice_of_the_received_bytes() {
        let received = Bytes::from_static("4grüße".as_bytes());
        let Ok(Packet::Text(text)) = Packet::from_text(&received) else {
            panic!("a message was expected");
        };
        assert_eq!(text.as_ptr(), received[1..].as_ptr());
    }

    #[test]
    fn what_only_a_server_sends_or_nobody_is_refused() {
        for text in ["0{}", "7", "abc", "b", "é", "-1", " 4"] {
            assert_eq!(read(text), Err(PacketError::UnknownType), "{text}");
        }
        assert_eq!(read(""), Err(PacketError::Empty));
    }

    #[test]
    fn a_binary_entry_of_a_body_is_base64() {
        let entry =
            |text: &'static str| Packet::from_body_entry(&Bytes::from_static(text.as_bytes()));
        assert_eq!(
            entry("bAQIDBA=="),
            Ok(Packet::Binary(Bytes::from_static(&[1, 2, 3, 4])))
        );
        assert_eq!(entry("b"), Ok(Packet::Binary(Bytes::new())));
        assert_eq!(entry("b@@@@"), Err(PacketError::Base64));
        assert_eq!(entry("bAQIDBA"), Err(PacketError::Base64));
        assert_eq!(entry("4x"), Ok(Packet::Text(Bytes::from_static(b"x"))));
    }
}
