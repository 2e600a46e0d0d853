//! The way out to one client in one namespace.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Burst, Codec, Gone, Group, Outlet, Sent};
use nest_gateway_core::message::Delivery;
use nest_gateway_wire::{self as wire, BorrowedFrame, Class, Frame, Push};

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

    fn send_run(&self, messages: &[u8], count: usize) -> bool {
        u32::try_from(count).is_ok_and(|count| self.sender.send_run(messages, count))
    }

    fn send_burst(&self, burst: Burst<'_>) -> bool {
        self.sender.push_burst(wire_burst(burst))
    }

    fn send_to_group(&self, group: &mut Group<'_>) {
        let Some(outlets) = group.outlets::<Self>() else {
            return group.send_to_each();
        };
        let outboxes = outlets.map(|outlet| outlet.sender.outbox());
        wire_burst(group.burst()).write_to(outboxes, |refused| group.refuse(refused));
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
    match frame(message, delivery) {
        Some((frame, class)) => sent(sender.send(frame, class)),
        None => Sent::Dropped,
    }
}

/// An encoded message as an outbox takes it.
pub(crate) fn frame(message: Bytes, delivery: Delivery) -> Option<(Frame, Class)> {
    let class = class(delivery);
    let Some(frame) = Frame::from_bytes(message) else {
        // Only this adapter's codecs encode for its clients.
        tracing::error!("message is not made of frames");
        return None;
    };
    if delivery.may_compress() {
        return Some((frame.compressible(), class));
    }
    Some((frame, class))
}

fn wire_burst(burst: Burst<'_>) -> wire::Burst<'_> {
    let messages = wire::Burst::new(burst.messages(), class(burst.delivery()));
    match burst.whole() {
        Some(whole) => messages.in_one_piece(whole),
        None => messages,
    }
}

fn class(delivery: Delivery) -> Class {
    if delivery.is_volatile() {
        Class::Volatile
    } else {
        Class::Normal
    }
}

/// What core is told of a push.
pub(crate) fn sent(push: Push) -> Sent {
    match push {
        Push::Queued => Sent::Queued,
        Push::Dropped { pushed: true, .. } => Sent::Dropped,
        Push::Dropped { frames, .. } => Sent::Displaced(frames),
        Push::Overflow => Sent::Overflow,
        Push::Closed => Sent::Gone,
    }
}
