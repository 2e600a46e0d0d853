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
    turn: Mutex<Turn>,
    /// Nothing else is locked while this is held.
    list: Mutex<List>,
}

#[derive(Default)]
struct Turn {
    /// The client joins no room any more.
    ended: bool,
}

/// Most clients are in one room, which then needs no memory of its own.
#[derive(Default)]
#[expect(
    clippy::box_collection,
    reason = "empty, it is a third of the size, and it is nearly always empty"
)]
struct List {
    /// Filled whenever the client is in a room.
    first: Option<RoomName>,
    others: Option<Box<Vec<RoomName>>>,
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
        let turn = lock(&self.turn);
        if turn.ended {
            return Err(JoinProblem::Gone);
        }
        {
            let list = self.list();
            if list.contains(&name) {
                return Ok(());
            }
            if list.len() >= limit {
                return Err(JoinProblem::TooMany);
            }
        }
        let name = rooms.join(client, name);
        self.list().push(name);
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
        let mut turn = lock(&self.turn);
        turn.ended = true;
        let left = std::mem::take(&mut *self.list());
        for name in left.iter() {
            rooms.leave(id, name);
        }
    }

    /// Gives the rooms to a successor under the same id, whose joins replace
    /// the client in the index. From here on its own joins and leaves change
    /// nothing there.
    pub(crate) fn hand_over(&self) -> Vec<RoomName> {
        let mut turn = lock(&self.turn);
        turn.ended = true;
        std::mem::take(&mut *self.list()).iter().cloned().collect()
    }

    /// The rooms, in the order in which they were joined unless some were left.
    pub(crate) fn names(&self) -> Vec<RoomName> {
        self.list().iter().cloned().collect()
    }

    /// Whether the client is in the room.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.list().contains(name)
    }

    fn list(&self) -> MutexGuard<'_, List> {
        lock(&self.list)
    }
}

impl List {
    fn iter(&self) -> impl Iterator<Item = &RoomName> {
        self.first
            .iter()
            .chain(self.others.iter().flat_map(|others| others.iter()))
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.as_ref().map_or(0, |others| others.len())
    }

    fn contains(&self, name: &str) -> bool {
        self.iter().any(|room| &**room == name)
    }

    fn push(&mut self, name: RoomName) {
        if self.first.is_none() {
            self.first = Some(name);
        } else {
            self.others.get_or_insert_default().push(name);
        }
    }

    /// `false` when it is not in the list.
    fn remove(&mut self, name: &str) -> bool {
        if self.first.as_deref() == Some(name) {
            self.first = self.others.as_mut().and_then(|others| others.pop());
        } else {
            let Some(others) = &mut self.others else {
                return false;
            };
            let Some(index) = others.iter().position(|room| &**room == name) else {
                return false;
            };
            others.swap_remove(index);
        }
        if self.others.as_ref().is_some_and(|others| others.is_empty()) {
            self.others = None;
        }
        true
    }
}
