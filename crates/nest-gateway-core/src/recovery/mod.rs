//! Clients that lose their connection and come back: the part of connection state
//! recovery that no transport has to do with.
//!
//! An adapter that offers recovery has one [`RecoveryStore`] and numbers its events with the
//! [`Offsets`] of it. A client that connects is given a secret [`RecoveryKey`] and a
//! [`RecoverableOutlet`], which keeps the last events in a log. When the connection is lost, the
//! client is parked: it stays in its rooms, and what is sent to it goes into the log. If it comes
//! back in time with its key and the [`Offset`] of the last event that it got, it goes on under
//! its former id, in its former rooms, with its data, and gets what came behind that event.
//!
//! What is missing is never passed over in silence: a client of which the log does not hold
//! everything begins anew and is told so. Memory is bounded in clients, events, bytes and time
//! ([`Recovery`]).
//!
//! The life of a client, as an adapter drives it:
//!
//! 1. [`RecoveryStore::begin`], [`Recoverable::attach`] and [`Recoverable::open`];
//! 2. [`Recoverable::lose`] when the connection is lost, or [`Recoverable::end`] when the client
//!    has left for good;
//! 3. [`RecoveryStore::claim`] when it comes back, after the guards have been asked, and
//!    [`Former::resume`].

mod client;
mod key;
mod log;
mod offset;
mod options;
mod outlet;
mod register;
mod store;

pub use self::client::{Former, Lost, Recoverable};
pub use self::key::RecoveryKey;
pub use self::offset::{Offset, Offsets};
pub use self::options::Recovery;
pub use self::outlet::RecoverableOutlet;
pub use self::store::{RecoveryRequest, RecoveryStore};
