//! What the attributes make of a user's code, seen from a client.

mod arguments;
mod description;
mod errors;
mod hooks;
mod injection;
mod pipeline;
mod renamed;
mod replies;
