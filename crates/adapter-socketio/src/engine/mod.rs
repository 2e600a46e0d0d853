//! Engine.IO v4: sessions over HTTP long-polling and WebSocket.
//!
//! [`Engine`] answers HTTP requests and runs one task for each session; the task owns a
//! [`Connection`] and asks it for messages. [`Sender`] is the sending side, shared with
//! everybody who sends. Nothing in here knows of Socket.IO.

mod close;
mod config;
mod connection;
mod cors;
pub mod handshake;
pub mod heartbeat;
pub mod packet;
pub mod payload;
mod polling;
mod sender;
mod service;
pub mod sid;
mod table;
pub mod upgrade;

pub use close::CloseReason;
pub use config::EngineConfig;
pub use connection::{Connection, Message};
pub use cors::Cors;
pub use sender::Sender;
pub use service::Engine;
