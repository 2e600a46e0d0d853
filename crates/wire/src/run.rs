//! Small frames of one connection, copied together as they are queued.

use bytes::{Bytes, BytesMut};

use crate::frame::{BorrowedFrame, Frame, first_len};

/// Where a run ends and a new one begins, in bytes: what a socket buffer takes in one go anyway, and a
/// bound for what growing the buffer copies.
const RUN_BYTES: usize = 16 * 1024;

/// Frames one behind the other in one buffer.
///
/// A broadcast queues a pointer to a frame that many connections share. A reply or the item of a stream
/// belongs to one connection alone, and may as well stand where it will be written from: without memory
/// of its own, and without being copied again when it leaves.
#[derive(Debug)]
pub(crate) struct Run {
    bytes: BytesMut,
    /// The whole frames in `bytes`; one at least.
    frames: u32,
}

impl Run {
    /// A run of one frame, in as much memory as that needs.
    pub(crate) fn new(frame: BorrowedFrame<'_>) -> Self {
        Self::of(frame.bytes(), 1)
    }

    /// A run of the frames that stand one behind the other in `bytes`.
    pub(crate) fn of(bytes: &[u8], frames: u32) -> Self {
        debug_assert_eq!(count_frames(bytes), frames);
        Self {
            bytes: BytesMut::from(bytes),
            frames,
        }
    }

    /// Takes back what [`Run::into_bytes`] gave away, or the end of it.
    pub(crate) fn of_bytes(bytes: Bytes) -> Self {
        let frames = count_frames(&bytes);
        Self {
            bytes: bytes.into(),
            frames,
        }
    }

    pub(crate) fn has_room(&self, len: usize) -> bool {
        self.bytes.len() + len <= RUN_BYTES
    }

    pub(crate) fn push(&mut self, frame: BorrowedFrame<'_>) {
        self.extend(frame.bytes(), 1);
    }

    /// Appends the frames that stand one behind the other in `bytes`.
    pub(crate) fn extend(&mut self, bytes: &[u8], frames: u32) {
        debug_assert_eq!(count_frames(bytes), frames);
        self.bytes.extend_from_slice(bytes);
        self.frames += frames;
    }

    /// Takes the first frame out, unless it is the only one.
    pub(crate) fn split_first(&mut self) -> Option<Frame> {
        if self.frames < 2 {
            return None;
        }
        self.frames -= 1;
        let first = self.bytes.split_to(self.first_len());
        Some(Frame::plain(first.freeze()))
    }

    pub(crate) fn first_len(&self) -> usize {
        first_len(&self.bytes).expect("a run consists of whole frames")
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn frames(&self) -> u32 {
        self.frames
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.freeze()
    }
}

/// How many frames stand in the bytes of a run.
pub(crate) fn count_frames(bytes: &[u8]) -> u32 {
    let mut at = 0;
    let mut frames = 0;
    while at < bytes.len() {
        at = end_of_frame(bytes, at);
        frames += 1;
    }
    frames
}

/// The place behind the frame that begins at `at`.
pub(crate) fn end_of_frame(bytes: &[u8], at: usize) -> usize {
    at + first_len(&bytes[at..]).expect("a run consists of whole frames")
}
