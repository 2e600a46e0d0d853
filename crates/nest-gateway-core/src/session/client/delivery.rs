//! How an encoded message gets to its client, or is held, or is dropped.

use std::cell::Cell;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};

use bytes::Bytes;

use super::super::batch::Batch;
use super::{CLOSED_STATE, Client, Held, Inner, OPEN_STATE, OPENING_STATE, PARKED_STATE};
use crate::adapter::{Burst, Group, Sent};
use crate::broadcast::Receiver;
use crate::close::CloseReason;
use crate::config::SlowPolicy;
use crate::id::ClientId;
use crate::message::Delivery;

thread_local! {
    /// The client whose `on_connection` is being polled on this thread: what it
    /// emits goes out at once, while emits of others to that client are held.
    static OPENING: Cell<Option<ClientId>> = const { Cell::new(None) };
}

impl Client {
    /// Queues encoded messages that no other client gets; `ends` says where each
    /// of them ends.
    pub(in crate::session) fn deliver_run(&self, messages: &[u8], ends: &[usize]) {
        self.have_served();
        if self.takes_at_once() && self.0.outlet.send_run(messages, ends.len()) {
            self.0.hub.stats.sent(ends.len(), messages.len());
            return;
        }
        let mut start = 0;
        for &end in ends {
            self.deliver_own(&messages[start..end], Delivery::RELIABLE);
            start = end;
        }
    }

    /// [`Client::deliver`] for what no other client gets.
    pub(super) fn deliver_own(&self, message: &[u8], delivery: Delivery) -> bool {
        Batch::release();
        self.have_served();
        if self.takes_at_once() {
            let sent = self.0.outlet.send_own(message, delivery);
            self.book(sent, message.len(), delivery)
        } else {
            self.deliver_next(Bytes::copy_from_slice(message), delivery)
        }
    }

    /// Has it get what was emitted to its rooms and is still on its way there.
    pub(super) fn have_served(&self) {
        self.0.hub.rounds.serve(self);
    }

    /// Whether a message to it would be sent or held.
    pub(crate) fn takes_messages(&self) -> bool {
        self.0.state.load(Ordering::Acquire) != CLOSED_STATE
    }

    /// Whether what is sent now goes to the outlet, and is not held or dropped.
    fn takes_at_once(&self) -> bool {
        match self.0.state.load(Ordering::Acquire) {
            OPEN_STATE | PARKED_STATE => true,
            OPENING_STATE => OPENING.get() == Some(self.id()),
            _ => false,
        }
    }

    /// Queues encoded bytes; `true` when they are on their way.
    pub(crate) fn deliver(&self, bytes: Bytes, delivery: Delivery) -> bool {
        Batch::release();
        self.have_served();
        self.deliver_next(bytes, delivery)
    }

    /// [`Client::deliver`] when nothing has to go before.
    fn deliver_next(&self, bytes: Bytes, delivery: Delivery) -> bool {
        match self.0.state.load(Ordering::Acquire) {
            OPEN_STATE | PARKED_STATE => self.push(bytes, delivery),
            OPENING_STATE => self.deliver_while_opening(bytes, delivery),
            _ => false,
        }
    }

    fn deliver_while_opening(&self, bytes: Bytes, delivery: Delivery) -> bool {
        if OPENING.get() == Some(self.id()) {
            return self.push(bytes, delivery);
        }
        self.hold(bytes, delivery)
    }

    /// Keeps what others sent until `on_connection` is over.
    fn hold(&self, bytes: Bytes, delivery: Delivery) -> bool {
        let mut held = self.held();
        // `open` may have run since the state was read.
        if self.0.state.load(Ordering::Acquire) != OPENING_STATE {
            drop(held);
            return self.deliver_next(bytes, delivery);
        }
        let messages = held.get_or_insert_default();
        if messages.len() >= self.0.hub.config.outbox_messages {
            drop(held);
            self.end(CloseReason::SlowConsumer);
            return false;
        }
        messages.push((bytes, delivery));
        true
    }

    fn take_one_by_one(&self, burst: Burst<'_>, take: fn(&Self, Bytes, Delivery) -> bool) {
        for message in burst.messages() {
            take(self, message.clone(), burst.delivery());
        }
    }

    fn push(&self, bytes: Bytes, delivery: Delivery) -> bool {
        let size = bytes.len();
        self.book(self.0.outlet.send(bytes, delivery), size, delivery)
    }

    /// Counts what became of a message, and closes a client that is too slow;
    /// `true` when the message is on its way.
    fn book(&self, sent: Sent, size: usize, delivery: Delivery) -> bool {
        match sent {
            Sent::Queued => {
                self.0.hub.stats.sent(1, size);
                true
            }
            Sent::Displaced(frames) => {
                self.0.hub.stats.sent(1, size);
                self.count_dropped(frames, delivery);
                true
            }
            Sent::Dropped => {
                self.count_dropped(1, delivery);
                false
            }
            Sent::Overflow => {
                if self.closing().is_none() {
                    self.0.hub.stats.too_slow(self.id());
                }
                self.end(CloseReason::SlowConsumer);
                false
            }
            Sent::Gone => false,
        }
    }

    /// Counts dropped messages. The first that a drop policy took deserve a
    /// warning; that volatile ones are dropped is what they are for.
    fn count_dropped(&self, messages: u64, delivery: Delivery) {
        let Inner { hub, .. } = &*self.0;
        let by_policy = !delivery.is_volatile() && hub.config.slow_policy != SlowPolicy::Close;
        let first = by_policy && !self.0.lost_messages.swap(true, Ordering::Relaxed);
        hub.stats.dropped(self.id(), messages, first);
    }

    /// Whether this thread polls the `on_connection` of any client.
    pub(crate) fn is_any_opening() -> bool {
        OPENING.get().is_some()
    }

    /// Polls `on_connection` with what it emits going out at once.
    pub(in crate::session) fn while_opening<R>(&self, poll: impl FnOnce() -> R) -> R {
        let before = OPENING.replace(Some(self.id()));
        let result = poll();
        OPENING.set(before);
        result
    }

    /// `on_connection` is over: what others sent meanwhile follows.
    pub(in crate::session) fn open(&self) {
        let mut held = self.held();
        for (bytes, delivery) in held.take().into_iter().flat_map(|held| *held) {
            self.push(bytes, delivery);
        }
        // A client that left meanwhile stays gone.
        let _ = self.0.state.compare_exchange(
            OPENING_STATE,
            OPEN_STATE,
            Ordering::AcqRel,
            Ordering::Acquire,
        );
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Option<Box<Held>>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Receiver for Client {
    fn take_together(clients: &[&Self], burst: Burst<'_>) {
        let Some(first) = clients.first() else {
            return;
        };
        let mut open = [*first; Group::MAX];
        let mut outlets = [&*first.0.outlet; Group::MAX];
        let mut count = 0;
        for client in clients {
            match client.0.state.load(Ordering::Acquire) {
                OPEN_STATE | PARKED_STATE => {
                    (open[count], outlets[count]) = (client, &*client.0.outlet);
                    count += 1;
                }
                _ => client.take(burst),
            }
        }
        let refused = Group::new(&outlets[..count], burst).send();
        let taken = count - refused.len();
        let stats = &first.0.hub.stats;
        stats.sent(taken * burst.messages().len(), taken * burst.len());
        for number in refused {
            open[number].take_one_by_one(burst, Self::push);
        }
    }

    fn take(&self, burst: Burst<'_>) {
        match self.0.state.load(Ordering::Acquire) {
            OPEN_STATE | PARKED_STATE if self.0.outlet.send_burst(burst) => {
                self.0.hub.stats.sent(burst.messages().len(), burst.len());
            }
            OPEN_STATE | PARKED_STATE => self.take_one_by_one(burst, Self::push),
            // Others have said it, also when it is brought while `on_connection` is being polled.
            OPENING_STATE => self.take_one_by_one(burst, Self::hold),
            _ => {}
        }
    }
}
