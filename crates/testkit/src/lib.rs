//! Test app, clients, assertions and conformance suite of nest-gateway.
//!
//! - [`client`]: clients for tests, one API for every transport.
//! - [`assert`]: assertions on what they receive.

pub mod assert;
pub mod client;

/// JSON literals, as the assertions take them.
pub use serde_json::json;
