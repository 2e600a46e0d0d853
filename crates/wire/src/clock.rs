//! One timer for many connections.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Ticks in the shortest time that is measured: how much of it a clock may be late.
const TICKS: u32 = 128;

/// The bounds of a tick: tokio's timers know no less than a millisecond, and nobody should notice a clock
/// that is late.
const SHORTEST_TICK: Duration = Duration::from_millis(1);
const LONGEST_TICK: Duration = Duration::from_millis(250);

/// How many are woken before other tasks get their turn.
const TURN: usize = 128;

/// A tick at which nothing is due.
const NEVER: u64 = u64::MAX;

/// Something that a [`Clock`] wakes.
pub trait Ring: Send + Sync + 'static {
    /// The time has come. No lock is held while this runs.
    fn ring(&self);
}

/// Wakes many, each at a time of its own, with a single timer of the runtime.
///
/// A timer of tokio's is 112 bytes of each connection that waits 25 s for its next ping; a place on a
/// clock is 20. For that, times are rounded up to whole ticks: a clock is never early, and late by less
/// than a tick, which is a 128th of the shortest time that it measures (at least 1 ms, as tokio's
/// timers, and at most 250 ms).
pub struct Clock<R: Ring> {
    shared: Arc<Shared<R>>,
}

/// A place on a clock, to be kept by whoever it is for. It is given back with [`Clock::cancel`].
#[derive(Debug)]
pub struct Alarm(u32);

struct Shared<R> {
    start: Instant,
    tick: Duration,
    faces: Mutex<Faces<R>>,
    /// Something is due earlier than all before, or the clock is closed.
    changed: Notify,
}

struct Faces<R> {
    /// By the number of an alarm. A place that was given back points to nobody.
    places: Vec<Place<R>>,
    free: Vec<u32>,
    /// The numbers of what is due, by tick. What was set anew since, or cancelled, is still listed: a
    /// place knows its tick.
    due: BTreeMap<u64, Vec<u32>>,
    closed: bool,
}

struct Place<R> {
    who: Weak<R>,
    tick: u64,
}

/// What the task of a clock has to wait for.
enum Next {
    Due(Instant),
    Change,
    Closed,
}

impl<R: Ring> Clock<R> {
    /// Starts a clock on the current tokio runtime, for times of which `shortest` is the shortest. It
    /// ends when it is dropped.
    pub fn spawn(shortest: Duration) -> Self {
        let tick = (shortest / TICKS).clamp(SHORTEST_TICK, LONGEST_TICK);
        let shared = Arc::new(Shared {
            start: Instant::now(),
            tick,
            faces: Mutex::new(Faces {
                places: Vec::new(),
                free: Vec::new(),
                due: BTreeMap::new(),
                closed: false,
            }),
            changed: Notify::new(),
        });
        tokio::spawn(run(Arc::clone(&shared)));
        Self { shared }
    }

    /// Has `who` woken once at this time, and not at the time that was set before.
    pub fn set(&self, alarm: &mut Option<Alarm>, due: Instant, who: &Arc<R>) {
        let tick = self.shared.tick_of(due);
        let mut faces = self.shared.lock();
        let Alarm(number) = *alarm.get_or_insert_with(|| faces.open(who));
        if faces.set(number, tick) {
            drop(faces);
            self.shared.changed.notify_one();
        }
    }

    /// Gives the place back; nobody is woken any more.
    pub fn cancel(&self, alarm: &mut Option<Alarm>) {
        if let Some(Alarm(number)) = alarm.take() {
            let mut faces = self.shared.lock();
            let former = faces.close(number);
            drop(faces);
            drop(former);
        }
    }
}

impl<R: Ring> fmt::Debug for Clock<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock")
            .field("tick", &self.shared.tick)
            .finish_non_exhaustive()
    }
}

impl<R: Ring> Drop for Clock<R> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

async fn run<R: Ring>(shared: Arc<Shared<R>>) {
    let mut ringing = Vec::new();
    loop {
        let next = shared.take_due(Instant::now(), &mut ringing);
        for (index, who) in ringing.drain(..).enumerate() {
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
            who.ring();
        }
        match next {
            Next::Closed => return,
            Next::Change => shared.changed.notified().await,
            Next::Due(at) => {
                // Whichever comes first, there is something to look at.
                let _ = timeout_at(at, shared.changed.notified()).await;
            }
        }
    }
}

impl<R> Shared<R> {
    /// The first tick that is not before this time.
    fn tick_of(&self, due: Instant) -> u64 {
        let after = due.saturating_duration_since(self.start).as_nanos();
        u64::try_from(after.div_ceil(self.tick.as_nanos())).unwrap_or(NEVER - 1)
    }

    /// The last tick that is not behind this time.
    fn ticks_until(&self, now: Instant) -> u64 {
        let after = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(after / self.tick.as_nanos()).unwrap_or(NEVER - 1)
    }

    fn time_of(&self, tick: u64) -> Instant {
        let nanos = self.tick.as_nanos() * u128::from(tick);
        // Beyond 584 years it makes no difference.
        self.start + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Takes out who is due, and says when to come back.
    fn take_due(&self, now: Instant, ringing: &mut Vec<Arc<R>>) -> Next {
        let now = self.ticks_until(now);
        let mut faces = self.lock();
        while let Some(first) = faces.due.first_entry()
            && *first.key() <= now
        {
            let (tick, numbers) = first.remove_entry();
            let due = numbers.into_iter().filter_map(|number| {
                let place = faces.places.get_mut(number as usize)?;
                if place.tick != tick {
                    return None;
                }
                place.tick = NEVER;
                place.who.upgrade()
            });
            ringing.extend(due);
        }
        if faces.closed {
            return Next::Closed;
        }
        match faces.due.first_key_value() {
            Some((tick, _)) => Next::Due(self.time_of(*tick)),
            None => Next::Change,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Faces<R>> {
        // Nothing panics while the lock is held, so that what it guards is whole.
        self.faces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> Faces<R> {
    fn open(&mut self, who: &Arc<R>) -> Alarm {
        let who = Arc::downgrade(who);
        if let Some(number) = self.free.pop() {
            // What is still listed for the former owner is told apart by its tick.
            self.places[number as usize].who = who;
            return Alarm(number);
        }
        let number = u32::try_from(self.places.len()).expect("fewer than 2^32 connections");
        self.places.push(Place { who, tick: NEVER });
        Alarm(number)
    }

    /// `true` when this is due before everything else.
    fn set(&mut self, number: u32, tick: u64) -> bool {
        let place = &mut self.places[number as usize];
        if place.tick == tick {
            // It is listed there.
            return false;
        }
        place.tick = tick;
        let first = self.due.first_key_value().is_none_or(|(at, _)| tick < *at);
        self.due.entry(tick).or_default().push(number);
        first
    }

    fn close(&mut self, number: u32) -> Weak<R> {
        self.free.push(number);
        std::mem::take(&mut self.places[number as usize].who)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Counts how often it was woken, and tells who waits for that.
    #[derive(Default)]
    struct Bell {
        rung: AtomicUsize,
        heard: Notify,
    }

    impl Ring for Bell {
        fn ring(&self) {
            self.rung.fetch_add(1, Ordering::Relaxed);
            self.heard.notify_one();
        }
    }

    impl Bell {
        fn rung(&self) -> usize {
            self.rung.load(Ordering::Relaxed)
        }
    }

    /// Lets paused time pass, and those whose time has come run.
    async fn pass(time: Duration) {
        tokio::time::sleep(time).await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_its_time_or_less_than_a_tick_later() {
        let clock = Clock::spawn(Duration::from_secs(20));
        let tick = Duration::from_secs(20) / TICKS;
        for wait in [1, 20, 149, 150, 151, 20_000, 25_000] {
            let (bell, mut alarm) = (Arc::new(Bell::default()), None);
            let due = Instant::now() + wait * MS;
            clock.set(&mut alarm, due, &bell);
            bell.heard.notified().await;
            let late = Instant::now().checked_duration_since(due);
            // Tokio's own timers round up to a millisecond.
            assert!(
                late.is_some_and(|late| late < tick + MS),
                "{wait} ms: {late:?}"
            );
            assert_eq!(bell.rung(), 1);
            clock.cancel(&mut alarm);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn short_times_are_measured_in_milliseconds() {
        let clock = Clock::spawn(50 * MS);
        let (bell, mut alarm) = (Arc::new(Bell::default()), None);
        let due = Instant::now() + 50 * MS;
        clock.set(&mut alarm, due, &bell);
        bell.heard.notified().await;
        assert!((due..=due + 2 * MS).contains(&Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_time_that_was_set_counts() {
        let clock = Clock::spawn(1000 * MS);
        let (bell, mut alarm) = (Arc::new(Bell::default()), None);
        let start = Instant::now();
        for due in [300, 500, 100, 400, 200] {
            clock.set(&mut alarm, start + due * MS, &bell);
        }
        bell.heard.notified().await;
        assert!(start.elapsed() >= 200 * MS && start.elapsed() < 220 * MS);
        pass(1000 * MS).await;
        assert_eq!(bell.rung(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_alarm_is_silent_and_its_place_rings_for_the_next_one_only() {
        let clock = Clock::spawn(1000 * MS);
        let (first, second) = (Arc::new(Bell::default()), Arc::new(Bell::default()));
        let start = Instant::now();
        let mut alarm = None;
        clock.set(&mut alarm, start + 100 * MS, &first);
        clock.cancel(&mut alarm);
        assert_eq!(Arc::weak_count(&first), 0, "it is not held any more");
        clock.set(&mut alarm, start + 300 * MS, &second);
        assert_eq!(
            clock.shared.lock().places.len(),
            1,
            "the place is used again"
        );
        pass(200 * MS).await;
        assert_eq!(second.rung(), 0, "what the former owner set is passed over");
        pass(200 * MS).await;
        assert_eq!((first.rung(), second.rung()), (0, 1));
        assert!(clock.shared.lock().due.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_time_that_has_passed_rings_at_once() {
        let clock = Clock::spawn(Duration::from_secs(20));
        pass(Duration::from_mins(1)).await;
        let (bell, mut alarm) = (Arc::new(Bell::default()), None);
        let now = Instant::now();
        clock.set(&mut alarm, now - Duration::from_secs(30), &bell);
        bell.heard.notified().await;
        assert_eq!(Instant::now(), now);
    }

    #[tokio::test(start_paused = true)]
    async fn thousands_that_are_due_together_all_ring() {
        let clock = Clock::spawn(Duration::from_secs(20));
        let bell = Arc::new(Bell::default());
        let due = Instant::now() + Duration::from_secs(20);
        let mut alarms: Vec<_> = (0..5000).map(|_| None).collect();
        for alarm in &mut alarms {
            clock.set(alarm, due, &bell);
        }
        pass(Duration::from_secs(21)).await;
        assert_eq!(bell.rung(), 5000);
    }

    #[tokio::test]
    async fn a_dropped_clock_ends_its_task() {
        let clock = Clock::<Bell>::spawn(Duration::from_secs(20));
        let shared = Arc::downgrade(&clock.shared);
        drop(clock);
        while shared.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    }
}
