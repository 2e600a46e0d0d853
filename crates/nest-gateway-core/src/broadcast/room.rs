//! The members of one room.

use std::sync::Arc;

use super::members::Members;
use super::sync::{RwLock, read, write};
use crate::id::ClientId;
use crate::session::Client;

/// Who can be in a room: a client, or what stands for one in a model.
pub(crate) trait Member: Clone {
    fn id(&self) -> ClientId;

    /// Whether they are one and the same, and not just alike.
    fn is(&self, other: &Self) -> bool;

    /// Whether a message to the one is the same bytes as to the other.
    fn gets_the_same_as(&self, other: &Self) -> bool;
}

impl Member for Client {
    fn id(&self) -> ClientId {
        self.id()
    }

    fn is(&self, other: &Self) -> bool {
        self.is(other)
    }

    fn gets_the_same_as(&self, other: &Self) -> bool {
        self.format() == other.format() && (!self.codec_names_path() || self.path() == other.path())
    }
}

/// The members of one room, dense for iteration.
pub(crate) struct Room<M = Client> {
    state: RwLock<State<M>>,
}

struct State<M> {
    /// Shared with those who still have to visit them; a change is made to a
    /// copy then.
    members: Arc<Members<M>>,
    /// Set when the last member left: nobody can join any more, and another
    /// room takes the name.
    vanished: bool,
}

impl<M> Default for Room<M> {
    fn default() -> Self {
        Self {
            state: RwLock::new(State {
                members: Arc::default(),
                vanished: false,
            }),
        }
    }
}

impl<M: Member> Room<M> {
    /// Calls `visit` for every member, under the room's read lock: who left
    /// before is not visited, and nobody leaves in between.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&M)) {
        for member in read(&self.state).members.iter() {
            visit(member);
        }
    }

    /// Looks at the members under the room's read lock. A copy of the pointer
    /// stays what the room is now, whoever comes and goes.
    pub(super) fn with_members<R>(&self, look: impl FnOnce(&Arc<Members<M>>) -> R) -> R {
        look(&read(&self.state).members)
    }

    /// Adds a member in place of one with the same id; `false` when the room
    /// has vanished.
    pub(crate) fn insert(&self, member: M) -> bool {
        let mut state = write(&self.state);
        if state.vanished {
            return false;
        }
        let former = Arc::make_mut(&mut state.members).replace(member);
        drop(state);
        drop(former);
        true
    }

    /// Removes a member.
    pub(crate) fn remove(&self, id: ClientId) {
        let removed = Arc::make_mut(&mut write(&self.state).members).remove(id);
        drop(removed);
    }

    /// Removes a member; `true` when that left the room without any, and so
    /// made it vanish.
    pub(super) fn remove_or_vanish(&self, id: ClientId) -> bool {
        let mut state = write(&self.state);
        Arc::make_mut(&mut state.members).remove(id);
        state.vanished = state.members.is_empty();
        state.vanished
    }

    /// One member.
    pub(crate) fn get(&self, id: ClientId) -> Option<M> {
        read(&self.state).members.get(id).cloned()
    }

    /// How many members there are.
    pub(crate) fn len(&self) -> usize {
        read(&self.state).members.len()
    }

    /// The members at this moment.
    pub(crate) fn members(&self) -> Vec<M> {
        let state = read(&self.state);
        state.members.iter().cloned().collect()
    }
}
