//! How fast a stream goes.

use crate::config::Config;

/// How often a stream asks for room, and how often it lets others run: both
/// cost more than a small item does.
pub(super) struct Pace {
    /// Bytes that may be sent without asking for room again: a small part of
    /// the half that the outbox keeps free.
    unasked_limit: usize,
    unasked_items_limit: usize,
    unasked_bytes: usize,
    unasked_items: usize,
    turn_bytes: usize,
    turn_items: u32,
}

impl Pace {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            unasked_limit: (config.outbox_bytes / 16).min(MAX_UNASKED_BYTES),
            unasked_items_limit: (config.outbox_messages / 16).min(MAX_UNASKED_ITEMS),
            unasked_bytes: usize::MAX,
            unasked_items: 0,
            turn_bytes: 0,
            turn_items: 0,
        }
    }

    /// Whether the outbox has to be asked for room before the next item.
    pub(super) fn must_ask(&self) -> bool {
        self.unasked_bytes >= self.unasked_limit || self.unasked_items >= self.unasked_items_limit
    }

    pub(super) fn asked(&mut self) {
        self.unasked_bytes = 0;
        self.unasked_items = 0;
    }

    pub(super) fn produced(&mut self, bytes: usize) {
        let bytes = bytes + ENVELOPE_BYTES;
        self.unasked_bytes = self.unasked_bytes.saturating_add(bytes);
        self.unasked_items += 1;
        self.turn_bytes += bytes;
        self.turn_items += 1;
    }

    /// Whether it is the turn of others; then the next turn begins.
    pub(super) fn turn_is_over(&mut self) -> bool {
        let over = self.turn_bytes >= MAX_TURN_BYTES || self.turn_items >= MAX_TURN_ITEMS;
        if over {
            self.turn_bytes = 0;
            self.turn_items = 0;
        }
        over
    }
}

/// A generous guess at what a codec puts around an item.
const ENVELOPE_BYTES: usize = 64;
/// Bytes that a stream sends before it asks for room again.
const MAX_UNASKED_BYTES: usize = 8 * 1024;
/// Items that a stream sends before it asks for room again.
const MAX_UNASKED_ITEMS: usize = 32;
/// Bytes after which a stream that is always ready lets others run: what a
/// socket takes in one write.
const MAX_TURN_BYTES: usize = 128 * 1024;
/// Items after which a stream that is always ready lets others run: about a
/// tenth of a millisecond.
const MAX_TURN_ITEMS: u32 = 1024;
