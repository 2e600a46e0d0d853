//! Gateways on an existing `socketioxide::SocketIo`. What all adapters have in common is
//! proved by the conformance suite of the testkit; here is what only this one has, and
//! the limits that the book lists.
#![cfg(feature = "socketioxide")]

mod app;
mod beside;
mod far;
mod limits;
mod parser;
mod slow;
