//! When to ping a silent peer and when to give it up. No clock inside.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

/// Liveness of one peer. Every byte from the peer counts as a sign of life, not only pongs.
///
/// Kept small, since every connection has one: what all of them share is told with each question.
#[derive(Debug, Default)]
pub(crate) struct Heartbeat {
    /// In microseconds since the start of the rhythm.
    heard: u64,
    /// When a ping was sent that nothing has followed, in milliseconds since the last sign of life.
    pinged: Option<NonZeroU32>,
}

/// The times of all peers of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rhythm {
    /// Before all signs of life.
    pub(crate) start: Instant,
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
    pub(crate) fn new(rhythm: &Rhythm, now: Instant) -> Self {
        Self {
            heard: rhythm.micros(now),
            pinged: None,
        }
    }

    pub(crate) fn heard(&mut self, rhythm: &Rhythm, now: Instant) {
        *self = Self::new(rhythm, now);
    }

    pub(crate) fn check(&mut self, rhythm: &Rhythm, now: Instant) -> Beat {
        let heard = rhythm.start + Duration::from_micros(self.heard);
        let silent = now.saturating_duration_since(heard);
        let (due, beat) = match self.pinged {
            Some(pinged) => {
                let pinged = Duration::from_millis(pinged.get().into());
                (pinged + rhythm.timeout, Beat::Dead)
            }
            None => (rhythm.interval, Beat::Ping),
        };
        if silent < due {
            return Beat::Wait(heard + due);
        }
        if beat == Beat::Ping {
            self.pinged = Some(millis(silent));
        }
        beat
    }
}

impl Rhythm {
    /// Rounded up, so that nobody is found silent too early.
    fn micros(&self, now: Instant) -> u64 {
        let nanos = now.saturating_duration_since(self.start).as_nanos();
        u64::try_from(nanos.div_ceil(1000)).unwrap_or(u64::MAX)
    }
}

fn millis(duration: Duration) -> NonZeroU32 {
    let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
    NonZeroU32::new(millis).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(25);
    const TIMEOUT: Duration = Duration::from_secs(20);

    fn rhythm() -> Rhythm {
        Rhythm {
            start: Instant::now(),
            interval: INTERVAL,
            timeout: TIMEOUT,
        }
    }

    #[test]
    fn a_silent_peer_is_pinged_then_given_up() {
        let rhythm = rhythm();
        let start = rhythm.start;
        let mut heartbeat = Heartbeat::new(&rhythm, start);
        assert_eq!(
            heartbeat.check(&rhythm, start),
            Beat::Wait(start + INTERVAL)
        );
        let ping = start + INTERVAL;
        assert_eq!(heartbeat.check(&rhythm, ping), Beat::Ping);
        assert_eq!(heartbeat.check(&rhythm, ping), Beat::Wait(ping + TIMEOUT));
        assert_eq!(heartbeat.check(&rhythm, ping + TIMEOUT), Beat::Dead);
    }

    #[test]
    fn any_byte_after_the_ping_saves_the_peer() {
        let rhythm = rhythm();
        let start = rhythm.start;
        let mut heartbeat = Heartbeat::new(&rhythm, start);
        let ping = start + INTERVAL;
        assert_eq!(heartbeat.check(&rhythm, ping), Beat::Ping);
        heartbeat.heard(&rhythm, ping + TIMEOUT / 2);
        assert_eq!(
            heartbeat.check(&rhythm, ping + TIMEOUT),
            Beat::Wait(ping + TIMEOUT / 2 + INTERVAL)
        );
    }
}
