//! When to ping a silent peer and when to give it up. No clock inside.

use std::time::Duration;

use tokio::time::Instant;

/// Liveness of one peer. Every byte from the peer counts as a sign of life, not only pongs.
///
/// Kept small, since every connection has one: what all of them share is told with each question.
#[derive(Debug)]
pub(crate) struct Heartbeat {
    heard: Instant,
    /// When a ping was sent that nothing has followed, in milliseconds since the last sign of life.
    pinged: Option<u32>,
}

/// The times of all peers of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    /// How long a peer may be silent before it is pinged.
    pub(crate) interval: Duration,
    /// How long it may be silent then.
    pub(crate) timeout: Duration,
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
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            heard: now,
            pinged: None,
        }
    }

    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard = now;
        self.pinged = None;
    }

    pub(crate) fn check(&mut self, now: Instant, rhythm: Rhythm) -> Beat {
        let silent = now.saturating_duration_since(self.heard);
        let (due, beat) = match self.pinged {
            Some(pinged) => {
                let pinged = Duration::from_millis(u64::from(pinged));
                (pinged + rhythm.timeout, Beat::Dead)
            }
            None => (rhythm.interval, Beat::Ping),
        };
        if silent < due {
            return Beat::Wait(self.heard + due);
        }
        if beat == Beat::Ping {
            self.pinged = Some(millis(silent));
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
    const RHYTHM: Rhythm = Rhythm {
        interval: INTERVAL,
        timeout: TIMEOUT,
    };

    #[test]
    fn a_silent_peer_is_pinged_then_given_up() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        assert_eq!(heartbeat.check(start, RHYTHM), Beat::Wait(start + INTERVAL));
        let ping = start + INTERVAL;
        assert_eq!(heartbeat.check(ping, RHYTHM), Beat::Ping);
        assert_eq!(heartbeat.check(ping, RHYTHM), Beat::Wait(ping + TIMEOUT));
        assert_eq!(heartbeat.check(ping + TIMEOUT, RHYTHM), Beat::Dead);
    }

    #[test]
    fn any_byte_after_the_ping_saves_the_peer() {
        let start = Instant::now();
        let mut heartbeat = Heartbeat::new(start);
        let ping = start + INTERVAL;
        assert_eq!(heartbeat.check(ping, RHYTHM), Beat::Ping);
        heartbeat.heard(ping + TIMEOUT / 2);
        assert_eq!(
            heartbeat.check(ping + TIMEOUT, RHYTHM),
            Beat::Wait(ping + TIMEOUT / 2 + INTERVAL)
        );
    }
}
