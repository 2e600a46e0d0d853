//! Who is here, who is leaving, and who is away since when.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::key::RecoveryKey;

/// Places in the queue that may be stale before they are swept out.
const STALE: usize = 64;

/// The clients that may come back: `H` is a client that is here, `A` what is kept of one that is
/// away.
#[derive(Debug)]
pub(super) struct Register<H, A> {
    window: Duration,
    max_away: usize,
    clients: HashMap<RecoveryKey, Slot<H, A>>,
    /// Those that are away, the longest first. A place whose client came back meanwhile is
    /// passed over.
    queue: VecDeque<(Instant, RecoveryKey)>,
    away: usize,
}

#[derive(Debug)]
enum Slot<H, A> {
    /// It has a connection.
    Here(H),
    /// Its connection is gone, and its session is ending.
    Leaving,
    /// It is away since this time.
    Away(Instant, A),
}

/// What became of the wish to come back.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken<H, A> {
    /// This was kept since then; it is the caller's now.
    Away(Instant, A),
    /// It is still here.
    Here(H),
    /// It is just leaving.
    Leaving,
    /// Nobody is known by this key, or the time is over.
    Nobody,
}

impl<H: Clone, A> Register<H, A> {
    pub(super) fn new(window: Duration, max_away: usize) -> Self {
        Self {
            window,
            max_away,
            clients: HashMap::new(),
            queue: VecDeque::new(),
            away: 0,
        }
    }

    pub(super) fn knows(&self, key: &RecoveryKey) -> bool {
        self.clients.contains_key(key)
    }

    /// How many are away.
    pub(super) fn away(&self) -> usize {
        self.away
    }

    /// A client connected, for the first time or again.
    pub(super) fn here(&mut self, key: RecoveryKey, client: H) {
        self.clients.insert(key, Slot::Here(client));
    }

    /// The connection is gone; `park` or `forget` follows.
    pub(super) fn leaving(&mut self, key: &RecoveryKey) {
        if let Some(slot) = self.clients.get_mut(key) {
            *slot = Slot::Leaving;
        }
    }

    /// Keeps what there is of a client that is away since then. When there are too many of them,
    /// the one that is away for longest is given back.
    #[must_use]
    pub(super) fn park(&mut self, key: RecoveryKey, kept: A, since: Instant) -> Option<A> {
        self.clients.insert(key, Slot::Away(since, kept));
        self.away += 1;
        // One that is put back is away for longer than others.
        let later = self.queue.iter().rev();
        let later = later.take_while(|(other, _)| *other > since).count();
        let place = self.queue.len() - later;
        self.queue.insert(place, (since, key));
        let evicted = if self.away > self.max_away {
            self.end_oldest()
        } else {
            None
        };
        self.sweep_queue();
        evicted
    }

    /// Takes what was kept of a client that comes back.
    pub(super) fn take(&mut self, key: &RecoveryKey, now: Instant) -> Taken<H, A> {
        match self.clients.get(key) {
            None => Taken::Nobody,
            Some(Slot::Leaving) => Taken::Leaving,
            Some(Slot::Here(client)) => Taken::Here(client.clone()),
            Some(Slot::Away(since, _)) if now >= *since + self.window => Taken::Nobody,
            Some(Slot::Away(..)) => self
                .remove(key)
                .map_or(Taken::Nobody, |(since, kept)| Taken::Away(since, kept)),
        }
    }

    /// The client will not come back. What was kept is given back.
    pub(super) fn forget(&mut self, key: &RecoveryKey) -> Option<A> {
        self.remove(key).map(|(_, kept)| kept)
    }

    /// Gives back those whose time is over, and says when to come again.
    pub(super) fn sweep(&mut self, now: Instant) -> (Vec<A>, Option<Instant>) {
        let mut ended = Vec::new();
        while let Some((since, key)) = self.queue.front() {
            let end = *since + self.window;
            if self.is_away(*since, key) && now < end {
                return (ended, Some(end));
            }
            if let Some((since, key)) = self.queue.pop_front()
                && self.is_away(since, &key)
            {
                ended.extend(self.remove(&key).map(|(_, kept)| kept));
            }
        }
        (ended, None)
    }

    /// Gives back everybody who is away.
    pub(super) fn clear(&mut self) -> Vec<A> {
        std::iter::from_fn(|| self.end_oldest()).collect()
    }

    fn remove(&mut self, key: &RecoveryKey) -> Option<(Instant, A)> {
        match self.clients.remove(key) {
            Some(Slot::Away(since, kept)) => {
                self.away -= 1;
                Some((since, kept))
            }
            _ => None,
        }
    }

    /// Ends the one that is away for longest.
    fn end_oldest(&mut self) -> Option<A> {
        loop {
            let (since, key) = self.queue.pop_front()?;
            if self.is_away(since, &key) {
                return self.remove(&key).map(|(_, kept)| kept);
            }
        }
    }

    /// Clients that leave and come back all the time leave places in the queue behind.
    fn sweep_queue(&mut self) {
        if self.queue.len() > 2 * self.away + STALE {
            let mut queue = std::mem::take(&mut self.queue);
            queue.retain(|(since, key)| self.is_away(*since, key));
            self.queue = queue;
        }
    }

    fn is_away(&self, since: Instant, key: &RecoveryKey) -> bool {
        matches!(self.clients.get(key), Some(Slot::Away(parked, _)) if *parked == since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_mins(2);
    const SECOND: Duration = Duration::from_secs(1);

    type Named = Register<&'static str, &'static str>;

    fn register(max_away: usize) -> (Named, Instant) {
        (Register::new(WINDOW, max_away), Instant::now())
    }

    fn key() -> RecoveryKey {
        RecoveryKey::random().expect("there is randomness")
    }

    #[test]
    fn a_client_that_is_away_can_be_taken_once() {
        let ((mut register, now), ada) = (register(8), key());
        register.here(ada, "connection");
        assert_eq!(register.take(&ada, now), Taken::Here("connection"));
        register.leaving(&ada);
        assert_eq!(register.take(&ada, now), Taken::Leaving);
        assert_eq!(register.park(ada, "ada", now), None);
        assert_eq!(register.away(), 1);
        assert_eq!(register.take(&ada, now), Taken::Away(now, "ada"));
        assert_eq!(register.take(&ada, now), Taken::Nobody);
        assert_eq!(register.away(), 0);
    }

    #[test]
    fn a_client_that_left_on_purpose_does_not_come_back() {
        let ((mut register, now), ada) = (register(8), key());
        register.here(ada, "connection");
        assert!(register.knows(&ada));
        assert_eq!(register.forget(&ada), None);
        assert!(!register.knows(&ada));
        assert_eq!(register.take(&ada, now), Taken::Nobody);
    }

    #[test]
    fn the_window_ends_what_is_kept() {
        let ((mut register, now), ada) = (register(8), key());
        assert_eq!(register.park(ada, "ada", now), None);
        let end = now + WINDOW;
        assert_eq!(register.sweep(now), (vec![], Some(end)));
        assert_eq!(register.take(&ada, end), Taken::Nobody);
        assert_eq!(register.sweep(end), (vec!["ada"], None));
        assert!(!register.knows(&ada));
        assert_eq!(register.away(), 0);
    }

    #[test]
    fn when_too_many_are_away_the_one_that_is_away_for_longest_ends() {
        let (mut register, now) = register(2);
        for (name, evicted) in [("a", None), ("b", None), ("c", Some("a"))] {
            assert_eq!(register.park(key(), name, now), evicted);
        }
        assert_eq!(register.clear(), ["b", "c"]);
        assert_eq!(register.away(), 0);
    }

    #[test]
    fn one_that_came_back_and_left_again_has_its_whole_window() {
        let ((mut register, now), ada) = (register(8), key());
        assert_eq!(register.park(ada, "first", now), None);
        assert_eq!(register.take(&ada, now), Taken::Away(now, "first"));
        let later = now + WINDOW / 2;
        assert_eq!(register.park(ada, "second", later), None);
        assert_eq!(register.sweep(now + WINDOW), (vec![], Some(later + WINDOW)));
        assert_eq!(register.sweep(later + WINDOW), (vec!["second"], None));
    }

    #[test]
    fn one_that_is_put_back_keeps_its_place() {
        let ((mut register, now), ada) = (register(8), key());
        assert_eq!(register.park(ada, "ada", now), None);
        assert_eq!(register.park(key(), "eve", now + SECOND), None);
        assert_eq!(
            register.take(&ada, now + 2 * SECOND),
            Taken::Away(now, "ada")
        );
        assert_eq!(register.park(ada, "ada", now), None);
        assert_eq!(register.clear(), ["ada", "eve"]);
    }

    #[test]
    fn clients_that_come_and_go_leave_nothing_behind() {
        let ((mut register, now), ada) = (register(8), key());
        for second in 0..1_000 {
            let since = now + SECOND * second;
            assert_eq!(register.park(ada, "ada", since), None);
            assert_eq!(register.take(&ada, since), Taken::Away(since, "ada"));
        }
        assert!(register.queue.len() <= STALE + 2);
        assert_eq!(register.sweep(now), (vec![], None));
        assert!(register.clients.is_empty());
    }
}
