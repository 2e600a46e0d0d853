//! Who is where: namespaces of one connection are bounded, and namespaces made from a
//! pattern are cleared away.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socketioxide_core::Sid;
use tokio::sync::Notify;

/// Namespaces made from patterns that stay although nobody is in them. They cost a few
/// hundred bytes each; whoever comes back finds them, and only beyond this number, which a
/// client could otherwise drive up by inventing paths, the oldest go.
const MAX_IDLE: usize = 256;

/// Clients by connection and by path.
#[derive(Default)]
pub(super) struct Occupancy {
    state: Mutex<State>,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    connections: HashMap<Sid, usize>,
    /// Paths made from patterns.
    paths: HashMap<Arc<str>, Guests>,
    /// Paths that were empty at some time, oldest first; each stands here once.
    idle: VecDeque<Arc<str>>,
}

#[derive(Default)]
struct Guests {
    count: usize,
    listed: bool,
}

/// One client's place in a namespace; dropping it gives it back.
pub(super) struct Place {
    occupancy: Arc<Occupancy>,
    connection: Sid,
    /// Set where the namespace was made from a pattern.
    path: Option<Arc<str>>,
}

impl Occupancy {
    /// Takes a place, unless the connection is in `max` namespaces.
    pub(super) fn enter(
        self: &Arc<Self>,
        connection: Sid,
        path: Option<Arc<str>>,
        max: usize,
    ) -> Option<Place> {
        let mut state = self.lock();
        let joined = state.connections.entry(connection).or_default();
        if *joined >= max {
            return None;
        }
        *joined += 1;
        if let Some(path) = &path {
            state.paths.entry(Arc::clone(path)).or_default().count += 1;
        }
        Some(Place {
            occupancy: Arc::clone(self),
            connection,
            path,
        })
    }

    /// Waits until nobody is anywhere.
    pub(super) async fn empty(&self) {
        loop {
            let mut emptied = std::pin::pin!(self.emptied.notified());
            emptied.as_mut().enable();
            if self.lock().connections.is_empty() {
                return;
            }
            emptied.await;
        }
    }

    /// Namespaces to delete, each of them empty at this moment.
    pub(super) fn outdated(&self) -> Vec<Arc<str>> {
        let mut state = self.lock();
        let mut outdated = Vec::new();
        while state.idle.len() > MAX_IDLE {
            let Some(path) = state.idle.pop_front() else {
                break;
            };
            match state.paths.get_mut(&path) {
                Some(guests) if guests.count > 0 => guests.listed = false,
                _ => {
                    state.paths.remove(&path);
                    outdated.push(path);
                }
            }
        }
        outdated
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.occupancy.lock();
        if let Some(joined) = state.connections.get_mut(&self.connection) {
            *joined -= 1;
            if *joined == 0 {
                state.connections.remove(&self.connection);
            }
            if state.connections.is_empty() {
                self.occupancy.emptied.notify_waiters();
            }
        }
        let Some(path) = &self.path else { return };
        let State { paths, idle, .. } = &mut *state;
        if let Some(guests) = paths.get_mut(path) {
            guests.count -= 1;
            if guests.count == 0 && !guests.listed {
                guests.listed = true;
                idle.push_back(Arc::clone(path));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_in_so_many_namespaces_and_no_more() {
        let occupancy = Arc::new(Occupancy::default());
        let (one, other) = (Sid::new(), Sid::new());
        let first = occupancy.enter(one, None, 2);
        let second = occupancy.enter(one, None, 2);
        assert!(first.is_some() && second.is_some());
        assert!(occupancy.enter(one, None, 2).is_none());
        assert!(occupancy.enter(other, None, 2).is_some());
        drop(first);
        assert!(occupancy.enter(one, None, 2).is_some());
        drop(second);
        assert!(occupancy.lock().connections.is_empty());
    }

    #[test]
    fn of_empty_namespaces_the_oldest_are_deleted_and_none_that_is_in_use() {
        let occupancy = Arc::new(Occupancy::default());
        let enter = |path: String| occupancy.enter(Sid::new(), Some(path.into()), 1).unwrap();
        let path = |n: usize| format!("/room/{n}");
        drop(enter(path(0)));
        drop(enter(path(1)));
        let kept = enter(path(0));
        for n in 2..MAX_IDLE {
            drop(enter(path(n)));
        }
        assert!(occupancy.outdated().is_empty());
        drop(enter(path(MAX_IDLE)));
        drop(enter(path(MAX_IDLE + 1)));
        let outdated = occupancy.outdated();
        assert_eq!(outdated, [Arc::from("/room/1")], "the first is in use");
        drop(kept);
        assert_eq!(occupancy.outdated(), [Arc::from("/room/2")]);
        assert_eq!(occupancy.lock().paths.len(), MAX_IDLE);
    }
}
