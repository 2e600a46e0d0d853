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
//! - [`Acceptor`]: what the connections of one server share, a [`Clock`] among it.
//! - [`Upgrade`]: the opening handshake, under any hyper server.
//! - [`serve`]: the accept loop with its limits.
//!
//! An echo server:
//!
//! ```no_run
//! use std::convert::Infallible;
//!
//! use http::Request;
//! use http_body_util::Full;
//! use hyper::body::{Bytes, Incoming};
//! use nest_gateway_wire::{
//!     AcceptConfig, Acceptor, Class, Event, Flusher, Frame, Upgrade, WebSocketConfig, serve,
//! };
//!
//! # async fn run() -> std::io::Result<()> {
//! let acceptor = Acceptor::new(WebSocketConfig::default(), Flusher::spawn());
//! let service = tower::service_fn(move |mut request: Request<Incoming>| {
//!     let response = match Upgrade::from_request(&mut request) {
//!         Err(error) => error.response().map(Full::new),
//!         Ok(upgrade) => {
//!             let (response, socket) = upgrade.accept(&acceptor, None);
//!             tokio::spawn(async move {
//!                 let Ok(mut socket) = socket.await else { return };
//!                 while let event @ (Event::Text(_) | Event::Ping(_)) = socket.next().await {
//!                     if let Event::Text(text) = event {
//!                         let _ = socket.outbox().push(Frame::text(&text), Class::Normal);
//!                     }
//!                 }
//!             });
//!             response.map(|()| Full::<Bytes>::default())
//!         }
//!     };
//!     async move { Ok::<_, Infallible>(response) }
//! });
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! let shutdown = std::future::pending();
//! serve(listener, service, AcceptConfig::default(), shutdown).await;
//! # Ok(())
//! # }
//! ```
//!
//! Invariants: nothing here blocks; every queue is bounded; no lock is held over an await or while a
//! waker runs; bytes off the network cannot cause a panic; an idle connection owns no buffer.

#![cfg_attr(loom, allow(dead_code))]

// Under `cfg(loom)` only what is model-checked is built: tokio has no network there.
pub mod close;

mod connection;
mod cork;
mod dirty;
mod few;
mod flusher;
mod frame;
mod gap;
mod header;
mod line;
mod mask;
mod message;
mod outbox;
mod piece;
mod queue;
mod run;
mod stencil;
mod sync;
mod violation;

#[cfg(feature = "deflate")]
mod deflate;

#[cfg(not(loom))]
mod accept;
#[cfg(not(loom))]
mod acceptor;
#[cfg(not(loom))]
mod clock;
#[cfg(not(loom))]
mod head_timer;
#[cfg(not(loom))]
mod heartbeat;
#[cfg(not(loom))]
mod limiter;
#[cfg(not(loom))]
mod linger;
#[cfg(not(loom))]
mod pump;
#[cfg(not(loom))]
mod reader;
#[cfg(not(loom))]
mod shared_tcp;
#[cfg(not(loom))]
mod socket;
#[cfg(not(loom))]
mod successor;
#[cfg(all(feature = "tls", not(loom)))]
mod tls;
#[cfg(not(loom))]
mod upgrade;
#[cfg(not(loom))]
mod writer;

#[cfg(all(test, loom))]
mod models;
#[cfg(loom)]
#[path = "writer_model.rs"]
mod writer;

#[cfg(not(loom))]
pub use accept::{AcceptConfig, PeerAddr, Stopped, serve};
#[cfg(not(loom))]
pub use acceptor::Acceptor;
#[cfg(not(loom))]
pub use clock::{Alarm, Clock, Ring};
pub use close::{Closed, ClosedBy};
pub use connection::{Connection, Limits, Received, SHORT_TEXT};
#[cfg(feature = "deflate")]
pub use deflate::DeflateConfig;
pub use flusher::{Flusher, FlusherHandle};
pub use frame::{BorrowedFrame, Frame, OpCode};
pub use gap::GapNotice;
pub use outbox::{Burst, Class, Gap, Outbox, OutboxClosed, OutboxConfig, Push, SlowPolicy};
#[cfg(not(loom))]
pub use shared_tcp::SharedTcp;
#[cfg(not(loom))]
pub use socket::{Event, WebSocket, WebSocketConfig};
pub use stencil::Stencil;
#[cfg(not(loom))]
pub use successor::Rest;
/// The TLS library, for its `ServerConfig`.
#[cfg(all(feature = "tls", not(loom)))]
pub use tokio_rustls::rustls;
#[cfg(not(loom))]
pub use upgrade::{OnUpgrade, TakeOverError, Upgrade, UpgradeError, is_token};
pub use violation::Violation;
