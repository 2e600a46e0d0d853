//! Polling bodies: several packets in one HTTP body, separated by the record
//! separator 0x1E (Engine.IO protocol v4, "HTTP long-polling").
//!
//! What the server sends is encoded once, as WebSocket frames. A poll answers with
//! the payloads of the same frames: text as it is, binary as base64.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use nest_gateway_wire::Frame;

use super::packet::{Packet, PacketError};

const SEPARATOR: u8 = 0x1e;

/// Why a body is refused; the session ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// The body is not UTF-8.
    #[error("the body is not UTF-8")]
    Utf8,
    /// The body has more packets than allowed.
    #[error("more than {0} packets in one body")]
    TooManyPackets(usize),
    /// One of the packets is broken.
    #[error(transparent)]
    Packet(#[from] PacketError),
}

/// Splits a body into its packets, at most `max_packets` of them. Nothing is kept
/// of a body with a broken packet.
pub fn decode(body: &Bytes, max_packets: usize) -> Result<Vec<Packet>, PayloadError> {
    std::str::from_utf8(body).map_err(|_| PayloadError::Utf8)?;
    let count = 1 + memchr::memchr_iter(SEPARATOR, body).count();
    if count > max_packets {
        return Err(PayloadError::TooManyPackets(max_packets));
    }
    let mut packets = Vec::with_capacity(count);
    for entry in body.split(|byte| *byte == SEPARATOR) {
        packets.push(Packet::from_body_entry(&body.slice_ref(entry))?);
    }
    Ok(packets)
}

/// Appends the messages of encoded WebSocket frames to the body of a poll's answer.
/// `frames` is one or more complete, unmasked data frames; control frames have no
/// meaning for a poll and are left out.
pub fn append_frames(body: &mut Vec<u8>, frames: &[u8]) {
    for frame in DataFrames(frames) {
        if !body.is_empty() {
            body.push(SEPARATOR);
        }
        match frame {
            DataFrame::Text(text) => body.extend_from_slice(text),
            DataFrame::Binary(bytes) => append_base64(body, bytes),
        }
    }
}

fn append_base64(body: &mut Vec<u8>, bytes: &[u8]) {
    body.push(b'b');
    let start = body.len();
    // The encoded length of bytes that are already in memory cannot overflow.
    let length = base64::encoded_len(bytes.len(), true).unwrap_or(0);
    body.resize(start + length, 0);
    let written = STANDARD
        .encode_slice(bytes, &mut body[start..])
        .unwrap_or(0);
    debug_assert_eq!(written, length);
}

/// Takes encoded frames that were joined apart again, without copying them.
pub fn split_frames(frames: &Bytes) -> Vec<Frame> {
    let mut rest = &frames[..];
    let mut split = Vec::new();
    while let Some((_, _, behind)) = split_frame(rest) {
        let frame = &rest[..rest.len() - behind.len()];
        split.extend(Frame::from_bytes(frames.slice_ref(frame)));
        rest = behind;
    }
    split
}

enum DataFrame<'a> {
    Text(&'a [u8]),
    Binary(&'a [u8]),
}

/// Walks over frames that this server encoded (RFC 6455, section 5.2): never masked,
/// never fragmented.
struct DataFrames<'a>(&'a [u8]);

impl<'a> Iterator for DataFrames<'a> {
    type Item = DataFrame<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (opcode, payload, rest) = split_frame(self.0)?;
            self.0 = rest;
            match opcode {
                1 => return Some(DataFrame::Text(payload)),
                2 => return Some(DataFrame::Binary(payload)),
                _ => {}
            }
        }
    }
}

fn split_frame(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match head[1] {
        126 => {
            let (length, rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes(*length)), rest)
        }
        127 => {
            let (length, rest) = rest.split_first_chunk::<8>()?;
            (usize::try_from(u64::from_be_bytes(*length)).ok()?, rest)
        }
        length => (usize::from(length), rest),
    };
    let (payload, rest) = rest.split_at_checked(length)?;
    Some((head[0] & 0x0f, payload, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(body: &str) -> Result<Vec<Packet>, PayloadError> {
        decode(&Bytes::copy_from_slice(body.as_bytes()), 64)
    }

    fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x80 | opcode];
        match payload.len() {
            length @ 0..126 => bytes.push(u8::try_from(length).unwrap()),
            length @ 126..65536 => {
                bytes.push(126);
                bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
            }
            length => {
                bytes.push(127);
                bytes.extend(u64::try_from(length).unwrap().to_be_bytes());
            }
        }
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn a_body_of_one_packet_has_no_separator() {
        assert_eq!(
            decoded("4hello"),
            Ok(vec![Packet::Text(Bytes::from_static(b"hello"))])
        );
    }

    #[test]
    fn text_and_binary_packets_keep_their_order() {
        let packets = decoded("4test1\u{1e}bAQIDBA==\u{1e}3").unwrap();
        assert_eq!(
            packets,
            [
                Packet::Text(Bytes::from_static(b"test1")),
                Packet::Binary(Bytes::from_static(&[1, 2, 3, 4])),
                Packet::Pong,
            ]
        );
    }

    #[test]
    fn a_body_with_too_many_packets_is_refused_before_any_is_read() {
        let body = vec!["4"; 65].join("\u{1e}");
        assert_eq!(decoded(&body), Err(PayloadError::TooManyPackets(64)));
        assert_eq!(decoded(&vec!["4"; 64].join("\u{1e}")).unwrap().len(), 64);
    }

    #[test]
    fn one_broken_packet_spoils_the_body() {
        for body in [
            "",
            "\u{1e}",
            "4a\u{1e}",
            "4a\u{1e}\u{1e}4b",
            "4a\u{1e}x",
            "abc",
            "4a\u{1e}b?",
        ] {
            assert!(
                matches!(decoded(body), Err(PayloadError::Packet(_))),
                "{body:?}"
            );
        }
        assert_eq!(
            decode(&Bytes::from_static(&[b'4', 0xff]), 64),
            Err(PayloadError::Utf8)
        );
    }

    #[test]
    fn frames_become_the_entries_of_a_body() {
        let mut body = Vec::new();
        append_frames(&mut body, &frame(1, b"4hello"));
        let mut packet = frame(1, b"451-[\"e\",{\"_placeholder\":true,\"num\":0}]");
        packet.extend(frame(2, &[1, 2, 3, 4]));
        append_frames(&mut body, &packet);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            "4hello\u{1e}451-[\"e\",{\"_placeholder\":true,\"num\":0}]\u{1e}bAQIDBA=="
        );
    }

    #[test]
    fn every_form_of_the_length_field_is_understood() {
        for length in [0, 125, 126, 65_535, 65_536] {
            let payload = vec![b'x'; length];
            let mut body = Vec::new();
            append_frames(&mut body, &frame(1, &payload));
            assert_eq!(body, payload);
        }
    }

    #[test]
    fn control_frames_mean_nothing_to_a_poll() {
        let mut body = Vec::new();
        let mut frames = frame(9, b"");
        frames.extend(frame(1, b"2"));
        frames.extend(frame(8, &[3, 232]));
        append_frames(&mut body, &frames);
        assert_eq!(body, b"2");
    }

    proptest::proptest! {
        #[test]
        fn what_a_poll_answers_is_what_a_body_means(messages in proptest::collection::vec(
            (proptest::bool::ANY, proptest::collection::vec(0x20_u8..0x7f, 0..300)), 1..20)) {
            let mut body = Vec::new();
            let mut expected = Vec::new();
            for (binary, bytes) in messages {
                if binary {
                    append_frames(&mut body, &frame(2, &bytes));
                    expected.push(Packet::Binary(Bytes::from(bytes)));
                } else {
                    append_frames(&mut body, &frame(1, &[b"4", &*bytes].concat()));
                    expected.push(Packet::Text(Bytes::from(bytes)));
                }
            }
            proptest::prop_assert_eq!(decode(&Bytes::from(body), 64).unwrap(), expected);
        }

        #[test]
        fn no_body_causes_a_panic(body in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = decode(&Bytes::from(body.clone()), 64);
            append_frames(&mut Vec::new(), &body);
        }
    }
}
