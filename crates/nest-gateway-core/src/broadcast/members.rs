//! A set of members, known by their ids.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::room::Member;
use crate::id::ClientId;

/// Members one behind the other, so that a fan-out walks over memory in its
/// order, and where each of them stands.
///
/// A member costs its own size and about nine bytes: its id is its own, and its
/// hash is computed again when the table grows.
pub(super) struct Members<M> {
    list: Vec<M>,
    /// Places in `list`.
    places: HashTable<u32>,
    hasher: RandomState,
}

impl<M> Default for Members<M> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            places: HashTable::new(),
            hasher: RandomState::new(),
        }
    }
}

impl<M: Member> Members<M> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &M> {
        self.list.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn get(&self, id: ClientId) -> Option<&M> {
        let list = &self.list;
        let is_it = |place: &u32| list[*place as usize].id() == id;
        let place = self.places.find(self.hasher.hash_one(id), is_it)?;
        Some(&list[*place as usize])
    }

    /// Adds a member in place of one with the same id, which is returned.
    pub(super) fn replace(&mut self, member: M) -> Option<M> {
        let Self {
            list,
            places,
            hasher,
        } = self;
        let id = member.id();
        let id_at = |place: &u32| list[*place as usize].id();
        let entry = places.entry(
            hasher.hash_one(id),
            |place| id_at(place) == id,
            |place| hasher.hash_one(id_at(place)),
        );
        match entry {
            Entry::Occupied(place) => {
                let former = &mut list[*place.get() as usize];
                Some(std::mem::replace(former, member))
            }
            Entry::Vacant(place) => {
                place.insert(u32::try_from(list.len()).expect("fewer than 2^32 members"));
                list.push(member);
                None
            }
        }
    }

    /// Takes a member out; the last one takes its place.
    pub(super) fn remove(&mut self, id: ClientId) -> Option<M> {
        let Self {
            list,
            places,
            hasher,
        } = self;
        let is_it = |place: &u32| list[*place as usize].id() == id;
        let found = places.find_entry(hasher.hash_one(id), is_it).ok()?;
        let (place, _) = found.remove();
        let member = list.swap_remove(place as usize);
        if let Some(moved) = list.get(place as usize) {
            let from = list.len();
            let hash = hasher.hash_one(moved.id());
            if let Some(at) = places.find_mut(hash, |at| *at as usize == from) {
                *at = place;
            }
        }
        Some(member)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Guest(ClientId, u32);

    impl Member for Guest {
        fn id(&self) -> ClientId {
            self.0
        }
    }

    /// One of a few ids, so that members meet themselves again.
    fn id(number: u8) -> ClientId {
        ClientId::parse(&format!("{number:020}")).unwrap()
    }

    proptest! {
        /// Whoever comes and goes, the set has what a map by id has.
        #[test]
        fn it_has_what_a_map_has(steps in vec((any::<bool>(), 0..40_u8, any::<u32>()), 0..200)) {
            let (mut members, mut map) = (Members::default(), HashMap::new());
            for (comes, number, mark) in steps {
                let id = id(number);
                if comes {
                    let guest = Guest(id, mark);
                    prop_assert_eq!(members.replace(guest.clone()), map.insert(id, guest));
                } else {
                    prop_assert_eq!(members.remove(id), map.remove(&id));
                }
                prop_assert_eq!(members.len(), map.len());
                prop_assert_eq!(members.is_empty(), map.is_empty());
            }
            for number in 0..40 {
                prop_assert_eq!(members.get(id(number)), map.get(&id(number)));
            }
            let listed: HashMap<_, _> = members.iter().map(|m| (m.0, m.clone())).collect();
            prop_assert_eq!(listed, map);
        }
    }
}
