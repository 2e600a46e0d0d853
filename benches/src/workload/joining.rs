//! Joining rooms, which most workloads begin with.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::payload::shown;
use crate::connection::Connection;
use crate::generator::{ClientId, Generator, PATIENCE};
use crate::wire::Incoming;

/// The room that `bcast` addresses.
pub(super) const ROOM: &str = "r";

/// Asks to join `room`; `number` tells the answers of a Socket.IO client apart.
pub(super) fn ask(connection: &mut Connection, room: &str, number: u64) {
    let data = format!("{{\"room\":\"{room}\"}}");
    connection.emit("join", data.as_bytes(), Some(number));
}

/// Checks that `message` is the answer to [`ask`] with the same arguments.
pub(super) fn check(message: Incoming<'_>, room: &str, number: u64) -> Result<(), String> {
    let expected = format!("{{\"joined\":\"{room}\"}}");
    let data = match message {
        Incoming::Event {
            name: b"join",
            data,
        } => data,
        Incoming::Ack { id, data } if id == number => data,
        other => return Err(format!("expected the answer to join and got {other:?}")),
    };
    if data == expected.as_bytes() {
        Ok(())
    } else {
        Err(format!("join was answered with {}", shown(data)))
    }
}

/// Opens `count` connections that have joined [`ROOM`].
pub(super) fn open_joined(
    generator: &mut Generator,
    count: usize,
) -> Result<Vec<ClientId>, String> {
    let ids = generator.open(count)?;
    join_all(generator, &ids, |_| vec![ROOM.to_owned()])?;
    Ok(ids)
}

/// Lets each client join the rooms `rooms` names for its index, one after the
/// other, all clients at the same time. Returns the number of joins.
pub(super) fn join_all(
    generator: &mut Generator,
    ids: &[ClientId],
    rooms: impl Fn(usize) -> Vec<String>,
) -> Result<u64, String> {
    let mut joins = 0;
    let mut waiting: HashMap<ClientId, (Vec<String>, usize)> = HashMap::new();
    for (index, &id) in ids.iter().enumerate() {
        let rooms = rooms(index);
        let Some(first) = rooms.first() else { continue };
        let data = format!("{{\"room\":\"{first}\"}}");
        generator.emit(id, "join", data.as_bytes(), Some(0))?;
        waiting.insert(id, (rooms, 0));
    }
    let mut progress = Instant::now();
    while !waiting.is_empty() {
        let before = joins;
        generator.turn(Duration::from_millis(100), |id, connection, message, _| {
            let (rooms, at) = waiting
                .get_mut(&id)
                .ok_or_else(|| format!("unexpected {message:?}"))?;
            check(message, &rooms[*at], *at as u64)?;
            joins += 1;
            *at += 1;
            match rooms.get(*at) {
                Some(room) => ask(connection, room, *at as u64),
                None => drop(waiting.remove(&id)),
            }
            Ok(())
        })?;
        if joins > before {
            progress = Instant::now();
        } else if progress.elapsed() > PATIENCE {
            return Err(format!("{} clients still wait to join", waiting.len()));
        }
    }
    Ok(joins)
}
