//! Hooks of a gateway.

use nest_gateway::EmitContext;
use nest_gateway::prelude::*;
use nest_gateway_testkit::{TestApp, assert_event, for_each_wire};

#[websocket_gateway(namespace = "/lifecycle")]
struct LifecycleGateway {
    server: WebSocketServer,
}

#[subscriptions]
impl LifecycleGateway {}

// ANCHOR: hooks
impl OnGatewayInit for LifecycleGateway {
    /// Before any port is open. An error stops the start-up.
    async fn after_init(&self, server: &WebSocketServer) -> Result<(), BoxError> {
        assert_eq!(server.namespace(), "/lifecycle");
        Ok(())
    }
}

impl OnGatewayConnection for LifecycleGateway {
    /// Before the client's first message is handled. An error tells and closes it.
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        client.emit("welcome", &client.id());
        client.join("lobby").await
    }
}

impl OnGatewayDisconnect for LifecycleGateway {
    /// Once, after the client's last handler. Its rooms can still be read.
    async fn on_disconnect(&self, client: &Client, reason: &DisconnectReason) {
        let text = format!("{} left: {reason}", client.id());
        self.server.to(client.joined_rooms()).emit("left", &text);
    }
}
// ANCHOR_END: hooks

// ANCHOR: emit
impl OnGatewayEmit for LifecycleGateway {
    /// Once for each emit, reply or exception, however many clients it reaches.
    fn on_emit(&self, emit: &EmitContext<'_>) {
        let (event, receivers) = (emit.event(), emit.receivers());
        tracing::debug!(event, receivers, kind = ?emit.kind(), "sent");
    }
}
// ANCHOR_END: emit

#[module(providers(LifecycleGateway))]
struct LifecycleModule;

for_each_wire! {
    async fn hooks_run(wire) {
        let app = TestApp::new::<LifecycleModule>().on(wire).start().await;
        let mut ada = app.client("/lifecycle").connect().await;
        assert_event!(ada, "welcome");
        let mut grace = app.client("/lifecycle").connect().await;
        let grace_id = assert_event!(grace, "welcome");
        grace.close(1000, "").await;
        let left = ada.expect_event("left").await;
        let grace_id = grace_id.as_str().unwrap_or_default();
        assert!(left.as_str().unwrap_or_default().starts_with(grace_id), "{left}");
    }
}
