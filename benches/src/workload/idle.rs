//! Memory of connections that joined a room and then do nothing.

use std::time::{Duration, Instant};

use super::{Meter, Pace, Sample, Target, joining, memory, per_operation};
use crate::generator::Generator;

const CONNECTIONS: usize = 10_000;
/// Long enough for buffers of the handshakes to be given back.
const SETTLE: Duration = Duration::from_millis(500);

pub(super) fn run(generator: &mut Generator, target: Target, pace: Pace) -> Result<Sample, String> {
    let before = memory(target.pid)?;
    let meter = Meter::start(target)?;
    let count = joining::open_joined(generator, CONNECTIONS / pace.scale)?.len() as u64;
    let start = Instant::now();
    while start.elapsed() < SETTLE {
        generator.turn(Duration::from_millis(100), |_, _, message, _| {
            Err(format!("an idle client got {message:?}"))
        })?;
    }
    let mut sample = meter.stop(count, None)?;
    let grown = sample.resident_kib.saturating_sub(before);
    #[expect(clippy::cast_precision_loss, reason = "KiB far below 2^52")]
    let grown = grown as f64;
    sample.cost = per_operation(grown, count);
    Ok(sample)
}
