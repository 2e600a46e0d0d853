//! Fan-outs that are on their way to their receivers.
//!
//! A message for a crowd is not put into a thousand outboxes by whoever emits
//! it. It waits, with the members that the room has at that moment, for the
//! courier: a task that runs behind those that are ready, goes to each receiver
//! once, and gives it all that was emitted meanwhile, in one write where nothing
//! else stands before it. So the emit costs the same for ten receivers and for
//! ten thousand, and a receiver's memory is touched once for all its messages.
//!
//! Whoever has something else for one of the receivers first lets that one have
//! what waits for it ([`Rounds::serve`]), so that each client hears everything
//! in the order in which it was said.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use super::members::Members;
use super::round::{Emit, Receiver, Round};
use super::sync::{AtomicBool, AtomicUsize, Mutex, MutexGuard, Ordering, lock};
use crate::session::Client;

/// From this many members on, a message waits for the courier.
pub(super) const CROWD: usize = 16;

/// Members visited before other tasks get their turn.
const TURN: u32 = 128;

/// How much may wait for the courier. Beyond it, messages go to their receivers
/// at once, and what waits for these goes before.
const MAX_ROUNDS: usize = 16;
const MAX_MESSAGES: usize = 1024;
const MAX_BYTES: usize = 1024 * 1024;

/// The rounds of an application, of all namespaces together.
pub(crate) struct Rounds<M = Client> {
    /// Whether any message waits or is on its way. Set and cleared under the
    /// lock; whoever emitted something sees it set until all have got it.
    open: AtomicBool,
    /// Whether there is a courier.
    staffed: AtomicBool,
    /// Those who wait for the lock while the courier has it.
    waiting: AtomicUsize,
    /// Clients that are gone and have not left their rooms yet.
    leaving: AtomicUsize,
    state: Mutex<State<M>>,
}

struct State<M> {
    /// In the order in which they were emitted; the courier is at the first.
    rounds: VecDeque<Round<M>>,
    messages: usize,
    bytes: usize,
    courier: Option<Waker>,
}

impl<M> Default for Rounds<M> {
    fn default() -> Self {
        Self {
            open: AtomicBool::new(false),
            staffed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            leaving: AtomicUsize::new(0),
            state: Mutex::new(State {
                rounds: VecDeque::new(),
                messages: 0,
                bytes: 0,
                courier: None,
            }),
        }
    }
}

impl<M: Receiver> Rounds<M> {
    /// Rounds that the caller walks.
    #[cfg(all(test, loom))]
    pub(super) fn walked_by_hand() -> Self {
        let rounds = Self::default();
        rounds.staffed.store(true, Ordering::Release);
        rounds
    }

    /// Whether a message would be taken, unless too much waits.
    pub(super) fn are_walked(&self) -> bool {
        self.staffed.load(Ordering::Acquire) && !INSIDE.with(Cell::get)
    }

    /// Has the courier bring a message. `false` when too much waits, or the
    /// courier has gone.
    ///
    /// Called under the lock of the room, so that whoever takes the place of a
    /// member finds what was emitted to its predecessor.
    pub(super) fn post(&self, emit: Emit<'_, M>) -> bool {
        let mut state = lock(&self.state);
        if !self.are_walked() || state.is_full(emit.bytes()) {
            return false;
        }
        state.messages += 1;
        state.bytes += emit.bytes();
        Round::post(&mut state.rounds, emit);
        self.open.store(true, Ordering::Release);
        let courier = state.courier.take();
        drop(state);
        if let Some(courier) = courier {
            courier.wake();
        }
        true
    }

    /// Lets a receiver have all that waits for it, before something else is
    /// sent to it.
    #[inline]
    pub(crate) fn serve(&self, receiver: &M) {
        if self.open.load(Ordering::Acquire) {
            self.serve_waiting(receiver);
        }
    }

    #[cold]
    fn serve_waiting(&self, receiver: &M) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let inside = self.enter();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        if let Some(mut inside) = inside {
            for round in &mut inside.state.rounds {
                round.serve(receiver);
            }
        }
    }

    /// Goes on with the rounds for a while; `false` when there are none left.
    pub(super) fn walk(&self) -> bool {
        let mut visited = 0;
        while visited < TURN && self.waiting.load(Ordering::Relaxed) == 0 {
            let Some(mut inside) = self.enter() else {
                return true;
            };
            let due = inside.state.rounds.len() == 1;
            let Some(round) = inside.state.rounds.front_mut() else {
                return false;
            };
            let before = (round.messages(), round.bytes());
            visited += round.go_on(due);
            let over = inside.state.account(before);
            if inside.state.rounds.is_empty() {
                self.open.store(false, Ordering::Release);
            }
            drop(inside);
            // Perhaps the last one that knows a client, and with it data of the application.
            drop(over);
        }
        true
    }

    /// Ready when something waits.
    fn poll_waiting(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = lock(&self.state);
        if !state.rounds.is_empty() {
            return Poll::Ready(());
        }
        state.courier = Some(cx.waker().clone());
        Poll::Pending
    }

    /// The lock, unless this thread has it: what is sent while a message is
    /// given to a receiver (by a subscriber of our own logs, say) goes its way.
    fn enter(&self) -> Option<Inside<'_, M>> {
        if INSIDE.with(|inside| inside.replace(true)) {
            return None;
        }
        let state = lock(&self.state);
        Some(Inside { state })
    }
}

impl Rounds {
    /// How many clients a message to these members reaches.
    pub(super) fn count(&self, members: &Members<Client>, left_out: Option<u32>) -> usize {
        if self.leaving.load(Ordering::Acquire) == 0 {
            return members.len() - usize::from(left_out.is_some());
        }
        let left_out = left_out.map(|place| members.at(place));
        let reached = members.iter().filter(|member| member.takes_messages());
        let left_out = left_out.filter(|member| member.takes_messages());
        reached.count() - usize::from(left_out.is_some())
    }

    /// A client is gone, and will leave its rooms.
    pub(crate) fn is_leaving(&self) {
        self.leaving.fetch_add(1, Ordering::AcqRel);
    }

    /// It has left them.
    pub(crate) fn has_left(&self) {
        self.leaving.fetch_sub(1, Ordering::AcqRel);
    }

    /// Gives the rounds a courier on the current runtime. It ends when nobody
    /// else has the rounds any more.
    pub(crate) fn staff(self: &Arc<Self>) {
        self.staffed.store(true, Ordering::Release);
        let courier = Courier {
            rounds: Arc::downgrade(self),
        };
        tokio::spawn(courier.run());
    }
}

impl<M> Drop for Rounds<M> {
    fn drop(&mut self) {
        if let Some(courier) = lock(&self.state).courier.take() {
            courier.wake();
        }
    }
}

impl<M: Receiver> State<M> {
    fn is_full(&self, bytes: usize) -> bool {
        self.rounds.len() >= MAX_ROUNDS
            || self.messages >= MAX_MESSAGES
            || self.bytes.saturating_add(bytes) > MAX_BYTES
    }

    /// Counts what the first round has put off, and returns it if it is over.
    fn account(&mut self, (messages, bytes): (usize, usize)) -> Option<Round<M>> {
        let round = self.rounds.front()?;
        self.messages -= messages - round.messages();
        self.bytes -= bytes - round.bytes();
        if round.is_over() {
            self.rounds.pop_front()
        } else {
            None
        }
    }
}

#[cfg(not(loom))]
thread_local! {
    /// Whether this thread has the lock of rounds and gives messages to receivers.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

#[cfg(loom)]
loom::thread_local! {
    static INSIDE: Cell<bool> = Cell::new(false);
}

struct Inside<'a, M> {
    state: MutexGuard<'a, State<M>>,
}

impl<M> Drop for Inside<'_, M> {
    fn drop(&mut self) {
        INSIDE.with(|inside| inside.set(false));
    }
}

/// Who walks the rounds.
struct Courier {
    rounds: Weak<Rounds>,
}

impl Courier {
    async fn run(self) {
        while self.something_waits().await {
            // Behind the tasks that are ready, and those whose sockets are: what
            // they emit comes along.
            tokio::task::yield_now().await;
            while self.rounds.upgrade().is_some_and(|rounds| rounds.walk()) {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn something_waits(&self) -> bool {
        std::future::poll_fn(|cx| match self.rounds.upgrade() {
            Some(rounds) => rounds.poll_waiting(cx).map(|()| true),
            None => Poll::Ready(false),
        })
        .await
    }
}

/// Also when its runtime ends before the application does.
impl Drop for Courier {
    fn drop(&mut self) {
        if let Some(rounds) = self.rounds.upgrade() {
            rounds.staffed.store(false, Ordering::Release);
            while rounds.walk() {}
        }
    }
}
