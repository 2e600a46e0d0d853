//! Lifecycle hooks of gateways.

use crate::broadcast::{EmitContext, WebSocketServer};
use crate::close::DisconnectReason;
use crate::error::{BoxError, WsException};
use crate::session::Client;

/// Called once at start-up, when every provider exists and before any socket
/// is open.
pub trait OnGatewayInit: Send + Sync + 'static {
    /// Prepares the gateway. It is awaited. The server of a pattern is that of
    /// all of its paths.
    ///
    /// # Errors
    /// An error stops the start-up.
    fn after_init(
        &self,
        server: &WebSocketServer,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
}

/// Called when a client has connected, before its first message is handled.
pub trait OnGatewayConnection: Send + Sync + 'static {
    /// Greets the client. It is awaited; messages of the client wait meanwhile,
    /// and what this emits to it arrives first.
    ///
    /// # Errors
    /// The client is told and closed; nothing that it sent is handled.
    fn on_connection(
        &self,
        client: &Client,
    ) -> impl Future<Output = Result<(), WsException>> + Send;
}

/// Called exactly once when a client has gone, after its last handler ended.
pub trait OnGatewayDisconnect: Send + Sync + 'static {
    /// Says goodbye. Rooms and data of the client can still be read.
    fn on_disconnect(
        &self,
        client: &Client,
        reason: &DisconnectReason,
    ) -> impl Future<Output = ()> + Send;
}

/// Called for everything that is sent to clients of the gateway's namespace: what
/// Socket.IO's `onAnyOutgoing` hears, once for each emit and not for each receiver.
///
/// It is for logs, audits and counters; it cannot change or stop a message. What
/// it emits itself is not observed. Notices of the transport (`gap`, a close) are
/// no emits.
pub trait OnGatewayEmit: Send + Sync + 'static {
    /// Hears of a message that was just queued for at least one client. Called by
    /// whoever emits, so that it must not block; a panic is logged and costs
    /// nothing else.
    fn on_emit(&self, emit: &EmitContext<'_>);
}
