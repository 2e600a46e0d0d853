//! Transport-agnostic core of `nest-gateway`.
//!
//! The modules in reading order:
//!
//! - the vocabulary: [`message`], [`payload`], [`value`], [`json`], [`id`], [`handshake`],
//!   [`close`], [`error`], [`config`], [`observe`];
//! - [`adapter`]: the seam to transports, with its contract;
//! - [`gateway`]: gateways as plain data, modules, the container, the registry;
//! - [`dispatch`]: the pipeline from a message to its answer;
//! - [`session`]: one client in one namespace;
//! - [`recovery`]: clients that lose their connection and come back;
//! - [`broadcast`]: rooms and emits;
//! - [`runtime`]: an application without a transport, and its shutdown.
//!
//! Applications use the façade crate `nest-gateway`; adapters depend on this
//! crate.

pub mod adapter;
pub mod broadcast;
pub mod close;
pub mod config;
pub mod describe;
pub mod dispatch;
pub mod error;
pub mod gateway;
pub mod handshake;
pub mod id;
pub mod json;
pub mod message;
pub mod observe;
pub mod payload;
#[doc(hidden)]
pub mod private;
mod query;
pub mod recovery;
pub mod runtime;
pub mod session;
pub mod value;
