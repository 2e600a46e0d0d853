//! Many clients that connect, upgrade and join at once.

use std::collections::HashMap;
use std::time::Instant;

use super::joining::{self, ROOM};
use super::{Latency, Meter, Pace, Sample, Target};
use crate::generator::{ClientId, Generator};
use crate::histogram::Histogram;
use crate::wire::Incoming;

const CONNECTIONS: usize = 5_000;
const AT_ONCE: usize = 256;

pub(super) fn run(generator: &mut Generator, target: Target, pace: Pace) -> Result<Sample, String> {
    // A few connections first, so that what the process sets up once is not
    // counted.
    joining::open_joined(generator, 50)?;
    let count = CONNECTIONS / pace.scale;
    let mut latency = Histogram::default();
    let mut upgraded: HashMap<ClientId, Instant> = HashMap::new();
    let meter = Meter::start(target)?;
    generator.open_with(count, AT_ONCE, |id, connection, message, at| {
        if message == Incoming::Ready {
            upgraded.insert(id, at);
            joining::ask(connection, ROOM, 0);
            return Ok(false);
        }
        joining::check(message, ROOM, 0)?;
        if let Some(since) = upgraded.remove(&id) {
            latency.record(at.duration_since(since));
        }
        Ok(true)
    })?;
    meter.stop(count as u64, Some(Latency::from(&latency)))
}
