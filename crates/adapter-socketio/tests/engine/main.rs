//! The Engine.IO server over real sockets.

mod broken;
mod cors;
mod heartbeat;
mod limits;
mod polling;
mod server;
mod shutdown;
mod upgrade;
mod websocket;
