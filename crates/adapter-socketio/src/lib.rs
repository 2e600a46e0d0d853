//! Socket.IO adapter of nest-gateway.
