//! The msgpack parser, seen as packets.

use std::time::Duration;

use nest_gateway::SocketIo;
use serde_json::{Value, json};

use crate::app::{TestApp, Wire};

async fn send(wire: &mut Wire, packet: &Value) {
    wire.binary(&rmp_serde::to_vec_named(packet).unwrap()).await;
}

async fn receive(wire: &mut Wire) -> Value {
    rmp_serde::from_slice(&wire.bytes().await).unwrap()
}

async fn join(app: &TestApp, auth: &Value) -> (Wire, Value) {
    let mut wire = app.connect().await;
    send(&mut wire, &json!({"type": 0, "nsp": "/", "data": auth})).await;
    let joined = receive(&mut wire).await;
    assert_eq!(joined["type"], 0, "{joined}");
    (wire, joined)
}

#[tokio::test]
async fn events_acks_and_refusals_are_maps() {
    let app = TestApp::with(SocketIo::new().msgpack(), |_| {}).await;
    let (mut wire, joined) = join(&app, &json!({})).await;
    assert!(joined["data"]["sid"].is_string());
    send(
        &mut wire,
        &json!({"type": 2, "nsp": "/", "data": ["echo", 1, {"a": "b"}]}),
    )
    .await;
    let echoed = json!({"type": 2, "nsp": "/", "data": ["echo", 1, {"a": "b"}]});
    assert_eq!(receive(&mut wire).await, echoed);
    send(
        &mut wire,
        &json!({"type": 2, "nsp": "/", "id": 5, "data": ["ack", "x"]}),
    )
    .await;
    let acked = json!({"type": 3, "nsp": "/", "id": 5, "data": ["x"]});
    assert_eq!(receive(&mut wire).await, acked);
    send(&mut wire, &json!({"type": 0, "nsp": "/nowhere"})).await;
    let refused = json!({"type": 4, "nsp": "/nowhere", "data": {"message": "Invalid namespace"}});
    assert_eq!(receive(&mut wire).await, refused);
    send(
        &mut wire,
        &json!({"type": 0, "nsp": "/guarded", "data": {"token": "bad"}}),
    )
    .await;
    let refused = receive(&mut wire).await;
    assert_eq!(refused["data"]["data"]["details"], json!({"try": "good"}));
    send(&mut wire, &json!({"type": 2, "nsp": "/", "data": ["kick"]})).await;
    assert_eq!(receive(&mut wire).await, json!({"type": 1, "nsp": "/"}));
}

#[tokio::test]
async fn a_client_with_the_other_parser_is_closed() {
    let app = TestApp::with(SocketIo::new().msgpack(), |_| {}).await;
    let mut wire = app.connect().await;
    wire.packet("0").await;
    assert_eq!(wire.closed().await, (1008, "parse error".to_owned()));
    let mut wire = app.connect().await;
    wire.binary(b"\x81\xa4type").await;
    assert_eq!(wire.closed().await, (1008, "parse error".to_owned()));
}

#[tokio::test]
async fn a_client_comes_back_and_gets_what_it_missed() {
    let adapter = SocketIo::new().msgpack().recovery(Duration::from_mins(1));
    let mut app = TestApp::with(adapter, |_| {}).await;
    let (mut wire, joined) = join(&app, &json!({})).await;
    send(
        &mut wire,
        &json!({"type": 2, "nsp": "/", "id": 0, "data": ["join", "r"]}),
    )
    .await;
    receive(&mut wire).await;
    send(&mut wire, &json!({"type": 2, "nsp": "/", "data": ["echo"]})).await;
    let offset = receive(&mut wire).await["data"][1].clone();
    assert_eq!(app.line().await, "connect recovered=false");
    wire.cut();
    assert_eq!(app.line().await, "disconnect transport close rooms=1");
    let (mut other, _) = join(&app, &json!({})).await;
    send(
        &mut other,
        &json!({"type": 2, "nsp": "/", "id": 1, "data": ["say", ["r", "missed"]]}),
    )
    .await;
    receive(&mut other).await;
    let auth = json!({"pid": joined["data"]["pid"], "offset": offset});
    let (mut wire, back) = join(&app, &auth).await;
    assert_eq!(back["data"]["sid"], joined["data"]["sid"]);
    assert_eq!(receive(&mut wire).await["data"][1], "missed");
}
