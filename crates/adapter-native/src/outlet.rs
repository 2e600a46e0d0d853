//! The way out to one native client: its outbox.

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Gone, Outlet, Sent};
use nest_gateway_core::message::Delivery;
use nest_gateway_wire::{BorrowedFrame, Class, Frame, Outbox, Push};

use crate::encoding::Encoding;

/// An outbox with the codec of its client.
///
/// The session is opened before the handshake is answered, so that a client
/// which knows that it is connected misses nothing; the outbox comes with the
/// connection. Until then nothing is sent: what others emit is held by core
/// until `on_connection` has run, which waits for the connection.
pub(crate) struct NativeOutlet {
    outbox: OnceLock<Arc<Outbox>>,
    encoding: Encoding,
}

impl NativeOutlet {
    pub(crate) fn new(encoding: Encoding) -> Self {
        Self {
            outbox: OnceLock::new(),
            encoding,
        }
    }

    /// The connection is there.
    pub(crate) fn attach(&self, outbox: &Arc<Outbox>) {
        self.outbox.get_or_init(|| Arc::clone(outbox));
    }
}

impl Outlet for NativeOutlet {
    fn codec(&self) -> &dyn Codec {
        self.encoding.plain()
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        let class = if delivery.is_volatile() {
            Class::Volatile
        } else {
            Class::Normal
        };
        let Some(mut frame) = Frame::from_bytes(message) else {
            // Only this adapter's codecs encode for its clients.
            tracing::error!("message is not a frame");
            return Sent::Dropped;
        };
        let Some(outbox) = self.outbox.get() else {
            return Sent::Gone;
        };
        if delivery.may_compress() {
            frame = frame.compressible();
        }
        sent(outbox.push(frame, class))
    }

    fn send_own(&self, message: &[u8], delivery: Delivery) -> Sent {
        match (BorrowedFrame::of(message), self.outbox.get()) {
            (Some(frame), Some(outbox)) if delivery == Delivery::RELIABLE => {
                sent(outbox.push_own(frame))
            }
            _ => self.send(Bytes::copy_from_slice(message), delivery),
        }
    }

    fn send_run(&self, messages: &[u8], count: usize) -> bool {
        let Ok(count) = u32::try_from(count) else {
            return false;
        };
        let outbox = self.outbox.get();
        outbox.is_some_and(|outbox| outbox.push_run(messages, count))
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let outbox = self.outbox.get().ok_or(Gone)?;
        outbox.poll_room(context, 0).map_err(|_| Gone)
    }

    fn queued_bytes(&self) -> usize {
        self.outbox.get().map_or(0, |outbox| outbox.queued_bytes())
    }
}

fn sent(push: Push) -> Sent {
    match push {
        Push::Queued => Sent::Queued,
        Push::Dropped { pushed: true, .. } => Sent::Dropped,
        Push::Dropped { frames, .. } => Sent::Displaced(frames),
        Push::Overflow => Sent::Overflow,
        Push::Closed => Sent::Gone,
    }
}
