//! Choosing adapters.

use nest_gateway::prelude::*;
#[cfg(all(feature = "native", feature = "socketio"))]
use nest_gateway::{AppBuilder, Native, Recovery, SocketIo};
#[cfg(all(feature = "native", feature = "socketio"))]
use std::time::Duration;

#[websocket_gateway(namespace = "/everywhere")]
struct EverywhereGateway {}

#[subscriptions]
impl EverywhereGateway {
    // ANCHOR: who
    #[subscribe_message("who")]
    async fn who(&self, client: ConnectedSocket) -> &'static str {
        client.adapter() // "native" or "socketio"
    }
    // ANCHOR_END: who

    // ANCHOR: compress
    #[subscribe_message("picture")]
    async fn picture(&self, client: ConnectedSocket, MessageBody(png): MessageBody<String>) {
        client.to("viewers").compress(false).emit("picture", &png);
    }
    // ANCHOR_END: compress
}

#[module(providers(EverywhereGateway))]
struct EverywhereModule;

// ANCHOR: choose
#[cfg(all(feature = "native", feature = "socketio"))]
fn chosen() -> AppBuilder {
    App::new::<EverywhereModule>()
        .adapter(Native::new().at("/ws").subprotocol("chat.v1"))
        .adapter(SocketIo::new().path("/realtime"))
}
// ANCHOR_END: choose

// ANCHOR: recovery
#[cfg(all(feature = "native", feature = "socketio"))]
fn recovering() -> AppBuilder {
    App::new::<EverywhereModule>()
        .adapter(Native::new().recovery(Duration::from_mins(2)))
        .adapter(SocketIo::new().recovery(Recovery::default().events(200)))
}
// ANCHOR_END: recovery

#[cfg(all(feature = "native", feature = "socketio"))]
#[tokio::test]
async fn a_lost_client_comes_back() {
    use nest_gateway_testkit::assert_reply;
    use nest_gateway_testkit::client::{Client, NativeConnector};

    let app = recovering().listen("127.0.0.1:0").await.expect("starts");
    let client = || Client::of(NativeConnector::new(app.local_addr())).namespace("/everywhere");
    let mut first = client().connect().await;
    first.round_trip().await;
    let session = first.former_session().expect("recovery is on");
    first.cut().await;
    let mut second = client().coming_back(session).connect().await;
    assert_reply!(second, "who" => "native");
    assert!(second.admitted().recovered);
}

#[cfg(all(feature = "native", feature = "socketio"))]
mod narrowed {
    use super::*;

    // ANCHOR: narrow
    #[websocket_gateway(namespace = "/admin", adapter = Native, port = 3001)]
    struct AdminGateway {}

    #[subscriptions]
    impl AdminGateway {}
    // ANCHOR_END: narrow

    #[module(providers(AdminGateway))]
    struct AdminModule;

    #[tokio::test]
    async fn a_gateway_of_one_adapter_is_not_on_the_other() {
        let app = App::new::<AdminModule>().build().await.expect("starts");
        let gateway = app.gateways().next().expect("one gateway");
        assert_eq!(gateway.adapters(), ["native"]);
        assert_eq!(gateway.port(), Some(3001));
    }
}

#[cfg(all(feature = "native", feature = "socketio"))]
#[tokio::test]
async fn both_adapters_serve_the_same_gateway() {
    use nest_gateway_testkit::assert_reply;
    use nest_gateway_testkit::client::{Client, NativeConnector};

    let app = chosen().listen("127.0.0.1:0").await.expect("starts");
    let native = NativeConnector::new(app.local_addr()).at("/ws");
    let mut client = Client::of(native).namespace("/everywhere").connect().await;
    assert_reply!(client, "who" => "native");
}
