//! Who is in which room.
//!
//! The index is two levels of locks: a map from names to rooms, and each room's
//! own members. A fan-out holds only the lock of the room that it walks over.
//!
//! Lock order: a client's list of rooms, then the map, then a room.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use indexmap::IndexMap;

use crate::id::ClientId;
use crate::session::Client;

/// A room's name. Chosen by the application, often by its clients, so it is
/// never interned and never a metric label.
pub(crate) type RoomName = Arc<str>;

/// The room index of one namespace.
#[derive(Default)]
pub(crate) struct Rooms {
    map: RwLock<HashMap<RoomName, Arc<Room>>>,
}

/// The members of one room, dense for iteration.
#[derive(Default)]
pub(crate) struct Room {
    members: RwLock<IndexMap<ClientId, Client>>,
}

impl Room {
    /// Calls `visit` for every member, under the room's read lock.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Client)) {
        for client in self.read().values() {
            visit(client);
        }
    }

    /// Adds a member; adding it twice is adding it once.
    pub(crate) fn insert(&self, client: Client) {
        self.write().insert(client.id(), client);
    }

    /// Removes a member.
    pub(crate) fn remove(&self, id: ClientId) {
        self.write().swap_remove(&id);
    }

    /// One member.
    pub(crate) fn get(&self, id: ClientId) -> Option<Client> {
        self.read().get(&id).cloned()
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        self.read().len()
    }

    /// The members at this moment.
    pub(crate) fn members(&self) -> Vec<Client> {
        self.read().values().cloned().collect()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, IndexMap<ClientId, Client>> {
        self.members.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, IndexMap<ClientId, Client>> {
        self.members.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rooms {
    /// The room of this name, if it has members.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Room>> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.get(name).cloned()
    }

    /// How many rooms have members.
    pub(crate) fn len(&self) -> usize {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.len()
    }

    /// The names of all rooms.
    pub(crate) fn names(&self) -> Vec<RoomName> {
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        map.keys().cloned().collect()
    }

    /// Puts the client into the room, which comes into being when needed.
    pub(crate) fn join(&self, client: &Client, name: &RoomName) {
        {
            // The read lock keeps an empty room from being removed between
            // finding it and joining it.
            let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(room) = map.get(name) {
                room.insert(client.clone());
                return;
            }
        }
        let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
        map.entry(name.clone()).or_default().insert(client.clone());
    }

    /// Takes the client out; an empty room vanishes.
    pub(crate) fn leave(&self, id: ClientId, name: &str) {
        let Some(room) = self.get(name) else { return };
        room.remove(id);
        if room.len() == 0 {
            let mut map = self.map.write().unwrap_or_else(PoisonError::into_inner);
            // Somebody may have joined since, or a new room taken the place.
            if map.get(name).is_some_and(|room| room.len() == 0) {
                map.remove(name);
            }
        }
    }
}

/// The rooms that one client is in: its own view of the index.
#[derive(Default)]
pub(crate) struct Memberships(Mutex<State>);

#[derive(Default)]
struct State {
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
    pub(crate) fn join(
        &self,
        rooms: &Rooms,
        client: &Client,
        name: RoomName,
        limit: usize,
    ) -> Result<(), JoinProblem> {
        let mut state = self.lock();
        if state.ended {
            return Err(JoinProblem::Gone);
        }
        if state.rooms.contains(&name) {
            return Ok(());
        }
        if state.rooms.len() >= limit {
            return Err(JoinProblem::TooMany);
        }
        rooms.join(client, &name);
        state.rooms.push(name);
        Ok(())
    }

    pub(crate) fn leave(&self, rooms: &Rooms, id: ClientId, name: &str) {
        let mut state = self.lock();
        if let Some(index) = state.rooms.iter().position(|room| &**room == name) {
            state.rooms.swap_remove(index);
            rooms.leave(id, name);
        }
    }

    /// Leaves all rooms for good: no join succeeds afterwards.
    pub(crate) fn end(&self, rooms: &Rooms, id: ClientId) {
        let mut state = self.lock();
        state.ended = true;
        for name in std::mem::take(&mut state.rooms) {
            rooms.leave(id, &name);
        }
    }

    pub(crate) fn names(&self) -> Vec<RoomName> {
        self.lock().rooms.clone()
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.lock().rooms.iter().any(|room| &**room == name)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
