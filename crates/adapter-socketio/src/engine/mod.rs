//! Engine.IO v4: sessions over HTTP long-polling and WebSocket.

pub mod handshake;
pub mod heartbeat;
pub mod packet;
pub mod payload;
pub mod sid;
pub mod upgrade;
