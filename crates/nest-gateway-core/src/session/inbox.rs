//! Messages that wait for their turn.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::dispatch::ExecutionContext;
use crate::id::RequestId;

/// A bounded queue in front of a client's handlers. It never refuses: whether
/// there is room is asked before the next message is read from the wire.
#[derive(Default)]
#[expect(
    clippy::box_collection,
    reason = "empty, it is a quarter of the size, and it is nearly always empty"
)]
pub(super) struct Inbox {
    /// Filled whenever a message waits: mostly there is one at a time, which
    /// then needs no memory of its own.
    first: Option<Waiting>,
    others: Option<Box<VecDeque<Waiting>>>,
    bytes: usize,
}

struct Waiting {
    message: Message,
    size: usize,
}

/// What waits.
pub(super) enum Message {
    /// A message that a handler subscribed to.
    Routed(Arc<ExecutionContext>),
    /// One that nobody subscribed to; its answer keeps its place in the order.
    Unknown(Box<Unknown>),
}

/// An event that nobody subscribed to.
pub(super) struct Unknown {
    pub(super) event: Box<str>,
    /// The request to answer.
    pub(super) request: Option<RequestId>,
}

impl Inbox {
    /// Whether another message may be read; a single one always may.
    pub(super) fn has_room(&self, max_messages: usize, max_bytes: usize) -> bool {
        let others = self.others.as_ref().map_or(0, |others| others.len());
        self.first.is_none() || (others + 1 < max_messages && self.bytes < max_bytes)
    }

    pub(super) fn push(&mut self, message: Message, size: usize) {
        self.bytes += size;
        let waiting = Waiting { message, size };
        if self.first.is_none() {
            self.first = Some(waiting);
        } else {
            self.others.get_or_insert_default().push_back(waiting);
        }
    }

    pub(super) fn pop(&mut self) -> Option<Message> {
        let waiting = self.first.take()?;
        self.bytes -= waiting.size;
        self.first = self.others.as_mut().and_then(|others| others.pop_front());
        if self.first.is_none() {
            // An idle client keeps no buffer.
            self.others = None;
        }
        Some(waiting.message)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}
