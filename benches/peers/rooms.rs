//! An index of rooms as one writes it by hand: a map behind a mutex, one
//! bounded queue per client, and a client whose queue is full leaves the room.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use tokio::sync::mpsc;

#[path = "messages.rs"]
mod messages;

pub(crate) use messages::{Envelope, Event, Join, Joined, Stream, Token};

/// Messages that may wait for one client.
pub(crate) const QUEUE: usize = 4096;

/// The JSON text of an event.
pub(crate) fn event<T: Serialize>(event: &str, data: T) -> serde_json::Result<String> {
    serde_json::to_string(&Event { event, data })
}

/// Who is where.
pub(crate) struct Rooms<M> {
    members: Mutex<HashMap<String, HashMap<u64, mpsc::Sender<M>>>>,
    next: AtomicU64,
}

impl<M: Clone> Rooms<M> {
    pub(crate) fn new() -> Self {
        Self {
            members: Mutex::new(HashMap::new()),
            next: AtomicU64::new(0),
        }
    }

    pub(crate) fn next_id(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn join(&self, room: &str, id: u64, queue: mpsc::Sender<M>) {
        let mut members = self.members.lock().expect("no user code under the lock");
        members
            .entry(room.to_owned())
            .or_default()
            .insert(id, queue);
    }

    pub(crate) fn leave(&self, rooms: &[String], id: u64) {
        let mut members = self.members.lock().expect("no user code under the lock");
        for name in rooms {
            if let Some(room) = members.get_mut(name) {
                room.remove(&id);
                if room.is_empty() {
                    members.remove(name);
                }
            }
        }
    }

    /// Queues `message` for every member; whoever cannot take it leaves
    /// the room.
    pub(crate) fn send(&self, room: &str, message: &M) {
        let mut members = self.members.lock().expect("no user code under the lock");
        if let Some(room) = members.get_mut(room) {
            room.retain(|_, queue| queue.try_send(message.clone()).is_ok());
        }
    }
}
