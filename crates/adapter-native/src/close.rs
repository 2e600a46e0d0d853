//! How RFC 6455 close codes and core's reasons correspond.

use nest_gateway_core::close::{CloseReason, DisconnectReason};
use nest_gateway_wire::{Closed, ClosedBy, Frame};

/// The close frame for a reason of the server.
pub(crate) fn frame(reason: &CloseReason) -> Frame {
    Frame::close(reason.code(), reason.text())
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
