//! The way out to one client in one namespace.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Gone, Outlet, Sent};
use nest_gateway_core::message::Delivery;
use nest_gateway_wire::{BorrowedFrame, Class, Frame, Push};

use crate::engine::Sender;
use crate::parser::Parser;

/// The sender of the connection, with the codec of its packets. The clients that one
/// connection has in several namespaces share its queue.
pub(crate) struct SocketIoOutlet {
    sender: Sender,
    codec: Arc<Parser>,
}

impl SocketIoOutlet {
    pub(crate) fn new(sender: Sender, codec: Arc<Parser>) -> Self {
        Self { sender, codec }
    }
}

impl Outlet for SocketIoOutlet {
    fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        push(&self.sender, message, delivery)
    }

    fn send_own(&self, message: &[u8], delivery: Delivery) -> Sent {
        match BorrowedFrame::of(message) {
            Some(frame) if delivery == Delivery::RELIABLE => sent(self.sender.send_own(frame)),
            // Several frames, which have to stay together.
            _ => self.send(Bytes::copy_from_slice(message), delivery),
        }
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.sender.poll_room(context).map_err(|_| Gone)
    }

    fn queued_bytes(&self) -> usize {
        self.sender.outbox().queued_bytes()
    }
}

/// Queues an encoded message: a frame, or several that belong together.
pub(crate) fn push(sender: &Sender, message: Bytes, delivery: Delivery) -> Sent {
    let class = if delivery.is_volatile() {
        Class::Volatile
    } else {
        Class::Normal
    };
    let Some(mut frame) = Frame::from_bytes(message) else {
        // Only this adapter's codecs encode for its clients.
        tracing::error!("message is not made of frames");
        return Sent::Dropped;
    };
    if delivery.may_compress() {
        frame = frame.compressible();
    }
    sent(sender.send(frame, class))
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
