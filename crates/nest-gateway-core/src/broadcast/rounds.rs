//! Fan-outs that are on their way to their receivers.
//!
//! A message for a crowd is not put into a thousand outboxes by whoever emits
//! it. It waits, with the members that the room has at that moment, for the
//! courier: a task that runs behind those that are ready, goes to each receiver
//! once, and gives it all that was emitted meanwhile, in one write where nothing
//! else stands before it. So the emit costs hardly more for ten thousand receivers
//! than for twenty, and a receiver's memory is touched once for all its messages.
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
use crate::config::Config;
use crate::session::Client;

/// From this many members on, a message waits for the courier.
pub(super) const CROWD: usize = 16;

/// Members visited before other tasks get their turn.
const TURN: u32 = 128;

/// How many rounds may wait for the courier. Whoever sends something to a client
/// on its own looks at all of them, and with so many rooms there is little to
/// gather for one of them.
const MAX_ROUNDS: usize = 16;

/// How much may wait for the courier. Beyond it, messages go to their receivers
/// at once, and what waits for these goes before.
#[derive(Clone, Copy)]
struct Bounds {
    messages: usize,
    bytes: usize,
}

/// What became of a message that was to wait for the courier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Posted {
    /// He brings it.
    Taken,
    /// Too many messages wait, or too many bytes.
    Full,
    /// There is no courier, this thread is being him, or too many rooms wait.
    Untaken,
}

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
    bounds: Bounds,
    state: Mutex<State<M>>,
}

struct State<M> {
    /// In the order in which they were emitted; the courier is at the first.
    rounds: VecDeque<Round<M>>,
    courier: Option<Waker>,
}

impl<M> Rounds<M> {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            open: AtomicBool::new(false),
            staffed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            leaving: AtomicUsize::new(0),
            bounds: Bounds {
                messages: config.crowd_messages,
                bytes: config.crowd_bytes,
            },
            state: Mutex::new(State {
                rounds: VecDeque::new(),
                courier: None,
            }),
        }
    }
}

impl<M: Receiver> Rounds<M> {
    /// Rounds that the caller walks.
    #[cfg(test)]
    pub(super) fn walked_by_hand() -> Self {
        let rounds = Self::new(&Config::default());
        rounds.staffed.store(true, Ordering::Release);
        rounds
    }

    /// Whether a message would be taken, unless too much waits.
    pub(super) fn are_walked(&self) -> bool {
        self.staffed.load(Ordering::Acquire) && !INSIDE.with(Cell::get)
    }

    /// Has the courier bring a message.
    ///
    /// Called under the lock of the room, so that whoever takes the place of a
    /// member finds what was emitted to its predecessor.
    pub(super) fn post(&self, emit: Emit<'_, M>) -> Posted {
        let Some(mut inside) = self.enter() else {
            return Posted::Untaken;
        };
        let state = &mut *inside.state;
        if !self.staffed.load(Ordering::Acquire) || state.rounds.len() >= MAX_ROUNDS {
            return Posted::Untaken;
        }
        if state.is_full(emit.bytes(), self.bounds) {
            return Posted::Full;
        }
        Round::post(&mut state.rounds, emit);
        self.open.store(true, Ordering::Release);
        let courier = state.courier.take();
        drop(inside);
        if let Some(courier) = courier {
            courier.wake();
        }
        Posted::Taken
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

    /// Goes on with the rounds for a while, a step at least; `false` when there are
    /// none left.
    pub(super) fn walk(&self) -> bool {
        let mut visited = 0;
        let is_awaited = || self.waiting.load(Ordering::Relaxed) > 0;
        while visited == 0 || (visited < TURN && !is_awaited()) {
            let Some(mut inside) = self.enter() else {
                return true;
            };
            let due = inside.state.rounds.len() == 1;
            let Some(round) = inside.state.rounds.front_mut() else {
                return false;
            };
            visited += round.go_on(due);
            let over = round.is_over().then(|| inside.state.rounds.pop_front());
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
    /// Whether there is no room for so many bytes in one more message.
    fn is_full(&self, more_bytes: usize, bounds: Bounds) -> bool {
        let messages: usize = self.rounds.iter().map(Round::messages).sum();
        let bytes: usize = self.rounds.iter().map(Round::bytes).sum();
        messages >= bounds.messages || bytes.saturating_add(more_bytes) > bounds.bytes
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::room::Member;
    use super::*;
    use crate::adapter::Burst;
    use crate::id::ClientId;
    use crate::message::Delivery;

    /// Somebody, and how many messages it got.
    #[derive(Clone)]
    struct Guest(u32, Arc<AtomicUsize>);

    impl Member for Guest {
        fn id(&self) -> ClientId {
            ClientId::parse(&format!("{:020}", self.0)).unwrap()
        }

        fn is(&self, other: &Self) -> bool {
            Arc::ptr_eq(&self.1, &other.1)
        }

        fn gets_the_same_as(&self, _: &Self) -> bool {
            true
        }
    }

    impl Receiver for Guest {
        fn take_together(receivers: &[&Self], burst: Burst<'_>) {
            for receiver in receivers {
                receiver.take(burst);
            }
        }

        fn take(&self, burst: Burst<'_>) {
            let messages = burst.messages().len();
            self.1.fetch_add(messages, Ordering::Relaxed);
        }
    }

    fn guests(count: u32) -> Members<Guest> {
        let mut members = Members::default();
        for number in 0..count {
            members.replace(Guest(number, Arc::default()));
        }
        members
    }

    fn post(rounds: &Rounds<Guest>, members: &Arc<Members<Guest>>) -> bool {
        let posted = rounds.post(Emit {
            room: 1,
            members,
            left_out: None,
            delivery: Delivery::RELIABLE,
            encodings: vec!["x".into()],
        });
        posted == Posted::Taken
    }

    #[test]
    fn what_waits_is_bounded_and_all_of_it_is_free_again_however_members_leave() {
        let rounds = Rounds::walked_by_hand();
        for _ in 0..3 {
            let mut members = Arc::new(guests(300));
            for _ in 0..5 {
                assert!(post(&rounds, &members));
            }
            assert!(rounds.walk(), "it takes more than a turn");
            // Those who have not got them leave, so that the round is at its end.
            for number in 100..300 {
                let id = Guest(number, Arc::default()).id();
                Arc::make_mut(&mut members).remove(id);
            }
            assert!(post(&rounds, &members));
            while rounds.walk() {}
            assert!(!rounds.open.load(Ordering::Relaxed));

            let most = rounds.bounds.messages;
            let posted = (0..=most).take_while(|_| post(&rounds, &members));
            assert_eq!(posted.count(), most);
            while rounds.walk() {}
            for place in 0..members.count() {
                let got = members.at(place).1.load(Ordering::Relaxed);
                assert_eq!(got, 6 + most);
            }
        }
    }

    #[test]
    fn a_message_that_is_too_large_to_wait_is_not_taken() {
        let rounds = Rounds::walked_by_hand();
        let members = Arc::new(guests(20));
        let posted = rounds.post(Emit {
            room: 1,
            members: &members,
            left_out: None,
            delivery: Delivery::RELIABLE,
            encodings: vec![vec![0; rounds.bounds.bytes + 1].into()],
        });
        assert_eq!(posted, Posted::Full);
        assert!(!rounds.walk(), "nothing waits");
    }
}
