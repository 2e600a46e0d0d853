//! RFC 6455 framing as a load generator needs it: client frames out, server
//! frames in, without copying a payload.

use std::fmt;

/// A text frame (RFC 6455, section 5.6).
pub const TEXT: u8 = 0x1;
/// A close frame (RFC 6455, section 5.5.1).
pub const CLOSE: u8 = 0x8;
/// A ping frame (RFC 6455, section 5.5.2).
pub const PING: u8 = 0x9;
/// A pong frame (RFC 6455, section 5.5.3).
pub const PONG: u8 = 0xA;

/// The masking key of every client frame. It is not zero, so that a server
/// does the work of unmasking that it would do for a browser.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

/// A frame found at the start of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The opcode, 0 to 15.
    pub opcode: u8,
    /// Bytes before the payload.
    pub header_len: usize,
    /// Bytes of the payload.
    pub payload_len: usize,
}

impl Header {
    /// Bytes of the whole frame.
    #[must_use]
    pub const fn frame_len(&self) -> usize {
        self.header_len + self.payload_len
    }
}

/// What a server may not send to this generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameError {
    /// A server frame had the mask bit (RFC 6455, section 5.1).
    Masked,
    /// A reserved bit was set although no extension was negotiated.
    Reserved,
    /// A message came in fragments; no server under test does that for the
    /// sizes used here, so that it is a finding and not a case to handle.
    Fragmented,
    /// A length that does not fit the address space.
    TooLong,
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Masked => "the server sent a masked frame",
            Self::Reserved => "the server set a reserved bit",
            Self::Fragmented => "the server sent a fragmented message",
            Self::TooLong => "the server sent a frame longer than the address space",
        })
    }
}

impl std::error::Error for FrameError {}

/// Reads the header of the server frame at the start of `bytes`.
///
/// `Ok(None)` means that more bytes are needed for the header itself; whether
/// the payload is complete is for the caller to compare.
///
/// # Errors
/// See [`FrameError`].
pub fn server_header(bytes: &[u8]) -> Result<Option<Header>, FrameError> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved);
    }
    if first & 0x80 == 0 || matches!(first & 0x0F, 0) {
        return Err(FrameError::Fragmented);
    }
    let (header_len, payload_len) = match second & 0x7F {
        126 => match rest.first_chunk::<2>() {
            Some(len) => (4, usize::from(u16::from_be_bytes(*len))),
            None => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(len) => (
                10,
                usize::try_from(u64::from_be_bytes(*len)).map_err(|_| FrameError::TooLong)?,
            ),
            None => return Ok(None),
        },
        short => (2, usize::from(short)),
    };
    Ok(Some(Header {
        opcode: first & 0x0F,
        header_len,
        payload_len,
    }))
}

/// Appends one complete masked client frame.
pub fn push_client_frame(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    push_header(0x80 | opcode, 0x80, payload.len(), out);
    out.extend_from_slice(&MASK);
    let start = out.len();
    out.extend_from_slice(payload);
    for chunk in out[start..].chunks_mut(MASK.len()) {
        for (byte, key) in chunk.iter_mut().zip(MASK) {
            *byte ^= key;
        }
    }
}

/// Appends one complete server frame, which is not masked.
pub fn push_server_frame(opcode: u8, payload: &[u8], out: &mut Vec<u8>) {
    push_header(0x80 | opcode, 0, payload.len(), out);
    out.extend_from_slice(payload);
}

fn push_header(first: u8, mask_bit: u8, len: usize, out: &mut Vec<u8>) {
    out.push(first);
    if let Ok(short) = u8::try_from(len)
        && short < 126
    {
        out.push(mask_bit | short);
    } else if let Ok(medium) = u16::try_from(len) {
        out.push(mask_bit | 0x7E);
        out.extend_from_slice(&medium.to_be_bytes());
    } else {
        out.push(mask_bit | 0x7F);
        out.extend_from_slice(&(len as u64).to_be_bytes());
    }
}

/// Takes the masked client frame at the start of `bytes` apart, unmasking its
/// payload in place: `(opcode, payload range, frame length)`.
///
/// For the floor and for tests; `None` means that the frame is not complete.
pub fn unmask_client_frame(bytes: &mut [u8]) -> Option<(u8, std::ops::Range<usize>, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (header_len, len) = match second & 0x7F {
        126 => (
            4,
            usize::from(u16::from_be_bytes(*bytes[2..].first_chunk()?)),
        ),
        127 => (
            10,
            usize::try_from(u64::from_be_bytes(*bytes[2..].first_chunk()?)).ok()?,
        ),
        short => (2, usize::from(short)),
    };
    let key: [u8; 4] = *bytes.get(header_len..)?.first_chunk()?;
    let start = header_len + key.len();
    let payload = bytes.get_mut(start..start.checked_add(len)?)?;
    for chunk in payload.chunks_mut(key.len()) {
        for (byte, key) in chunk.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
    Some((first & 0x0F, start..start + len, start + len))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_frame_of_every_length_form_comes_back_unmasked() {
        for len in [0, 1, 125, 126, 65_535, 65_536] {
            let payload: Vec<u8> = (0..=250).cycle().take(len).collect();
            let mut bytes = Vec::new();
            push_client_frame(TEXT, &payload, &mut bytes);
            let (opcode, range, frame_len) = unmask_client_frame(&mut bytes).expect("complete");
            assert_eq!((opcode, frame_len), (TEXT, bytes.len()));
            assert_eq!(&bytes[range], &payload[..]);
        }
    }

    #[test]
    fn a_server_frame_of_every_length_form_is_measured() {
        for len in [0, 125, 126, 65_535, 65_536] {
            let mut bytes = Vec::new();
            push_server_frame(TEXT, &vec![7; len], &mut bytes);
            let header = server_header(&bytes).expect("valid").expect("complete");
            assert_eq!((header.opcode, header.payload_len), (TEXT, len));
            assert_eq!(header.frame_len(), bytes.len());
            assert_eq!(server_header(&bytes[..1]), Ok(None));
        }
    }

    #[test]
    fn an_incomplete_client_frame_is_left_alone() {
        let mut bytes = Vec::new();
        push_client_frame(TEXT, b"hello", &mut bytes);
        let before = bytes.clone();
        let cut = bytes.len() - 1;
        assert_eq!(unmask_client_frame(&mut bytes[..cut]), None);
        assert_eq!(bytes, before);
    }

    #[test]
    fn masked_reserved_and_fragmented_server_frames_are_findings() {
        assert_eq!(server_header(&[0x81, 0x80]), Err(FrameError::Masked));
        assert_eq!(server_header(&[0xC1, 0x00]), Err(FrameError::Reserved));
        assert_eq!(server_header(&[0x01, 0x00]), Err(FrameError::Fragmented));
        assert_eq!(server_header(&[0x80, 0x00]), Err(FrameError::Fragmented));
    }
}
