//! Lifecycle hooks of gateways.

use crate::broadcast::WebSocketServer;
use crate::close::DisconnectReason;
use crate::error::{BoxError, WsException};
use crate::session::Client;

/// Called once at start-up, when every provider exists and before any socket
/// is open.
pub trait OnGatewayInit: Send + Sync + 'static {
    /// Prepares the gateway. It is awaited.
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
