//! The place of one client between socketioxide, which pushes, and the gateway's task,
//! which takes.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use nest_gateway_core::adapter::Admission;
use socketioxide::adapter::Adapter;
use socketioxide::handler::{DisconnectHandler, MessageHandler, Value};
use socketioxide::socket::{DisconnectReason, Socket};

use super::arguments::size;
use super::occupancy::Place;

/// What may wait for one client's handlers.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueLimits {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            messages: 1024,
            bytes: 1024 * 1024,
        }
    }
}

/// An event as socketioxide hands it over.
pub(super) struct Said {
    pub(super) value: Value,
    pub(super) ack: Option<i64>,
    pub(super) size: usize,
}

/// Why nothing more comes from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// socketioxide says so.
    Socket(DisconnectReason),
    /// It sent more than may wait.
    Overflow,
}

/// Registered with the socket as its handler for everything. Both calls come from the
/// task that reads the wire, one after another, so the queue has the order of the wire;
/// handlers of socketioxide, which it spawns, have not.
///
/// It holds no reference to the socket: the socket holds it.
pub(super) struct Seat {
    limits: QueueLimits,
    state: Mutex<State>,
}

struct State {
    /// Until its session is opened.
    admission: Option<(Admission, Place)>,
    queue: VecDeque<Said>,
    bytes: usize,
    ended: Option<Ended>,
    waker: Option<Waker>,
}

/// What the client did next.
pub(super) enum Turn {
    Said(Said),
    Ended(Ended),
}

impl Seat {
    pub(super) fn new(limits: QueueLimits, admission: Admission, place: Place) -> Arc<Self> {
        Arc::new(Self {
            limits,
            state: Mutex::new(State {
                admission: Some((admission, place)),
                queue: VecDeque::new(),
                bytes: 0,
                ended: None,
                waker: None,
            }),
        })
    }

    /// What the client was admitted with; once.
    pub(super) fn take_admission(&self) -> Option<(Admission, Place)> {
        self.lock().admission.take()
    }

    /// The next message, then the end. With `reading` off, only the end.
    pub(super) fn poll_turn(&self, context: &mut Context<'_>, reading: bool) -> Poll<Turn> {
        let mut state = self.lock();
        if reading && let Some(said) = state.queue.pop_front() {
            state.bytes -= said.size;
            if state.queue.is_empty() {
                // An idle client keeps no buffer.
                state.queue = VecDeque::new();
            }
            return Poll::Ready(Turn::Said(said));
        }
        if let Some(ended) = state.ended {
            return Poll::Ready(Turn::Ended(ended));
        }
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Whether the socket is gone, so that there is nobody to say goodbye to.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.lock().ended, Some(Ended::Socket(_)))
    }

    fn push(&self, said: Said) {
        let mut state = self.lock();
        if state.ended.is_some() {
            return;
        }
        let is_full = state.queue.len() >= self.limits.messages
            || (!state.queue.is_empty() && state.bytes + said.size > self.limits.bytes);
        if is_full {
            state.queue = VecDeque::new();
            state.bytes = 0;
            state.ended = Some(Ended::Overflow);
        } else {
            state.bytes += said.size;
            state.queue.push_back(said);
        }
        wake(state);
    }

    fn end(&self, reason: DisconnectReason) {
        let mut state = self.lock();
        // The admission stays: a client that leaves as soon as it knows that it is in, on
        // another thread than the one that is about to open its session, was there, and
        // the hooks hear of it. Without a session it goes with the socket.
        //
        // The socket's own end is final also after an overflow.
        state.ended = Some(Ended::Socket(reason));
        wake(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The end, for those who wait for nothing else.
pub(super) struct Gone<'a>(pub(super) &'a Seat);

impl Future for Gone<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0.is_gone() {
            return Poll::Ready(());
        }
        self.0.lock().waker = Some(context.waker().clone());
        // It may have ended between the two looks.
        if self.0.is_gone() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

/// Tells socketioxide's traits that these are implementations of ours and not closures.
pub(super) struct ByGateway;

/// A seat as socketioxide holds it.
pub(super) struct Registered(pub(super) Arc<Seat>);

impl<A: Adapter> MessageHandler<A, ByGateway> for Registered {
    fn call(&self, _: Arc<Socket<A>>, value: Value, ack: Option<i64>) {
        let size = size(&value);
        self.0.push(Said { value, ack, size });
    }
}

impl<A: Adapter> DisconnectHandler<A, ByGateway> for Registered {
    fn call_with_defer(
        &self,
        socket: Arc<Socket<A>>,
        reason: DisconnectReason,
        leave: fn(Arc<Socket<A>>),
    ) {
        self.0.end(reason);
        leave(socket);
    }
}
