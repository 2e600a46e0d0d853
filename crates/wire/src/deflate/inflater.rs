//! Inflating what clients send, within the message limit.

use std::cell::RefCell;

use flate2::{Decompress, FlushDecompress, Status};

use super::TAIL;
use crate::violation::Violation;

/// Decompressors that a thread keeps for the next message; more are rarely in use at a time.
const MAX_POOLED: usize = 8;

/// The output grows by this much at first, then doubles.
const FIRST_OUTPUT: usize = 4096;

thread_local! {
    static POOL: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// A decompressor with its window.
///
/// Its window has 15 bits, whatever was agreed on: that inflates what smaller windows made.
#[derive(Debug)]
pub(crate) struct Inflater {
    state: Box<Decompress>,
}

impl Inflater {
    /// One in its first state, from the thread's pool if there is one.
    pub(crate) fn fresh() -> Self {
        let pooled = POOL.with_borrow_mut(Vec::pop);
        Self {
            state: Box::new(pooled.unwrap_or_else(|| Decompress::new_with_window_bits(false, 15))),
        }
    }

    /// Gives it back when its window is not needed any more.
    pub(crate) fn recycle(mut self) {
        POOL.with_borrow_mut(|pool| {
            if pool.len() < MAX_POOLED {
                self.state.reset(false);
                pool.push(*self.state);
            }
        });
    }

    /// Inflates a part of a message into `output`, which never gets longer than `limit`.
    pub(crate) fn inflate(
        &mut self,
        mut input: &[u8],
        output: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), Violation> {
        loop {
            let before = (self.state.total_in(), output.len());
            reserve(output, limit);
            let status = self
                .state
                .decompress_vec(input, output, FlushDecompress::Sync)
                .map_err(|_| Violation::BadDeflate)?;
            if output.len() > limit {
                return Err(Violation::MessageTooBig { limit });
            }
            let read = usize::try_from(self.state.total_in() - before.0)
                .expect("no more was read than was given");
            input = &input[read..];
            if status == Status::StreamEnd {
                // A final block is allowed (RFC 7692, section 7.2.3.4); what follows begins anew.
                self.state.reset(false);
            }
            let room_left = output.len() < output.capacity();
            if input.is_empty() && (room_left || status == Status::StreamEnd) {
                return Ok(());
            }
            if read == 0 && output.len() == before.1 && status != Status::StreamEnd && room_left {
                return Err(Violation::BadDeflate);
            }
        }
    }

    /// Inflates what the sender left out at the end of a message.
    pub(crate) fn finish(&mut self, output: &mut Vec<u8>, limit: usize) -> Result<(), Violation> {
        self.inflate(&TAIL, output, limit)
    }
}

/// Makes room for output, one byte beyond the limit at most: that byte tells that it is exceeded.
fn reserve(output: &mut Vec<u8>, limit: usize) {
    if output.len() < output.capacity() {
        return;
    }
    let more = output.len().max(FIRST_OUTPUT);
    output.reserve_exact(more.min(limit.saturating_add(1) - output.len()));
}
