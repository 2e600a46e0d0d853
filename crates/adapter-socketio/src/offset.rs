//! The offsets of events as they stand in packets, for connection state recovery.

use bytes::Bytes;
use nest_gateway_core::recovery::Offset;
use nest_gateway_wire::Frame;

use crate::engine::payload::split_frames;

/// The length of an offset: as many hexadecimal digits as a 64-bit number has.
const DIGITS: usize = 16;

/// An offset as the last argument of its event: text of a fixed length, so that it is found at
/// the end of an encoded packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OffsetText([u8; DIGITS]);

impl From<Offset> for OffsetText {
    fn from(Offset(number): Offset) -> Self {
        let mut text = [0; DIGITS];
        for (index, digit) in text.iter_mut().enumerate() {
            let nibble = (number >> (4 * (DIGITS - 1 - index))) & 0xf;
            *digit = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or(0)];
        }
        Self(text)
    }
}

impl OffsetText {
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

/// Reads one back; `None` when it cannot be one of ours.
pub(crate) fn parse(text: &[u8]) -> Option<Offset> {
    if text.len() != DIGITS {
        return None;
    }
    let number = text.iter().try_fold(0, |number, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(digit))
    })?;
    Some(Offset(number))
}

/// The event in an encoded message: a frame with an offset, and the attachments behind a text
/// frame. An ack that leaves together with it is not part of it.
pub(crate) fn event_of(message: &Bytes) -> Option<(Offset, Bytes)> {
    let frames = split_frames(message);
    let first = frames.first()?;
    if !first.is_text() {
        let offset = of_msgpack(&first.payload())?;
        return Some((offset, first.bytes().clone()));
    }
    let offset = of_text(&first.payload())?;
    let attachments = frames.iter().skip(1).take_while(|frame| !frame.is_text());
    let length = first.len() + attachments.map(Frame::len).sum::<usize>();
    Some((offset, message.slice(..length)))
}

/// The offset at the end of a msgpack packet, where it is the last element of the last
/// entry; `None` when the packet is not an event, or asks for an answer.
fn of_msgpack(packet: &[u8]) -> Option<Offset> {
    // A map of `type` 2, `nsp` and `data`, without `id`.
    let rest = packet.strip_prefix(b"\x83\xa4type\x02")?;
    let (before, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    // A string of 16 bytes.
    if before.last() == Some(&0xb0) {
        parse(digits)
    } else {
        None
    }
}

/// The offset at the end of a text message; `None` when the message is not an event,
/// or an event that asks for an answer, which carries none.
fn of_text(message: &[u8]) -> Option<Offset> {
    let mut rest = match message.split_first_chunk::<2>()? {
        (b"42", rest) => rest,
        (b"45", rest) => rest.splitn(2, |byte| *byte == b'-').nth(1)?,
        _ => return None,
    };
    if rest.first() == Some(&b'/') {
        rest = rest.splitn(2, |byte| *byte == b',').nth(1)?;
    }
    if rest.first() != Some(&b'[') {
        return None;
    }
    let text = rest.strip_suffix(b"\"]")?;
    let (before, digits) = text.split_at_checked(text.len().checked_sub(DIGITS)?)?;
    if before.ends_with(b",\"") {
        parse(digits)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_read_back() {
        for number in [0, 1, 0xabc, u64::MAX] {
            let text = OffsetText::from(Offset(number));
            assert_eq!(parse(text.as_str().as_bytes()), Some(Offset(number)));
        }
        assert_eq!(OffsetText::from(Offset(0xabc)).as_str(), "0000000000000abc");
        for text in [
            "",
            "1",
            "000000000000000g",
            "00000000000000000",
            "000000000000000A",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn an_event_is_kept_with_its_attachments_and_without_an_ack() {
        let text = Frame::text(br#"451-["e",{"_placeholder":true,"num":0},"0000000000000abc"]"#);
        let attachment = Frame::binary(b"bytes");
        let ack = Frame::text(b"430[]");
        let event = [&text.bytes()[..], &attachment.bytes()[..]].concat();
        let message = Bytes::from([&event[..], &ack.bytes()[..]].concat());
        assert_eq!(event_of(&message), Some((Offset(0xabc), event.into())));
        assert_eq!(event_of(ack.bytes()), None);
        assert_eq!(event_of(&Bytes::new()), None);
    }

    #[test]
    fn an_event_tells_its_offset() {
        let offset = Offset(0xabc);
        for message in [
            r#"42["e","0000000000000abc"]"#,
            r#"42["e",1,"0000000000000abc"]"#,
            r#"42/a-b,["e",{},"0000000000000abc"]"#,
            r#"452-["e",{"_placeholder":true,"num":0},"0000000000000abc"]"#,
            r#"451-/a,["e",{"_placeholder":true,"num":0},"0000000000000abc"]"#,
        ] {
            assert_eq!(of_text(message.as_bytes()), Some(offset), "{message}");
        }
        for message in [
            "",
            "2",
            "42",
            "45",
            "42[]",
            r#"42["e"]"#,
            r#"42["0000000000000abc"]"#,
            r#"421["e","0000000000000abc"]"#,
            r#"42/a,1["e","0000000000000abc"]"#,
            r#"451-7["e","0000000000000abc"]"#,
            r#"430["e","0000000000000abc"]"#,
            r#"40{"sid":"0000000000000abc"}"#,
            r#"42["e","x0000000000000abc"]"#,
        ] {
            assert_eq!(of_text(message.as_bytes()), None, "{message}");
        }
    }
}
