//! The clients that may come back.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use super::Limits;
use crate::engine::Sender;
use crate::engine::sid::Sid;

/// How long a client that comes back may wait for its former session to end: handlers in
/// flight and `on_disconnect` come first.
const PATIENCE: Duration = Duration::from_secs(2);

/// The private id (`pid`) of a client. Whoever knows it can come back as the client, so it
/// is as secret and as random as the id of an Engine.IO session, and never the same.
pub(crate) type Private = Sid;

/// All clients of one adapter that may come back; `T` is what is kept of one that is away.
#[derive(Debug)]
pub(crate) struct Store<T> {
    limits: Limits,
    state: Mutex<State<T>>,
    /// Somebody was parked, or ended.
    changed: Notify,
}

#[derive(Debug)]
struct State<T> {
    clients: HashMap<Private, Slot<T>>,
    /// Those that are away, the longest first. An entry whose client came back meanwhile
    /// is passed over.
    away: VecDeque<(Instant, Private)>,
}

#[derive(Debug)]
enum Slot<T> {
    /// It has a connection.
    Here(Sender),
    /// Its connection is gone, and its session is ending.
    Leaving,
    /// It is away since this time.
    Away(Instant, T),
}

/// What became of the wish to come back.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Claim<T> {
    /// This was kept.
    Found(T),
    /// Nobody is known by this id, or the time is over.
    Unknown,
}

impl<T> Store<T> {
    pub(crate) fn new(limits: Limits) -> Self {
        let state = State {
            clients: HashMap::new(),
            away: VecDeque::new(),
        };
        Self {
            limits,
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    /// A client connected, for the first time or again.
    pub(crate) fn here(&self, id: Private, sender: Sender) {
        self.lock().clients.insert(id, Slot::Here(sender));
    }

    /// The connection is gone; `park` or `forget` follows.
    pub(crate) fn leaving(&self, id: Private) {
        if let Some(slot) = self.lock().clients.get_mut(&id) {
            *slot = Slot::Leaving;
        }
    }

    /// Keeps what there is of a client that is away. When there are too many of them, the
    /// one that is away for longest is given back, for the caller to drop.
    #[must_use]
    pub(crate) fn park(&self, id: Private, kept: T, now: Instant) -> Option<T> {
        let mut state = self.lock();
        state.clients.insert(id, Slot::Away(now, kept));
        state.away.push_back((now, id));
        let count = state
            .clients
            .values()
            .filter(|slot| matches!(slot, Slot::Away(..)));
        let evicted =
            if state.away.len() > self.limits.sessions && count.count() > self.limits.sessions {
                state.pop_away()
            } else {
                None
            };
        drop(state);
        self.changed.notify_waiters();
        evicted
    }

    /// The client will not come back.
    pub(crate) fn forget(&self, id: Private) {
        let forgotten = self.lock().clients.remove(&id);
        // What is kept may run code of others when it is dropped; not under the lock.
        drop(forgotten);
        self.changed.notify_waiters();
    }

    /// Whether somebody is known by this id.
    pub(crate) fn knows(&self, id: Private) -> bool {
        self.lock().clients.contains_key(&id)
    }

    /// Takes what was kept of a client that comes back. If its former connection is still
    /// there (the client noticed the loss before the server did), that is closed first.
    pub(crate) async fn claim(&self, id: Private) -> Claim<T> {
        let claimed = tokio::time::timeout(PATIENCE, async {
            loop {
                let changed = self.changed();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(claim) = self.try_claim(id, Instant::now()) {
                    return claim;
                }
                changed.await;
            }
        });
        claimed.await.unwrap_or(Claim::Unknown)
    }

    /// `None` when the answer is not known yet.
    fn try_claim(&self, id: Private, now: Instant) -> Option<Claim<T>> {
        let mut state = self.lock();
        match state.clients.get(&id) {
            None => Some(Claim::Unknown),
            Some(Slot::Leaving) => None,
            Some(Slot::Here(sender)) => {
                let sender = sender.clone();
                drop(state);
                sender.close(crate::engine::CloseReason::TransportLost);
                None
            }
            Some(Slot::Away(since, _)) if now >= *since + self.limits.window => {
                Some(Claim::Unknown)
            }
            Some(Slot::Away(..)) => match state.clients.remove(&id) {
                Some(Slot::Away(_, kept)) => Some(Claim::Found(kept)),
                _ => Some(Claim::Unknown),
            },
        }
    }

    /// Gives back those whose time is over, for the caller to drop, and says when to come
    /// again.
    pub(crate) fn sweep(&self, now: Instant) -> (Vec<T>, Option<Instant>) {
        let mut state = self.lock();
        let mut ended = Vec::new();
        while let Some((since, _)) = state.away.front() {
            let end = *since + self.limits.window;
            if now < end {
                return (ended, Some(end));
            }
            ended.extend(state.pop_away());
        }
        (ended, None)
    }

    /// Gives back everybody who is away.
    pub(crate) fn clear(&self) -> Vec<T> {
        let mut state = self.lock();
        let mut ended = Vec::new();
        while !state.away.is_empty() {
            ended.extend(state.pop_away());
        }
        ended
    }

    /// Completes when somebody is parked, or ends, after it was enabled.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Ends the one that is away for longest, unless it came back meanwhile.
    fn pop_away(&mut self) -> Option<T> {
        let (since, id) = self.away.pop_front()?;
        match self.clients.get(&id) {
            Some(Slot::Away(parked, _)) if *parked == since => match self.clients.remove(&id) {
                Some(Slot::Away(_, kept)) => Some(kept),
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nest_gateway_wire::{Outbox, OutboxConfig};

    const WINDOW: Duration = Duration::from_mins(2);

    fn store(sessions: usize) -> Store<&'static str> {
        Store::new(Limits {
            window: WINDOW,
            sessions,
            ..Limits::DEFAULT
        })
    }

    fn id() -> Private {
        Private::random().unwrap()
    }

    fn sender() -> Sender {
        Sender::new(Outbox::new(OutboxConfig::default()), false)
    }

    #[tokio::test]
    async fn a_client_that_is_away_can_be_claimed_once() {
        let (store, ada) = (store(8), id());
        store.here(ada, sender());
        store.leaving(ada);
        assert!(store.park(ada, "ada", Instant::now()).is_none());
        assert_eq!(store.claim(ada).await, Claim::Found("ada"));
        assert_eq!(store.claim(ada).await, Claim::Unknown);
        assert_eq!(store.claim(id()).await, Claim::Unknown);
    }

    #[tokio::test]
    async fn a_claim_waits_until_the_former_session_has_ended() {
        let (store, ada) = (store(8), id());
        store.here(ada, sender());
        let (claim, ()) = tokio::join!(store.claim(ada), async {
            tokio::task::yield_now().await;
            store.leaving(ada);
            tokio::task::yield_now().await;
            assert!(store.park(ada, "ada", Instant::now()).is_none());
        });
        assert_eq!(claim, Claim::Found("ada"));
    }

    #[tokio::test]
    async fn a_client_that_left_on_purpose_does_not_come_back() {
        let (store, ada) = (store(8), id());
        store.here(ada, sender());
        assert!(store.knows(ada));
        store.forget(ada);
        assert!(!store.knows(ada));
        assert_eq!(store.claim(ada).await, Claim::Unknown);
    }

    #[test]
    fn the_window_ends_what_is_kept() {
        let (store, ada, now) = (store(8), id(), Instant::now());
        assert!(store.park(ada, "ada", now).is_none());
        let end = now + WINDOW;
        assert_eq!(store.sweep(now), (vec![], Some(end)));
        assert_eq!(store.try_claim(ada, end), Some(Claim::Unknown));
        assert_eq!(store.sweep(end), (vec!["ada"], None));
        assert!(!store.knows(ada));
    }

    #[test]
    fn when_too_many_are_away_the_oldest_ends() {
        let (store, now) = (store(2), Instant::now());
        let ids = [id(), id(), id()];
        assert!(store.park(ids[0], "a", now).is_none());
        assert!(store.park(ids[1], "b", now).is_none());
        assert_eq!(store.park(ids[2], "c", now), Some("a"));
        assert_eq!(store.clear(), ["b", "c"]);
    }

    #[test]
    fn one_that_came_back_and_left_again_has_its_whole_window() {
        let (store, ada, now) = (store(8), id(), Instant::now());
        assert!(store.park(ada, "first", now).is_none());
        assert_eq!(store.try_claim(ada, now), Some(Claim::Found("first")));
        let later = now + WINDOW / 2;
        assert!(store.park(ada, "second", later).is_none());
        assert_eq!(store.sweep(now + WINDOW), (vec![], Some(later + WINDOW)));
        assert_eq!(store.sweep(later + WINDOW), (vec!["second"], None));
    }
}
