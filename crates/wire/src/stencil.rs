//! Text frames that differ in one place.

use crate::frame::{FIN, Frame, MAX_CONTROL, OpCode};

/// A text message with a gap: what stands around the data of messages that are otherwise alike, as the
/// items of a stream are.
///
/// Filling the gap copies three pieces of memory, where an encoder would put all of the message
/// together anew.
#[derive(Clone, Debug)]
pub struct Stencil {
    /// The header of a short frame, its length still to be set, and what stands before the gap.
    head: Vec<u8>,
    tail: Vec<u8>,
}

/// The length of a header whose second byte is the length of the payload (RFC 6455, section 5.2).
const SHORT_HEADER: usize = 2;

impl Stencil {
    /// A message of these parts, with a gap between them. With what will be in the gap they have to be
    /// UTF-8, which the caller vouches for.
    pub fn new(before: &[u8], behind: &[u8]) -> Self {
        let mut head = vec![FIN | OpCode::Text.bits(), 0];
        head.extend_from_slice(before);
        Self {
            head,
            tail: behind.to_vec(),
        }
    }

    /// Appends a frame with `data` in the gap, as [`Frame::append`] does.
    pub fn append(&self, buffer: &mut Vec<u8>, data: &[u8]) {
        let before = &self.head[SHORT_HEADER..];
        let len = before.len() + data.len() + self.tail.len();
        match u8::try_from(len) {
            Ok(short) if len <= MAX_CONTROL => {
                let start = buffer.len();
                buffer.reserve(SHORT_HEADER + len);
                buffer.extend_from_slice(&self.head);
                buffer[start + 1] = short;
                buffer.extend_from_slice(data);
                buffer.extend_from_slice(&self.tail);
            }
            _ => Frame::append(buffer, OpCode::Text, len, |buffer| {
                buffer.extend_from_slice(before);
                buffer.extend_from_slice(data);
                buffer.extend_from_slice(&self.tail);
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_stencil_is_the_frame_of_the_whole_message() {
        let stencil = Stencil::new(b"[\"token\",", b"]");
        for len in [
            0, 1, 100, 113, 114, 115, 116, 65_523, 65_524, 65_525, 70_000,
        ] {
            let data = vec![b'1'; len];
            let whole = [b"[\"token\",", &data[..], b"]"].concat();
            let mut buffer = b"before".to_vec();
            stencil.append(&mut buffer, &data);
            assert_eq!(&buffer[..6], b"before");
            assert_eq!(&buffer[6..], &Frame::text(&whole).bytes()[..], "{len}");
        }
    }
}
