//! When to ping a silent peer and when to give it up. No clock inside.

use std::time::Duration;

use tokio::time::Instant;

/// Liveness of one peer. Every byte from the peer counts as a sign of life, not only pongs.
///
/// Kept small, since every connection has one: intervals are in milliseconds.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    heard: Instant,
    interval: u32,
    timeout: u32,
    /// When a ping was sent that nothing has followed, in milliseconds since the last sign of life.
    pinged: Option<u32>,
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
            heard: now,
            interval: millis(interval),
            timeout: millis(timeout),
            pinged: None,
        }
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    pub(crate) fn check(&mut self, now: Instant) -> Beat {
        let silent = millis(now.saturating_duration_since(self.heard));
        let (due, beat) = match self.pinged {
            Some(pinged) => (pinged.saturating_add(self.timeout), Beat::Dead),
            None => (self.interval, Beat::Ping),
        };
        if silent < due {
            return Beat::Wait(self.heard + Duration::from_millis(u64::from(due)));
        }
        if beat == Beat::Ping {
            self.pinged = Some(silent);
        }
        beat
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
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
