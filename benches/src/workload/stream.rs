//! Streams of tokens to one client.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::payload::shown;
use super::{Latency, Meter, Pace, Sample, Target};
use crate::generator::{ClientId, Generator, PATIENCE};
use crate::histogram::Histogram;
use crate::wire::Incoming;

const TOKENS: u64 = 1_000;

#[derive(Default)]
struct Tokens {
    received: u64,
    expected: Vec<u8>,
    latency: Histogram,
}

impl Tokens {
    /// Asks for one stream and waits for its last token.
    fn stream(&mut self, generator: &mut Generator, client: ClientId) -> Result<(), String> {
        let request = format!("{{\"n\":{TOKENS}}}");
        let start = Instant::now();
        generator.emit(client, "stream", request.as_bytes(), None)?;
        let mut next = 0;
        while next < TOKENS {
            generator.turn(Duration::from_millis(100), |_, _, message, at| {
                let Incoming::Event {
                    name: b"token",
                    data,
                } = message
                else {
                    return Err(format!("expected token {next} and got {message:?}"));
                };
                self.expected.clear();
                write!(self.expected, "{{\"i\":{next},\"t\":\"hello\"}}")
                    .expect("a Vec takes every write");
                if data != self.expected || next == TOKENS {
                    return Err(format!("expected token {next} and got {}", shown(data)));
                }
                next += 1;
                self.latency.record(at.duration_since(start));
                Ok(())
            })?;
            if start.elapsed() > PATIENCE {
                return Err(format!("the stream stopped after {next} tokens"));
            }
        }
        self.received += next;
        Ok(())
    }

    fn drive(
        &mut self,
        generator: &mut Generator,
        client: ClientId,
        duration: Duration,
    ) -> Result<(), String> {
        let start = Instant::now();
        while start.elapsed() < duration {
            self.stream(generator, client)?;
        }
        Ok(())
    }
}

pub(super) fn run(generator: &mut Generator, target: Target, pace: Pace) -> Result<Sample, String> {
    let client = generator.open(1)?[0];
    let mut tokens = Tokens::default();
    tokens.drive(generator, client, pace.warm_up)?;
    tokens = Tokens::default();
    let meter = Meter::start(target)?;
    tokens.drive(generator, client, pace.duration)?;
    meter.stop(tokens.received, Some(Latency::from(&tokens.latency)))
}
