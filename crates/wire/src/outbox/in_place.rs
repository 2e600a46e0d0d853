//! Replies that are written from where they are queued.

use super::{Outbox, State, Writer, lock};
use crate::flusher::FlusherHandle;

impl Outbox {
    /// Writes what is queued without taking it out, where that is a single run and nobody waits for what
    /// comes after it; `true` when that was all. What is left otherwise goes the general way.
    ///
    /// The outbox is locked while the kernel copies, a few microseconds, so this is only done on a
    /// runtime with a single thread, where hardly anybody else wants the lock.
    pub(crate) fn write_in_place(&self) -> bool {
        let flusher = self.terms.flusher.as_ref();
        if self.compresses() || !flusher.is_some_and(FlusherHandle::writes_replies) {
            return false;
        }
        let mut state = lock(&self.state);
        let State {
            queue,
            writer: Writer::Idle(writer),
            half_close: false,
            room,
            scheduled,
            ..
        } = &mut *state
        else {
            return false;
        };
        let Some(run) = queue.only_run().filter(|_| room.is_empty()) else {
            return false;
        };
        // An error is found again by whoever can end the connection.
        let Ok(written) = writer.try_write(run.bytes()) else {
            return false;
        };
        let done = queue.settle_only_run(written, &self.terms.config);
        *scheduled &= !done;
        done
    }
}
