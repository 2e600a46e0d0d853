//! What a writer takes out of a queue.

use bytes::Bytes;

use crate::frame::{Frame, OpCode, RSV1};
use crate::run::{Run, count_frames, end_of_frame};

/// Bytes taken by a writer: a whole frame, the rest of one, or a run of frames.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Bytes,
    kind: Kind,
    /// A part of the frame has left before, so that the rest has to follow whatever happens.
    rest: bool,
    /// Whether a frame that is compressed on its way out may be made of it.
    #[cfg(feature = "deflate")]
    compressible: bool,
}

/// What a piece is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Control,
    Normal,
    Volatile,
    /// Several normal frames.
    Run,
}

impl Piece {
    pub(crate) fn new(frame: Frame, kind: Kind) -> Self {
        Self {
            #[cfg(feature = "deflate")]
            compressible: frame.is_compressible(),
            bytes: frame.into_bytes(),
            kind,
            rest: false,
        }
    }

    pub(crate) fn of_run(run: Run) -> Self {
        Self {
            #[cfg(feature = "deflate")]
            compressible: false,
            bytes: run.into_bytes(),
            kind: Kind::Run,
            rest: false,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether a part of the frame has left before.
    pub(crate) fn is_rest(&self) -> bool {
        self.rest
    }

    /// How many messages are in it. The rest of one is none: it is on its way.
    pub(crate) fn messages(&self) -> u32 {
        match self.kind {
            Kind::Control => 0,
            Kind::Run => count_frames(&self.bytes),
            Kind::Normal | Kind::Volatile => u32::from(!self.rest),
        }
    }

    /// Books that its first `sent` bytes have left, fewer than it has. Where they end inside of a frame
    /// of a run, this becomes the rest of that frame, and the frames behind it are returned.
    pub(crate) fn advance(&mut self, sent: usize) -> Option<Self> {
        if sent == 0 {
            return None;
        }
        if self.kind != Kind::Run {
            self.bytes = self.bytes.slice(sent..);
            self.rest = true;
            return None;
        }
        let mut end = 0;
        while end < sent {
            end = end_of_frame(&self.bytes, end);
        }
        // The rest stays, and the memory of a run may be lent.
        let behind = Bytes::copy_from_slice(&self.bytes[end..]);
        if end == sent {
            self.bytes = behind;
            return None;
        }
        self.bytes = Bytes::copy_from_slice(&self.bytes[sent..end]);
        self.kind = Kind::Normal;
        self.rest = true;
        (!behind.is_empty()).then_some(Self {
            bytes: behind,
            kind: Kind::Run,
            rest: false,
            #[cfg(feature = "deflate")]
            compressible: false,
        })
    }

    /// What frame it is, unless a part of it has left.
    pub(crate) fn whole_op_code(&self) -> Option<OpCode> {
        let first = self.bytes.first().filter(|_| !self.rest)?;
        OpCode::from_bits(first & 0x0f)
    }

    pub(crate) fn is_whole_control(&self) -> bool {
        !self.rest && self.kind == Kind::Control
    }

    pub(crate) fn is_compressed(&self) -> bool {
        !self.rest && self.bytes.first().is_some_and(|first| first & RSV1 != 0)
    }

    pub(crate) fn into_frame(self) -> Frame {
        let frame = Frame::from_bytes(self.bytes);
        #[cfg_attr(not(feature = "deflate"), allow(unused_mut))]
        let mut frame = frame.expect("a piece of which nothing has left is a frame");
        #[cfg(feature = "deflate")]
        frame.set_compressible(self.compressible);
        frame
    }

    /// Replaces a message of at least `min_bytes` by its compressed form, unless it is one. Returns by
    /// how much its size changed.
    #[cfg(feature = "deflate")]
    pub(crate) fn compress(
        &mut self,
        min_bytes: usize,
        compress: impl FnOnce(&Frame) -> Frame,
    ) -> isize {
        if self.rest || !self.compressible || self.bytes.len() < min_bytes || self.is_compressed() {
            return 0;
        }
        let plain = Frame::from_bytes(self.bytes.clone());
        let plain = plain.expect("a piece of which nothing has left is a frame");
        let before = self.bytes.len();
        self.bytes = compress(&plain).into_bytes();
        self.bytes.len().cast_signed() - before.cast_signed()
    }
}
