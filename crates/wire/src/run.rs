//! Small frames of one connection, copied together as they are queued.

use std::cell::RefCell;

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
    /// The memory is the thread's [`CHUNK`].
    lent: bool,
}

/// How much memory a thread has for runs that leave at once, in bytes: what a hundred small replies need,
/// which leave together. Each thread that ever sent something keeps as much.
const CHUNK_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where runs that leave at once are cut from. An allocation of its own for each connection would be
    /// made for all that are ready and freed when they are written: another place each time, and none
    /// that the processor has at hand.
    static CHUNK: RefCell<BytesMut> = RefCell::default();
}

impl Run {
    /// A run of one frame, in as much memory as that needs.
    pub(crate) fn new(frame: BorrowedFrame<'_>) -> Self {
        Self::of(frame.bytes(), 1)
    }

    /// A run of one frame that leaves at once, in memory of the thread; see [`with_chunk`]. As long as it
    /// stays it keeps all of that memory, so what turns out to stay has to be copied.
    pub(crate) fn lend(frame: BorrowedFrame<'_>, chunk: &mut BytesMut) -> Self {
        chunk.extend_from_slice(frame.bytes());
        Self {
            bytes: chunk.split(),
            frames: 1,
            lent: true,
        }
    }

    /// A run of the frames that stand one behind the other in `bytes`.
    pub(crate) fn of(bytes: &[u8], frames: u32) -> Self {
        debug_assert_eq!(count_frames(bytes), frames);
        Self {
            bytes: BytesMut::from(bytes),
            frames,
            lent: false,
        }
    }

    /// A copy of what [`Run::into_bytes`] gave away, or of the end of it.
    pub(crate) fn copy_of(bytes: &[u8]) -> Self {
        Self::of(bytes, count_frames(bytes))
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
        if self.lent {
            let mut own = BytesMut::with_capacity(2 * (self.bytes.len() + bytes.len()));
            own.extend_from_slice(&self.bytes);
            self.bytes = own;
            self.lent = false;
        }
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

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.freeze()
    }
}

/// Shows memory of the thread with room for so many bytes, so that a run is cut from it where the run is
/// to stay.
pub(crate) fn with_chunk<R>(len: usize, use_it: impl FnOnce(&mut BytesMut) -> R) -> R {
    CHUNK.with_borrow_mut(|chunk| {
        if chunk.capacity() < len {
            chunk.reserve(len.max(CHUNK_BYTES));
        }
        use_it(chunk)
    })
}

/// Begins the thread's memory for runs anew, if all that were cut from it have left.
pub(crate) fn reclaim_chunk() {
    CHUNK.with_borrow_mut(|chunk| {
        if chunk.capacity() < CHUNK_BYTES {
            // If not, it goes on where it is.
            let _ = chunk.try_reclaim(CHUNK_BYTES);
        }
    });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::piece::Piece;

    fn lent(text: &str) -> Run {
        let frame = Frame::text(text.as_bytes());
        let frame = BorrowedFrame::of(frame.bytes()).expect("a frame");
        with_chunk(frame.len(), |chunk| Run::lend(frame, chunk))
    }

    fn chunk_left() -> usize {
        reclaim_chunk();
        CHUNK.with_borrow(BytesMut::capacity)
    }

    #[test]
    fn the_memory_of_a_thread_begins_anew_when_what_was_cut_from_it_has_left() {
        let runs: Vec<_> = (0..3).map(|i| lent(&i.to_string())).collect();
        assert!(chunk_left() < CHUNK_BYTES);
        drop(runs);
        assert_eq!(chunk_left(), CHUNK_BYTES);
    }

    #[test]
    fn more_than_the_memory_of_a_thread_is_lent_none_the_less() {
        let text = "x".repeat(CHUNK_BYTES / 3);
        let runs: Vec<_> = (0..10).map(|_| lent(&text)).collect();
        let frame = Frame::text(text.as_bytes());
        assert!(
            runs.into_iter()
                .all(|run| run.into_bytes() == frame.bytes())
        );
    }

    #[test]
    fn a_run_that_grows_or_is_cut_gives_back_what_it_was_lent() {
        let mut grown = lent("one");
        let two = Frame::text(b"two");
        grown.push(BorrowedFrame::of(two.bytes()).expect("a frame"));
        assert_eq!(&grown.bytes[..], b"\x81\x03one\x81\x03two");

        let mut cut = Piece::of_run(lent("three"));
        assert!(cut.advance(4).is_none());
        assert_eq!(&cut.bytes[..], b"ree");

        let back = Run::copy_of(&lent("four").into_bytes());
        assert_eq!(chunk_left(), CHUNK_BYTES);
        drop((grown, cut, back));
    }
}
