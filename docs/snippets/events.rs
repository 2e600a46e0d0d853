//! Typed events.

use nest_gateway::Event;
use nest_gateway::prelude::*;
use nest_gateway_testkit::{TestApp, assert_push};
use serde::Serialize;

// ANCHOR: event
#[derive(Serialize, Event)]
#[event("price_changed")]
struct PriceChanged {
    article: u64,
    cents: u64,
}

#[derive(Serialize, Event)]
#[event("welcome")]
struct Welcome;

#[websocket_gateway(namespace = "/shop", emits(PriceChanged, Welcome))]
struct ShopGateway {
    server: ServerOf<Self>,
}

impl OnGatewayConnection for ShopGateway {
    async fn on_connection(&self, client: &Client) -> Result<(), WsException> {
        client.of::<Self>().send(&Welcome);
        Ok(())
    }
}

#[subscriptions]
impl ShopGateway {
    #[subscribe_message("reprice")]
    async fn reprice(&self, MessageBody((article, cents)): MessageBody<(u64, u64)>) {
        self.server.send(&PriceChanged { article, cents });
    }
}
// ANCHOR_END: event

#[module(providers(ShopGateway))]
struct ShopModule;

#[tokio::test]
async fn a_typed_event_has_its_name() {
    let app = TestApp::new::<ShopModule>().start().await;
    let mut client = app.client("/shop").connect().await;
    assert_push!(client, "welcome", null);
    client
        .emit("reprice", nest_gateway_testkit::json!([7, 99]))
        .await;
    assert_push!(client, "price_changed", {"article": 7, "cents": 99});
}
