//! Gateways over Socket.IO, seen as packets. What both adapters have in common is proved
//! by the conformance suite of the testkit; here is what only Socket.IO has.

mod app;
mod attachments;
mod broken;
mod handshake;
#[cfg(feature = "msgpack")]
mod msgpack;
mod namespaces;
mod options;
mod recovery;
mod slow;
