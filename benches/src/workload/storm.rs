//! Many clients that connect, upgrade and join at once.

use super::joining::{self, ROOM};
use super::{Latency, Meter, Pace, Sample, Target};
use crate::generator::Generator;
use crate::histogram::Histogram;
use crate::wire::Incoming;

const CONNECTIONS: usize = 5_000;
/// Below the 128 connections that mio and tokio let wait to be accepted; above, the
/// kernel drops handshakes and the client tries again a second later.
const AT_ONCE: usize = 100;

pub(super) fn run(generator: &mut Generator, target: Target, pace: Pace) -> Result<Sample, String> {
    // A few connections first, so that what the process sets up once is not
    // counted.
    joining::open_joined(generator, 50)?;
    let count = CONNECTIONS / pace.scale;
    let mut latency = Histogram::default();
    let meter = Meter::start(target)?;
    generator.open_with(count, AT_ONCE, |_, connection, message, at| {
        if message == Incoming::Ready {
            joining::ask(connection, ROOM, 0);
            return Ok(false);
        }
        joining::check(message, ROOM, 0)?;
        latency.record(at.duration_since(connection.opened_at()));
        Ok(true)
    })?;
    meter.stop(count as u64, Some(Latency::from(&latency)))
}
