//! How RFC 6455 close codes and core's reasons correspond.

use nest_gateway_core::close::{CloseReason, DisconnectReason};
use nest_gateway_wire::{Closed, ClosedBy, Frame};

/// The close frame for a reason of the server.
pub(crate) fn frame(reason: &CloseReason) -> Frame {
    Frame::close(reason.code(), reason.text())
}

/// Whether a client may come back after its connection ended so: not after it said goodbye,
/// broke the protocol, or was closed by the application. A page that is left says 1001 by
/// itself.
pub(crate) fn is_recoverable(closed: &Closed) -> bool {
    match closed.by {
        ClosedBy::Lost | ClosedBy::PingTimeout | ClosedBy::SlowConsumer => true,
        ClosedBy::Peer => closed.code == Some(nest_gateway_wire::close::GOING_AWAY),
        _ => false,
    }
}

/// The reason for hooks and logs of a connection that has ended.
pub(crate) fn disconnect_reason(closed: Closed) -> DisconnectReason {
    let code = Some(closed.status());
    match closed.by {
        ClosedBy::Peer => DisconnectReason::by_client(code, closed.reason),
        ClosedBy::Lost | ClosedBy::PingTimeout => DisconnectReason::by_network(code, closed.reason),
        _ => DisconnectReason::by_server(code, closed.reason),
    }
}
