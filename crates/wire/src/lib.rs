//! Server side of RFC 6455 for fan-out: protocol machine, outbox, flusher, accept loop.
//!
//! This crate knows nothing of gateways. It takes TCP connections (or any other byte stream), speaks
//! WebSocket on them, and is built so that a message to a thousand receivers costs little more than what
//! the kernel charges for it. In reading order:
//!
//! - [`Frame`]: a message as it goes over the wire, built once and shared by all receivers.
//! - [`Connection`]: the receiving protocol machine; bytes in, [`Received`] out, no I/O.
//! - [`Outbox`]: the bounded queue between everybody who sends to a connection and the connection.
//! - [`Flusher`]: one task that writes all outboxes in which something is queued.
//! - [`WebSocket`]: an accepted connection, as the task that owns it sees it.
//! - [`Upgrade`]: the opening handshake, under any hyper server.
//! - [`serve`]: the accept loop with its limits.
//!
//! Invariants: nothing here blocks; every queue is bounded; no lock is held over an await or while a
//! waker runs; bytes off the network cannot cause a panic; an idle connection owns no buffer.

pub mod close;

mod connection;
mod dirty;
mod frame;
mod header;
mod mask;
mod message;
mod outbox;
mod queue;
mod sync;
mod violation;

mod accept;
mod flusher;
mod heartbeat;
mod limiter;
mod linger;
mod pump;
mod reader;
mod shared_tcp;
mod socket;
mod upgrade;
mod writer;

pub use accept::{AcceptConfig, PeerAddr, Stopped, serve};
pub use close::{Closed, ClosedBy};
pub use connection::{Connection, Limits, Received};
pub use flusher::{Flusher, FlusherHandle};
pub use frame::{Frame, OpCode};
pub use outbox::{Class, Gap, Outbox, OutboxClosed, OutboxConfig, Push, SlowPolicy};
pub use shared_tcp::SharedTcp;
pub use socket::{Event, WebSocket, WebSocketConfig};
pub use upgrade::{OnUpgrade, TakeOverError, Upgrade, UpgradeError};
pub use violation::Violation;
