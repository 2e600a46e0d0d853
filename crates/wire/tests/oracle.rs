//! The protocol machine against tungstenite: whatever a peer sends, both receive the same messages and
//! find a mistake at the same place.

mod support;

use std::io::{self, Read, Write};

use bytes::Bytes;
use nest_gateway_wire::{Connection, Frame, Limits, Received};
use proptest::collection::vec;
use proptest::prelude::*;
use support::frame;
use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

const MAX_MESSAGE: usize = 300;

/// What both are asked about: messages in order, then the close code of the first mistake, if any.
#[derive(Debug, PartialEq)]
struct Outcome {
    received: Vec<Received>,
    code: Option<u16>,
}

/// Ours, with the bytes cut at the given sizes in turn.
fn ours(bytes: &[u8], cuts: &[usize]) -> Outcome {
    let mut connection = Connection::new(Limits {
        max_message: MAX_MESSAGE,
        ..Limits::default()
    });
    let mut received = Vec::new();
    let mut rest = bytes;
    for cut in cuts.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (mut piece, after) = rest.split_at((*cut).clamp(1, rest.len()));
        rest = after;
        loop {
            match connection.receive(&mut piece) {
                Ok(Some(close @ Received::Close(_))) => {
                    received.push(close);
                    return Outcome {
                        received,
                        code: None,
                    };
                }
                Ok(Some(item)) => received.push(item),
                Ok(None) => break,
                Err(violation) => {
                    let code = Some(violation.code());
                    return Outcome { received, code };
                }
            }
        }
    }
    Outcome {
        received,
        code: None,
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

fn tungstenites(bytes: &[u8]) -> Outcome {
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE));
    let mut socket = WebSocket::from_raw_socket(Script(bytes), Role::Server, Some(config));
    let mut received = Vec::new();
    loop {
        let item = match socket.read() {
            Ok(Message::Text(text)) => Received::Text(text.into()),
            Ok(Message::Binary(data)) => Received::Binary(data),
            Ok(Message::Ping(data)) => Received::Ping(data),
            Ok(Message::Pong(data)) => Received::Pong(data),
            Ok(Message::Close(close)) => {
                let said = close.map(|c| (c.code.into(), c.reason.to_string()));
                received.push(Received::Close(said));
                return Outcome {
                    received,
                    code: None,
                };
            }
            Ok(Message::Frame(frame)) => panic!("raw frames are never read: {frame:?}"),
            Err(error) => {
                return Outcome {
                    received,
                    code: code_of(&error),
                };
            }
        };
        received.push(item);
    }
}

fn code_of(error: &Error) -> Option<u16> {
    match error {
        Error::Utf8(_) => Some(1007),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Some(1009),
        Error::Io(_) | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        Error::Protocol(_) => Some(1002),
        other => panic!("unexpected error of the oracle: {other:?}"),
    }
}

/// Payloads with all that text can have: ASCII, long characters, cut ones, wrong ones.
fn payload() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => ".{0,20}".prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..20),
        1 => vec(0x20..0x7fu8, 100..200),
        1 => Just("κόσμε\u{10ffff}".as_bytes()[..11].to_vec()),
    ]
}

/// Frames, most of them right in themselves, in any order.
fn client_frame() -> impl Strategy<Value = Vec<u8>> {
    let first = prop_oneof![
        6 => Just(0x81u8),
        4 => Just(0x82u8),
        4 => Just(0x01u8),
        2 => Just(0x02u8),
        4 => Just(0x00u8),
        5 => Just(0x80u8),
        3 => Just(0x89u8),
        2 => Just(0x8au8),
        1 => any::<u8>().prop_filter("a close frame has a strategy of its own", |f| f & 0x0f != 8),
    ];
    (first, payload()).prop_map(|(first, payload)| frame(first, &payload))
}

/// Close frames with codes that both agree on: the oracle takes 1015 and its like for what they are
/// not, so that codes between the assigned ones are left to the tests of violations.
fn close_frame() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![
        Just(1000u16),
        Just(1001),
        Just(1003),
        Just(1007),
        Just(1011),
        Just(3000),
        Just(4999)
    ];
    prop_oneof![
        Just(frame(0x88, b"")),
        (code, "[a-zü]{0,10}").prop_map(|(code, reason)| {
            frame(0x88, &[&code.to_be_bytes()[..], reason.as_bytes()].concat())
        }),
    ]
}

fn conversation() -> impl Strategy<Value = Vec<u8>> {
    (
        vec(client_frame(), 0..12),
        proptest::option::of(close_frame()),
    )
        .prop_map(|(frames, close)| {
            let mut bytes = frames.concat();
            bytes.extend(close.unwrap_or_default());
            bytes
        })
}

/// A valid message cut into frames, with pings between them.
fn fragmented() -> impl Strategy<Value = (Vec<u8>, Received)> {
    (".{0,60}", vec(0usize..20, 0..6), any::<bool>()).prop_map(|(text, cuts, is_text)| {
        let mut rest = text.as_bytes();
        let mut bytes = Vec::new();
        let mut op = if is_text { 1 } else { 2 };
        for cut in cuts {
            let (part, after) = rest.split_at(cut.min(rest.len()));
            bytes.extend(frame(op, part));
            bytes.extend(frame(0x89, b"between"));
            (op, rest) = (0, after);
        }
        bytes.extend(frame(0x80 | op, rest));
        let whole = Bytes::from(text.into_bytes());
        let message = if is_text {
            Received::Text(whole)
        } else {
            Received::Binary(whole)
        };
        (bytes, message)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_sequence_of_frames_is_received_as_by_tungstenite(
        bytes in conversation(),
        cuts in vec(1usize..40, 1..5),
    ) {
        let theirs = tungstenites(&bytes);
        let ours = ours(&bytes, &cuts);
        prop_assert_eq!(&ours.received, &theirs.received);
        // Within one frame several things can be wrong, and the order in which they are found is free;
        // that something is wrong is not.
        prop_assert_eq!(ours.code.is_some(), theirs.code.is_some(), "{:?} {:?}", ours, theirs);
    }

    #[test]
    fn a_message_is_the_same_however_it_is_fragmented_and_cut(
        (bytes, message) in fragmented(),
        cuts in vec(1usize..40, 1..5),
    ) {
        let outcome = ours(&bytes, &cuts);
        prop_assert_eq!(outcome.code, None);
        prop_assert_eq!(outcome.received.last(), Some(&message));
    }

    #[test]
    fn cutting_bytes_never_changes_what_is_received(
        bytes in prop_oneof![conversation(), vec(any::<u8>(), 0..200)],
        cuts in vec(1usize..40, 1..5),
    ) {
        prop_assert_eq!(ours(&bytes, &cuts), ours(&bytes, &[usize::MAX]));
    }

    #[test]
    fn a_server_frame_is_read_by_tungstenite_as_it_was_meant(
        text in ".{0,200}",
        (byte, len) in (any::<u8>(), prop_oneof![0usize..200, 65_500usize..65_600]),
    ) {
        let data = vec![byte; len];
        let bytes = [Frame::text(text.as_bytes()), Frame::binary(&data)]
            .map(|frame| frame.bytes().to_vec())
            .concat();
        let mut client = WebSocket::from_raw_socket(Script(&bytes), Role::Client, None);
        prop_assert_eq!(client.read().unwrap(), Message::text(text));
        prop_assert_eq!(client.read().unwrap(), Message::binary(data));
    }
}
