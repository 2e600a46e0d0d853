//! 10,000 rooms of 10 members, each client in 100 of them.

use super::broadcast::Broadcast;
use super::joining::{self, ROOM};
use super::{Meter, Pace, Sample, Target};
use crate::generator::{ClientId, Generator};

const CLIENTS: usize = 1_000;
const ROOMS_PER_CLIENT: usize = 100;
const ROOMS: usize = 10_000;
/// The protocol broadcasts to one room only, which gets as many members as the
/// others have.
const MEMBERS: usize = 10;

/// The rooms of client `index`. Neighbours share none, so that the members of a
/// room are spread over the clients.
fn rooms_of(index: usize) -> Vec<String> {
    (0..ROOMS_PER_CLIENT)
        .map(|at| format!("room-{}", (index * ROOMS_PER_CLIENT + at) % ROOMS))
        .collect()
}

fn join_rooms(generator: &mut Generator, clients: &[ClientId]) -> Result<u64, String> {
    joining::join_all(generator, clients, rooms_of)
}

pub(super) fn run_join(
    generator: &mut Generator,
    target: Target,
    pace: Pace,
) -> Result<Sample, String> {
    let clients = generator.open(CLIENTS / pace.scale)?;
    let meter = Meter::start(target)?;
    let joins = join_rooms(generator, &clients)?;
    meter.stop(joins, None)
}

pub(super) fn run_emit(
    generator: &mut Generator,
    target: Target,
    pace: Pace,
) -> Result<Sample, String> {
    let clients = generator.open(CLIENTS / pace.scale)?;
    join_rooms(generator, &clients)?;
    let members: Vec<_> = clients
        .iter()
        .step_by(clients.len() / MEMBERS)
        .take(MEMBERS)
        .copied()
        .collect();
    joining::join_all(generator, &members, |_| vec![ROOM.to_owned()])?;
    Broadcast::new(generator, &members, 1, 128)?.measure(generator, target, pace, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn every_room_has_ten_members_and_every_client_a_hundred_rooms() {
        let mut members: HashMap<String, usize> = HashMap::new();
        for client in 0..CLIENTS {
            let rooms = rooms_of(client);
            assert_eq!(rooms.len(), ROOMS_PER_CLIENT);
            for room in rooms {
                *members.entry(room).or_default() += 1;
            }
        }
        assert_eq!(members.len(), ROOMS);
        assert!(members.values().all(|&count| count == MEMBERS));
    }
}
