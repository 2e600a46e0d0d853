//! What the fuzz targets check. The wire crate's tests run the same functions on the corpus and on a
//! bounded number of its mutations.

use std::io::{self, Read, Write};

use nest_gateway_wire::{Connection, Limits, Received, Violation};

/// Small limits, so that short inputs reach them.
const LIMITS: Limits = Limits {
    max_message: 4096,
    max_fragments: 16,
};

/// What a connection makes of its input.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    received: Vec<Received>,
    violation: Option<Violation>,
}

/// Nothing panics, nothing exceeds the limits, and cutting the bytes changes nothing.
///
/// The first byte says how the others are cut.
pub fn receive(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else {
        return;
    };
    let whole = run(Connection::new(LIMITS), bytes, bytes.len());
    let cut = run(Connection::new(LIMITS), bytes, usize::from(*cut));
    assert_eq!(whole, cut);
}

/// The same with compressed messages, with and without a window that goes on.
pub fn inflate(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else {
        return;
    };
    for takeover in [false, true] {
        let connection = || Connection::new(LIMITS).inflating(takeover);
        let whole = run(connection(), bytes, bytes.len());
        let cut = run(connection(), bytes, usize::from(*cut));
        assert_eq!(whole.received, cut.received);
        // Inflation finds "too big" and "broken" in the order of its pieces.
        assert_eq!(whole.violation.is_some(), cut.violation.is_some());
    }
}

/// Messages are those that tungstenite receives, and both find a mistake or none.
///
/// Inputs on which the two differ on purpose are passed over: lengths in more bytes than needed (RFC
/// 6455, section 5.2, forbids them, and 5.5 all but one byte in control frames), close codes that may
/// not be sent, 1014, which IANA has registered since and tungstenite refuses, and our bound on the
/// number of fragments.
pub fn differential(data: &[u8]) {
    let ours = run(Connection::new(LIMITS), data, data.len());
    if matches!(
        ours.violation,
        Some(
            Violation::BadLength
                | Violation::ControlTooLong
                | Violation::TooManyFragments { .. }
                | Violation::BadCloseCode(_)
        )
    ) || matches!(ours.received.last(), Some(Received::Close(Some((1014, _)))))
    {
        return;
    }
    let (received, failed) = oracle(data);
    assert_eq!(ours.received, received);
    // Text that goes wrong in a frame that is not complete is found by us only.
    assert!(ours.violation.is_some() || !failed, "{ours:?} {data:?}");
}

fn run(mut connection: Connection, bytes: &[u8], cut: usize) -> Outcome {
    let mut received = Vec::new();
    for mut piece in bytes.chunks(cut.max(1)) {
        loop {
            match connection.receive(&mut piece) {
                Ok(Some(item)) => {
                    check(&item);
                    let closed = matches!(item, Received::Close(_));
                    received.push(item);
                    if closed {
                        let violation = None;
                        return Outcome {
                            received,
                            violation,
                        };
                    }
                }
                Ok(None) => break,
                Err(violation) => {
                    let violation = Some(violation);
                    return Outcome {
                        received,
                        violation,
                    };
                }
            }
        }
        assert!(piece.is_empty(), "what is not complete is kept");
    }
    let violation = None;
    Outcome {
        received,
        violation,
    }
}

fn check(item: &Received) {
    match item {
        Received::Text(text) => {
            assert!(text.len() <= LIMITS.max_message);
            assert!(std::str::from_utf8(text).is_ok());
        }
        Received::Binary(data) => assert!(data.len() <= LIMITS.max_message),
        Received::Ping(payload) | Received::Pong(payload) => assert!(payload.len() <= 125),
        Received::Close(said) => {
            assert!(said.as_ref().is_none_or(|(_, reason)| reason.len() <= 123))
        }
    }
}

/// Bytes to read, and nothing to write to.
struct Script<'a>(&'a [u8]);

impl Read for Script<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.read(buf)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What tungstenite receives, and whether it found a mistake.
fn oracle(bytes: &[u8]) -> (Vec<Received>, bool) {
    use tungstenite::protocol::{Role, WebSocketConfig};
    use tungstenite::{Error, Message, WebSocket};

    let config = WebSocketConfig::default()
        .max_message_size(Some(LIMITS.max_message))
        .max_frame_size(Some(LIMITS.max_message));
    let mut socket = WebSocket::from_raw_socket(Script(bytes), Role::Server, Some(config));
    let mut received = Vec::new();
    loop {
        received.push(match socket.read() {
            Ok(Message::Text(text)) => Received::Text(text.into()),
            Ok(Message::Binary(data)) => Received::Binary(data),
            Ok(Message::Ping(data)) => Received::Ping(data),
            Ok(Message::Pong(data)) => Received::Pong(data),
            Ok(Message::Frame(_)) => continue,
            Ok(Message::Close(close)) => {
                let said = close.map(|c| (c.code.into(), c.reason.to_string()));
                received.push(Received::Close(said));
                return (received, false);
            }
            Err(Error::Io(_)) => return (received, false),
            Err(_) => return (received, true),
        });
    }
}
