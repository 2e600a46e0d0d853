//! What is bounded, and what happens there.

use std::time::Duration;

use nest_gateway_adapter_socketio::SocketIoxide;
use nest_gateway_testkit::client::{Client, NativeConnector, Payload};
use nest_gateway_testkit::{assert_push, assert_reply, json};
use socketioxide::SocketIo;

use crate::app::{Served, serve, serve_on};

async fn with_queue(messages: usize, bytes: usize) -> Served {
    let (layer, io) = SocketIo::new_layer();
    let adapter = SocketIoxide::new(io).queue(messages, bytes);
    serve_on(layer, adapter, |config| config.inbox_messages = 1).await
}

/// Sends what a held-up handler cannot take and expects to be disconnected for it.
async fn overflows(app: &Served, payload: &str, times: usize) {
    let mut other = app.client("/chat").connect().await;
    let mut fast = app.client("/chat").connect().await;
    fast.emit("wait", Payload::none()).await;
    for _ in 0..times {
        fast.emit("say", json!(payload)).await;
    }
    assert!(fast.expect_close().await.was_told());
    assert_eq!(app.stats.inbox_overflows(), 1);
    app.gate.open();
    assert_push!(other, "left", "server namespace disconnect");
    assert_reply!(other, "echo", 1 => 1);
}

#[tokio::test]
async fn a_client_that_sends_more_messages_than_may_wait_is_disconnected() {
    overflows(&with_queue(10, usize::MAX).await, "x", 30).await;
}

#[tokio::test]
async fn a_client_that_sends_more_bytes_than_may_wait_is_disconnected() {
    overflows(&with_queue(1000, 10_000).await, &"x".repeat(3_000), 8).await;
}

#[tokio::test]
async fn a_queue_of_nothing_is_refused_at_the_start() {
    let (_layer, io) = SocketIo::new_layer();
    let app = nest_gateway::App::new::<crate::app::ChatModule>();
    let error = app.adapter(SocketIoxide::new(io).queue(0, 1)).build().await;
    let error = error.expect_err("nothing could be received").to_string();
    assert!(error.contains("would refuse every message"), "{error}");
}

#[tokio::test]
async fn a_message_above_the_limit_is_an_exception_and_no_more() {
    let (layer, io) = SocketIo::new_layer();
    let app = serve_on(layer, SocketIoxide::new(io), |config| {
        config.max_message_bytes = 1_000;
    })
    .await;
    let mut client = app.client("/chat").connect().await;
    let reply = client.request("echo", json!("x".repeat(2_000))).await;
    let exception = reply.exception().expect("it is too large");
    assert_eq!(exception["message"], "Message is too large");
    assert_reply!(client, "echo", "small" => "small");
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_an_exception_and_no_more() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    client
        .send_raw_text(r#"451-/chat,["echo",{"_placeholder":true,"num":7}]"#)
        .await;
    client.send_raw_binary(vec![1]).await;
    let exception = client.expect_exception().await;
    assert_eq!(exception["code"], "malformed");
    // Without an attachment it is data of the client's own.
    let own = json!({"_placeholder": false, "num": 7});
    assert_reply!(client, "echo", own => own);
}

#[tokio::test]
async fn broken_json_costs_the_connection() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    client.send_raw_text(r#"42/chat,["echo",{]"#).await;
    assert!(client.expect_close().await.was_told());
}

#[tokio::test]
async fn a_packet_for_a_namespace_that_was_left_costs_the_connection() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    let mut room = client
        .join_namespace("/room/1", None)
        .await
        .expect("it may join");
    room.leave().await;
    client.send_raw_text(r#"42/room/1,["where"]"#).await;
    assert!(client.expect_close().await.was_told());
}

#[tokio::test]
async fn a_connection_is_in_so_many_namespaces_and_no_more() {
    let (layer, io) = SocketIo::new_layer();
    let app = serve_on(layer, SocketIoxide::new(io), |config| {
        config.max_namespaces_per_connection = 3;
    })
    .await;
    let first = app.client("/chat").connect().await;
    let mut joined = Vec::new();
    for n in 0..2 {
        joined.push(
            first
                .join_namespace(&format!("/room/{n}"), None)
                .await
                .expect("there is room"),
        );
    }
    let refused = first
        .join_namespace("/room/3", None)
        .await
        .expect_err("there is none");
    assert_eq!(refused.message, "Too many namespaces");
    let mut last = joined.pop().expect("there are two");
    assert_reply!(last, "where" => "1");
    last.leave().await;
    joined[0].request("where", Payload::none()).await;
    first
        .join_namespace("/room/3", None)
        .await
        .expect("one has left");
}

#[tokio::test]
async fn invented_paths_do_not_pile_up() {
    let (layer, io) = SocketIo::new_layer();
    let app = serve_on(layer, SocketIoxide::new(io.clone()), |_| {}).await;
    let mut stays = app.client("/room/stays").connect().await;
    let first = app.client("/chat").connect().await;
    for n in 0..400 {
        let mut room = first
            .join_namespace(&format!("/room/{n}"), None)
            .await
            .expect("there is room");
        room.leave().await;
        // Its place is free when the server has seen it leave.
        stays.request("where", Payload::none()).await;
    }
    while io.nsps().len() > 300 {
        tokio::task::yield_now().await;
    }
    assert_reply!(stays, "where" => "stays");
    // A path that was cleared away can be joined again.
    let mut again = app.client("/room/0").connect().await;
    assert_reply!(again, "where" => "0");
}

#[tokio::test]
async fn the_id_that_a_client_knows_is_not_the_one_that_gateways_show() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    let told = client.admitted().id.clone().expect("CONNECT has an id");
    let shown = client.request("id", Payload::none()).await.into_data();
    // socketioxide tells the id of the session, which nobody else may know.
    assert_ne!(shown, json!(told));
    let mut native = Client::of(NativeConnector::new(app.addr))
        .namespace("/chat")
        .connect()
        .await;
    native.round_trip().await;
}

#[tokio::test]
async fn nobody_comes_back_to_a_lost_session() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    client.round_trip().await;
    assert_eq!(client.admitted().recovery_key, None);
}

#[tokio::test]
async fn the_limit_of_polling_is_none_of_a_websocket() {
    let builder = SocketIo::builder().max_payload(1_000);
    let (layer, io) = builder.build_layer();
    let app = serve_on(layer, SocketIoxide::new(io), |_| {}).await;
    let mut client = app.client("/chat").connect().await;
    let large = "x".repeat(100_000);
    assert_reply!(client, "echo", large => large);
}

#[tokio::test]
async fn an_answer_with_escapes_in_its_keys_cannot_be_read() {
    let (layer, io) = SocketIo::new_layer();
    let app = serve_on(layer, SocketIoxide::new(io), |config| {
        config.ack_timeout = Duration::from_millis(300);
    })
    .await;
    let mut client = app.client("/chat").connect().await;
    for (answer, is_read) in [(json!({"plain": 1}), true), (json!({"quo\"te": 1}), false)] {
        let asked = client.ask("ask", Payload::none()).await;
        let question = client.expect_question("question").await;
        client.answer(&question, answer).await;
        let reply = client.reply(&asked).await;
        assert_eq!(reply.exception().is_none(), is_read, "{}", reply.raw);
    }
}
