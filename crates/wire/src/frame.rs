//! Frames that the server sends: header and payload in one buffer, shared by all receivers.

use std::cell::Cell;

use bytes::Bytes;

use crate::close;

/// The longest header of an unmasked frame: two bytes and a length of eight (RFC 6455, section 5.2).
const MAX_HEADER: usize = 10;

/// Payloads up to this many bytes are written into a buffer of the thread and copied out of it: that
/// takes one allocation of the right size, where an encoder that does not know its size takes several.
const SMALL: usize = 4096;

thread_local! {
    /// Taken out while it is in use, since the writer of a payload may build frames itself.
    static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The longest payload of a control frame (RFC 6455, section 5.5), and the longest whose length is in
/// the second byte of the header.
pub(crate) const MAX_CONTROL: usize = 125;

/// The FIN bit of the first header byte.
pub(crate) const FIN: u8 = 0x80;

/// The RSV1 bit of the first header byte: "this message is compressed" (RFC 7692, section 6).
pub(crate) const RSV1: u8 = 0x40;

/// What a frame is (RFC 6455, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpCode {
    /// A further part of a fragmented message.
    Continuation,
    /// Text in UTF-8.
    Text,
    /// Bytes.
    Binary,
    /// The start of the closing handshake, or its answer.
    Close,
    /// A question for life.
    Ping,
    /// The answer to a ping.
    Pong,
}

impl OpCode {
    pub(crate) const fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0 => Self::Continuation,
            1 => Self::Text,
            2 => Self::Binary,
            8 => Self::Close,
            9 => Self::Ping,
            10 => Self::Pong,
            _ => return None,
        })
    }

    pub(crate) const fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0,
            Self::Text => 1,
            Self::Binary => 2,
            Self::Close => 8,
            Self::Ping => 9,
            Self::Pong => 10,
        }
    }

    /// Whether this is a close, ping or pong frame.
    pub const fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

/// A complete frame as the server sends it: unmasked, FIN set, header and payload in one buffer.
///
/// Since frames of a server are not masked, the bytes are the same for every receiver: a broadcast
/// builds one frame and clones it, which copies a pointer.
#[derive(Clone, Debug)]
pub struct Frame {
    bytes: Bytes,
    /// Whether compression may be tried on it.
    #[cfg(feature = "deflate")]
    compressible: bool,
}

impl PartialEq for Frame {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Frame {}

impl Frame {
    /// A text frame. The payload has to be UTF-8, which the caller vouches for; pass
    /// `str.as_bytes()` or the output of a JSON encoder.
    pub fn text(payload: &[u8]) -> Self {
        Self::of(OpCode::Text, payload)
    }

    /// A binary frame.
    pub fn binary(payload: &[u8]) -> Self {
        Self::of(OpCode::Binary, payload)
    }

    /// A ping. A control frame carries at most 125 bytes; what is beyond is cut off.
    pub fn ping(payload: &[u8]) -> Self {
        Self::of(OpCode::Ping, &payload[..payload.len().min(MAX_CONTROL)])
    }

    /// A pong. A control frame carries at most 125 bytes; what is beyond is cut off.
    pub fn pong(payload: &[u8]) -> Self {
        Self::of(OpCode::Pong, &payload[..payload.len().min(MAX_CONTROL)])
    }

    /// A close frame. The reason is cut to 123 bytes at a character's border. A code that may not be
    /// sent (1005 or 1006, say) gives a close frame without code and reason.
    pub fn close(code: u16, reason: &str) -> Self {
        if !close::is_sendable(code) {
            return Self::close_empty();
        }
        let reason = &reason[..reason.floor_char_boundary(MAX_CONTROL - 2)];
        Self::build(OpCode::Close, 2 + reason.len(), |buf| {
            buf.extend_from_slice(&code.to_be_bytes());
            buf.extend_from_slice(reason.as_bytes());
        })
    }

    /// A close frame without code and reason.
    pub fn close_empty() -> Self {
        Self::of(OpCode::Close, &[])
    }

    /// Builds a frame whose payload `write` appends to the buffer it is given: the room for the header
    /// is reserved in front of it, so that an encoder writes a large payload once, where it stays, and a
    /// small one into a buffer that is there already.
    ///
    /// `payload_capacity` is a hint in bytes. `write` must only append. A payload of a control frame
    /// beyond 125 bytes is cut off.
    pub fn build(op: OpCode, payload_capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        #[cfg_attr(not(feature = "deflate"), allow(unused_mut))]
        let mut frame = Self::build_with(FIN | op.bits(), op, payload_capacity, write);
        // Control frames are never compressed (RFC 7692, section 5).
        #[cfg(feature = "deflate")]
        frame.set_compressible(!op.is_control());
        frame
    }

    /// Builds a frame whose payload is compressed.
    #[cfg(feature = "deflate")]
    pub(crate) fn build_compressed(
        op: OpCode,
        payload_capacity: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        Self::build_with(FIN | RSV1 | op.bits(), op, payload_capacity, write)
    }

    fn build_with(
        first: u8,
        op: OpCode,
        payload_capacity: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        let mut buf = if payload_capacity <= SMALL {
            SCRATCH.take()
        } else {
            Vec::new()
        };
        buf.clear();
        append(&mut buf, first, op, payload_capacity, write);
        if buf.len() > MAX_HEADER + SMALL {
            return Self::plain(Bytes::from(buf));
        }
        let frame = Self::plain(Bytes::copy_from_slice(&buf));
        if buf.capacity() <= 2 * SMALL {
            SCRATCH.set(buf);
        }
        frame
    }

    /// Appends a frame to `buffer`, as [`Frame::build`] makes one: for a message to a single receiver,
    /// which needs no memory of its own; see [`BorrowedFrame`].
    pub fn append(
        buffer: &mut Vec<u8>,
        op: OpCode,
        payload_capacity: usize,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        append(buffer, FIN | op.bits(), op, payload_capacity, write);
    }

    /// A frame that is sent as it is.
    pub(crate) fn plain(bytes: Bytes) -> Self {
        Self {
            bytes,
            #[cfg(feature = "deflate")]
            compressible: false,
        }
    }

    /// The same frame, never compressed: for payloads that are compressed already.
    #[must_use]
    pub fn incompressible(self) -> Self {
        Self::plain(self.bytes)
    }

    /// The same frame, for which compression may be tried. Those that [`Frame::build`] and its like make
    /// are so from the start; one that was taken back with [`Frame::from_bytes`] is not. Control frames
    /// and groups are never compressed.
    #[must_use]
    pub fn compressible(self) -> Self {
        #[cfg(feature = "deflate")]
        let compressible =
            !self.op_code().is_control() && first_len(&self.bytes) == Some(self.bytes.len());
        Self {
            #[cfg(feature = "deflate")]
            compressible,
            ..self
        }
    }

    /// Several frames as one: queued, dropped, counted and shared together, with nothing of anybody else
    /// between them. For messages that other messages belong to, as the attachments of a Socket.IO
    /// packet do. `None` without frames.
    ///
    /// [`Frame::payload`], [`Frame::op_code`] and [`Frame::is_text`] tell of the first one; a group is
    /// not compressed.
    pub fn group<'a>(frames: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut bytes = Vec::new();
        for frame in frames {
            bytes.extend_from_slice(&frame.bytes);
        }
        (!bytes.is_empty()).then(|| Self::plain(Bytes::from(bytes)))
    }

    /// The frames of a group, or the frame itself.
    pub fn parts(&self) -> impl Iterator<Item = Self> + use<> {
        let mut rest = self.bytes.clone();
        std::iter::from_fn(move || {
            let size = first_len(&rest)?;
            Some(Self::plain(rest.split_to(size)))
        })
    }

    /// Takes back bytes that a frame or a group produced; `None` if they are not whole unmasked frames
    /// with FIN set, one at least.
    pub fn from_bytes(bytes: Bytes) -> Option<Self> {
        Self::is_made_of(&bytes).then(|| Self::plain(bytes))
    }

    /// Whether [`Frame::from_bytes`] takes these bytes.
    pub(crate) fn is_made_of(bytes: &[u8]) -> bool {
        let mut at = 0;
        while at < bytes.len() {
            let Some(len) = first_len(&bytes[at..]) else {
                return false;
            };
            at += len;
        }
        at > 0
    }

    /// Header and payload.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Header and payload, without the frame around them.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The payload alone, sharing the buffer.
    pub fn payload(&self) -> Bytes {
        let header = header_len(&self.bytes).expect("a frame begins with a whole header");
        let end = first_len(&self.bytes).expect("a frame is whole");
        self.bytes.slice(header..end)
    }

    /// What the frame is.
    pub fn op_code(&self) -> OpCode {
        OpCode::from_bits(self.bytes[0] & 0x0f).expect("a frame is built with a known opcode")
    }

    /// Whether this is a text frame.
    pub fn is_text(&self) -> bool {
        self.op_code() == OpCode::Text
    }

    /// Bytes on the wire, header included.
    #[allow(
        clippy::len_without_is_empty,
        reason = "a frame has at least its header"
    )]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn is_compressible(&self) -> bool {
        self.compressible
    }

    #[cfg(feature = "deflate")]
    pub(crate) fn set_compressible(&mut self, compressible: bool) {
        self.compressible = compressible;
    }

    fn of(op: OpCode, payload: &[u8]) -> Self {
        Self::build(op, payload.len(), |buf| buf.extend_from_slice(payload))
    }
}

/// One whole frame in somebody else's memory.
///
/// What is sent to a single connection is copied into its [`Outbox`](crate::Outbox) by
/// [`push_own`](crate::Outbox::push_own), so that the same buffer can serve for the next message.
#[derive(Clone, Copy, Debug)]
pub struct BorrowedFrame<'a> {
    bytes: &'a [u8],
}

impl<'a> BorrowedFrame<'a> {
    /// The frame that `bytes` are, as [`Frame::append`] writes it; `None` if they are not exactly one.
    pub fn of(bytes: &'a [u8]) -> Option<Self> {
        (first_len(bytes)? == bytes.len()).then_some(Self { bytes })
    }

    /// Header and payload.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes on the wire, header included.
    #[allow(
        clippy::len_without_is_empty,
        reason = "a frame has at least its header"
    )]
    pub fn len(self) -> usize {
        self.bytes.len()
    }

    /// A frame with memory of its own.
    pub fn to_frame(self) -> Frame {
        #[cfg_attr(not(feature = "deflate"), allow(unused_mut))]
        let mut frame = Frame::plain(Bytes::copy_from_slice(self.bytes));
        #[cfg(feature = "deflate")]
        frame.set_compressible(!frame.op_code().is_control() && self.bytes[0] & RSV1 == 0);
        frame
    }
}

/// Appends a frame whose first byte is `first`. The room for the header is what the expected size of the
/// payload needs; the payload is moved only when that was wrong.
fn append(
    buf: &mut Vec<u8>,
    first: u8,
    op: OpCode,
    payload_capacity: usize,
    write: impl FnOnce(&mut Vec<u8>),
) {
    let start = buf.len();
    let room = header_size(payload_capacity);
    buf.reserve(room + payload_capacity);
    buf.resize(start + room, 0);
    write(buf);
    let payload = start + room;
    assert!(buf.len() >= payload, "the payload writer must only append");
    if op.is_control() {
        buf.truncate(payload + MAX_CONTROL);
    }
    let len = buf.len() - payload;
    let size = header_size(len);
    if size < room {
        buf.copy_within(payload.., start + size);
        buf.truncate(start + size + len);
    } else if size > room {
        buf.resize(start + size + len, 0);
        buf.copy_within(payload..payload + len, start + size);
    }
    write_header(&mut buf[start..start + size], first, len);
}

/// Bytes of an unmasked header for a payload of this size (RFC 6455, section 5.2).
const fn header_size(payload: usize) -> usize {
    match payload {
        0..=MAX_CONTROL => 2,
        126..=0xffff => 4,
        _ => MAX_HEADER,
    }
}

/// Fills `header`, which is as long as the size of the payload asks for.
fn write_header(header: &mut [u8], first: u8, len: usize) {
    header[0] = first;
    match header {
        [_, short] => *short = u8::try_from(len).expect("a header of two bytes is for up to 125"),
        [_, mark, length @ ..] if length.len() == 2 => {
            *mark = 126;
            let len = u16::try_from(len).expect("a header of four bytes is for up to 65,535");
            length.copy_from_slice(&len.to_be_bytes());
        }
        [_, mark, length @ ..] => {
            *mark = 127;
            length.copy_from_slice(&(len as u64).to_be_bytes());
        }
        _ => unreachable!("a header has two bytes at least"),
    }
}

/// Length of the first frame in `bytes`; `None` if it is not whole, masked, not final or of no known kind.
pub(crate) fn first_len(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    if first & FIN == 0 {
        return None;
    }
    OpCode::from_bits(first & 0x0f)?;
    let header = header_len(bytes)?;
    let payload = match bytes[1] {
        126 => usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        127 => usize::try_from(u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)).ok()?,
        short => usize::from(short),
    };
    let len = header.checked_add(payload)?;
    (len <= bytes.len()).then_some(len)
}

/// Length of the header of an unmasked frame; `None` if it is masked or not there.
fn header_len(bytes: &[u8]) -> Option<usize> {
    Some(match *bytes.get(1)? {
        0..=125 => 2,
        126 => 4,
        127 => 10,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_encoded_in_the_fewest_bytes() {
        for (len, header) in [(0, 2), (125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let frame = Frame::binary(&vec![7; len]);
            assert_eq!(frame.len(), header + len);
            assert_eq!(frame.payload().len(), len);
            assert_eq!(Frame::from_bytes(frame.bytes().clone()), Some(frame));
        }
    }

    #[test]
    fn a_text_frame_is_the_bytes_of_the_rfc_example() {
        let frame = Frame::text(b"Hello");
        assert_eq!(&frame.bytes()[..], b"\x81\x05Hello");
        assert!(frame.is_text());
    }

    #[test]
    fn a_close_reason_is_cut_at_a_characters_border() {
        let frame = Frame::close(1008, &"ü".repeat(100));
        let payload = frame.payload();
        assert_eq!(&payload[..2], &[0x03, 0xf0]);
        assert_eq!(std::str::from_utf8(&payload[2..]).unwrap(), "ü".repeat(61));
    }

    #[test]
    fn a_code_that_may_not_be_sent_gives_an_empty_close_frame() {
        assert_eq!(Frame::close(1006, "x"), Frame::close_empty());
        assert_eq!(&Frame::close_empty().bytes()[..], b"\x88\x00");
    }

    #[test]
    fn bytes_that_are_no_frame_are_refused() {
        for bytes in [
            &b""[..],
            b"\x81",
            b"\x81\x05Hell",
            b"\x81\x05Hello!",
            b"\x81\x01a\x81\x02b",
            b"\x01\x00",
            b"\x83\x00",
            b"\x81\x80abcd",
        ] {
            assert_eq!(
                Frame::from_bytes(Bytes::copy_from_slice(bytes)),
                None,
                "{bytes:?}"
            );
        }
    }

    #[test]
    fn a_group_is_one_frame_until_it_is_taken_apart() {
        let frames = [
            Frame::text(b"packet"),
            Frame::binary(&[7; 200]),
            Frame::binary(b""),
        ];
        let group = Frame::group(&frames).unwrap();
        assert_eq!(
            (&group.payload()[..], group.is_text()),
            (&b"packet"[..], true)
        );
        assert_eq!(group.len(), frames.iter().map(Frame::len).sum::<usize>());
        assert_eq!(group.parts().collect::<Vec<_>>(), frames);
        assert_eq!(Frame::from_bytes(group.bytes().clone()), Some(group));
        assert_eq!(Frame::group([]), None);
    }

    #[test]
    fn a_writer_may_build_a_frame_itself() {
        let frame = Frame::build(OpCode::Binary, 0, |buf| {
            buf.extend_from_slice(Frame::text(b"inner").bytes());
            buf.extend_from_slice(b" outer");
        });
        assert_eq!(&frame.payload()[..], b"\x81\x05inner outer");
    }

    #[test]
    fn an_appended_frame_is_what_is_built_whatever_size_was_expected() {
        for len in [0, 125, 126, 65_535, 65_536] {
            for hint in [0, 126, 65_536] {
                let payload = vec![7; len];
                let mut buffer = b"before".to_vec();
                Frame::append(&mut buffer, OpCode::Text, hint, |b| b.extend(&payload));
                let frame = BorrowedFrame::of(&buffer[6..]).expect("a whole frame");
                assert_eq!(frame.to_frame(), Frame::text(&payload), "{len} {hint}");
                assert_eq!(&buffer[..6], b"before");
            }
        }
    }

    #[test]
    fn what_is_not_exactly_one_frame_is_not_borrowed_as_one() {
        for bytes in [&b""[..], b"\x81", b"\x81\x02a", b"\x81\x01a\x81\x01b"] {
            assert!(BorrowedFrame::of(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn a_payload_longer_than_was_hinted_is_whole() {
        for len in [SMALL - 1, SMALL, SMALL + 1, 3 * SMALL] {
            for hint in [0, SMALL, 2 * SMALL] {
                let payload = vec![7; len];
                let frame = Frame::build(OpCode::Binary, hint, |buf| buf.extend(&payload));
                assert_eq!(frame.payload(), payload);
            }
        }
    }
}
