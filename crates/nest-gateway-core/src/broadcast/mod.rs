//! Emits: from a target to the outboxes of its receivers.
//!
//! One place holds membership (`rooms.rs`), one function fans out
//! (`fanout.rs`): encoded once for each wire format, the same bytes to every
//! receiver of the format. Messages for a crowd are brought by a courier
//! (`rounds.rs`).

mod emitter;
mod fanout;
mod hub;
mod members;
mod memberships;
mod observer;
mod paths;
mod pattern;
mod room;
mod rooms;
mod round;
mod rounds;
mod server;
mod sync;
mod typed;

#[cfg(all(test, loom))]
mod models;

pub use self::emitter::{Answers, EmitError, Emitted, Emitter, IntoTargets, Targets};
pub use self::hub::Hub;
pub use self::observer::{EmitContext, EmitKind};
pub use self::server::{Servers, WebSocketServer};
pub(crate) use self::typed::SentByNoGateway;
pub use self::typed::{ClientOf, EmittedBy, EmitterOf, Event, ServerOf};

pub(crate) use self::fanout::send_to;
pub(crate) use self::hub::HubOptions;
pub(crate) use self::memberships::{JoinProblem, Memberships};
pub(crate) use self::observer::Observer;
pub(crate) use self::pattern::{to_params, trim_slash};
pub(crate) use self::round::Receiver;
pub(crate) use self::rounds::Rounds;
