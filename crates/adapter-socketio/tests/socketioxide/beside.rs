//! Gateways beside what the application had.

use nest_gateway::App;
use nest_gateway_adapter_socketio::SocketIoxide;
use nest_gateway_testkit::client::{
    Client, NativeConnector, Payload, SocketIoConnector, Transport,
};
use nest_gateway_testkit::{assert_push, assert_reply, json};
use socketioxide::SocketIo;
use socketioxide::extract::{AckSender, Data, SocketRef};

use crate::app::{ChatModule, serve, serve_on};

/// A handler as socketioxide has them.
async fn own(socket: SocketRef) {
    socket.on("twice", async |Data::<i64>(n), ack: AckSender| {
        ack.send(&(n * 2)).expect("the client waits");
    });
}

#[tokio::test]
async fn the_handlers_of_the_application_go_on_working_on_the_same_connection() {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", own);
    let app = serve_on(layer, SocketIoxide::new(io), |_| {}).await;
    let mut own = app.client("/").connect().await;
    assert_reply!(own, "twice", 21 => 42);
    let mut gateway = own
        .join_namespace("/chat", None)
        .await
        .expect("it may join");
    assert_reply!(gateway, "echo", "hello" => "hello");
    assert_reply!(own, "twice", 4 => 8);
    gateway.leave().await;
    assert_reply!(own, "twice", 5 => 10);
}

#[tokio::test]
async fn a_namespace_that_is_taken_is_named_at_the_start() {
    let (_layer, io) = SocketIo::new_layer();
    io.ns("/chat", own);
    let app = App::new::<ChatModule>().adapter(SocketIoxide::new(io));
    let error = app
        .build()
        .await
        .expect_err("there are two of it")
        .to_string();
    assert!(
        error.contains("has a handler for namespace /chat already"),
        "{error}"
    );
}

#[tokio::test]
async fn a_pattern_that_is_taken_is_named_at_the_start() {
    let (_layer, io) = SocketIo::new_layer();
    io.dyn_ns("/room/{name}", own).expect("it is the first");
    let app = App::new::<ChatModule>().adapter(SocketIoxide::new(io));
    let error = app
        .build()
        .await
        .expect_err("there are two of it")
        .to_string();
    assert!(error.contains("namespace /room/{id}"), "{error}");
}

#[tokio::test]
async fn clients_of_all_wires_share_the_rooms() {
    let app = serve().await;
    let mut clients = vec![
        Client::of(NativeConnector::new(app.addr))
            .namespace("/chat")
            .connect()
            .await,
    ];
    for transport in [Transport::WebSocket, Transport::Polling, Transport::Upgrade] {
        let connector = SocketIoConnector::new(app.addr).transport(transport);
        clients.push(Client::of(connector).namespace("/chat").connect().await);
    }
    for sender in 0..clients.len() {
        clients[sender].emit("say", json!({"from": sender})).await;
        for client in &mut clients {
            assert_push!(client, "said", {"from": sender});
        }
    }
}

#[tokio::test]
async fn arguments_come_back_as_they_went() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    for args in [
        vec![],
        vec![json!(null)],
        vec![json!(1), json!("two"), json!({"three": [3.5, true]})],
        vec![json!([]), json!([[]])],
        vec![json!({"quo\"te": "back\\slash", "": "ü"})],
    ] {
        let reply = client.request("echo", Payload::args(args.clone())).await;
        assert_eq!(reply.args, args);
        client.emit("repeat", Payload::args(args.clone())).await;
        assert_eq!(client.event("repeated").await.args, args);
    }
    let big = r#"42["big",12345678901234567890123456789]"#;
    client
        .send_raw_text(big.replace("42[\"big\"", "42/chat,[\"repeat\""))
        .await;
    let event = client.event("repeated").await;
    assert!(
        event.raw.ends_with(",12345678901234567890123456789]"),
        "{}",
        event.raw
    );
}

#[tokio::test]
async fn binary_goes_both_ways_in_events_acks_and_answers() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    let payload = || {
        Payload::none()
            .with_binary(vec![0, 255])
            .with_binary(vec![])
    };
    let reply = client.request("echo", payload()).await;
    assert_eq!(reply.args, payload().as_args());
    assert_eq!(reply.attachments, [vec![0, 255], vec![]]);
    client.emit("repeat", payload()).await;
    assert_eq!(
        client.event("repeated").await.attachments,
        [vec![0, 255], vec![]]
    );

    let asked = client.ask("ask", Payload::none()).await;
    let question = client.expect_question("question").await;
    let answer = Payload::binary(vec![9, 8]);
    client.answer(&question, answer).await;
    assert_eq!(client.reply(&asked).await.attachments, [vec![9, 8]]);
}

#[tokio::test]
async fn guards_run_before_connect_is_answered() {
    let app = serve().await;
    let refused = app
        .client("/chat")
        .auth(json!({"token": "bad"}))
        .expect_refused()
        .await;
    assert_eq!(refused.message, "wrong token");
    let refused = app
        .client("/chat")
        .auth(json!({"token": "none"}))
        .expect_refused()
        .await;
    assert_eq!(refused.message, "Forbidden resource");
    // A refused client is in no room and counted nowhere.
    assert_eq!(app.stats.clients(), 0);
    let mut other = app
        .client("/chat")
        .auth(json!({"token": "good"}))
        .connect()
        .await;
    assert_reply!(other, "echo", 1 => 1);
}

#[tokio::test]
async fn the_address_of_a_client_comes_from_axum() {
    let app = serve().await;
    let mut client = app.client("/chat").connect().await;
    assert_reply!(client, "peer" => "127.0.0.1");
}

#[tokio::test]
async fn reasons_of_disconnects_have_the_words_of_socket_io() {
    let app = serve().await;
    let mut other = app.client("/chat").connect().await;
    let mut leaves = app.client("/chat").connect().await;
    leaves.round_trip().await;
    leaves.leave().await;
    assert_push!(other, "left", "client namespace disconnect");
    let mut closes = app.client("/chat").connect().await;
    closes.round_trip().await;
    closes.send_raw_text("1").await;
    assert_push!(other, "left", "transport close");
    let mut breaks = app.client("/chat").connect().await;
    breaks.round_trip().await;
    breaks.send_raw_text("4nonsense").await;
    assert_push!(other, "left", "parse error");
}

#[tokio::test]
async fn at_shutdown_a_client_leaves_the_namespace_and_keeps_its_connection() {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", own);
    let app = serve_on(layer, SocketIoxide::new(io), |_| {}).await;
    let mut own = app.client("/").connect().await;
    assert_reply!(own, "twice", 1 => 2);
    let mut gateway = own
        .join_namespace("/chat", None)
        .await
        .expect("it may join");
    let waiting = gateway.ask("wait", Payload::none()).await;
    while app.stats.running_handlers() == 0 {
        tokio::task::yield_now().await;
    }
    let down = {
        let shutdown = app.shutdown.clone();
        tokio::spawn(async move { shutdown.shut_down().await })
    };
    // Nobody else gets in, and what is in flight is answered.
    while app.client("/chat").try_connect().await.is_ok() {}
    app.gate.open();
    assert_eq!(gateway.reply(&waiting).await.exception(), None);
    assert!(gateway.expect_close().await.was_told());
    assert!(
        down.await.expect("it does not panic"),
        "every client goes in time"
    );
    assert_reply!(own, "twice", 3 => 6);
}

#[tokio::test]
async fn the_socket_io_can_be_closed_with_the_application() {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", own);
    let app = serve_on(layer, SocketIoxide::new(io).close_at_shutdown(), |_| {}).await;
    let mut own = app.client("/").connect().await;
    assert_reply!(own, "twice", 1 => 2);
    let mut gateway = app.client("/chat").connect().await;
    gateway.round_trip().await;
    assert!(app.shutdown.shut_down().await, "every client goes in time");
    for client in [&mut own, &mut gateway] {
        let seen = client.expect_close().await;
        // Not a DISCONNECT, after which the official client would stay away.
        assert_eq!(seen.by, nest_gateway_testkit::client::Ending::EngineClose);
    }
}

#[tokio::test]
async fn closing_a_connection_takes_it_out_of_the_applications_namespaces_too() {
    let (layer, io) = SocketIo::new_layer();
    io.ns("/", own);
    let app = serve_on(layer, SocketIoxide::new(io.clone()), |_| {}).await;
    let mut own = app.client("/").connect().await;
    assert_reply!(own, "twice", 1 => 2);
    let mut room = own
        .join_namespace("/room/7", None)
        .await
        .expect("it may join");
    assert_reply!(room, "where" => "7");
    let mut gateway = own
        .join_namespace("/chat", None)
        .await
        .expect("it may join");
    let mut other = app.client("/chat").connect().await;
    gateway.emit("close", Payload::none()).await;
    for client in [&mut own, &mut room, &mut gateway] {
        let seen = client.expect_close().await;
        assert_eq!(seen.by, nest_gateway_testkit::client::Ending::Disconnect);
    }
    assert_push!(other, "left", "server namespace disconnect");
    while app.stats.clients() > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(io.sockets().len(), 0, "it is out of / as well");
}
