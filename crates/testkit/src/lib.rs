//! Test app, clients, assertions and conformance suite of nest-gateway.
//!
//! - [`client`]: clients for tests, one API for every transport.
//! - [`assert`]: assertions on what they receive.
//! - [`memory`]: an adapter without a wire.
//! - [`conformance`]: the properties that every adapter has to keep.

pub mod assert;
pub mod client;
pub mod conformance;
pub mod memory;

/// JSON literals, as the assertions take them.
pub use serde_json::json;
