//! Connection state recovery, as the official client speaks it.
//!
//! Every event carries an [`Offset`](offset::Offset) as its last argument. A [`Log`](log::Log)
//! keeps the last events of each client; when the connection is lost, the client is parked
//! in the [`Store`](store::Store): it stays in its rooms, and what is sent to it goes into
//! the log. If it comes back in time, it names itself by its private id and tells the last
//! offset that it got, and what came behind that is sent again. A log that had to drop what
//! the client would miss recovers nothing: the client then begins anew and is told so.

mod log;
mod offset;
mod outlet;
mod store;

pub(crate) use offset::{Offset, Offsets};
pub(crate) use outlet::RecoverableOutlet;
pub(crate) use store::{Claim, Private, Store};

use std::time::Duration;

/// How long clients may come back, and what that may cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the loss of the connection to the end of the client.
    pub(crate) window: Duration,
    /// Clients that are away at a time; beyond it those that are away for longest end.
    pub(crate) sessions: usize,
    /// Events of one client that can be sent again.
    pub(crate) events: usize,
    /// The bytes of these events.
    pub(crate) bytes: usize,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        window: Duration::from_mins(2),
        sessions: 10_000,
        events: 1_000,
        bytes: 1024 * 1024,
    };
}
