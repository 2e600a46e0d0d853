//! Compressing what the server sends: once for all receivers, or with a window for each.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, Compression, FlushCompress};

use super::{Agreed, TAIL};
use crate::frame::Frame;
use crate::piece::Piece;

/// A compressor with its window.
#[derive(Debug)]
pub(crate) struct Deflater {
    state: Box<Compress>,
}

impl Deflater {
    pub(crate) fn new(level: u8, window_bits: u8) -> Self {
        let level = Compression::new(u32::from(level));
        Self {
            state: Box::new(Compress::new_with_window_bits(level, false, window_bits)),
        }
    }

    /// Compresses the messages of a batch in their order. Returns by how much its size changed.
    pub(crate) fn compress_batch(&mut self, batch: &mut [Piece], min_bytes: usize) -> isize {
        batch
            .iter_mut()
            .map(|piece| piece.compress(min_bytes, |frame| self.compress(frame)))
            .sum()
    }

    /// The frame with its payload compressed behind the window of the former ones.
    pub(crate) fn compress(&mut self, frame: &Frame) -> Frame {
        let payload = frame.payload();
        let op = frame.op_code();
        Frame::build_compressed(op, payload.len() / 2 + 16, |buf| {
            self.deflate(&payload, buf);
        })
    }

    fn deflate(&mut self, mut input: &[u8], output: &mut Vec<u8>) {
        let start = output.len();
        loop {
            if output.capacity() - output.len() < 64 {
                output.reserve(input.len() / 2 + 256);
            }
            let before = self.state.total_in();
            self.state
                .compress_vec(input, output, FlushCompress::Sync)
                .expect("deflating from memory to memory cannot fail");
            let read = usize::try_from(self.state.total_in() - before)
                .expect("no more was read than was given");
            input = &input[read..];
            // A flush is complete when it leaves room in the output.
            if input.is_empty() && output.len() < output.capacity() {
                break;
            }
        }
        if output[start..].ends_with(&TAIL) {
            output.truncate(output.len() - TAIL.len());
        }
        if output.len() == start {
            // Nothing compresses to one empty stored block without its tail (section 7.2.3.6).
            output.push(0);
        }
    }
}

/// Level and window bits.
type Key = (u8, u8);

/// A compressor for messages that stand alone, with its last result.
#[derive(Debug)]
struct Shared {
    key: Key,
    deflater: Deflater,
    last: Option<Last>,
}

/// A frame and what became of it, `None` if compression made it no shorter.
#[derive(Debug)]
struct Last {
    plain: Bytes,
    compressed: Option<Bytes>,
}

/// Parameter sets that a thread keeps a compressor for.
const MAX_SHARED: usize = 8;

thread_local! {
    static SHARED: RefCell<Vec<Shared>> = const { RefCell::new(Vec::new()) };
}

/// The frame compressed without a window of former messages, or the frame itself if that does not make
/// it shorter.
///
/// A broadcast asks for the same frame again and again, so that the last result is kept: all who
/// agreed on the same parameters share it.
pub(crate) fn compressed(frame: Frame, agreed: &Agreed) -> Frame {
    let key = (agreed.level, agreed.server_window_bits);
    SHARED.with_borrow_mut(|all| {
        let at = all.iter().position(|shared| shared.key == key);
        let at = at.unwrap_or_else(|| {
            if all.len() == MAX_SHARED {
                all.remove(0);
            }
            all.push(Shared {
                key,
                deflater: Deflater::new(key.0, key.1),
                last: None,
            });
            all.len() - 1
        });
        all[at].compress(frame)
    })
}

impl Shared {
    fn compress(&mut self, frame: Frame) -> Frame {
        if !self.last.as_ref().is_some_and(|last| last.is_of(&frame)) {
            let compressed = self.deflater.compress(&frame);
            self.deflater.state.reset();
            let shorter = compressed.len() < frame.len();
            self.last = Some(Last {
                plain: frame.bytes().clone(),
                compressed: shorter.then(|| compressed.into_bytes()),
            });
        }
        let compressed = self.last.as_ref().and_then(|last| last.compressed.clone());
        compressed.and_then(Frame::from_bytes).unwrap_or(frame)
    }
}

impl Last {
    /// Whether this is the very same buffer; it cannot have been reused, since a clone of it is kept.
    fn is_of(&self, frame: &Frame) -> bool {
        let bytes = frame.bytes();
        self.plain.as_ptr() == bytes.as_ptr() && self.plain.len() == bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_frame_is_compressed_once_for_each_parameter_set() {
        let agreed = |server_window_bits| Agreed {
            server_window_bits,
            server_context_takeover: false,
            client_context_takeover: false,
            level: 1,
            min_bytes: 0,
        };
        let frame = Frame::text(&[b'a'; 1000]);
        let first = compressed(frame.clone(), &agreed(15));
        let again = compressed(frame.clone(), &agreed(15));
        let other = compressed(frame, &agreed(9));
        assert_eq!(first.bytes().as_ptr(), again.bytes().as_ptr());
        assert_ne!(first.bytes().as_ptr(), other.bytes().as_ptr());
    }
}
