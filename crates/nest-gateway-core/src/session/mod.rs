//! One client in one namespace: order, limits, state.

mod acks;
mod client;
mod data;
mod inbox;
mod running;
mod state;
mod throttle;

pub use self::acks::AckError;
pub use self::client::Client;
pub use self::data::ClientData;
pub use self::state::{CancelTarget, Malformed, Parked, Session};
