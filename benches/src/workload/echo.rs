//! Requests and answers, one in flight per connection.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::payload::Payload;
use super::{Latency, Meter, Pace, Sample, Target};
use crate::connection::Connection;
use crate::generator::{ClientId, Generator, PATIENCE};
use crate::histogram::Histogram;
use crate::wire::Incoming;

const CONNECTIONS: usize = 100;
const BYTES: usize = 128;

struct Echo {
    payload: Payload,
    /// The number each connection waits for and when it was sent.
    waiting: HashMap<ClientId, (u64, Instant)>,
    next: u64,
    answers: u64,
    latency: Histogram,
}

impl Echo {
    fn send(&mut self, id: ClientId, connection: &mut Connection, now: Instant) {
        connection.emit("echo", self.payload.with(self.next), Some(self.next));
        self.waiting.insert(id, (self.next, now));
        self.next += 1;
    }

    fn receive(&mut self, id: ClientId, message: Incoming<'_>, at: Instant) -> Result<(), String> {
        let (number, sent_at) = self
            .waiting
            .remove(&id)
            .ok_or_else(|| format!("unexpected {message:?}"))?;
        let data = match message {
            Incoming::Event {
                name: b"echo",
                data,
            } => data,
            Incoming::Ack { id, data } if id == number => data,
            other => return Err(format!("expected an echo and got {other:?}")),
        };
        self.payload.check(number, data)?;
        self.answers += 1;
        self.latency.record(at.duration_since(sent_at));
        Ok(())
    }

    /// Keeps one message in flight on each connection for `duration`, then
    /// waits for the last answers.
    fn drive(
        &mut self,
        generator: &mut Generator,
        ids: &[ClientId],
        duration: Duration,
    ) -> Result<(), String> {
        let start = Instant::now();
        for &id in ids {
            generator.emit(id, "echo", self.payload.with(self.next), Some(self.next))?;
            self.waiting.insert(id, (self.next, Instant::now()));
            self.next += 1;
        }
        while !self.waiting.is_empty() {
            let more = start.elapsed() < duration;
            generator.turn(Duration::from_millis(100), |id, connection, message, at| {
                self.receive(id, message, at)?;
                if more {
                    self.send(id, connection, at);
                }
                Ok(())
            })?;
            if start.elapsed() > duration + PATIENCE {
                return Err(format!("{} echoes are missing", self.waiting.len()));
            }
        }
        Ok(())
    }
}

pub(super) fn run(generator: &mut Generator, target: Target, pace: Pace) -> Result<Sample, String> {
    let ids = generator.open(CONNECTIONS)?;
    let mut echo = Echo {
        payload: Payload::new(BYTES),
        waiting: HashMap::new(),
        next: 0,
        answers: 0,
        latency: Histogram::default(),
    };
    echo.drive(generator, &ids, pace.warm_up)?;
    echo.answers = 0;
    echo.latency.clear();
    let meter = Meter::start(target)?;
    echo.drive(generator, &ids, pace.duration)?;
    meter.stop(echo.answers, Some(Latency::from(&echo.latency)))
}
