//! Items of a stream that are queued together.

use std::cell::{Cell, RefCell};

use super::client::Client;
use crate::adapter::ItemEncoder;

thread_local! {
    static ITEMS: RefCell<Items> = const { RefCell::new(Items::new()) };

    /// Whether there are any.
    static HELD: Cell<bool> = const { Cell::new(false) };
}

/// The turn of a stream. Items that are ready one right after the other are held
/// until it is over, and then queued in one go: a lock for each of them would
/// cost as much as the item.
///
/// What else is sent on the thread meanwhile, to whomever, has them queued
/// before, so that everything leaves in the order in which it was said.
pub(crate) struct Batch;

/// Encoded messages for one client.
struct Items {
    client: Option<Client>,
    messages: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

/// The most memory in bytes that a thread keeps for the next items.
const MAX_KEPT_BYTES: usize = 64 * 1024;

impl Batch {
    /// Begins a turn. One inside of which this happens goes on with nothing held, so
    /// that all items held are of one client.
    pub(crate) fn begin() -> Self {
        Self::release();
        Self
    }

    /// Encodes an item for a client, and holds it.
    #[expect(clippy::unused_self, reason = "items are held during a turn")]
    pub(crate) fn hold(&self, client: &Client, encode: &ItemEncoder, json: &[u8]) {
        ITEMS.with_borrow_mut(|items| {
            items.client.get_or_insert_with(|| client.clone());
            encode(json, &mut items.messages);
            items.ends.push(items.messages.len());
        });
        HELD.set(true);
    }

    /// Queues what is held on this thread, by whatever stream.
    #[inline]
    pub(crate) fn release() {
        if HELD.get() {
            release_held();
        }
    }
}

/// Also where the turn ends by a panic of the stream.
impl Drop for Batch {
    fn drop(&mut self) {
        Self::release();
    }
}

#[cold]
fn release_held() {
    HELD.set(false);
    let mut items = ITEMS.replace(Items::new());
    if let Some(client) = items.client.take() {
        client.deliver_run(&items.messages, &items.ends);
    }
    if items.messages.capacity() <= MAX_KEPT_BYTES {
        items.messages.clear();
        items.ends.clear();
        ITEMS.set(items);
    }
}

impl Items {
    const fn new() -> Self {
        Self {
            client: None,
            messages: Vec::new(),
            ends: Vec::new(),
        }
    }
}
