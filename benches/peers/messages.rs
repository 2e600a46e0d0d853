//! The messages of the protocol.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A message of either direction, its data untouched.
#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope<'a> {
    pub(crate) event: &'a str,
    #[serde(borrow)]
    pub(crate) data: &'a RawValue,
}

#[derive(Deserialize)]
pub(crate) struct Join {
    pub(crate) room: String,
}

#[derive(Serialize)]
pub(crate) struct Joined<'a> {
    pub(crate) joined: &'a str,
}

#[derive(Deserialize)]
pub(crate) struct Stream {
    pub(crate) n: u64,
}

#[derive(Serialize)]
pub(crate) struct Token {
    pub(crate) i: u64,
    pub(crate) t: &'static str,
}

/// An event with data of any type.
#[derive(Serialize)]
pub(crate) struct Event<'a, T> {
    pub(crate) event: &'a str,
    pub(crate) data: T,
}
