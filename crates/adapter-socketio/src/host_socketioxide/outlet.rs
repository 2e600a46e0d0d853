//! The way out to one client: a bounded queue in front of socketioxide's own.

use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Gone, Outlet, Sent};
use nest_gateway_core::config::{Config, SlowPolicy};
use nest_gateway_core::message::Delivery;
use nest_gateway_wire::{Outbox, OutboxConfig, SlowPolicy as WirePolicy};

use crate::outlet::{frame, sent};
use crate::parser::{Parser, ParserKind};

/// Keeps the slow-consumer policy: socketioxide's queue has none, it only refuses.
pub(super) struct QueuedOutlet {
    outbox: Arc<Outbox>,
    codec: Arc<Parser>,
}

impl QueuedOutlet {
    pub(super) fn new(config: &Config, codec: Arc<Parser>) -> Self {
        let outbox = Outbox::new(OutboxConfig {
            max_bytes: config.outbox_bytes,
            max_messages: config.outbox_messages,
            policy: match config.slow_policy {
                SlowPolicy::Close => WirePolicy::Close,
                SlowPolicy::DropOldest => WirePolicy::DropOldest,
                SlowPolicy::DropNewest => WirePolicy::DropNewest,
            },
            gap: Some(ParserKind::Json.gap_notice(1)),
        });
        Self { outbox, codec }
    }

    pub(super) fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }
}

impl Outlet for QueuedOutlet {
    fn codec(&self) -> &dyn Codec {
        &*self.codec
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        match frame(message, delivery) {
            Some((frame, class)) => sent(self.outbox.push(frame, class)),
            None => Sent::Dropped,
        }
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        self.outbox.poll_room(context, 0).map_err(|_| Gone)
    }

    fn queued_bytes(&self) -> usize {
        self.outbox.queued_bytes()
    }
}
