//! Test app, clients, assertions and conformance suite of nest-gateway.
//!
//! - [`TestApp`]: a user's application under test; [`gateway_test`] and
//!   [`for_each_wire!`] run a test over every adapter.
//! - [`client`]: clients for tests, one API for every transport.
//! - [`mod@assert`]: assertions on what they receive.
//! - [`memory`]: an adapter without a wire.
//! - [`conformance`]: the properties that every adapter has to keep.

mod app;
pub mod assert;
pub mod client;
pub mod conformance;
pub mod memory;

pub use self::app::{TestApp, TestAppBuilder, Wire};

pub use nest_gateway_testkit_macros::gateway_test;

/// JSON literals, as the assertions take them.
pub use serde_json::json;

/// What the attribute expands to. Not for use by hand.
#[doc(hidden)]
pub mod __private {
    pub use tokio;
}
