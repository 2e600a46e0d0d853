//! When to ping a silent peer and when to give it up. No clock inside.

use std::time::Duration;

use tokio::time::Instant;

/// Liveness of one peer. Every byte from the peer counts as a sign of life, not only pongs.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    interval: Duration,
    timeout: Duration,
    heard: Instant,
    /// When a ping was sent that nothing has followed yet.
    pinged: Option<Instant>,
}

/// What to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beat {
    /// Nothing before this time.
    Wait(Instant),
    /// Send a ping, and ask again.
    Ping,
    /// The peer is gone.
    Dead,
}

impl Heartbeat {
    pub(crate) fn new(interval: Duration, timeout: Duration, now: Instant) -> Self {
        Self {
            interval,
            timeout,
            heard: now,
            pinged: None,
        }
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    pub(crate) fn check(&mut self, now: Instant) -> Beat {
        let (due, beat) = match self.pinged {
            Some(pinged) => (pinged + self.timeout, Beat::Dead),
            None => (self.heard + self.interval, Beat::Ping),
        };
        if now < due {
            return Beat::Wait(due);
        }
        if beat == Beat::Ping {
            self.pinged = Some(now);
        }
        beat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(25);
    const TIMEOUT: Duration = Duration::from_secs(20);

    #[test]
    fn a_silent_peer_is_pinged_then_given_up() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(INTERVAL, TIMEOUT, start);
        assert_eq!(heartbeat.check(start), Beat::Wait(start + INTERVAL));
        let ping = start + INTERVAL;
        assert_eq!(heartbeat.check(ping), Beat::Ping);
        assert_eq!(heartbeat.check(ping), Beat::Wait(ping + TIMEOUT));
        assert_eq!(heartbeat.check(ping + TIMEOUT), Beat::Dead);
    }

    #[test]
    fn any_byte_after_the_ping_saves_the_peer() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(INTERVAL, TIMEOUT, start);
        let ping = start + INTERVAL;
        assert_eq!(heartbeat.check(ping), Beat::Ping);
        heartbeat.heard(ping + TIMEOUT / 2);
        assert_eq!(
            heartbeat.check(ping + TIMEOUT),
            Beat::Wait(ping + TIMEOUT / 2 + INTERVAL)
        );
    }
}
