//! Replies that wait for the end of their connection's turn.
//!
//! A connection's task handles what it has read, and what comes of it goes back to the same
//! connection. The task writes that itself when its turn is over: it costs neither a place on the
//! flusher's list nor a wake-up, and on several workers the writes of many connections run side by
//! side.

use std::cell::Cell;
use std::sync::Arc;

use crate::outbox::Outbox;
use crate::writer;

thread_local! {
    static CORK: Cell<Option<Cork>> = const { Cell::new(None) };
}

/// Whose turn it is on this thread.
#[derive(Clone, Copy)]
struct Cork {
    /// The address of the outbox.
    outbox: usize,
    /// Something waits for the end of the turn.
    waiting: bool,
}

/// Runs a turn of the outbox's own connection, and writes what it held back.
pub(crate) fn run<R>(outbox: &Arc<Outbox>, turn: impl FnOnce() -> R) -> R {
    let cork = Cork {
        outbox: Arc::as_ptr(outbox).addr(),
        waiting: false,
    };
    let _uncork = Uncork {
        outbox,
        before: CORK.replace(Some(cork)),
    };
    turn()
}

/// Whether a frame may wait, because the turn of this outbox will end on this thread.
pub(crate) fn holds(outbox: &Outbox) -> bool {
    let cork = CORK.get();
    let holds = cork.filter(|cork| cork.outbox == std::ptr::from_ref(outbox).addr());
    if let Some(cork) = holds {
        CORK.set(Some(Cork {
            waiting: true,
            ..cork
        }));
    }
    holds.is_some()
}

/// Ends a turn, also one that panics.
struct Uncork<'a> {
    outbox: &'a Arc<Outbox>,
    before: Option<Cork>,
}

impl Drop for Uncork<'_> {
    fn drop(&mut self) {
        let cork = CORK.replace(self.before);
        if cork.is_some_and(|cork| cork.waiting) {
            writer::flush(self.outbox);
        }
    }
}
