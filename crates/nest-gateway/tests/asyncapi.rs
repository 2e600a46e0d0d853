//! The AsyncAPI document of an application that listens.

use std::net::SocketAddr;

use nest_gateway::core::runtime::RuntimeBuilder;
use nest_gateway::prelude::*;
use nest_gateway::{Event, ListenError, Listening, Native};
use serde::Serialize;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

#[derive(Serialize, Event)]
#[event("said")]
struct Said(String);

#[websocket_gateway(namespace = "/chat", emits(Said))]
struct ChatGateway;

#[subscriptions]
impl ChatGateway {
    #[subscribe_message("say")]
    async fn say(&self, MessageBody(text): MessageBody<String>) -> usize {
        text.len()
    }
}

/// Its port is bound by nobody: the application is built and not started.
#[websocket_gateway(namespace = "/rooms/{id}", port = 4100)]
struct RoomGateway;

#[subscriptions]
impl RoomGateway {
    #[subscribe_message("leave")]
    async fn leave(&self) {}
}

#[module(providers(ChatGateway))]
struct ChatModule;

#[module(providers(ChatGateway, RoomGateway))]
struct TwoPorts;

// ANCHOR: publish
async fn start() -> Result<Listening, ListenError> {
    App::new::<ChatModule>()
        .publish_contract(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
        .listen("127.0.0.1:0")
        .await
}
// ANCHOR_END: publish

/// The head and the body of an answer. `nest-gateway call` asks like this.
async fn get(address: SocketAddr, path: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is heard");
    let mut response = String::new();
    stream
        .read_to_string(&mut response)
        .await
        .expect("the server closes after its answer");
    let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
    (head.to_ascii_lowercase(), body.to_owned())
}

#[tokio::test]
async fn the_document_is_served_as_json() {
    let listening = start().await.expect("it listens");
    let (head, body) = get(listening.local_addr(), "/asyncapi.json").await;
    assert!(head.contains(" 200 ok\r\n"), "{head}");
    assert!(
        head.contains("\r\ncontent-type: application/json"),
        "{head}"
    );

    let document: Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!(document["asyncapi"], "3.0.0");
    assert_eq!(document["info"]["title"], "nest-gateway");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["channels"]["chat"]["address"], "/chat");
    let messages = &document["channels"]["chat"]["messages"];
    assert_eq!(messages["say"]["payload"]["type"], "string");
    assert_eq!(messages["say.reply"]["payload"]["type"], "integer");
    assert_eq!(messages["said"]["name"], "said");
    let operations = &document["operations"];
    assert_eq!(operations["chat.receive.say"]["action"], "receive");
    assert_eq!(operations["chat.send.said"]["action"], "send");
    assert!(listening.shut_down().await);
}

#[tokio::test]
async fn nothing_is_served_unless_it_is_asked_for() {
    let app = App::new::<ChatModule>().listen("127.0.0.1:0").await;
    let listening = app.expect("it listens");
    let (head, _) = get(listening.local_addr(), "/asyncapi.json").await;
    assert!(!head.contains(" 200 ok"), "{head}");
    assert!(listening.shut_down().await);
}

#[tokio::test]
async fn the_routes_of_the_application_stay() {
    let routes = axum::Router::new().route("/health", axum::routing::get(|| async { "well" }));
    let app = App::new::<ChatModule>().routes(routes);
    let app = app.publish_contract("chat", "1.0.0").listen("127.0.0.1:0");
    let listening = app.await.expect("it listens");
    let (_, body) = get(listening.local_addr(), "/health").await;
    assert_eq!(body, "well");
    let (head, _) = get(listening.local_addr(), "/asyncapi.json").await;
    assert!(head.contains(" 200 ok"), "{head}");
    assert!(listening.shut_down().await);
}

#[tokio::test]
async fn gateways_on_other_ports_are_in_the_document_of_a_hosted_application_too() {
    let app = App::new::<TwoPorts>().publish_contract("rooms", "1.0.0");
    let app = app.build().await.expect("it starts");
    let stop = app.shutdown_handle();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let hosting = axum::serve(listener, app.into_router()).into_future();
    let server = tokio::spawn(hosting);

    let (_, body) = get(address, "/asyncapi.json").await;
    let document: Value = serde_json::from_str(&body).expect("JSON");
    let channels = document["channels"].as_object().expect("channels");
    let mut addresses: Vec<_> = channels.values().map(|c| &c["address"]).collect();
    addresses.sort_by_key(|address| address.as_str());
    assert_eq!(addresses, ["/chat", "/rooms/{id}"]);
    server.abort();
    assert!(stop.shut_down().await);
}

#[tokio::test]
async fn a_started_application_describes_itself_as_before_its_start() {
    let app = App::new::<TwoPorts>().adapter(Native::new());
    let started = app.build().await.expect("it starts");
    let builder = RuntimeBuilder::new::<TwoPorts>().adapter(Native::new());
    let before = builder.describe();
    let before = serde_json::to_value(before.expect("it fits together")).expect("JSON");
    let after = serde_json::to_value(started.runtime().description()).expect("JSON");
    assert_eq!(after, before);
    assert!(started.shutdown_handle().shut_down().await);
}
