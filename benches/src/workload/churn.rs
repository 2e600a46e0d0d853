//! A broadcast during which members come and go.
//!
//! The protocol has no event to leave a room, so that a member leaves by
//! dropping its connection, which is also the harder case.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::broadcast::Broadcast;
use super::joining::{self, ROOM};
use super::{Meter, Pace, Sample, Target};
use crate::connection::Connection;
use crate::generator::{ClientId, Generator};
use crate::wire::Incoming;

const RECEIVERS: usize = 1_000;
const VISITORS: usize = 50;
const IN_FLIGHT: usize = 32;
const BYTES: usize = 128;

/// Members that are replaced all the time.
#[derive(Default)]
struct Visitors {
    /// Oldest first.
    order: VecDeque<ClientId>,
    /// What each expects next: nothing before the answer to its join, anything
    /// as its first message, then one after the other.
    state: HashMap<ClientId, Visit>,
}

enum Visit {
    Joining { first: Option<u64>, seen: u64 },
    Member { next: Option<u64> },
}

impl Visitors {
    /// Replaces the oldest visitor once there are enough.
    fn replace(&mut self, generator: &mut Generator) -> Result<(), String> {
        let id = generator.start()?;
        self.order.push_back(id);
        self.state.insert(
            id,
            Visit::Joining {
                first: None,
                seen: 0,
            },
        );
        if self.order.len() > VISITORS
            && let Some(oldest) = self.order.pop_front()
        {
            self.state.remove(&oldest);
            generator.drop_connection(oldest);
        }
        Ok(())
    }

    /// Takes a message of a visitor; the answer to its join may come after the
    /// first messages of the room, as another thread may have sent those.
    fn receive(
        visit: &mut Visit,
        broadcast: &Broadcast,
        connection: &mut Connection,
        message: Incoming<'_>,
    ) -> Result<(), String> {
        match (&mut *visit, message) {
            (Visit::Joining { .. }, Incoming::Ready) => {
                joining::ask(connection, ROOM, 0);
                Ok(())
            }
            (Visit::Joining { first, seen }, Incoming::Event { name: b"msg", .. }) => {
                let number = broadcast.number_of(message)?;
                check_next(first.map(|first| first + *seen), number)?;
                first.get_or_insert(number);
                *seen += 1;
                Ok(())
            }
            (Visit::Joining { first, seen }, answer) => {
                joining::check(answer, ROOM, 0)?;
                *visit = Visit::Member {
                    next: first.map(|first| first + *seen),
                };
                Ok(())
            }
            (Visit::Member { next }, message) => {
                let number = broadcast.number_of(message)?;
                check_next(*next, number)?;
                *next = Some(number + 1);
                Ok(())
            }
        }
    }
}

fn check_next(expected: Option<u64>, number: u64) -> Result<(), String> {
    match expected {
        Some(expected) if expected != number => Err(format!(
            "a visitor expected message {expected} and got {number}"
        )),
        _ => Ok(()),
    }
}

/// Broadcasts for `duration` and starts one visitor for each message that has
/// reached everybody, so that the ratio of the two is the same for all servers.
fn drive(
    generator: &mut Generator,
    broadcast: &mut Broadcast,
    visitors: &mut Visitors,
    duration: Duration,
) -> Result<(), String> {
    let start = Instant::now();
    loop {
        let completed = broadcast.completed();
        if start.elapsed() < duration {
            broadcast.fill(generator)?;
        } else if broadcast.is_done() {
            return Ok(());
        }
        generator.turn(
            Duration::from_millis(100),
            |id, connection, message, at| match visitors.state.get_mut(&id) {
                Some(visit) => Visitors::receive(visit, broadcast, connection, message),
                None => broadcast.receive(id, message, at),
            },
        )?;
        broadcast.check_progress()?;
        for _ in completed..broadcast.completed() {
            visitors.replace(generator)?;
        }
    }
}

pub(super) fn run(generator: &mut Generator, target: Target, pace: Pace) -> Result<Sample, String> {
    let receivers = joining::open_joined(generator, RECEIVERS / pace.scale)?;
    let mut broadcast = Broadcast::new(generator, &receivers, IN_FLIGHT, BYTES)?;
    let mut visitors = Visitors::default();
    drive(generator, &mut broadcast, &mut visitors, pace.warm_up)?;
    broadcast.start_counting();
    let meter = Meter::start(target)?;
    drive(generator, &mut broadcast, &mut visitors, pace.duration)?;
    broadcast.stop_counting(&meter)
}
