//! The members of one room.

use std::hash::{Hash, Hasher};

use indexmap::{Equivalent, IndexSet};

use super::sync::{RwLock, read, write};
use crate::id::ClientId;
use crate::session::Client;

/// Who can be in a room: a client, or what stands for one in a model.
pub(crate) trait Member: Clone {
    fn id(&self) -> ClientId;
}

impl Member for Client {
    fn id(&self) -> ClientId {
        self.id()
    }
}

/// A member as an entry of the set: known by its id, which is not stored again.
struct ById<M>(M);

impl<M: Member> Hash for ById<M> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id().hash(state);
    }
}

impl<M: Member> PartialEq for ById<M> {
    fn eq(&self, other: &Self) -> bool {
        self.0.id() == other.0.id()
    }
}

impl<M: Member> Eq for ById<M> {}

impl<M: Member> Equivalent<ById<M>> for ClientId {
    fn equivalent(&self, member: &ById<M>) -> bool {
        *self == member.0.id()
    }
}

/// The members of one room, dense for iteration.
pub(crate) struct Room<M = Client> {
    state: RwLock<State<M>>,
}

struct State<M> {
    members: IndexSet<ById<M>>,
    /// Set when the last member left: nobody can join any more, and another
    /// room takes the name.
    vanished: bool,
}

impl<M> Default for Room<M> {
    fn default() -> Self {
        Self {
            state: RwLock::new(State {
                members: IndexSet::new(),
                vanished: false,
            }),
        }
    }
}

impl<M: Member> Room<M> {
    /// Calls `visit` for every member, under the room's read lock: who left
    /// before is not visited, and nobody leaves in between.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&M)) {
        for ById(member) in &read(&self.state).members {
            visit(member);
        }
    }

    /// Adds a member in place of one with the same id; `false` when the room
    /// has vanished.
    pub(crate) fn insert(&self, member: M) -> bool {
        let mut state = write(&self.state);
        if !state.vanished {
            state.members.replace(ById(member));
        }
        !state.vanished
    }

    /// Removes a member.
    pub(crate) fn remove(&self, id: ClientId) {
        write(&self.state).members.swap_remove(&id);
    }

    /// Removes a member; `true` when that left the room without any, and so
    /// made it vanish.
    pub(super) fn remove_or_vanish(&self, id: ClientId) -> bool {
        let mut state = write(&self.state);
        state.members.swap_remove(&id);
        state.vanished = state.members.is_empty();
        state.vanished
    }

    /// One member.
    pub(crate) fn get(&self, id: ClientId) -> Option<M> {
        let state = read(&self.state);
        let ById(member) = state.members.get(&id)?;
        Some(member.clone())
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        read(&self.state).members.len()
    }

    /// The members at this moment.
    pub(crate) fn members(&self) -> Vec<M> {
        let state = read(&self.state);
        state.members.iter().map(|ById(m)| m.clone()).collect()
    }
}
