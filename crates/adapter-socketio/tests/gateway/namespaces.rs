use std::time::Duration;

use nest_gateway::SocketIo;
use nest_gateway_testkit::client::http::post;
use serde_json::json;

use crate::app::{Poll, TestApp};

#[tokio::test]
async fn several_namespaces_share_a_connection_and_have_clients_of_their_own() {
    let app = TestApp::start().await;
    let mut wire = app.connect().await;
    wire.packet("0").await;
    let main = wire.json("40").await;
    wire.packet("0/custom,{\"token\":\"x\"}").await;
    let custom = wire.json("40/custom,").await;
    assert_ne!(main["sid"], custom["sid"]);
    assert_eq!(main.get("pid"), None, "recovery is off");
    wire.packet(r#"2/custom,["echo",1]"#).await;
    assert_eq!(wire.text().await, r#"42/custom,["echo",1]"#);
    wire.packet("1/custom,").await;
    wire.works().await;
}

#[tokio::test]
async fn the_public_id_is_not_the_engines() {
    let app = TestApp::start().await;
    let mut poll = Poll::open(&app).await;
    poll.post("40").await;
    let joined = poll.packet().await;
    let joined: serde_json::Value =
        serde_json::from_str(joined.strip_prefix("40").unwrap()).unwrap();
    let public = joined["sid"].as_str().unwrap();
    assert_ne!(public, poll.sid());
    let stolen = format!("/socket.io/?EIO=4&transport=polling&sid={public}");
    let answer = post(app.app.local_addr(), &stolen, b"42[\"echo\"]")
        .await
        .unwrap();
    assert_eq!(answer.json()["code"], 1, "a public id opens nothing");
}

#[tokio::test]
async fn a_refusal_has_the_message_and_data_of_its_reason() {
    let app = TestApp::start().await;
    let mut wire = app.connect().await;
    wire.packet("0/nowhere,").await;
    assert_eq!(
        wire.text().await,
        r#"44/nowhere,{"message":"Invalid namespace"}"#
    );
    wire.packet("0/guarded,").await;
    let refused = wire.json("44/guarded,").await;
    assert_eq!(
        refused,
        json!({"message": "Forbidden resource", "data": {"code": "forbidden"}})
    );
    wire.packet(r#"0/guarded,{"token":"bad"}"#).await;
    let refused = wire.json("44/guarded,").await;
    let data = json!({"code": "token", "details": {"try": "good"}});
    assert_eq!(refused, json!({"message": "wrong token", "data": data}));
    wire.packet(r#"0/guarded,{"token":"good"}"#).await;
    assert!(wire.json("40/guarded,").await["sid"].is_string());
}

#[tokio::test]
async fn a_connection_in_no_namespace_is_closed_in_the_end() {
    let adapter = SocketIo::new().connect_timeout(Duration::from_millis(50));
    let mut app = TestApp::with(adapter, |_| {}).await;
    let mut wire = app.connect().await;
    assert_eq!(wire.closed().await, (1000, "forced close".to_owned()));

    let mut wire = app.connect().await;
    wire.packet("0/nowhere,").await;
    assert!(wire.text().await.starts_with("44/nowhere,"));
    assert_eq!(wire.closed().await.1, "forced close");

    let mut wire = app.join().await;
    assert_eq!(app.line().await, "connect recovered=false");
    wire.packet("1").await;
    assert_eq!(
        app.line().await,
        "disconnect client namespace disconnect rooms=0"
    );
    assert_eq!(
        wire.closed().await.1,
        "forced close",
        "left its last namespace"
    );
}

#[tokio::test]
async fn guards_that_do_not_answer_are_a_refusal() {
    let adapter = SocketIo::new().connect_timeout(Duration::from_millis(50));
    let app = TestApp::with(adapter, |_| {}).await;
    let mut wire = app.join().await;
    wire.packet("0/slow,").await;
    // Nobody has to wait for them meanwhile.
    wire.works().await;
    assert_eq!(wire.text().await, r#"44/slow,{"message":"timeout"}"#);
    wire.works().await;
}

#[tokio::test]
async fn the_namespaces_of_a_connection_are_limited() {
    let limit = |config: &mut nest_gateway::Config| config.max_namespaces_per_connection = 1;
    let app = TestApp::with(SocketIo::new(), limit).await;
    let mut wire = app.join().await;
    wire.packet("0/custom,").await;
    assert_eq!(
        wire.text().await,
        r#"44/custom,{"message":"Too many namespaces"}"#
    );
    wire.packet("1").await;
    wire.packet("0/custom,").await;
    assert!(wire.text().await.starts_with("40/custom,"));
}

#[tokio::test]
async fn what_a_client_sends_before_it_hears_that_it_is_out_is_passed_over() {
    let mut app = TestApp::start().await;
    let mut wire = app.join().await;
    assert_eq!(app.line().await, "connect recovered=false");
    wire.packet("0/custom,").await;
    assert!(wire.text().await.starts_with("40/custom,"));
    wire.packet(r#"2["kick"]"#).await;
    assert_eq!(wire.text().await, "41");
    assert_eq!(
        app.line().await,
        "disconnect server namespace disconnect rooms=0"
    );
    wire.packet(r#"2["echo","late"]"#).await;
    wire.packet("30[1]").await;
    wire.packet(r#"2/custom,["echo","other"]"#).await;
    assert_eq!(wire.text().await, r#"42/custom,["echo","other"]"#);
    wire.packet("0").await;
    assert!(wire.text().await.starts_with("40{"), "it may come back");
    wire.works().await;
}

#[tokio::test]
async fn closing_a_connection_tells_each_namespace_and_then_closes_the_websocket() {
    let mut app = TestApp::start().await;
    let mut wire = app.join().await;
    assert_eq!(app.line().await, "connect recovered=false");
    wire.packet("0/custom,").await;
    assert!(wire.text().await.starts_with("40/custom,"));
    // Whose guards are still being asked.
    wire.packet("0/slow,").await;
    wire.packet(r#"2["close"]"#).await;
    assert_eq!(wire.text().await, "41");
    assert_eq!(wire.text().await, "41/custom,");
    assert_eq!(wire.closed().await, (1000, "forced close".to_owned()));
    assert_eq!(
        app.line().await,
        "disconnect server namespace disconnect rooms=0"
    );
    app.has_clients(0).await;
}

#[tokio::test]
async fn closing_a_connection_that_polls_ends_with_a_close_packet() {
    let app = TestApp::start().await;
    let mut poll = Poll::open(&app).await;
    poll.post("40\u{1e}40/custom,").await;
    for joined in ["40{", "40/custom,{"] {
        assert!(poll.packet().await.starts_with(joined));
    }
    poll.post(r#"42["close"]"#).await;
    for told in ["41", "41/custom,", "1"] {
        assert_eq!(poll.packet().await, told);
    }
    assert_eq!(poll.refused().await, "Session ID unknown");
    app.has_clients(0).await;
}

#[tokio::test]
async fn nothing_but_what_was_asked_for_comes_in_the_first_100_ms() {
    let app = TestApp::start().await;
    let quiet_until = tokio::time::Instant::now() + Duration::from_millis(100);
    let mut wire = app.join().await;
    wire.packet(r#"20["ack",1]"#).await;
    assert_eq!(wire.text().await, "430[1]");
    let mut poll = Poll::open(&app).await;
    poll.post("40").await;
    assert!(poll.packet().await.starts_with("40{"));
    poll.post(r#"420["ack",2]"#).await;
    assert_eq!(poll.packet().await, "430[2]");
    // A heartbeat or a noop that comes early would confuse clients that count packets.
    let more = async {
        tokio::select! {
            text = wire.text() => text,
            packet = poll.packet() => packet,
        }
    };
    let more = tokio::time::timeout_at(quiet_until, more).await;
    assert!(more.is_err(), "{more:?}");
}
