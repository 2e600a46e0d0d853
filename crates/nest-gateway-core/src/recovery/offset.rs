//! The numbers of events, by which a client tells the last one that it got.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers the events of one adapter, from 1 on.
#[derive(Debug, Default)]
pub struct Offsets(AtomicU64);

/// The number of one event, the same for everybody who gets it. How it stands on the wire is the
/// adapter's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Offset(pub u64);

impl Offsets {
    /// The next number.
    pub fn next(&self) -> Offset {
        Offset(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}
