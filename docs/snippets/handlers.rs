//! What handlers take and return.

use futures_util::Stream;
use nest_gateway::prelude::*;
use nest_gateway::{Binary, EventName, Headers, MessageArgs, Path, Query, RawBody};
use nest_gateway_testkit::{TestApp, assert_reply};
use serde::Deserialize;

#[derive(Deserialize)]
struct Page {
    page: u32,
}

#[websocket_gateway(namespace = "/shelf/{id}")]
struct ShelfGateway {}

#[subscriptions]
impl ShelfGateway {
    // ANCHOR: takes
    #[subscribe_message("handshake")]
    async fn handshake(
        &self,
        // `{id}` of the namespace.
        Path(id): Path<u32>,
        // `?page=2` of the URL with which the client connected.
        Query(query): Query<Page>,
        headers: Headers,
    ) -> String {
        let agent = headers.get("user-agent").unwrap_or("?");
        format!("{id} {} {agent}", query.page)
    }

    #[subscribe_message("message")]
    async fn message(
        &self,
        // One field of the body.
        #[body("title")] MessageBody(title): MessageBody<String>,
        EventName(event): EventName,
        // The client, a value of its own, the server of this namespace.
        client: ConnectedSocket,
        seen: State<u32>,
        server: Server,
        // Fires when the client leaves or cancels.
        cancelled: CancellationToken,
    ) -> String {
        seen.with(|seen| *seen += 1);
        assert!(client.is_connected() && !cancelled.is_cancelled());
        let clients = server.sockets().len();
        format!("{event} {title} {} {clients}", seen.get())
    }
    // ANCHOR_END: takes

    // ANCHOR: bodies
    /// The whole body as it came, without decoding it.
    #[subscribe_message("echo")]
    async fn echo(&self, body: RawBody) -> RawBody {
        body
    }

    /// All arguments of a Socket.IO event; on the native wire, an array.
    #[subscribe_message("add")]
    async fn add(&self, MessageArgs((a, b)): MessageArgs<(i64, i64)>) -> i64 {
        a + b
    }

    /// A native binary frame without an envelope.
    #[subscribe_binary]
    async fn upload(&self, Binary(bytes): Binary) -> WsResponse<usize> {
        WsResponse::new("uploaded", bytes.len())
    }
    // ANCHOR_END: bodies

    // ANCHOR: returns
    #[subscribe_message("nothing")]
    async fn nothing(&self) {}

    #[subscribe_message("maybe")]
    async fn maybe(&self, MessageBody(yes): MessageBody<bool>) -> Option<&'static str> {
        yes.then_some("here you are")
    }

    #[subscribe_message("elsewhere")]
    async fn elsewhere(&self) -> WsResponse<u32> {
        WsResponse::new("answer", 42)
    }

    #[subscribe_message("stream")]
    async fn stream(&self) -> impl Stream<Item = u32> {
        futures_util::stream::iter([1, 2, 3])
    }
    // ANCHOR_END: returns

    // ANCHOR: concurrent
    #[subscribe_message("slow", concurrent)]
    async fn slow(&self, MessageBody(millis): MessageBody<u64>) -> u64 {
        tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
        millis
    }
    // ANCHOR_END: concurrent
}

// ANCHOR: any
#[websocket_gateway(namespace = "/relay")]
struct RelayGateway {}

#[subscriptions]
impl RelayGateway {
    #[subscribe_any]
    async fn relay(&self, EventName(event): EventName, body: RawBody, client: ConnectedSocket) {
        client.broadcast().emit(&event, &body.0);
    }
}
// ANCHOR_END: any

#[module(providers(RelayGateway))]
struct RelayModule;

#[tokio::test]
async fn events_that_nobody_subscribed_to_are_relayed() {
    let app = TestApp::new::<RelayModule>().start().await;
    let mut ada = app.client("/relay").connect().await;
    let mut grace = app.client("/relay").connect().await;
    grace.round_trip().await;
    ada.emit("whatever", 7).await;
    assert_eq!(grace.expect_event("whatever").await, 7);
}

#[module(providers(ShelfGateway))]
struct ShelfModule;

#[tokio::test]
async fn extractors_and_replies() {
    let app = TestApp::new::<ShelfModule>().start().await;
    let client = app
        .client("/shelf/7")
        .query("page", "2")
        .header("user-agent", "book");
    let mut client = client.connect().await;
    assert_reply!(client, "handshake" => "7 2 book");
    assert_reply!(client, "message", {"title": "Dune"} => "message Dune 1 1");
    assert_reply!(client, "echo", {"any": ["thing"]} => {"any": ["thing"]});
    assert_reply!(client, "add", [2, 3] => 5);
    assert!(!client.request("nothing", 1).await.has_data());
    assert!(!client.request("maybe", false).await.has_data());
    assert_eq!(
        client.request("elsewhere", 1).await.event.as_deref(),
        Some("answer")
    );
    let stream = client.stream("stream", 1).await;
    assert_eq!(stream.values(), [1, 2, 3]);
    let slow = client.ask("slow", 30).await;
    assert_reply!(client, "echo", 1 => 1);
    assert_eq!(client.reply(&slow).await.data(), 30);
    client.send_raw_binary(vec![1, 2, 3]).await;
    assert_eq!(client.expect_event("uploaded").await, 3);
}
