//! The queue towards one client.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Gone, Outlet, Sent};
use nest_gateway_core::config::{Config, SlowPolicy};
use nest_gateway_core::message::{Arguments, Delivery, Outgoing};
use nest_gateway_core::payload::Payload;
use serde_json::json;

use super::codec::Envelope;

/// A bounded queue of encoded messages, and how it ended.
pub(super) struct MemoryOutlet {
    config: Arc<Config>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(Bytes, Delivery)>,
    bytes: usize,
    /// Messages dropped since the client was last told.
    missing: u64,
    closed: Option<(u16, String)>,
    cut: bool,
    reader: Option<Waker>,
    writers: Vec<Waker>,
}

/// What a client reads.
pub(super) enum Read {
    Message(Bytes),
    Closed(u16, String),
}

impl MemoryOutlet {
    pub(super) fn new(config: Arc<Config>) -> Self {
        Self {
            config,
            state: Mutex::default(),
        }
    }

    /// Ends the queue behind what it holds.
    pub(super) fn close(&self, code: u16, reason: &str) {
        let mut state = self.lock();
        if state.closed.is_none() {
            state.closed = Some((code, reason.to_owned()));
        }
        state.wake();
    }

    /// Ends it at once: the client is gone, or too slow to be waited for.
    pub(super) fn close_now(&self, code: u16, reason: &str) {
        let mut state = self.lock();
        state.queue.clear();
        state.bytes = 0;
        drop(state);
        self.close(code, reason);
    }

    /// The client is gone.
    pub(super) fn cut(&self) {
        self.lock().cut = true;
        self.close_now(1006, "");
    }

    pub(super) async fn next(&self) -> Read {
        poll_fn(|context| {
            let mut state = self.lock();
            if state.missing > 0 && state.bytes < self.config.outbox_bytes / 2 {
                let missing = std::mem::take(&mut state.missing);
                let notice = gap_notice(missing);
                state.bytes += notice.len();
                state.queue.push_back((notice, Delivery::RELIABLE));
            }
            if let Some((bytes, _)) = state.queue.pop_front() {
                state.bytes -= bytes.len();
                if state.bytes < self.config.outbox_bytes / 2 {
                    state.writers.drain(..).for_each(Waker::wake);
                }
                return Poll::Ready(Read::Message(bytes));
            }
            if let Some((code, reason)) = state.closed.clone() {
                return Poll::Ready(Read::Closed(code, reason));
            }
            state.reader = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fits(&self, state: &State, size: usize) -> bool {
        let room = state.bytes + size <= self.config.outbox_bytes;
        let places = state.queue.len() < self.config.outbox_messages;
        state.queue.is_empty() || (room && places)
    }
}

impl State {
    fn wake(&mut self) {
        self.reader.take().into_iter().for_each(Waker::wake);
        self.writers.drain(..).for_each(Waker::wake);
    }

    fn push(&mut self, message: Bytes, delivery: Delivery) {
        self.bytes += message.len();
        self.queue.push_back((message, delivery));
        self.reader.take().into_iter().for_each(Waker::wake);
    }

    fn drop_at(&mut self, index: usize) {
        if let Some((bytes, _)) = self.queue.remove(index) {
            self.bytes -= bytes.len();
        }
    }

    fn first_volatile(&self) -> Option<usize> {
        self.queue
            .iter()
            .position(|(_, delivery)| delivery.is_volatile())
    }
}

impl Outlet for MemoryOutlet {
    fn codec(&self) -> &dyn Codec {
        &Envelope
    }

    fn send(&self, message: Bytes, delivery: Delivery) -> Sent {
        let mut state = self.lock();
        if state.closed.is_some() {
            return Sent::Gone;
        }
        let mut result = Sent::Queued;
        while !self.fits(&state, message.len()) {
            if delivery.is_volatile() {
                return Sent::Dropped;
            }
            if let Some(index) = state.first_volatile() {
                state.drop_at(index);
                continue;
            }
            match self.config.slow_policy {
                SlowPolicy::Close => return Sent::Overflow,
                SlowPolicy::DropNewest => {
                    state.missing += 1;
                    return Sent::Dropped;
                }
                SlowPolicy::DropOldest => {
                    state.drop_at(0);
                    state.missing += 1;
                    result = Sent::Dropped;
                }
            }
        }
        state.push(message, delivery);
        result
    }

    fn poll_room(&self, context: &mut Context<'_>) -> Poll<Result<(), Gone>> {
        let mut state = self.lock();
        if state.cut || state.closed.is_some() {
            return Poll::Ready(Err(Gone));
        }
        let half = self.config.outbox_messages / 2;
        if state.bytes < self.config.outbox_bytes / 2 && state.queue.len() < half.max(1) {
            return Poll::Ready(Ok(()));
        }
        if !state.writers.iter().any(|w| w.will_wake(context.waker())) {
            state.writers.push(context.waker().clone());
        }
        Poll::Pending
    }

    fn queued_bytes(&self) -> usize {
        self.lock().bytes
    }
}

fn gap_notice(missing: u64) -> Bytes {
    let data = Payload::from_serialize(&json!({"dropped": missing}));
    let arguments = data.map(Arguments::from).unwrap_or_default();
    let notice = Outgoing::Event {
        event: "gap",
        arguments: &arguments,
    };
    let encoded = Envelope.encode("/", notice);
    encoded.ok().flatten().unwrap_or_default()
}
