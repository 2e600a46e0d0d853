//! Attribute macros of nest-gateway.
