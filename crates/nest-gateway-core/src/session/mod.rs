//! One client in one namespace: order, limits, state.

mod acks;
mod batch;
mod client;
mod data;
mod hooks;
mod inbox;
mod input;
mod parked;
mod running;
mod state;
mod throttle;

pub(crate) use self::batch::Batch;

pub use self::acks::AckError;
pub use self::client::Client;
pub use self::data::ClientData;
pub use self::input::{CancelTarget, Malformed};
pub use self::parked::Parked;
pub use self::state::Session;
