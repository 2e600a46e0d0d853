//! The hand-over from polling to WebSocket (Engine.IO protocol v4, "Upgrade").
//!
//! The client opens a WebSocket beside its polls, sends `2probe`, gets `3probe`,
//! waits for its open poll to end, and sends `5`. An idle poll would stay open until
//! the next ping, so the server ends it with a `6`; but not at once: a client that is
//! quick needs no help, and one that has just connected must see nothing but the
//! replies it asked for.

use std::time::{Duration, Instant};

use super::packet::Packet;

/// How long after the probe an open poll is left alone, and how often it is looked
/// after from then on.
const NOOP_PERIOD: Duration = Duration::from_millis(100);

/// One attempt to upgrade.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade {
    give_up_at: Instant,
    noop_at: Option<Instant>,
}

/// What the attempt asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing before [`Upgrade::wake_at`].
    Wait,
    /// Answer `3probe` on the WebSocket.
    AnswerProbe,
    /// End the open poll, if there is one, with a noop.
    EndPoll,
    /// From now on the WebSocket is the transport.
    Complete,
    /// Close the WebSocket; the session stays on polling.
    Abandon,
}

impl Upgrade {
    /// Begins when the second transport is open; it must be complete within `timeout`.
    pub fn new(timeout: Duration, now: Instant) -> Self {
        Self {
            give_up_at: now + timeout,
            noop_at: None,
        }
    }

    /// When to call [`Upgrade::tick`] next.
    pub fn wake_at(&self) -> Instant {
        self.noop_at
            .map_or(self.give_up_at, |at| at.min(self.give_up_at))
    }

    /// Judges a packet that arrived on the WebSocket.
    pub fn packet(&mut self, packet: &Packet, now: Instant) -> Step {
        match packet {
            Packet::Ping(data) if &data[..] == b"probe" => {
                self.noop_at = Some(now + NOOP_PERIOD);
                Step::AnswerProbe
            }
            Packet::Upgrade if self.noop_at.is_some() => Step::Complete,
            _ => Step::Abandon,
        }
    }

    /// Says what is due and takes note that it is done.
    pub fn tick(&mut self, now: Instant) -> Step {
        if now >= self.give_up_at {
            return Step::Abandon;
        }
        match self.noop_at {
            Some(at) if now >= at => {
                self.noop_at = Some(now + NOOP_PERIOD);
                Step::EndPoll
            }
            _ => Step::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const TIMEOUT: Duration = Duration::from_secs(10);
    const MS: Duration = Duration::from_millis(1);

    fn probe() -> Packet {
        Packet::Ping(Bytes::from_static(b"probe"))
    }

    #[test]
    fn an_upgrade_is_probed_and_completed() {
        let now = Instant::now();
        let mut upgrade = Upgrade::new(TIMEOUT, now);
        assert_eq!(upgrade.packet(&probe(), now), Step::AnswerProbe);
        assert_eq!(upgrade.packet(&Packet::Upgrade, now), Step::Complete);
    }

    #[test]
    fn an_open_poll_is_left_alone_for_100_ms_after_the_probe() {
        let now = Instant::now();
        let mut upgrade = Upgrade::new(TIMEOUT, now);
        assert_eq!(upgrade.tick(now + 500 * MS), Step::Wait);
        assert_eq!(upgrade.packet(&probe(), now), Step::AnswerProbe);
        assert_eq!(upgrade.wake_at(), now + 100 * MS);
        assert_eq!(upgrade.tick(now + 99 * MS), Step::Wait);
        assert_eq!(upgrade.tick(now + 100 * MS), Step::EndPoll);
        assert_eq!(upgrade.tick(now + 101 * MS), Step::Wait);
        assert_eq!(upgrade.tick(now + 200 * MS), Step::EndPoll);
    }

    #[test]
    fn anything_but_the_two_packets_of_an_upgrade_abandons_it() {
        let now = Instant::now();
        for packet in [
            Packet::Ping(Bytes::new()),
            Packet::Ping(Bytes::from_static(b"prob")),
            Packet::Pong,
            Packet::Close,
            Packet::Noop,
            Packet::Text(Bytes::from_static(b"x")),
            Packet::Binary(Bytes::new()),
        ] {
            assert_eq!(
                Upgrade::new(TIMEOUT, now).packet(&packet, now),
                Step::Abandon,
                "{packet:?}"
            );
        }
    }

    #[test]
    fn an_upgrade_without_a_probe_is_abandoned() {
        let now = Instant::now();
        assert_eq!(
            Upgrade::new(TIMEOUT, now).packet(&Packet::Upgrade, now),
            Step::Abandon
        );
    }

    #[test]
    fn an_upgrade_that_takes_too_long_is_abandoned() {
        let now = Instant::now();
        let mut upgrade = Upgrade::new(TIMEOUT, now);
        assert_eq!(
            upgrade.packet(&probe(), now + 9_950 * MS),
            Step::AnswerProbe
        );
        assert_eq!(upgrade.wake_at(), now + TIMEOUT);
        assert_eq!(upgrade.tick(now + TIMEOUT), Step::Abandon);
    }
}
