//! The rooms of one client: its own view of the index.

use super::room::Member;
use super::rooms::{Indexes, RoomName};
use super::sync::{Mutex, MutexGuard, lock};
use crate::id::ClientId;

/// The rooms that one client is in.
///
/// Two locks, because a fan-out that leaves out the members of a room asks for
/// the memberships of each client while it holds the lock of the room that it
/// walks over. It must not wait there for a join or leave that waits for the
/// same room.
#[derive(Default)]
pub(crate) struct Memberships {
    /// Held while the index changes, so that joins and leaves of the client
    /// happen one after another.
    turn: Mutex<()>,
    /// Nothing else is locked while this is held.
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    rooms: Vec<RoomName>,
    ended: bool,
}

/// Why a client could not join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinProblem {
    /// It is in as many rooms as allowed.
    TooMany,
    /// It has left the namespace.
    Gone,
}

impl Memberships {
    /// Puts the client into the room; being in it already is no mistake.
    pub(crate) fn join<M: Member>(
        &self,
        rooms: &Indexes<'_, M>,
        client: &M,
        name: RoomName,
        limit: usize,
    ) -> Result<(), JoinProblem> {
        let _turn = lock(&self.turn);
        {
            let list = self.list();
            if list.ended {
                return Err(JoinProblem::Gone);
            }
            if list.rooms.contains(&name) {
                return Ok(());
            }
            if list.rooms.len() >= limit {
                return Err(JoinProblem::TooMany);
            }
        }
        let name = rooms.join(client, name);
        let mut list = self.list();
        if list.rooms.is_empty() {
            // Most clients are in one room.
            list.rooms.reserve_exact(1);
        }
        list.rooms.push(name);
        Ok(())
    }

    /// Takes the client out of the room; nothing sent to the room reaches it
    /// once this has returned.
    pub(crate) fn leave<M: Member>(&self, rooms: &Indexes<'_, M>, id: ClientId, name: &str) {
        let _turn = lock(&self.turn);
        if self.list().remove(name) {
            rooms.leave(id, name);
        }
    }

    /// Leaves all rooms for good: no join succeeds afterwards.
    pub(crate) fn end<M: Member>(&self, rooms: &Indexes<'_, M>, id: ClientId) {
        let _turn = lock(&self.turn);
        let left = self.list().end();
        for name in left {
            rooms.leave(id, &name);
        }
    }

    /// Gives the rooms to a successor under the same id, whose joins replace
    /// the client in the index. From here on its own joins and leaves change
    /// nothing there.
    pub(crate) fn hand_over(&self) -> Vec<RoomName> {
        let _turn = lock(&self.turn);
        self.list().end()
    }

    /// The rooms, in the order in which they were joined unless some were left.
    pub(crate) fn names(&self) -> Vec<RoomName> {
        self.list().rooms.clone()
    }

    /// Whether the client is in the room.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.list().rooms.iter().any(|room| &**room == name)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        lock(&self.list)
    }
}

impl List {
    fn end(&mut self) -> Vec<RoomName> {
        self.ended = true;
        std::mem::take(&mut self.rooms)
    }

    /// `false` when it is not in the list.
    fn remove(&mut self, name: &str) -> bool {
        let index = self.rooms.iter().position(|room| &**room == name);
        index.map(|index| self.rooms.swap_remove(index)).is_some()
    }
}
