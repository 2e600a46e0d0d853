//! Messages that wait for their turn.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::dispatch::ExecutionContext;

/// A bounded queue in front of a client's handlers. It never refuses: whether
/// there is room is asked before the next message is read from the wire.
#[derive(Default)]
pub(super) struct Inbox {
    queue: VecDeque<Waiting>,
    bytes: usize,
}

struct Waiting {
    context: Arc<ExecutionContext>,
    size: usize,
}

impl Inbox {
    /// Whether another message may be read; a single one always may.
    pub(super) fn has_room(&self, max_messages: usize, max_bytes: usize) -> bool {
        self.queue.is_empty() || (self.queue.len() < max_messages && self.bytes < max_bytes)
    }

    pub(super) fn push(&mut self, context: Arc<ExecutionContext>, size: usize) {
        self.bytes += size;
        self.queue.push_back(Waiting { context, size });
    }

    /// The next message's context, to look at.
    pub(super) fn front(&self) -> Option<&Arc<ExecutionContext>> {
        self.queue.front().map(|waiting| &waiting.context)
    }

    pub(super) fn pop(&mut self) -> Option<Arc<ExecutionContext>> {
        let waiting = self.queue.pop_front()?;
        self.bytes -= waiting.size;
        if self.queue.is_empty() {
            // An idle client keeps no buffer.
            self.queue = VecDeque::new();
        }
        Some(waiting.context)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
