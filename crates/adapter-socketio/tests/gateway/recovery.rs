use std::sync::atomic::Ordering;
use std::time::Duration;

use nest_gateway::{Recovery, SocketIo};
use serde_json::{Value, json};

use crate::app::{TestApp, Wire};

async fn start() -> TestApp {
    TestApp::with(SocketIo::new().recovery(Duration::from_mins(1)), |_| {}).await
}

/// What a client has to know to come back.
struct Memory {
    sid: Value,
    pid: String,
    offset: String,
}

/// Joins, is in room `r`, and knows an offset.
async fn memorable(app: &mut TestApp) -> (Wire, Memory) {
    let mut wire = app.connect().await;
    wire.packet("0").await;
    let joined = wire.json("40").await;
    assert_eq!(app.line().await, "connect recovered=false");
    wire.packet(r#"20["join","r"]"#).await;
    assert_eq!(wire.text().await, "430[]");
    wire.packet(r#"2["echo"]"#).await;
    let echoed = wire.json("42").await;
    let memory = Memory {
        sid: joined["sid"].clone(),
        pid: joined["pid"].as_str().expect("recovery is on").to_owned(),
        offset: echoed[1].as_str().expect("an offset").to_owned(),
    };
    (wire, memory)
}

async fn come_back(app: &TestApp, memory: &Memory) -> (Wire, Value) {
    let mut wire = app.connect().await;
    let auth = json!({"pid": memory.pid, "offset": memory.offset});
    wire.packet(&format!("0{auth}")).await;
    let joined = wire.json("40").await;
    (wire, joined)
}

async fn lose(app: &mut TestApp, wire: Wire) {
    wire.cut();
    assert_eq!(app.line().await, "disconnect transport close rooms=1");
}

#[tokio::test]
async fn a_client_comes_back_with_its_id_rooms_and_missed_events() {
    let mut app = start().await;
    let (wire, memory) = memorable(&mut app).await;
    let mut other = app.join().await;
    assert_eq!(app.line().await, "connect recovered=false");
    lose(&mut app, wire).await;
    for i in 1..=3 {
        other.packet(&format!(r#"2{i}["say",["r",{i}]]"#)).await;
        assert_eq!(other.text().await, format!("43{i}[]"));
    }

    let (mut wire, joined) = come_back(&app, &memory).await;
    assert_eq!(joined["sid"], memory.sid);
    assert_eq!(joined["pid"], json!(memory.pid));
    assert_eq!(app.line().await, "connect recovered=true");
    for i in 1..=3 {
        let said = wire.json("42").await;
        assert_eq!((&said[0], &said[1]), (&json!("said"), &json!(i)));
    }
    other.packet(r#"2["say",["r","now"]]"#).await;
    assert_eq!(wire.json("42").await[1], "now", "it is in its room again");
    wire.works().await;
}

#[tokio::test]
async fn missed_binaries_come_whole_and_volatile_events_not_at_all() {
    let mut app = start().await;
    let (wire, memory) = memorable(&mut app).await;
    let mut other = app.join().await;
    app.line().await;
    lose(&mut app, wire).await;
    other.packet(r#"2["whisper","r"]"#).await;
    other.packet(r#"27["send_bytes","r"]"#).await;
    assert_eq!(other.text().await, "437[]");
    let (mut wire, _) = come_back(&app, &memory).await;
    assert_eq!(wire.json("451-").await[0], "bytes");
    assert_eq!(wire.bytes().await, b"bytes");
    wire.works().await;
}

#[tokio::test]
async fn a_client_may_come_back_more_than_once() {
    let mut app = start().await;
    let (wire, mut memory) = memorable(&mut app).await;
    lose(&mut app, wire).await;
    for _ in 0..3 {
        let (mut wire, joined) = come_back(&app, &memory).await;
        assert_eq!(joined["sid"], memory.sid);
        assert_eq!(app.line().await, "connect recovered=true");
        wire.packet(r#"2["echo"]"#).await;
        memory.offset = wire.json("42").await[1].as_str().unwrap().to_owned();
        lose(&mut app, wire).await;
    }
}

#[tokio::test]
async fn a_client_that_notices_the_loss_first_takes_its_place_over() {
    let mut app = start().await;
    let (mut stale, memory) = memorable(&mut app).await;
    let (mut wire, joined) = come_back(&app, &memory).await;
    assert_eq!(joined["sid"], memory.sid);
    assert_eq!(app.line().await, "disconnect transport close rooms=1");
    assert_eq!(app.line().await, "connect recovered=true");
    assert_eq!(stale.closed().await.1, "transport close");
    wire.works().await;
}

#[tokio::test]
async fn whoever_cannot_prove_who_it_was_begins_anew() {
    let mut app = start().await;
    let (wire, memory) = memorable(&mut app).await;
    lose(&mut app, wire).await;
    let other = Memory {
        pid: "A".repeat(24),
        offset: memory.offset.clone(),
        sid: memory.sid.clone(),
    };
    // Kept, so that nobody else disconnects meanwhile.
    let (wire, joined) = come_back(&app, &other).await;
    let mut kept = vec![wire];
    assert_ne!(joined["sid"], memory.sid);
    assert_ne!(
        joined["pid"],
        json!(other.pid),
        "an id of the client's choice is not taken"
    );
    assert_eq!(app.line().await, "connect recovered=false");
    for auth in [
        r#"{"pid":7,"offset":"x"}"#,
        r#"{"pid":"x"}"#,
        r#"{"offset":[]}"#,
        "{}",
    ] {
        let mut wire = app.connect().await;
        wire.packet(&format!("0{auth}")).await;
        assert!(wire.json("40").await["sid"].is_string(), "{auth}");
        kept.push(wire);
        assert_eq!(app.line().await, "connect recovered=false", "{auth}");
    }
}

#[tokio::test]
async fn an_offset_that_is_not_known_begins_anew_and_ends_the_former_life() {
    let mut app = start().await;
    let (wire, memory) = memorable(&mut app).await;
    lose(&mut app, wire).await;
    let wrong = Memory {
        offset: "f".repeat(16),
        pid: memory.pid.clone(),
        sid: Value::Null,
    };
    let (_, joined) = come_back(&app, &wrong).await;
    assert_ne!(joined["sid"], memory.sid);
    let (_, joined) = come_back(&app, &memory).await;
    assert_ne!(joined["sid"], memory.sid);
}

#[tokio::test]
async fn a_client_that_missed_too_much_begins_anew() {
    let adapter = SocketIo::new().recovery(Recovery::default().events(2));
    let mut app = TestApp::with(adapter, |_| {}).await;
    let (wire, memory) = memorable(&mut app).await;
    let mut other = app.join().await;
    app.line().await;
    lose(&mut app, wire).await;
    for i in 0..3 {
        other.packet(&format!(r#"21["say",["r",{i}]]"#)).await;
        assert_eq!(other.text().await, "431[]");
    }
    let (_, joined) = come_back(&app, &memory).await;
    assert_ne!(joined["sid"], memory.sid);
    assert_eq!(app.line().await, "connect recovered=false");
}

#[tokio::test]
async fn after_the_window_a_client_begins_anew_and_is_out_of_its_rooms() {
    let adapter = SocketIo::new().recovery(Duration::from_millis(30));
    let mut app = TestApp::with(adapter, |_| {}).await;
    let (wire, memory) = memorable(&mut app).await;
    lose(&mut app, wire).await;
    tokio::time::sleep(Duration::from_millis(40)).await;
    let (_, joined) = come_back(&app, &memory).await;
    assert_ne!(joined["sid"], memory.sid);
    assert_eq!(app.line().await, "connect recovered=false");
}

#[tokio::test]
async fn a_client_that_left_on_purpose_begins_anew() {
    let mut app = start().await;
    // Kept, so that nobody else disconnects meanwhile.
    let mut kept = Vec::new();
    for farewell in ["1", r#"2["kick"]"#] {
        let (mut wire, memory) = memorable(&mut app).await;
        wire.packet(farewell).await;
        assert!(app.line().await.contains("namespace disconnect"));
        kept.push(wire);
        let (wire, joined) = come_back(&app, &memory).await;
        kept.push(wire);
        assert_ne!(joined["sid"], memory.sid, "{farewell}");
        assert_eq!(app.line().await, "connect recovered=false");
    }
}

#[tokio::test]
async fn guards_are_asked_again_about_a_client_that_comes_back() {
    let app = start().await;
    let mut wire = app.connect().await;
    wire.packet(r#"0/guarded,{"token":"good"}"#).await;
    let joined = wire.json("40/guarded,").await;
    wire.packet(r#"2/guarded,["hi"]"#).await;
    let offset = wire.json("42/guarded,").await[1].clone();
    assert_eq!(app.asked.load(Ordering::SeqCst), 1);

    let mut wire = app.connect().await;
    let auth = json!({"pid": joined["pid"], "offset": offset, "token": "bad"});
    wire.packet(&format!("0/guarded,{auth}")).await;
    assert_eq!(wire.json("44/guarded,").await["message"], "wrong token");
    assert_eq!(app.asked.load(Ordering::SeqCst), 2);
    let auth = json!({"pid": joined["pid"], "offset": offset, "token": "good"});
    wire.packet(&format!("0/guarded,{auth}")).await;
    assert_eq!(wire.json("40/guarded,").await["sid"], joined["sid"]);
    assert_eq!(app.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_private_id_opens_only_the_namespace_that_it_belongs_to() {
    let mut app = start().await;
    let (wire, memory) = memorable(&mut app).await;
    lose(&mut app, wire).await;
    let mut wire = app.connect().await;
    let auth = json!({"pid": memory.pid, "offset": memory.offset});
    wire.packet(&format!("0/custom,{auth}")).await;
    assert_ne!(wire.json("40/custom,").await["sid"], memory.sid);
}
