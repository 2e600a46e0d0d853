//! Gateways on an existing `socketioxide::SocketIo` (feature `socketioxide`).
//!
//! For applications that run socketioxide already: their `SocketIo` keeps the wire, its
//! limits, its heartbeat and its own namespaces, and gains those of the gateways.
//!
//! ```text
//!  their transport ─► door (guards, CONNECT) ─► seat (bounded queue) ─► task (session, handlers)
//!        ▲                                                               │
//!        └──────────── their queue ◄── speaker (events, acks) ◄── outbox ◄┘
//! ```
//!
//! What socketioxide does not let through, and [`SocketIo`](crate::SocketIo) has, is in
//! the book, chapter "Adapters".

mod adapter;
mod arguments;
mod door;
mod occupancy;
mod outlet;
mod pace;
mod seat;
mod speaker;
mod task;

pub use self::adapter::SocketIoxide;

/// The adapter's name, in logs and in `#[websocket_gateway(adapter = ..)]`.
pub(crate) const NAME: &str = "socketioxide";
