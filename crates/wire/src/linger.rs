//! The end of a connection, after its owner has been told.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use crate::connection::Received;
use crate::outbox::Outbox;
use crate::socket::{Input, Wire};

/// What is left of a connection that is closing.
///
/// A close frame reaches the peer only if TCP ends in order: the frame is sent, then the sending
/// direction is shut, and what the peer still sends is read and thrown away until it closes too. Closing
/// with unread bytes would turn the frame into a reset; all of it is bounded in time and in bytes.
#[derive(Debug)]
pub(crate) struct Linger {
    pub(crate) wire: Wire,
    pub(crate) outbox: Arc<Outbox>,
    /// Whether the peer still owes a close frame.
    pub(crate) await_close: bool,
    pub(crate) timeout: Duration,
    pub(crate) drain_bytes: u64,
}

impl Linger {
    pub(crate) async fn run(mut self) {
        // Running out of time is one of the ways this ends; what follows is the same.
        let _ = tokio::time::timeout(self.timeout, self.part()).await;
    }

    async fn part(&mut self) {
        if self.await_close && !self.close_received().await {
            return;
        }
        self.outbox.half_close();
        self.discard().await;
    }

    /// Reads until the peer's close frame, or its first mistake; `false` if the transport ended.
    async fn close_received(&mut self) -> bool {
        loop {
            match poll_fn(|cx| self.wire.poll_input(cx, None)).await.0 {
                Input::Received(Received::Close(_)) | Input::Violation(_) => return true,
                Input::End => return false,
                Input::Received(_) | Input::Short | Input::Part => {}
            }
        }
    }

    async fn discard(&mut self) {
        let mut left = self.drain_bytes;
        while left > 0 {
            let read =
                poll_fn(|cx| self.wire.reader.poll_read(cx, |bytes| bytes.len() as u64)).await;
            match read {
                Ok(0) | Err(_) => return,
                Ok(read) => left = left.saturating_sub(read),
            }
        }
    }
}

impl Drop for Linger {
    /// However it ends, cancelled too, nothing of the connection is left in an outbox that others keep.
    fn drop(&mut self) {
        self.outbox.kill();
    }
}
