//! The lifecycle hooks of a client: panics are caught, and its gateways are
//! asked in their order.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;

use super::client::Client;
use crate::adapter::BoxFuture;
use crate::broadcast::send_to;
use crate::close::{CloseReason, DisconnectReason};
use crate::error::WsException;
use crate::gateway::Namespace;
use crate::message::{Delivery, Outgoing};
use crate::observe::panic_text;

/// Runs the hooks of all gateways of the namespace, in their order.
pub(super) fn on_connection(
    namespace: Arc<Namespace>,
    client: Client,
) -> BoxFuture<'static, Result<(), CloseReason>> {
    Box::pin(async move {
        for gateway in namespace.gateways() {
            let hook = AssertUnwindSafe(gateway.on_connection(&client));
            let (exception, reason) = match hook.catch_unwind().await {
                Ok(Ok(())) => continue,
                Ok(Err(exception)) => (exception, CloseReason::Refused),
                Err(panic) => (
                    WsException::internal(format!("panicked: {}", panic_text(&*panic))),
                    CloseReason::Internal,
                ),
            };
            exception.log("on_connection");
            let data = exception.to_payload(None, None);
            let message = Outgoing::Exception {
                request: None,
                data: &data,
            };
            if let Err(error) = send_to(&client, message, Delivery::RELIABLE) {
                tracing::error!(%error, "exception cannot be encoded");
            }
            return Err(reason);
        }
        Ok(())
    })
}

/// Tells all gateways of the namespace that the client has gone.
pub(super) async fn on_disconnect(
    namespace: &Namespace,
    client: &Client,
    reason: &DisconnectReason,
) {
    for gateway in namespace.gateways() {
        let hook = AssertUnwindSafe(gateway.on_disconnect(client, reason));
        if let Err(panic) = hook.catch_unwind().await {
            tracing::error!(
                gateway = gateway.name(),
                client = %client.id(),
                panic = panic_text(&*panic),
                "on_disconnect panicked"
            );
        }
    }
}
