//! Who is in which room.
//!
//! The index is two levels of locks: a map from names to rooms, and each room's
//! own members. A fan-out holds only the lock of the room that it walks over,
//! and whoever waits for a room holds no lock that others need.
//!
//! Lock order: a client's turn, then the map or a room (never one while the
//! other is held), then a client's list. `models.rs` checks it.

use std::collections::HashMap;
use std::sync::Arc;

use super::room::{Member, Room};
use super::sync::{RwLock, read, write};
use crate::id::ClientId;
use crate::session::Client;

/// A room's name. Chosen by the application, often by its clients, so it is
/// never interned and never a metric label.
pub(crate) type RoomName = Arc<str>;

/// The room index of one namespace.
pub(crate) struct Rooms<M = Client> {
    map: RwLock<HashMap<RoomName, Arc<Room<M>>>>,
}

/// Where the rooms of one client are listed: in the index of its namespace,
/// and, if that is one path of a pattern, in the one of all paths together.
pub(crate) struct Indexes<'a, M = Client> {
    own: &'a Rooms<M>,
    all: Option<&'a Rooms<M>>,
}

impl<M> Default for Rooms<M> {
    fn default() -> Self {
        Self {
            map: RwLock::new(HashMap::new()),
        }
    }
}

impl<M: Member> Rooms<M> {
    /// The room of this name, if it has members.
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Room<M>>> {
        read(&self.map).get(name).cloned()
    }

    /// How many rooms have members.
    pub(crate) fn len(&self) -> usize {
        read(&self.map).len()
    }

    /// The names of all rooms.
    pub(crate) fn names(&self) -> Vec<RoomName> {
        read(&self.map).keys().cloned().collect()
    }

    /// Puts the client into the room, which comes into being when needed.
    /// Returns the name as the index has it, so that all members share it.
    pub(super) fn join(&self, client: &M, name: RoomName) -> RoomName {
        let found = read(&self.map)
            .get_key_value(&name)
            .map(|(name, room)| (RoomName::clone(name), Arc::clone(room)));
        let (name, mut room) = found.unwrap_or_else(|| {
            let room = self.open(&name, None);
            (name, room)
        });
        // The last member may have left between finding the room and joining it.
        while !room.insert(client.clone()) {
            room = self.open(&name, Some(&room));
        }
        name
    }

    /// Takes the client out; an empty room vanishes.
    pub(super) fn leave(&self, id: ClientId, name: &str) {
        let Some(room) = self.get(name) else { return };
        if room.remove_or_vanish(id) {
            let mut map = write(&self.map);
            // Somebody who joined since may have opened another one.
            if map.get(name).is_some_and(|other| Arc::ptr_eq(other, &room)) {
                map.remove(name);
            }
        }
    }

    /// The room of this name, a new one if there is none but `vanished`.
    fn open(&self, name: &RoomName, vanished: Option<&Arc<Room<M>>>) -> Arc<Room<M>> {
        let mut map = write(&self.map);
        let room = map.entry(RoomName::clone(name)).or_default();
        if vanished.is_some_and(|vanished| Arc::ptr_eq(room, vanished)) {
            *room = Arc::default();
        }
        Arc::clone(room)
    }
}

impl<'a, M: Member> Indexes<'a, M> {
    pub(crate) fn new(own: &'a Rooms<M>, all: Option<&'a Rooms<M>>) -> Self {
        Self { own, all }
    }

    /// [`Rooms::join`], in each of them. The name is that of all paths, so that
    /// it is stored once for all of them.
    pub(super) fn join(&self, client: &M, name: RoomName) -> RoomName {
        let name = match self.all {
            Some(all) => all.join(client, name),
            None => name,
        };
        self.own.join(client, name)
    }

    /// [`Rooms::leave`], in each of them.
    pub(super) fn leave(&self, id: ClientId, name: &str) {
        self.own.leave(id, name);
        if let Some(all) = self.all {
            all.leave(id, name);
        }
    }
}
