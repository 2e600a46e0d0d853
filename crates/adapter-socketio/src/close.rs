//! Reasons of core in the words of Socket.IO, and the other way round.

use nest_gateway_core::close::{CloseReason, DisconnectReason};

use nest_gateway_wire::close::TOO_BIG;

use crate::engine;
use crate::packet::PacketError;

/// What a server-side end of a client means for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The client leaves the namespace and is told by a DISCONNECT packet.
    Namespace,
    /// So does every client of the connection, which is closed then.
    AllNamespaces,
    /// The client leaves its namespace; if it was the connection's only namespace, the connection is closed.
    Offence(engine::CloseReason),
    /// The connection is closed, so that the client connects again elsewhere. A DISCONNECT
    /// packet would tell it to stay away.
    Connection(engine::CloseReason),
}

pub(crate) fn ending(reason: &CloseReason) -> Ending {
    use engine::CloseReason::{Closed, ServerShutdown, SlowConsumer, TransportLost};
    match reason {
        CloseReason::ShuttingDown => Ending::Connection(ServerShutdown),
        CloseReason::SlowConsumer => Ending::Connection(SlowConsumer),
        // Whoever is still there belongs to a connection that its client has given up.
        CloseReason::Superseded => Ending::Connection(TransportLost),
        CloseReason::ConnectionClosed(_) => Ending::AllNamespaces,
        CloseReason::Expired => Ending::Connection(Closed(reason.code(), "connection too old")),
        CloseReason::Malformed => {
            Ending::Offence(Closed(reason.code(), "too many malformed messages"))
        }
        CloseReason::Denied => Ending::Offence(Closed(reason.code(), "forbidden resource")),
        CloseReason::UnknownEvent => Ending::Offence(Closed(reason.code(), "unknown event")),
        CloseReason::RateLimited => Ending::Offence(Closed(reason.code(), "too many messages")),
        _ => Ending::Namespace,
    }
}

/// What `on_disconnect` is told when the server ended the client.
pub(crate) fn by_server(reason: &CloseReason) -> DisconnectReason {
    match reason {
        CloseReason::ShuttingDown | CloseReason::SlowConsumer => {
            DisconnectReason::by_server(None, reason.text().to_owned())
        }
        _ => DisconnectReason::by_server(None, "server namespace disconnect"),
    }
}

/// What `on_disconnect` is told when the connection ended.
pub(crate) fn by_connection(reason: engine::CloseReason) -> DisconnectReason {
    let text = reason.as_str();
    match reason {
        engine::CloseReason::TransportClose => DisconnectReason::by_client(None, text),
        engine::CloseReason::TransportLost
        | engine::CloseReason::TransportError
        | engine::CloseReason::PingTimeout
        | engine::CloseReason::ParseError => DisconnectReason::by_network(None, text),
        _ => DisconnectReason::by_server(None, text),
    }
}

/// How a connection ends whose client sent something that is no packet.
pub(crate) fn by_packet(error: PacketError) -> engine::CloseReason {
    match error {
        PacketError::AttachmentsTooLarge => {
            engine::CloseReason::Closed(TOO_BIG, "attachments too large")
        }
        _ => engine::CloseReason::ParseError,
    }
}

/// Whether a client may come back after its connection ended so: not after it broke the
/// protocol, was closed by the application, or the server ends.
pub(crate) fn is_recoverable(reason: engine::CloseReason) -> bool {
    use engine::CloseReason::{
        ForcedClose, PingTimeout, SlowConsumer, TransportClose, TransportError, TransportLost,
    };
    matches!(
        reason,
        TransportClose | TransportLost | TransportError | PingTimeout | SlowConsumer | ForcedClose
    )
}

/// What `on_disconnect` is told when the client left the namespace.
pub(crate) fn by_client() -> DisconnectReason {
    DisconnectReason::by_client(None, "client namespace disconnect")
}
