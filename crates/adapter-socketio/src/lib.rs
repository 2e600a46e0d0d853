//! Socket.IO adapter of nest-gateway.

pub mod engine;
pub mod packet;
