//! How fast packets are handed to socketioxide once its queue was full.
//!
//! Its heartbeat needs a place in the same queue and ends the connection when it finds
//! none, so a queue that is kept full costs the client its connection at the next ping,
//! however well it reads. The queue tells neither its length nor when there is room, only
//! that a packet did not fit. As in the congestion control of TCP, the rate is cut each time
//! that happens and grows while it does not: the queue is full for moments only.

use std::time::{Duration, Instant};

/// Packets in one go: half of socketioxide's default queue (`max_buffer_size`, 128).
const BURST: u32 = 64;
/// The first interval between packets, when the queue was full for the first time.
const FIRST: Duration = Duration::from_micros(50);
/// How much longer the interval gets each time that the queue is full.
const BACK_OFF: u32 = 4;
/// The longest: a client that begins to read again is at full speed within two seconds.
const LONGEST: Duration = Duration::from_millis(100);
/// Below it, packets are not paced any more.
const SHORTEST: Duration = Duration::from_micros(5);
/// After so many packets that fitted, the interval shrinks by a fifth.
const GROW_AFTER: u32 = 4;

/// The pace of one client. Pure: the time is an argument.
#[derive(Debug)]
pub(super) struct Pace {
    /// Between two packets; zero when the queue was never full, or not for long.
    interval: Duration,
    /// When the next packet may go.
    next: Instant,
    fitted: u32,
}

impl Pace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            interval: Duration::ZERO,
            next: now,
            fitted: 0,
        }
    }

    /// How many packets may go now.
    pub(super) fn quota(&self, now: Instant) -> u32 {
        if self.interval.is_zero() {
            return BURST;
        }
        let Some(late) = now.checked_duration_since(self.next) else {
            return 0;
        };
        let due = late.as_nanos() / self.interval.as_nanos() + 1;
        u32::try_from(due).map_or(BURST, |due| due.min(BURST))
    }

    /// When more may go.
    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// A packet fitted.
    pub(super) fn fitted(&mut self, now: Instant) {
        if self.interval.is_zero() {
            return;
        }
        // What was not used long ago is not made up for.
        let oldest = now.checked_sub(self.interval * BURST).unwrap_or(now);
        self.next = self.next.max(oldest) + self.interval;
        self.fitted += 1;
        if self.fitted >= GROW_AFTER {
            self.fitted = 0;
            self.interval = self.interval * 4 / 5;
            if self.interval < SHORTEST {
                self.interval = Duration::ZERO;
            }
        }
    }

    /// A packet did not fit.
    pub(super) fn refused(&mut self, now: Instant) {
        self.interval = (self.interval * BACK_OFF).clamp(FIRST, LONGEST);
        self.next = now + self.interval;
        self.fitted = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of 128 that a reader empties at `rate` packets a second, while its sender,
    /// whose timer ticks each millisecond, has more than enough for it; how many packets
    /// went through in 20 s, and for what share of the time the queue was full.
    fn run(rate: f64) -> (u32, f64) {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let (mut queued, mut sent, mut full) = (0.0_f64, 0, 0_u32);
        let steps: u32 = 20 * 1000 * 20;
        for step in 0..steps {
            let now = start + Duration::from_micros(50 * u64::from(step));
            queued = (queued - rate / 20_000.0).max(0.0);
            let quota = if step % 20 == 0 { pace.quota(now) } else { 0 };
            for _ in 0..quota {
                if queued + 1.0 > 128.0 {
                    pace.refused(now);
                    break;
                }
                queued += 1.0;
                sent += 1;
                pace.fitted(now);
            }
            full += u32::from(queued + 1.0 > 128.0);
        }
        (sent, f64::from(full) / f64::from(steps))
    }

    #[test]
    fn a_queue_that_is_never_full_is_not_paced() {
        let mut pace = Pace::new(Instant::now());
        for _ in 0..1000 {
            assert_eq!(pace.quota(Instant::now()), BURST);
            pace.fitted(Instant::now());
        }
    }

    #[test]
    fn the_queue_of_a_reader_is_full_for_moments_only_and_the_reader_gets_its_rate() {
        for rate in [50.0, 500.0, 5_000.0, 30_000.0] {
            let (sent, full) = run(rate);
            let possible = rate * 20.0;
            assert!(
                full < 0.1,
                "at {rate}/s it was full for {full:.2} of the time"
            );
            assert!(
                f64::from(sent) > possible * 0.6,
                "at {rate}/s {sent} of {possible} went through"
            );
        }
    }

    #[test]
    fn a_reader_that_comes_back_is_at_full_speed_in_two_seconds() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        for _ in 0..100 {
            pace.refused(start);
        }
        let mut now = start;
        while !pace.interval.is_zero() {
            now = now.max(pace.next());
            pace.fitted(now);
        }
        let took = now - start;
        assert!(took < Duration::from_secs(3), "{took:?}");
    }
}
