//! What recovery may cost.

use std::time::Duration;

/// How long clients that lost their connection may come back, and how much is kept for them.
///
/// ```
/// use std::time::Duration;
/// use nest_gateway_core::recovery::Recovery;
///
/// let recovery = Recovery::new(Duration::from_secs(30)).clients(1_000).events(200);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "give it to the `recovery` option of an adapter"]
pub struct Recovery {
    pub(super) window: Duration,
    pub(super) clients: usize,
    pub(super) events: usize,
    pub(super) bytes: usize,
    pub(super) total_bytes: usize,
}

impl Recovery {
    /// A client may come back so long after the loss of its connection was noticed.
    pub const fn new(window: Duration) -> Self {
        Self {
            window,
            clients: 10_000,
            events: 1_000,
            bytes: 512 * 1024,
            total_bytes: 256 * 1024 * 1024,
        }
    }

    /// Clients that are away at a time. Default 10,000; beyond it those that are away for
    /// longest end.
    pub const fn clients(mut self, clients: usize) -> Self {
        self.clients = clients;
        self
    }

    /// Events that are kept of one client, whether it is away or not. Default 1,000; a client
    /// that missed more begins anew.
    pub const fn events(mut self, events: usize) -> Self {
        self.events = events;
        self
    }

    /// The bytes of these events. Default 512 KiB, and never more than half of
    /// `outbox_bytes`, since the outbox has to take them at once.
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// The bytes of what is kept of all clients of the adapter. Default 256 MiB; beyond it a
    /// client that gets an event gives up the oldest ones of its own. An event counts once for
    /// each client that it was sent to, although they share its bytes, and 64 bytes more.
    pub const fn total_bytes(mut self, bytes: usize) -> Self {
        self.total_bytes = bytes;
        self
    }

    /// Checks that something can be recovered at all.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.window.is_zero() {
            return Err("the recovery window is 0, in which nobody can come back".to_owned());
        }
        for (name, value) in [
            ("clients", self.clients),
            ("events", self.events),
            ("bytes", self.bytes),
            ("total_bytes", self.total_bytes),
        ] {
            if value == 0 {
                return Err(format!(
                    "recovery option {name} is 0, with which nothing could be recovered; \
                     give it a value of 1 or more, or leave recovery out"
                ));
            }
        }
        Ok(())
    }
}

impl Default for Recovery {
    /// Two minutes, as on the official Socket.IO server.
    fn default() -> Self {
        Self::new(Duration::from_mins(2))
    }
}

impl From<Duration> for Recovery {
    fn from(window: Duration) -> Self {
        Self::new(window)
    }
}
