//! The header of a frame that a client sends (RFC 6455, section 5.2).

use crate::frame::{FIN, OpCode, RSV1};
use crate::violation::Violation;

/// The longest header: two bytes, a length of eight, a mask of four.
pub(crate) const MAX_HEADER: usize = 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) fin: bool,
    /// RSV1; only ever set on a text or binary frame.
    pub(crate) compressed: bool,
    pub(crate) op: OpCode,
    pub(crate) mask: [u8; 4],
    pub(crate) len: u64,
}

/// Reads a header from the front of `bytes`; gives it with its size, or `None` if bytes are missing.
///
/// Whatever the bytes that are there already prove wrong is reported at once.
pub(crate) fn parse(bytes: &[u8], compression: bool) -> Result<Option<(Header, usize)>, Violation> {
    let Some(&first) = bytes.first() else {
        return Ok(None);
    };
    let (fin, compressed, op) = parse_first(first, compression)?;
    let Some(&second) = bytes.get(1) else {
        return Ok(None);
    };
    if second & 0x80 == 0 {
        return Err(Violation::Unmasked);
    }
    let short = second & 0x7f;
    if op.is_control() && short > 125 {
        return Err(Violation::ControlTooLong);
    }
    let Some((len, at)) = parse_len(bytes, short)? else {
        return Ok(None);
    };
    let Some(mask) = bytes.get(at..at + 4) else {
        return Ok(None);
    };
    let header = Header {
        fin,
        compressed,
        op,
        mask: mask.try_into().expect("a slice of four bytes"),
        len,
    };
    Ok(Some((header, at + 4)))
}

fn parse_first(first: u8, compression: bool) -> Result<(bool, bool, OpCode), Violation> {
    let fin = first & FIN != 0;
    let compressed = first & RSV1 != 0;
    let bits = first & 0x0f;
    let op = OpCode::from_bits(bits).ok_or(Violation::ReservedOpCode(bits))?;
    // RSV1 belongs to the first frame of a compressed data message (RFC 7692, section 6).
    let may_compress = compression && matches!(op, OpCode::Text | OpCode::Binary);
    if first & 0x30 != 0 || (compressed && !may_compress) {
        return Err(Violation::ReservedBit);
    }
    if op.is_control() && !fin {
        return Err(Violation::FragmentedControl);
    }
    Ok((fin, compressed, op))
}

/// The payload length and where it ends.
fn parse_len(bytes: &[u8], short: u8) -> Result<Option<(u64, usize)>, Violation> {
    match short {
        126 => {
            let Some(len) = bytes.get(2..4) else {
                return Ok(None);
            };
            let len = u16::from_be_bytes(len.try_into().expect("a slice of two bytes"));
            if len < 126 {
                return Err(Violation::BadLength);
            }
            Ok(Some((u64::from(len), 4)))
        }
        127 => {
            let Some(len) = bytes.get(2..10) else {
                return Ok(None);
            };
            let len = u64::from_be_bytes(len.try_into().expect("a slice of eight bytes"));
            if u16::try_from(len).is_ok() || len >> 63 != 0 {
                return Err(Violation::BadLength);
            }
            Ok(Some((len, 10)))
        }
        len => Ok(Some((u64::from(len), 2))),
    }
}
