//! Messages from one publisher to all members of a room.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::joining;
use super::payload::{Payload, shown};
use super::{Latency, Meter, Pace, Sample, Target};
use crate::generator::{ClientId, Generator, PATIENCE};
use crate::histogram::Histogram;
use crate::wire::Incoming;

/// Receivers of a broadcast.
const RECEIVERS: usize = 1_000;
/// With one stalled reader, at least this much is sent to it, so that every
/// buffer of the kernel on the way is full.
const STALLED_BYTES: usize = 8 * 1024 * 1024;

/// A publisher, its receivers, and what each of them has to get next.
pub(super) struct Broadcast {
    publisher: ClientId,
    payload: Payload,
    in_flight: usize,
    /// How many messages leave in one write.
    at_once: usize,
    /// The next message of each receiver.
    expected: HashMap<ClientId, u64>,
    /// Messages sent and not yet received by all: when, and by how many.
    open: VecDeque<(Instant, usize)>,
    sent: u64,
    deliveries: u64,
    latency: Histogram,
    progress: Instant,
}

impl Broadcast {
    pub(super) fn new(
        generator: &mut Generator,
        receivers: &[ClientId],
        in_flight: usize,
        bytes: usize,
    ) -> Result<Self, String> {
        let publisher = generator.open(1)?[0];
        Ok(Self {
            publisher,
            payload: Payload::new(bytes),
            in_flight,
            at_once: in_flight.div_ceil(2),
            expected: receivers.iter().map(|&id| (id, 0)).collect(),
            open: VecDeque::new(),
            sent: 0,
            deliveries: 0,
            latency: Histogram::default(),
            progress: Instant::now(),
        })
    }

    /// Messages that every receiver has.
    pub(super) fn completed(&self) -> u64 {
        self.sent - self.open.len() as u64
    }

    /// Whether everybody has everything.
    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// Sends in one write what is sent at once, half a window, when there is room
    /// for it.
    ///
    /// So one half is with the receivers while the server handles the other:
    /// the server has always something to do, and how many messages it finds
    /// queued does not depend on chance.
    pub(super) fn fill(&mut self, generator: &mut Generator) -> Result<(), String> {
        if self.open.len() + self.at_once > self.in_flight {
            return Ok(());
        }
        let now = Instant::now();
        for _ in 0..self.at_once {
            let data = self.payload.with(self.sent);
            generator.queue(self.publisher, "bcast", data, None)?;
            self.open.push_back((now, 0));
            self.sent += 1;
        }
        generator.flush(self.publisher)
    }

    /// Takes a message of a receiver.
    pub(super) fn receive(
        &mut self,
        id: ClientId,
        message: Incoming<'_>,
        at: Instant,
    ) -> Result<(), String> {
        let data = event_data(message)?;
        let completed = self.completed();
        let receivers = self.expected.len();
        let expected = self
            .expected
            .get_mut(&id)
            .ok_or("a message to somebody who did not join")?;
        self.payload.check(*expected, data)?;
        let index = usize::try_from(*expected - completed).map_err(|error| error.to_string())?;
        let (sent_at, received) = self
            .open
            .get_mut(index)
            .ok_or("a message that was not sent")?;
        *expected += 1;
        *received += 1;
        self.deliveries += 1;
        self.latency.record(at.duration_since(*sent_at));
        while self
            .open
            .front()
            .is_some_and(|(_, received)| *received == receivers)
        {
            self.open.pop_front();
            self.progress = at;
        }
        Ok(())
    }

    /// Checks data that a member outside the count got.
    pub(super) fn number_of(&self, message: Incoming<'_>) -> Result<u64, String> {
        self.payload.number_of(event_data(message)?)
    }

    /// Says so when the server has stopped delivering.
    pub(super) fn check_progress(&self) -> Result<(), String> {
        if self.open.is_empty() || self.progress.elapsed() < PATIENCE {
            return Ok(());
        }
        Err(format!(
            "message {} of {} has not reached everybody",
            self.completed(),
            self.sent
        ))
    }

    /// Keeps the window full for `duration` and at least `messages` messages,
    /// then waits until all have all.
    fn drive(
        &mut self,
        generator: &mut Generator,
        duration: Duration,
        messages: u64,
    ) -> Result<(), String> {
        let (start, first) = (Instant::now(), self.sent);
        self.progress = start;
        loop {
            let more = start.elapsed() < duration || self.sent - first < messages;
            if more {
                self.fill(generator)?;
            } else if self.open.is_empty() {
                return Ok(());
            }
            generator.turn(Duration::from_millis(100), |id, _, message, at| {
                self.receive(id, message, at)
            })?;
            self.check_progress()?;
        }
    }

    /// Warms up, measures, and checks that nothing comes afterwards.
    pub(super) fn measure(
        mut self,
        generator: &mut Generator,
        target: Target,
        pace: Pace,
        messages: u64,
    ) -> Result<Sample, String> {
        self.drive(generator, pace.warm_up, 2)?;
        self.start_counting();
        let meter = Meter::start(target)?;
        self.drive(generator, pace.duration, messages)?;
        let sample = self.stop_counting(&meter)?;
        self.check_silence(generator)?;
        Ok(sample)
    }

    pub(super) fn start_counting(&mut self) {
        self.deliveries = 0;
        self.latency.clear();
    }

    pub(super) fn stop_counting(&self, meter: &Meter) -> Result<Sample, String> {
        meter.stop(self.deliveries, Some(Latency::from(&self.latency)))
    }

    /// A message that comes after the last is one too many.
    fn check_silence(&mut self, generator: &mut Generator) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(20) {
            generator.turn(Duration::from_millis(5), |id, _, message, at| {
                self.receive(id, message, at)
            })?;
        }
        Ok(())
    }
}

fn event_data(message: Incoming<'_>) -> Result<&[u8], String> {
    match message {
        Incoming::Event { name: b"msg", data } => Ok(data),
        Incoming::Event { name, data } => Err(format!(
            "expected event msg and got {} with {}",
            shown(name),
            shown(data)
        )),
        other => Err(format!("expected event msg and got {other:?}")),
    }
}

pub(super) fn run(
    generator: &mut Generator,
    target: Target,
    pace: Pace,
    in_flight: usize,
    bytes: usize,
) -> Result<Sample, String> {
    let receivers = joining::open_joined(generator, RECEIVERS / pace.scale)?;
    Broadcast::new(generator, &receivers, in_flight, bytes)?.measure(generator, target, pace, 0)
}

pub(super) fn run_burst(
    generator: &mut Generator,
    target: Target,
    pace: Pace,
) -> Result<Sample, String> {
    const MESSAGES: usize = 32;
    let receivers = joining::open_joined(generator, RECEIVERS / pace.scale)?;
    let mut broadcast = Broadcast::new(generator, &receivers, MESSAGES, 128)?;
    broadcast.at_once = MESSAGES;
    broadcast.measure(generator, target, pace, 0)
}

pub(super) fn run_stalled(
    generator: &mut Generator,
    target: Target,
    pace: Pace,
) -> Result<Sample, String> {
    const BYTES: usize = 16_384;
    let receivers = joining::open_joined(generator, RECEIVERS / pace.scale)?;
    let (&stalled, reading) = receivers.split_first().ok_or("no receivers")?;
    generator.stall(stalled)?;
    let messages = (STALLED_BYTES / BYTES / pace.scale) as u64;
    Broadcast::new(generator, reading, 32, BYTES)?.measure(generator, target, pace, messages)
}
