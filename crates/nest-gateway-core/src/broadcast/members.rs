//! A set of members, known by their ids.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::room::Member;
use crate::id::ClientId;

/// Members one behind the other, so that a fan-out walks over memory in its
/// order, and where each of them stands.
///
/// A member costs its own size and about nine bytes: its id is its own, and its
/// hash is computed again when the table grows.
pub(crate) struct Members<M> {
    list: Vec<M>,
    /// Places in `list`.
    places: HashTable<u32>,
    hasher: RandomState,
    /// See [`Members::kinds`]; forgotten when members change it.
    kinds: OnceLock<Option<Box<[u32]>>>,
}

/// So many kinds of members are told apart.
const MAX_KINDS: usize = 4;

impl<M> Default for Members<M> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            places: HashTable::new(),
            hasher: RandomState::new(),
            kinds: OnceLock::new(),
        }
    }
}

/// As it is now, for whoever still has to visit those who are members now.
impl<M: Clone> Clone for Members<M> {
    fn clone(&self) -> Self {
        Self {
            list: self.list.clone(),
            places: self.places.clone(),
            hasher: self.hasher.clone(),
            kinds: self.kinds.clone(),
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

    /// How many places there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.list.len()).expect("fewer than 2^32 members")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn get(&self, id: ClientId) -> Option<&M> {
        Some(self.at(self.place(id)?))
    }

    /// Where a member stands.
    pub(super) fn place(&self, id: ClientId) -> Option<u32> {
        let list = &self.list;
        let is_it = |place: &u32| list[*place as usize].id() == id;
        self.places.find(self.hasher.hash_one(id), is_it).copied()
    }

    /// The member at a place.
    pub(super) fn at(&self, place: u32) -> &M {
        &self.list[place as usize]
    }

    /// The first member of each kind, a kind being those who get the same bytes;
    /// `None` when there are too many kinds.
    pub(super) fn kinds(&self) -> Option<&[u32]> {
        let kinds = self.kinds.get_or_init(|| {
            let mut kinds = Vec::new();
            for (place, member) in (0_u32..).zip(&self.list) {
                if self.kind_among(&kinds, member).is_none() {
                    kinds.push(place);
                }
                if kinds.len() > MAX_KINDS {
                    return None;
                }
            }
            Some(kinds.into())
        });
        kinds.as_deref()
    }

    /// Which of these kinds a member is of.
    pub(super) fn kind_among(&self, kinds: &[u32], member: &M) -> Option<usize> {
        let is_it = |first: &u32| self.at(*first).gets_the_same_as(member);
        kinds.iter().position(is_it)
    }

    /// A member was added.
    fn look_at_kind_of_last(&mut self) {
        let Some(member) = self.list.last() else {
            return;
        };
        let known = match self.kinds.get() {
            Some(Some(kinds)) => self.kind_among(kinds, member).is_some(),
            _ => false,
        };
        if !known {
            self.kinds.take();
        }
    }

    /// A member was taken out or replaced: somebody else may be the first of a
    /// kind, unless there is only one.
    fn look_at_kinds_anew(&mut self) {
        let single = matches!(self.kinds.get(), Some(Some(kinds)) if kinds.len() == 1);
        if !single || self.list.is_empty() {
            self.kinds.take();
        }
    }

    /// Adds a member in place of one with the same id, which is returned.
    pub(super) fn replace(&mut self, member: M) -> Option<M> {
        let Self {
            list,
            places,
            hasher,
            ..
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
                let former = std::mem::replace(former, member);
                self.kinds.take();
                Some(former)
            }
            Entry::Vacant(place) => {
                place.insert(u32::try_from(list.len()).expect("fewer than 2^32 members"));
                list.push(member);
                self.look_at_kind_of_last();
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
            ..
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
        self.look_at_kinds_anew();
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

        fn is(&self, other: &Self) -> bool {
            self == other
        }

        fn gets_the_same_as(&self, other: &Self) -> bool {
            self.1 % 3 == other.1 % 3
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
                let kinds = members.kinds().expect("there are three kinds");
                let kinds: Vec<_> = kinds.iter().map(|at| members.at(*at).1 % 3).collect();
                let mut told_apart = kinds.clone();
                told_apart.sort_unstable();
                told_apart.dedup();
                prop_assert_eq!(told_apart.len(), kinds.len(), "a kind is told once");
                prop_assert!(map.values().all(|guest| kinds.contains(&(guest.1 % 3))));
                prop_assert_eq!(kinds.is_empty(), map.is_empty());
            }
            for number in 0..40 {
                prop_assert_eq!(members.get(id(number)), map.get(&id(number)));
            }
            let listed: HashMap<_, _> = members.iter().map(|m| (m.0, m.clone())).collect();
            prop_assert_eq!(listed, map);
        }
    }
}
