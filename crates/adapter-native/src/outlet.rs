//! The way out to one native client: its outbox.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Burst, Codec, Gone, Group, Outlet, Sent};
use nest_gateway_core::message::Delivery;
use nest_gateway_wire::{self as wire, BorrowedFrame, Class, Frame, Outbox, Push};

use crate::encoding::Encoding;

/// An outbox with the codec of its client.
///
/// The session is opened before the handshake is answered, so that a client
/// which knows that it is connected misses nothing; the outbox takes messages
/// from then on, and writes them when the connection is there.
pub(crate) struct NativeOutlet {
    outbox: Arc<Outbox>,
    encoding: Encoding,
}

impl NativeOutlet {
    pub(crate) fn new(outbox: Arc<Outbox>, encoding: Encoding) -> Self {
        Self { outbox, encoding }
    }
}

impl Outlet for NativeOutlet {
    fn codec(&self) -> &dyn Codec {
        self.encoding.plain()
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        let Some(mut frame) = Frame::from_bytes(message) else {
            // Only this adapter's codecs encode for its clients.
            tracing::error!("message is not a frame");
            return Sent::Dropped;
        };
        if delivery.may_compress() {
            frame = frame.compressible();
        }
        sent(self.outbox.push(frame, class(delivery)))
    }

    fn send_own(&self, message: &[u8], delivery: Delivery) -> Sent {
        match BorrowedFrame::of(message) {
            Some(frame) if delivery == Delivery::RELIABLE => sent(self.outbox.push_own(frame)),
            _ => self.send(Bytes::copy_from_slice(message), delivery),
        }
    }

    fn send_run(&self, messages: &[u8], count: usize) -> bool {
        let count = u32::try_from(count);
        count.is_ok_and(|count| self.outbox.push_run(messages, count))
    }

    fn send_burst(&self, burst: Burst<'_>) -> bool {
        self.outbox.push_burst(wire_burst(burst))
    }

    fn send_to_group(&self, group: &mut Group<'_>) {
        let Some(outlets) = group.outlets::<Self>() else {
            return group.send_to_each();
        };
        let outboxes = outlets.map(|outlet| &outlet.outbox);
        wire_burst(group.burst()).write_to(outboxes, |refused| group.refuse(refused));
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.outbox.poll_room(context, 0).map_err(|_| Gone)
    }

    fn queued_bytes(&self) -> usize {
        self.outbox.queued_bytes()
    }
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

fn sent(push: Push) -> Sent {
    match push {
        Push::Queued => Sent::Queued,
        Push::Dropped { pushed: true, .. } => Sent::Dropped,
        Push::Dropped { frames, .. } => Sent::Displaced(frames),
        Push::Overflow => Sent::Overflow,
        Push::Closed => Sent::Gone,
    }
}
