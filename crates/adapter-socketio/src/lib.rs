//! Socket.IO adapter of nest-gateway: Engine.IO v4 and Socket.IO v5, for the official
//! clients 3.x and 4.x, unchanged.
//!
//! In reading order:
//!
//! - [`SocketIo`]: the adapter and its options;
//! - [`engine`]: Engine.IO, usable without Socket.IO: sessions over long-polling and
//!   WebSocket;
//! - [`packet`]: the packets of Socket.IO, decoded and encoded without I/O;
//! - `parser`, `codec` and `outlet`: packets of either parser; what core sends, encoded once
//!   for all receivers;
//! - `endpoint`, `connection`, `namespace`: HTTP requests, connections, and the clients
//!   that a connection has in namespaces;
//! - `close`, `offset`: how clients end, and how events are numbered for those who come back;
//! - `host_socketioxide` (feature `socketioxide`): gateways on somebody else's
//!   `socketioxide::SocketIo`.

mod adapter;
mod arguments;
mod close;
mod codec;
mod connection;
mod endpoint;
pub mod engine;
mod gap;
#[cfg(feature = "socketioxide")]
mod host_socketioxide;
#[cfg(feature = "msgpack")]
mod msgpack;
mod namespace;
mod offset;
mod outlet;
pub mod packet;
mod parser;

pub use adapter::SocketIo;
#[cfg(feature = "socketioxide")]
pub use host_socketioxide::SocketIoxide;
/// The library whose `SocketIo` a [`SocketIoxide`] takes, in the version that fits.
#[cfg(feature = "socketioxide")]
pub use socketioxide;

/// The codec of the default parser, for tools that look at what clients get or measure what it costs.
pub fn json_codec() -> impl nest_gateway_core::adapter::Codec {
    codec::JsonCodec::default()
}

/// The adapter's name, in logs and in `#[websocket_gateway(adapter = ..)]`.
pub(crate) const NAME: &str = "socketio";
