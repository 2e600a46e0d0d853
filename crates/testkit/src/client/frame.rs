//! RFC 6455 frames seen from the client's side, wrong ones included.
//!
//! This shares no code with the wire crate on purpose: a mistake there must
//! not hide itself in the client that looks for it.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};

/// Largest payload the test client accepts in one frame: 256 MiB, far above
/// every limit under test.
const MAX_PAYLOAD: u64 = 256 * 1024 * 1024;

/// Mask of every frame the client sends; RFC 6455 section 5.3 wants it
/// unpredictable for the sake of proxies, a test wants it reproducible.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Opcode numbers of RFC 6455 section 5.2.
pub mod opcode {
    /// A further fragment of a message.
    pub const CONTINUATION: u8 = 0x0;
    /// UTF-8 text.
    pub const TEXT: u8 = 0x1;
    /// Bytes.
    pub const BINARY: u8 = 0x2;
    /// Close, with an optional code and reason.
    pub const CLOSE: u8 = 0x8;
    /// Ping.
    pub const PING: u8 = 0x9;
    /// Pong.
    pub const PONG: u8 = 0xa;
}

/// A frame for a server: correct as built, wrong as bent by the methods.
///
/// ```
/// use nest_gateway_testkit::client::ClientFrame;
///
/// let legal = ClientFrame::text("hi").encode();
/// let illegal = ClientFrame::text("hi").rsv(0b100).encode();
/// assert_eq!(legal[0] | 0x40, illegal[0]);
/// ```
#[derive(Clone, Debug)]
pub struct ClientFrame {
    fin: bool,
    rsv: u8,
    opcode: u8,
    masked: bool,
    declared: Option<u64>,
    payload: Vec<u8>,
}

impl ClientFrame {
    /// A final, masked frame with this opcode number.
    pub fn new(opcode: u8, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            masked: true,
            declared: None,
            payload: payload.into(),
        }
    }

    /// A text frame; the bytes need not be UTF-8.
    pub fn text(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(opcode::TEXT, payload)
    }

    /// A binary frame.
    pub fn binary(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(opcode::BINARY, payload)
    }

    /// A continuation frame.
    pub fn continuation(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(opcode::CONTINUATION, payload)
    }

    /// A ping.
    pub fn ping(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(opcode::PING, payload)
    }

    /// A pong.
    pub fn pong(payload: impl Into<Vec<u8>>) -> Self {
        Self::new(opcode::PONG, payload)
    }

    /// A close frame with a code (any number) and a reason.
    pub fn close(code: u16, reason: &str) -> Self {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        Self::new(opcode::CLOSE, payload)
    }

    /// Clears FIN: a fragment that others follow.
    #[must_use]
    pub fn unfinished(mut self) -> Self {
        self.fin = false;
        self
    }

    /// Sets the three reserved bits (`0b100` is RSV1).
    #[must_use]
    pub fn rsv(mut self, bits: u8) -> Self {
        self.rsv = bits & 0b111;
        self
    }

    /// Leaves out the mask, which a client must not (section 5.1).
    #[must_use]
    pub fn unmasked(mut self) -> Self {
        self.masked = false;
        self
    }

    /// Declares a length in the header that is not the payload's.
    #[must_use]
    pub fn declaring(mut self, length: u64) -> Self {
        self.declared = Some(length);
        self
    }

    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.payload.len() + 14);
        out.push((u8::from(self.fin) << 7) | (self.rsv << 4) | (self.opcode & 0x0f));
        self.encode_length(&mut out);
        if self.masked {
            out.extend_from_slice(&MASK);
            out.extend(
                self.payload
                    .iter()
                    .zip(MASK.iter().cycle())
                    .map(|(byte, key)| byte ^ key),
            );
        } else {
            out.extend_from_slice(&self.payload);
        }
        out
    }

    fn encode_length(&self, out: &mut Vec<u8>) {
        let bit = u8::from(self.masked) << 7;
        let length = self.declared.unwrap_or(self.payload.len() as u64);
        if length < 126 {
            out.push(bit | u8::try_from(length).expect("checked to be below 126"));
        } else if let Ok(short) = u16::try_from(length) {
            out.push(bit | 0x7e);
            out.extend_from_slice(&short.to_be_bytes());
        } else {
            out.push(bit | 0x7f);
            out.extend_from_slice(&length.to_be_bytes());
        }
    }
}

impl fmt::Display for ClientFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.opcode, self.fin, &self.payload)?;
        if self.rsv != 0 {
            write!(f, " rsv={:03b}", self.rsv)?;
        }
        if !self.masked {
            write!(f, " unmasked")?;
        }
        if let Some(length) = self.declared {
            write!(f, " declaring {length} bytes")?;
        }
        Ok(())
    }
}

/// A frame that a server sent and that RFC 6455 allows it to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFrame {
    /// Whether this frame ends its message.
    pub fin: bool,
    /// The opcode number.
    pub opcode: u8,
    /// The payload.
    pub payload: Bytes,
}

impl ServerFrame {
    /// Takes one whole frame out of `buffer`; `None` when more bytes are needed.
    pub fn decode(buffer: &mut BytesMut) -> Result<Option<Self>, FrameError> {
        let Some((header, length)) = decode_length(buffer)? else {
            return Ok(None);
        };
        if buffer.len() < header + length {
            return Ok(None);
        }
        let first = buffer[0];
        buffer.advance(header);
        let frame = Self {
            fin: first & 0x80 != 0,
            opcode: first & 0x0f,
            payload: buffer.split_to(length).freeze(),
        };
        if frame.opcode >= opcode::CLOSE && (!frame.fin || length > 125) {
            return Err(FrameError::Control(frame.opcode));
        }
        Ok(Some(frame))
    }

    /// Code and reason of a close frame; 1005 when it carries none.
    pub fn close_code(&self) -> Result<(u16, String), FrameError> {
        match self.payload.as_ref() {
            [] => Ok((1005, String::new())),
            [_] => Err(FrameError::ClosePayload),
            [high, low, reason @ ..] => {
                let reason = std::str::from_utf8(reason).map_err(|_| FrameError::Utf8)?;
                let code = u16::from_be_bytes([*high, *low]);
                if is_sendable(code) {
                    Ok((code, reason.to_owned()))
                } else {
                    Err(FrameError::CloseCode(code))
                }
            }
        }
    }
}

impl fmt::Display for ServerFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        show(f, self.opcode, self.fin, &self.payload)
    }
}

/// What a server must not send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// RFC 6455 section 5.1: frames to the client are not masked.
    #[error("the server masked a frame")]
    Masked,
    /// A reserved bit without a negotiated extension.
    #[error("the server set a reserved bit (first byte {0:#04x})")]
    Reserved(u8),
    /// An opcode that section 5.2 does not define.
    #[error("the server sent the unknown opcode {0:#x}")]
    Opcode(u8),
    /// A control frame that is fragmented or above 125 bytes.
    #[error("the server sent a fragmented or oversized control frame (opcode {0:#x})")]
    Control(u8),
    /// A length in more bytes than it needs (section 5.2).
    #[error("the server wrote the length {0} in more bytes than it needs")]
    Length(u64),
    /// More than the test client is willing to hold.
    #[error("the server declared a frame of {0} bytes")]
    TooLong(u64),
    /// A continuation without a beginning, or a beginning without an end.
    #[error("the server sent fragments out of order")]
    Fragments,
    /// Text that is not UTF-8.
    #[error("the server sent text that is not utf-8")]
    Utf8,
    /// A close payload of one byte.
    #[error("the server sent a close payload of one byte")]
    ClosePayload,
    /// A close code that must not appear on the wire (section 7.4).
    #[error("the server sent the close code {0}")]
    CloseCode(u16),
}

fn decode_length(buffer: &BytesMut) -> Result<Option<(usize, usize)>, FrameError> {
    let [first, second, rest @ ..] = buffer.as_ref() else {
        return Ok(None);
    };
    if first & 0x70 != 0 {
        return Err(FrameError::Reserved(*first));
    }
    if !matches!(first & 0x0f, 0..=2 | 8..=10) {
        return Err(FrameError::Opcode(first & 0x0f));
    }
    if second & 0x80 != 0 {
        return Err(FrameError::Masked);
    }
    let (header, length) = match (second & 0x7f, rest) {
        (126, [a, b, ..]) => {
            let length = u64::from(u16::from_be_bytes([*a, *b]));
            if length < 126 {
                return Err(FrameError::Length(length));
            }
            (4, length)
        }
        (127, bytes) if bytes.len() >= 8 => {
            let bytes = bytes.first_chunk().expect("the guard counted eight");
            let length = u64::from_be_bytes(*bytes);
            if u16::try_from(length).is_ok() {
                return Err(FrameError::Length(length));
            }
            (10, length)
        }
        (126 | 127, _) => return Ok(None),
        (short, _) => (2, u64::from(short)),
    };
    if length > MAX_PAYLOAD {
        return Err(FrameError::TooLong(length));
    }
    let length = usize::try_from(length).map_err(|_| FrameError::TooLong(length))?;
    Ok(Some((header, length)))
}

fn is_sendable(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn show(f: &mut fmt::Formatter<'_>, opcode: u8, fin: bool, payload: &[u8]) -> fmt::Result {
    let name = match opcode {
        opcode::CONTINUATION => "continuation",
        opcode::TEXT => "text",
        opcode::BINARY => "binary",
        opcode::CLOSE => "close",
        opcode::PING => "ping",
        opcode::PONG => "pong",
        _ => "unknown opcode",
    };
    write!(f, "{name}")?;
    if !fin {
        write!(f, " (unfinished)")?;
    }
    match (opcode, payload) {
        (_, []) => Ok(()),
        (opcode::CLOSE, [a, b, reason @ ..]) => {
            let code = u16::from_be_bytes([*a, *b]);
            write!(f, " {code} {}", String::from_utf8_lossy(reason))
        }
        _ => match std::str::from_utf8(payload) {
            Ok(text) if opcode != opcode::BINARY => write!(f, " {text}"),
            _ => write!(f, " [{} bytes]", payload.len()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<Option<ServerFrame>, FrameError> {
        ServerFrame::decode(&mut BytesMut::from(bytes))
    }

    #[test]
    fn lengths_of_all_three_forms_survive_the_way_through() {
        for length in [0_usize, 125, 126, 65_535, 65_536] {
            let bytes = ClientFrame::binary(vec![7; length]).unmasked().encode();
            let frame = decode(&bytes).expect("legal").expect("whole");
            assert_eq!(frame.payload.len(), length);
        }
    }

    #[test]
    fn a_partial_frame_waits_for_the_rest() {
        let bytes = ClientFrame::binary(vec![7; 200]).unmasked().encode();
        for cut in 0..bytes.len() {
            assert_eq!(decode(&bytes[..cut]), Ok(None), "cut at {cut}");
        }
    }

    #[test]
    fn what_a_server_must_not_send_is_named() {
        let masked = ClientFrame::text("x").encode();
        assert_eq!(decode(&masked), Err(FrameError::Masked));
        let reserved = ClientFrame::text("x").unmasked().rsv(0b100).encode();
        assert_eq!(decode(&reserved), Err(FrameError::Reserved(0xc1)));
        let opcode = ClientFrame::new(0x3, "x").unmasked().encode();
        assert_eq!(decode(&opcode), Err(FrameError::Opcode(3)));
        let ping = ClientFrame::ping(vec![0; 126]).unmasked().encode();
        assert_eq!(decode(&ping), Err(FrameError::Control(opcode::PING)));
        assert_eq!(decode(&[0x81, 126, 0, 5]), Err(FrameError::Length(5)));
        let close = decode(&ClientFrame::close(1006, "").unmasked().encode());
        let close = close.expect("legal header").expect("whole");
        assert_eq!(close.close_code(), Err(FrameError::CloseCode(1006)));
    }
}
