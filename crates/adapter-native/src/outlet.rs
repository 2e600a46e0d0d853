//! The way out to one native client: its outbox.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Gone, Outlet, Sent};
use nest_gateway_core::message::Delivery;
use nest_gateway_wire::{Class, Frame, Outbox, Push};

/// An outbox with the codec of its client.
pub(crate) struct NativeOutlet {
    outbox: Arc<Outbox>,
    codec: &'static dyn Codec,
}

impl NativeOutlet {
    pub(crate) fn new(outbox: Arc<Outbox>, codec: &'static dyn Codec) -> Self {
        Self { outbox, codec }
    }
}

impl Outlet for NativeOutlet {
    fn codec(&self) -> &dyn Codec {
        self.codec
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        let class = match delivery {
            Delivery::Reliable => Class::Normal,
            Delivery::Volatile => Class::Volatile,
        };
        let Some(frame) = Frame::from_bytes(message) else {
            // Only this adapter's codecs encode for its clients.
            tracing::error!("message is not a frame");
            return Sent::Dropped;
        };
        match self.outbox.push(frame, class) {
            Push::Queued => Sent::Queued,
            Push::Dropped { pushed: true, .. } => Sent::Dropped,
            Push::Dropped { frames, .. } => Sent::Displaced(frames),
            Push::Overflow => Sent::Overflow,
            Push::Closed => Sent::Gone,
        }
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.outbox.poll_room(context, 0).map_err(|_| Gone)
    }

    fn queued_bytes(&self) -> usize {
        self.outbox.queued_bytes()
    }
}
