//! Counters that every message moves.
//!
//! A counter that all threads share costs each of them a locked instruction,
//! and the cache line that another core has just written. So each thread has
//! counters of its own, and whoever reads adds them up. Counts stay exact.

use std::array;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Messages and bytes, in and out.
#[derive(Debug)]
pub(super) struct Tally {
    /// One for each place; only the thread that has the place writes it.
    own: [Counts; PLACES],
    /// For the threads without a place.
    shared: Counts,
}

/// How many threads may have counters of their own: the bits of [`TAKEN`].
const PLACES: usize = 32;

/// Counts on a cache line of their own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Counts {
    pub(super) received: AtomicU64,
    pub(super) received_bytes: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) sent_bytes: AtomicU64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            own: array::from_fn(|_| Counts::default()),
            shared: Counts::default(),
        }
    }
}

impl Tally {
    pub(super) fn received(&self, size: usize) {
        self.add(1, size, |counts| (&counts.received, &counts.received_bytes));
    }

    pub(super) fn sent(&self, messages: usize, bytes: usize) {
        self.add(messages, bytes, |counts| (&counts.sent, &counts.sent_bytes));
    }

    /// The sum of one counter over all threads.
    pub(super) fn sum(&self, counter: impl Fn(&Counts) -> &AtomicU64) -> u64 {
        let counts = self.own.iter().chain([&self.shared]);
        counts.map(|c| counter(c).load(Ordering::Relaxed)).sum()
    }

    fn add(
        &self,
        messages: usize,
        bytes: usize,
        counters: impl Fn(&Counts) -> (&AtomicU64, &AtomicU64),
    ) {
        let (more_messages, more_bytes) = (messages as u64, bytes as u64);
        // A thread that is ending may have given its place back already.
        match PLACE.try_with(|place| place.0) {
            Ok(Some(place)) => {
                let (messages, bytes) = counters(&self.own[place]);
                // Nobody else writes here, so that nothing is lost in between.
                let moved = |counter: &AtomicU64, by| {
                    counter.store(counter.load(Ordering::Relaxed) + by, Ordering::Relaxed);
                };
                moved(messages, more_messages);
                moved(bytes, more_bytes);
            }
            _ => {
                let (messages, bytes) = counters(&self.shared);
                messages.fetch_add(more_messages, Ordering::Relaxed);
                bytes.fetch_add(more_bytes, Ordering::Relaxed);
            }
        }
    }
}

thread_local! {
    static PLACE: Place = Place::take();
}

/// The places that threads have, one bit for each.
static TAKEN: AtomicU32 = AtomicU32::new(0);

/// A thread's place, until it ends; `None` when there are more threads than
/// places.
struct Place(Option<usize>);

impl Place {
    fn take() -> Self {
        // Acquires what the thread wrote that had the place before.
        let taken = TAKEN.fetch_update(Ordering::Acquire, Ordering::Relaxed, |taken| {
            (taken != u32::MAX).then(|| taken | (taken + 1))
        });
        Self(taken.ok().map(|taken| taken.trailing_ones() as usize))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            TAKEN.fetch_and(!(1 << place), Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::thread;

    use super::*;

    #[test]
    fn nothing_is_lost_with_more_threads_than_places() {
        const THREADS: usize = PLACES + 8;
        const EACH: u64 = 1000;
        let tally = Tally::default();
        for round in 1..=2 {
            // All of them are there at once.
            let barrier = Barrier::new(THREADS);
            thread::scope(|scope| {
                for _ in 0..THREADS {
                    scope.spawn(|| {
                        tally.received(3);
                        barrier.wait();
                        for _ in 1..EACH {
                            tally.received(3);
                            tally.sent(1, 5);
                        }
                        barrier.wait();
                    });
                }
            });
            let messages = round * EACH * THREADS as u64;
            assert_eq!(tally.sum(|c| &c.received), messages);
            assert_eq!(tally.sum(|c| &c.received_bytes), messages * 3);
            let messages = round * (EACH - 1) * THREADS as u64;
            assert_eq!(tally.sum(|c| &c.sent), messages);
            assert_eq!(tally.sum(|c| &c.sent_bytes), messages * 5);
        }
    }
}
