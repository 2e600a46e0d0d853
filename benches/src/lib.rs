//! Load generator, peers' common parts and the comparison of servers.
//!
//! Everything speaks the protocol of `fixture-bench`: four events (`echo`,
//! `join`, `bcast`, `stream`) in the native JSON envelope or in Socket.IO
//! packets over WebSocket. The generator knows nothing of our own server's
//! code; it judges all servers by the bytes they send and by what the operating
//! system says they cost. The method is described in `benches/README.md`.

pub mod comparison;
pub mod connection;
pub mod frame;
pub mod generator;
pub mod handshake;
pub mod histogram;
pub mod instructions;
pub mod machine;
pub mod peer;
pub mod plot;
pub mod process;
pub mod report;
pub mod server;
pub mod wire;
pub mod workload;
