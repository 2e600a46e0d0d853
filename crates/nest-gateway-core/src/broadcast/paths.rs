//! The paths of a pattern that somebody is at.
//!
//! A path's hub is made for the first who asks for it and lives as long as
//! somebody holds it: its clients do, those that are away and expected back
//! too, and so does who is about to emit to it. The map holds it weakly, so
//! that between the last one who leaves and the next one who comes there is
//! nothing to agree on: either finds the hub alive, or makes another one.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use super::hub::Hub;
use super::sync::{RwLock, read, write};

/// Which path of a pattern: the names and values of its parameters.
pub(super) type PathKey = Arc<[(Box<str>, Box<str>)]>;

/// The hubs of a pattern's paths.
///
/// Known by the parameters and not by the path's text, of which a URL has
/// several spellings: `/room/a` and `/room/%61` are one path.
///
/// Lock order: the map's lock is the last one taken, and no hub is dropped
/// under it, since that takes it.
pub(crate) struct Paths<H = Hub> {
    hubs: RwLock<HashMap<PathKey, Weak<H>>>,
}

impl<H> Default for Paths<H> {
    fn default() -> Self {
        Self {
            hubs: RwLock::new(HashMap::new()),
        }
    }
}

impl<H> Paths<H> {
    /// The hub of a path; `make` makes it when there is none.
    pub(super) fn open(
        &self,
        params: &[(Box<str>, Box<str>)],
        make: impl FnOnce(PathKey) -> Arc<H>,
    ) -> Arc<H> {
        if let Some(hub) = read(&self.hubs).get(params).and_then(Weak::upgrade) {
            return hub;
        }
        let mut hubs = write(&self.hubs);
        // Somebody may have been faster.
        if let Some(hub) = hubs.get(params).and_then(Weak::upgrade) {
            return hub;
        }
        let key = PathKey::from(params);
        let hub = make(Arc::clone(&key));
        hubs.insert(key, Arc::downgrade(&hub));
        hub
    }

    /// The path's hub is being dropped. Another one may have taken its place.
    pub(super) fn forget(&self, key: &PathKey) {
        let mut hubs = write(&self.hubs);
        if hubs.get(key).is_some_and(|hub| hub.strong_count() == 0) {
            hubs.remove(key);
        }
    }

    /// The hubs at this moment, some perhaps without clients.
    pub(super) fn hubs(&self) -> Vec<Arc<H>> {
        let hubs = read(&self.hubs);
        hubs.values().filter_map(Weak::upgrade).collect()
    }

    /// How many paths the map knows, alive or not.
    #[cfg(all(test, loom))]
    pub(super) fn known(&self) -> usize {
        read(&self.hubs).len()
    }
}
