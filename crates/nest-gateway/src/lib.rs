//! NestJS-style WebSocket gateways for Rust: native RFC 6455 and Socket.IO from one gateway.
