//! Test app, clients, assertions and conformance suite of nest-gateway.
//!
//! - [`client`]: clients for tests, one API for every transport.

pub mod client;
