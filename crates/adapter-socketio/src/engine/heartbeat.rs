//! When to send a ping and when a silent client is gone.
//!
//! In Engine.IO v4 the server pings. All times are counted from the schedule, not
//! from the moment a timer happened to fire, so that a session is gone exactly
//! `interval + timeout` after its last sign of life and not some milliseconds later.

use std::time::{Duration, Instant};

/// A timer may fire late by this part of the timeout, at the expense of the client. Later
/// than that, the process or its machine stood still, and the client gets its whole time.
const TOLERANCE: u32 = 4;

/// The heartbeat of one session.
#[derive(Clone, Copy, Debug)]
pub struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    phase: Phase,
    reading: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// The next ping is due at this time.
    Quiet(Instant),
    /// A ping is out; a sign of life must come before this time.
    Waiting(Instant),
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Nothing before [`Heartbeat::wake_at`].
    Nothing,
    /// A ping has to be sent now.
    Ping,
    /// The client did not answer in time.
    Expired,
}

impl Heartbeat {
    /// Begins when the session opens.
    pub fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self {
            interval,
            timeout,
            phase: Phase::Quiet(now + interval),
            reading: true,
        }
    }

    /// When to call [`Heartbeat::beat`] next; `None` while nothing can become due.
    pub fn wake_at(&self) -> Option<Instant> {
        match self.phase {
            Phase::Quiet(at) => Some(at),
            Phase::Waiting(deadline) => self.reading.then_some(deadline),
        }
    }

    /// Says what is due and takes note that it is done.
    pub fn beat(&mut self, now: Instant) -> Beat {
        match self.phase {
            Phase::Quiet(at) if now >= at => {
                let late = now - at > self.timeout / TOLERANCE;
                let sent = if late { now } else { at };
                self.phase = Phase::Waiting(sent + self.timeout);
                Beat::Ping
            }
            Phase::Waiting(_) if self.is_expired(now) => Beat::Expired,
            Phase::Quiet(_) | Phase::Waiting(_) => Beat::Nothing,
        }
    }

    /// Whether the client's time is over, without sending anything.
    pub fn is_expired(&self, now: Instant) -> bool {
        matches!(self.phase, Phase::Waiting(deadline) if self.reading && now >= deadline)
    }

    /// Whether a ping is out.
    pub fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting(_))
    }

    /// The client answered the ping: the next one is due after a whole interval.
    pub fn pong(&mut self, now: Instant) {
        self.phase = Phase::Quiet(now + self.interval);
    }

    /// Something else than a pong arrived. The pong may stand behind it in the same
    /// stream, so the wait for it begins anew.
    pub fn sign_of_life(&mut self, now: Instant) {
        if let Phase::Waiting(_) = self.phase {
            self.phase = Phase::Waiting(now + self.timeout);
        }
    }

    /// Tells whether the server reads what the client sends. While it does not
    /// (backpressure), a pong could not be seen and no deadline runs.
    pub fn set_reading(&mut self, reading: bool, now: Instant) {
        if reading && !self.reading {
            self.sign_of_life(now);
        }
        self.reading = reading;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(300);
    const TIMEOUT: Duration = Duration::from_millis(200);
    const MS: Duration = Duration::from_millis(1);

    fn heartbeat() -> (Heartbeat, Instant) {
        let start = Instant::now();
        (Heartbeat::new(INTERVAL, TIMEOUT, start), start)
    }

    #[test]
    fn no_ping_is_sent_before_the_first_interval_is_over() {
        let (mut heart, start) = heartbeat();
        assert_eq!(heart.beat(start), Beat::Nothing);
        assert_eq!(heart.beat(start + 299 * MS), Beat::Nothing);
        assert_eq!(heart.beat(start + INTERVAL), Beat::Ping);
    }

    #[test]
    fn the_deadline_counts_from_when_the_ping_was_due() {
        let (mut heart, start) = heartbeat();
        assert_eq!(heart.beat(start + INTERVAL + 2 * MS), Beat::Ping);
        assert_eq!(heart.wake_at(), Some(start + INTERVAL + TIMEOUT));
        assert_eq!(heart.beat(start + 499 * MS), Beat::Nothing);
        assert!(heart.is_expired(start + INTERVAL + TIMEOUT));
        assert_eq!(heart.beat(start + INTERVAL + TIMEOUT), Beat::Expired);
    }

    #[test]
    fn a_server_that_stood_still_does_not_blame_the_client() {
        let (mut heart, start) = heartbeat();
        let late = start + INTERVAL + TIMEOUT + TIMEOUT;
        assert_eq!(heart.beat(late), Beat::Ping);
        assert_eq!(heart.beat(late), Beat::Nothing);
        assert_eq!(heart.beat(late + TIMEOUT), Beat::Expired);
    }

    #[test]
    fn a_pong_begins_a_new_interval() {
        let (mut heart, start) = heartbeat();
        assert_eq!(heart.beat(start + INTERVAL), Beat::Ping);
        let answered = start + INTERVAL + 50 * MS;
        heart.pong(answered);
        assert_eq!(heart.wake_at(), Some(answered + INTERVAL));
        assert!(!heart.is_expired(start + INTERVAL + TIMEOUT));
    }

    #[test]
    fn any_message_while_a_ping_is_out_is_a_sign_of_life() {
        let (mut heart, start) = heartbeat();
        heart.sign_of_life(start + 10 * MS);
        assert_eq!(heart.wake_at(), Some(start + INTERVAL));
        assert_eq!(heart.beat(start + INTERVAL), Beat::Ping);
        heart.sign_of_life(start + INTERVAL + 150 * MS);
        assert_eq!(heart.beat(start + INTERVAL + TIMEOUT), Beat::Nothing);
        assert_eq!(
            heart.beat(start + INTERVAL + TIMEOUT + 150 * MS),
            Beat::Expired
        );
    }

    #[test]
    fn a_client_that_is_not_read_is_not_timed_out() {
        let (mut heart, start) = heartbeat();
        assert_eq!(heart.beat(start + INTERVAL), Beat::Ping);
        heart.set_reading(false, start + INTERVAL);
        assert_eq!(heart.wake_at(), None);
        let later = start + 100 * INTERVAL;
        assert_eq!(heart.beat(later), Beat::Nothing);
        assert!(!heart.is_expired(later));
        heart.set_reading(true, later);
        assert_eq!(heart.beat(later), Beat::Nothing);
        assert_eq!(heart.beat(later + TIMEOUT), Beat::Expired);
    }

    #[test]
    fn a_ping_that_falls_due_while_nothing_is_read_waits_too() {
        let (mut heart, start) = heartbeat();
        heart.set_reading(false, start);
        assert_eq!(heart.beat(start + INTERVAL), Beat::Ping);
        assert_eq!(heart.beat(start + 2 * INTERVAL), Beat::Nothing);
        heart.set_reading(true, start + 2 * INTERVAL);
        assert_eq!(heart.wake_at(), Some(start + 2 * INTERVAL + TIMEOUT));
    }
}
