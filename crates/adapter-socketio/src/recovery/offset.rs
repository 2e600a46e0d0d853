//! The names of events, by which a client tells the last one that it got.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers the events of a server.
#[derive(Debug, Default)]
pub(crate) struct Offsets(AtomicU64);

/// The length of an offset: as many hexadecimal digits as a 64-bit number has.
const DIGITS: usize = 16;

/// Names one event. It is the last argument of the event on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offset([u8; DIGITS]);

impl Offsets {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The next number, as text of a fixed length.
    pub(crate) fn next(&self) -> Offset {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut text = [0; DIGITS];
        for (index, digit) in text.iter_mut().enumerate() {
            let nibble = (number >> (4 * (DIGITS - 1 - index))) & 0xf;
            *digit = b"0123456789abcdef"[usize::try_from(nibble).unwrap_or(0)];
        }
        Offset(text)
    }
}

impl Offset {
    /// Reads one back; `None` when it cannot be one of ours.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let digits: [u8; DIGITS] = text.try_into().ok()?;
        let known = |digit: &u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
        digits.iter().all(known).then_some(Self(digits))
    }

    /// The offset at the end of a msgpack packet, where it is the last element of the last
    /// entry; `None` when the packet is not an event, or asks for an answer.
    pub(crate) fn of_msgpack(packet: &[u8]) -> Option<Self> {
        // A map of `type` 2, `nsp` and `data`, without `id`.
        let rest = packet.strip_prefix(b"\x83\xa4type\x02")?;
        let (before, digits) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
        // A string of 16 bytes.
        if before.last() == Some(&0xb0) {
            Self::parse(digits)
        } else {
            None
        }
    }

    /// The offset at the end of a text message; `None` when the message is not an event,
    /// or an event that asks for an answer, which carries none.
    pub(crate) fn of_message(message: &[u8]) -> Option<Self> {
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
            Self::parse(digits)
        } else {
            None
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("digits are ASCII")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_grow_and_read_back() {
        let offsets = Offsets::new();
        let (first, second) = (offsets.next(), offsets.next());
        assert_eq!(first.as_str(), "0000000000000000");
        assert_eq!(second.as_str(), "0000000000000001");
        assert_eq!(Offset::parse(second.as_str().as_bytes()), Some(second));
        for text in [
            "",
            "1",
            "000000000000000g",
            "00000000000000000",
            "000000000000000A",
        ] {
            assert_eq!(Offset::parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn an_event_tells_its_offset() {
        let offset = Offsets(AtomicU64::new(0xabc)).next();
        for message in [
            r#"42["e","0000000000000abc"]"#,
            r#"42["e",1,"0000000000000abc"]"#,
            r#"42/a-b,["e",{},"0000000000000abc"]"#,
            r#"452-["e",{"_placeholder":true,"num":0},"0000000000000abc"]"#,
            r#"451-/a,["e",{"_placeholder":true,"num":0},"0000000000000abc"]"#,
        ] {
            assert_eq!(
                Offset::of_message(message.as_bytes()),
                Some(offset),
                "{message}"
            );
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
            assert_eq!(Offset::of_message(message.as_bytes()), None, "{message}");
        }
    }
}
