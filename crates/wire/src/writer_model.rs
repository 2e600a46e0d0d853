//! The writer of the loom models: a kernel that takes everything, or one frame and then nothing.

use std::io;
use std::sync::Arc;

use loom::sync::Mutex;

use crate::outbox::{Outbox, Step};

/// What has arrived at the peer.
pub(crate) type Sink = Arc<Mutex<Vec<u8>>>;

#[derive(Debug)]
pub(crate) struct TcpWriter(pub(crate) Sink);

impl TcpWriter {
    #[allow(clippy::unnecessary_wraps, reason = "the shape of the real one")]
    pub(crate) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    #[allow(clippy::unused_self, reason = "the shape of the real one")]
    pub(crate) fn look_ahead(&self) {}
}

#[derive(Debug)]
pub(crate) struct Resume;

impl Resume {
    #[allow(clippy::unused_self, reason = "the shape of the real one")]
    pub(crate) fn abort(&self) {}
}

/// Writes what is queued in `outbox`, as the real one does.
pub(crate) fn flush(outbox: &Arc<Outbox>) {
    if outbox.write_in_place() {
        return;
    }
    let mut batch = Vec::new();
    let Some(writer) = outbox.begin_write(&mut batch) else {
        return;
    };
    let mut slot = Some(writer);
    let mut written = 0;
    let mut at_hand = !batch.is_empty();
    while std::mem::take(&mut at_hand) || outbox.step(&mut slot, &mut batch, written) == Step::Write
    {
        let Some(TcpWriter(sink)) = &slot else { return };
        let mut sink = sink.lock().unwrap();
        written = 0;
        for piece in &batch {
            sink.extend_from_slice(&piece.bytes);
            written += piece.bytes.len();
        }
    }
}
