//! What is asked of a server, and what is measured meanwhile.

mod broadcast;
mod churn;
mod echo;
mod idle;
mod joining;
mod payload;
mod rooms;
mod storm;
mod stream;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::generator::Generator;
use crate::histogram::Histogram;
use crate::process::{CpuReading, resident_kib};
use crate::wire::Wire;

/// One kind of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Messages to all members of a room.
    Broadcast {
        /// Messages sent and not yet received by all.
        in_flight: usize,
        /// Bytes of each message's data.
        bytes: usize,
    },
    /// Messages to all members of a room, each 32 in one write when all members
    /// have the last 32: every server gets the same batches, so that what is left
    /// to differ is its own work.
    Burst,
    /// Each of 100 connections sends the next message on the answer to the last.
    Echo,
    /// One client asks for streams of 1,000 tokens, one after the other.
    Stream,
    /// Connections that joined a room and then do nothing.
    Idle,
    /// Connect, upgrade and join, many at once.
    Storm,
    /// 1,000 clients join 100 of 10,000 rooms each.
    RoomsJoin,
    /// Messages to 10 members of one room while 10,000 rooms of 10 exist.
    RoomsEmit,
    /// A broadcast during which a member is replaced for every message.
    Churn,
    /// A broadcast of 16 KiB messages to 1,000 of which one never reads.
    Stalled,
}

/// Every workload in the order of the table.
pub const ALL: [Workload; 13] = [
    Workload::Broadcast {
        in_flight: 1,
        bytes: 128,
    },
    Workload::Broadcast {
        in_flight: 32,
        bytes: 128,
    },
    Workload::Broadcast {
        in_flight: 1,
        bytes: 16_384,
    },
    Workload::Broadcast {
        in_flight: 32,
        bytes: 16_384,
    },
    Workload::Burst,
    Workload::Echo,
    Workload::Stream,
    Workload::Idle,
    Workload::Storm,
    Workload::RoomsJoin,
    Workload::RoomsEmit,
    Workload::Churn,
    Workload::Stalled,
];

impl Workload {
    /// The name on the command line and in tables.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Broadcast { in_flight, bytes } => format!("broadcast-{in_flight}-{bytes}"),
            Self::Burst => "burst-32-128".into(),
            Self::Echo => "echo".into(),
            Self::Stream => "stream".into(),
            Self::Idle => "idle".into(),
            Self::Storm => "storm".into(),
            Self::RoomsJoin => "rooms-join".into(),
            Self::RoomsEmit => "rooms-emit".into(),
            Self::Churn => "churn".into(),
            Self::Stalled => "stalled".into(),
        }
    }

    /// What one unit of the measured cost is.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Idle => "KiB per connection",
            Self::Echo => "µs CPU per message",
            Self::Stream => "µs CPU per token",
            Self::Storm => "µs CPU per connection",
            Self::RoomsJoin => "µs CPU per join",
            Self::Broadcast { .. }
            | Self::Burst
            | Self::RoomsEmit
            | Self::Churn
            | Self::Stalled => "µs CPU per delivery",
        }
    }

    /// What the workload does, in one line.
    #[must_use]
    pub fn description(self) -> String {
        match self {
            Self::Broadcast { in_flight, bytes } => {
                format!("1,000 receivers, {in_flight} in flight, {bytes} bytes")
            }
            Self::Burst => "1,000 receivers, 32 messages of 128 bytes at a time".into(),
            Self::Echo => "100 connections, 128 bytes, one in flight each".into(),
            Self::Stream => "streams of 1,000 tokens to one client".into(),
            Self::Idle => "10,000 idle connections, each in one room".into(),
            Self::Storm => "5,000 connections, 100 at once: connect, upgrade, join".into(),
            Self::RoomsJoin => "1,000 clients join 100 of 10,000 rooms each".into(),
            Self::RoomsEmit => "10 receivers among 10,000 rooms of 10, 1 in flight".into(),
            Self::Churn => "1,000 receivers, 32 in flight, one of 50 more members \
                            replaced per message"
                .into(),
            Self::Stalled => "999 receivers and one that never reads, 32 in flight, \
                              16,384 bytes"
                .into(),
        }
    }

    /// Whether a server needs an index of rooms to take part.
    #[must_use]
    pub const fn needs_rooms(self) -> bool {
        matches!(self, Self::RoomsJoin | Self::RoomsEmit)
    }
}

/// How long and how much.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Load before the first reading.
    pub warm_up: Duration,
    /// Load between the readings.
    pub duration: Duration,
    /// The counts of connections are divided by this.
    pub scale: usize,
}

impl Pace {
    /// For figures that are kept.
    pub const FULL: Self = Self {
        warm_up: Duration::from_millis(400),
        duration: Duration::from_millis(1_500),
        scale: 1,
    };
    /// To see that everything works.
    pub const QUICK: Self = Self {
        warm_up: Duration::from_millis(100),
        duration: Duration::from_millis(300),
        scale: 5,
    };
}

/// The server under test.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it speaks.
    pub wire: Wire,
    /// Its process; none when only the checks are wanted.
    pub pid: Option<u32>,
}

/// What one run of one workload showed.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// In the workload's [unit](Workload::unit).
    pub cost: f64,
    /// Deliveries, messages, tokens or connections between the readings.
    pub operations: u64,
    /// Time between the readings.
    pub wall: Duration,
    /// Send to receipt (or connect to joined); absent where it means nothing.
    pub latency: Option<Latency>,
    /// Resident memory of the server at the end, in KiB.
    pub resident_kib: u64,
}

/// Percentiles of one run.
#[derive(Debug, Clone, Copy)]
pub struct Latency {
    /// Half were faster.
    pub p50: Duration,
    /// 99 of 100 were faster.
    pub p99: Duration,
    /// The slowest.
    pub max: Duration,
}

impl From<&Histogram> for Latency {
    fn from(histogram: &Histogram) -> Self {
        Self {
            p50: histogram.percentile(500),
            p99: histogram.percentile(990),
            max: histogram.max(),
        }
    }
}

/// Runs `workload` against `target` once.
///
/// # Errors
/// Whatever the server did wrong, in words: a missing, repeated, misplaced or
/// changed message, a closed connection, no progress.
pub fn run(workload: Workload, target: Target, pace: Pace) -> Result<Sample, String> {
    let mut generator =
        Generator::new(target.address, target.wire).map_err(|error| error.to_string())?;
    let generator = &mut generator;
    match workload {
        Workload::Broadcast { in_flight, bytes } => {
            broadcast::run(generator, target, pace, in_flight, bytes)
        }
        Workload::Burst => broadcast::run_burst(generator, target, pace),
        Workload::Echo => echo::run(generator, target, pace),
        Workload::Stream => stream::run(generator, target, pace),
        Workload::Idle => idle::run(generator, target, pace),
        Workload::Storm => storm::run(generator, target, pace),
        Workload::RoomsJoin => rooms::run_join(generator, target, pace),
        Workload::RoomsEmit => rooms::run_emit(generator, target, pace),
        Workload::Churn => churn::run(generator, target, pace),
        Workload::Stalled => broadcast::run_stalled(generator, target, pace),
    }
}

/// The readings at the beginning of a measurement.
struct Meter {
    pid: Option<u32>,
    cpu: Option<CpuReading>,
    start: Instant,
}

impl Meter {
    fn start(target: Target) -> Result<Self, String> {
        Ok(Self {
            pid: target.pid,
            cpu: read_cpu(target.pid)?,
            start: Instant::now(),
        })
    }

    /// The readings at the end, for `operations` operations.
    fn stop(&self, operations: u64, latency: Option<Latency>) -> Result<Sample, String> {
        let wall = self.start.elapsed();
        let spent = match (&self.cpu, read_cpu(self.pid)?) {
            (Some(earlier), Some(now)) => now.since(earlier),
            _ => Duration::ZERO,
        };
        Ok(Sample {
            cost: per_operation(spent.as_secs_f64() * 1e6, operations),
            operations,
            wall,
            latency,
            resident_kib: memory(self.pid)?,
        })
    }
}

fn read_cpu(pid: Option<u32>) -> Result<Option<CpuReading>, String> {
    pid.map(CpuReading::of)
        .transpose()
        .map_err(|error| format!("the server's processor time is not readable: {error}"))
}

fn memory(pid: Option<u32>) -> Result<u64, String> {
    pid.map_or(Ok(0), resident_kib)
        .map_err(|error| format!("the server's memory is not readable: {error}"))
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn per_operation(total: f64, operations: u64) -> f64 {
    total / operations.max(1) as f64
}
