//! The two wire formats of `fixture-bench`, as far as a client needs them.

use std::io::Write as _;

/// How a server's messages look inside a WebSocket text frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// `{"event": .., "data": ..}` at `/`.
    Native,
    /// Engine.IO 4 and Socket.IO 5 packets at `/socket.io/`, WebSocket only.
    SocketIo,
}

/// A text message of the server, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// The connection may be used; made by the connection itself once all
    /// handshakes are done.
    Ready,
    /// An event and its one JSON argument, empty when there is none.
    Event {
        /// The event's name as it stands between its quotes.
        name: &'a [u8],
        /// The JSON text of the argument.
        data: &'a [u8],
    },
    /// The answer to a Socket.IO packet that asked for one.
    Ack {
        /// The number the packet carried.
        id: u64,
        /// The JSON text of the argument.
        data: &'a [u8],
    },
    /// Engine.IO's OPEN packet.
    Opened,
    /// Socket.IO's CONNECT packet.
    Connected,
    /// Engine.IO's PING packet, which wants a PONG.
    Ping,
}

impl Wire {
    /// The request target of the upgrade.
    #[must_use]
    pub const fn target(self) -> &'static str {
        match self {
            Self::Native => "/",
            Self::SocketIo => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// Appends the message that emits `event` with the JSON text `data`.
    ///
    /// `ack` asks a Socket.IO server for an answer; the native wire answers
    /// such events under their own name without being asked.
    pub fn push_emit(self, event: &str, data: &[u8], ack: Option<u64>, out: &mut Vec<u8>) {
        match self {
            Self::Native => {
                out.extend_from_slice(b"{\"event\":\"");
                out.extend_from_slice(event.as_bytes());
                out.extend_from_slice(b"\",\"data\":");
                out.extend_from_slice(data);
                out.push(b'}');
            }
            Self::SocketIo => {
                out.extend_from_slice(b"42");
                if let Some(id) = ack {
                    write!(out, "{id}").expect("a Vec takes every write");
                }
                out.extend_from_slice(b"[\"");
                out.extend_from_slice(event.as_bytes());
                out.extend_from_slice(b"\",");
                out.extend_from_slice(data);
                out.push(b']');
            }
        }
    }

    /// Takes a text message of a server apart; `None` when it is none of the
    /// forms the protocol allows.
    #[must_use]
    pub fn parse(self, text: &[u8]) -> Option<Incoming<'_>> {
        match self {
            Self::Native => parse_envelope(text),
            Self::SocketIo => parse_packet(text),
        }
    }
}

fn parse_envelope(text: &[u8]) -> Option<Incoming<'_>> {
    let body = text.strip_suffix(b"}")?;
    if let Some(rest) = body.strip_prefix(b"{\"event\":\"") {
        let (name, rest) = split_at_quote(rest)?;
        let data = match rest {
            b"" => rest,
            _ => rest.strip_prefix(b",\"data\":")?,
        };
        return Some(Incoming::Event { name, data });
    }
    parse_reversed(body)
}

/// The same two members in the other order.
fn parse_reversed(body: &[u8]) -> Option<Incoming<'_>> {
    const MIDDLE: &[u8] = b",\"event\":\"";
    let body = body.strip_prefix(b"{\"data\":")?.strip_suffix(b"\"")?;
    let quote = body.iter().rposition(|&byte| byte == b'"')?;
    let name = &body[quote + 1..];
    let data = body[..=quote].strip_suffix(MIDDLE)?;
    Some(Incoming::Event { name, data })
}

fn parse_packet(text: &[u8]) -> Option<Incoming<'_>> {
    match text {
        [b'4', b'2', rest @ ..] => {
            let rest = rest.strip_prefix(b"[\"")?.strip_suffix(b"]")?;
            let (name, rest) = split_at_quote(rest)?;
            let data = match rest {
                b"" => rest,
                _ => rest.strip_prefix(b",")?,
            };
            Some(Incoming::Event { name, data })
        }
        [b'4', b'3', rest @ ..] => {
            let bracket = rest.iter().position(|&byte| byte == b'[')?;
            let id = std::str::from_utf8(&rest[..bracket]).ok()?.parse().ok()?;
            let data = rest[bracket + 1..].strip_suffix(b"]")?;
            Some(Incoming::Ack { id, data })
        }
        [b'0', b'{', ..] => Some(Incoming::Opened),
        [b'4', b'0', b'{', ..] => Some(Incoming::Connected),
        b"2" => Some(Incoming::Ping),
        _ => None,
    }
}

fn split_at_quote(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let quote = text.iter().position(|&byte| byte == b'"')?;
    Some((&text[..quote], &text[quote + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event<'a>(name: &'a str, data: &'a str) -> Incoming<'a> {
        Incoming::Event {
            name: name.as_bytes(),
            data: data.as_bytes(),
        }
    }

    #[test]
    fn what_is_emitted_parses_as_the_same_event_on_both_wires() {
        for wire in [Wire::Native, Wire::SocketIo] {
            let mut text = Vec::new();
            wire.push_emit("msg", br#""a,]}b""#, None, &mut text);
            assert_eq!(wire.parse(&text), Some(event("msg", r#""a,]}b""#)));
        }
    }

    #[test]
    fn an_envelope_may_have_its_members_in_either_order() {
        let text = br#"{"data":{"joined":"r"},"event":"join"}"#;
        assert_eq!(
            Wire::Native.parse(text),
            Some(event("join", r#"{"joined":"r"}"#))
        );
        assert_eq!(
            Wire::Native.parse(br#"{"event":"x"}"#),
            Some(event("x", ""))
        );
    }

    #[test]
    fn packets_of_a_handshake_and_acks_are_told_apart() {
        let parse = |text: &'static str| Wire::SocketIo.parse(text.as_bytes());
        assert_eq!(parse(r#"0{"sid":"a"}"#), Some(Incoming::Opened));
        assert_eq!(parse(r#"40{"sid":"b"}"#), Some(Incoming::Connected));
        assert_eq!(parse("2"), Some(Incoming::Ping));
        assert_eq!(
            parse(r#"4312["x"]"#),
            Some(Incoming::Ack {
                id: 12,
                data: br#""x""#
            })
        );
        assert_eq!(parse("44{}"), None);
    }
}
