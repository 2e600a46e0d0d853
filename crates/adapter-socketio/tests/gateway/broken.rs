use nest_gateway_testkit::client::ClientFrame;

use crate::app::{TestApp, Wire};

/// The bystander gets its echo, and nothing is left of whoever misbehaved.
async fn undisturbed(app: &TestApp, other: &mut Wire) {
    other.works().await;
    app.has_clients(1).await;
    let stats = app.app.runtime().stats();
    assert_eq!((stats.running_handlers(), stats.streams()), (0, 0));
}

/// Packets that end their connection with 1008 "parse error", as Node's server ends it.
const BROKEN: [&str; 37] = [
    "",
    "9",
    "abc",
    "é",
    "-1",
    "4{\"message\":\"x\"}",
    "0[]",
    "0null",
    "0\"token\"",
    "0{",
    "0{\"a\":1}x",
    "07",
    "1{}",
    "1[]",
    "2",
    "2{}",
    "2[]",
    "2[5]",
    "2[null]",
    "2[{\"event\":\"e\"}]",
    "2[\"e\"",
    "2[\"e\",]",
    "2[\"e\"]x",
    "2abc[\"e\"]",
    "2-1[\"e\"]",
    "299999999999999999999999[\"e\"]",
    "3[]",
    "3abc[]",
    "30{}",
    "5[\"e\"]",
    "5-[\"e\"]",
    "50-[\"e\"]",
    "511-[\"e\"]",
    "51-[\"e\",{\"_placeholder\":true,\"num\":1}]",
    "51-[\"e\",{\"_placeholder\":true,\"num\":\"0\"}]",
    "51-[\"e\",{\"_placeholder\":true}]",
    "61-[]",
];

#[tokio::test]
async fn a_broken_packet_ends_its_connection_only() {
    let app = TestApp::start().await;
    let mut other = app.join().await;
    for packet in BROKEN {
        let mut wire = app.join().await;
        wire.packet(packet).await;
        assert_eq!(
            wire.closed().await,
            (1008, "parse error".to_owned()),
            "{packet}"
        );
        undisturbed(&app, &mut other).await;
    }
}

#[tokio::test]
async fn binary_that_no_packet_announced_ends_its_connection() {
    let app = TestApp::start().await;
    let mut other = app.join().await;
    let mut wire = app.join().await;
    wire.binary(b"surprise").await;
    assert_eq!(wire.closed().await.1, "parse error");
    undisturbed(&app, &mut other).await;

    let mut wire = app.join().await;
    wire.packet(r#"51-["echo",{"_placeholder":true,"num":0}]"#)
        .await;
    wire.packet(r#"2["echo"]"#).await;
    assert_eq!(wire.closed().await.1, "parse error");
    undisturbed(&app, &mut other).await;

    // Before it has joined anything.
    let mut wire = app.connect().await;
    wire.binary(b"").await;
    assert_eq!(wire.closed().await.1, "parse error");
    undisturbed(&app, &mut other).await;
}

#[tokio::test]
async fn more_than_a_packet_may_have_ends_its_connection() {
    let limits = |config: &mut nest_gateway::Config| config.max_message_bytes = 10_000;
    let app = TestApp::with(nest_gateway::SocketIo::new().max_attachments(2), limits).await;
    let mut other = app.join().await;
    for packet in [
        r#"53-["echo",{"_placeholder":true,"num":0}]"#,
        r#"599999999999999999999-["echo"]"#,
        r#"518446744073709551616-["echo"]"#,
        r#"52-["echo",{"_placeholder":true,"num":2}]"#,
        r#"52-["echo",{"_placeholder":true,"num":-1}]"#,
        r#"52-["echo",{"_placeholder":true,"num":0.5}]"#,
    ] {
        let mut wire = app.join().await;
        wire.packet(packet).await;
        assert_eq!(wire.closed().await.1, "parse error", "{packet}");
        undisturbed(&app, &mut other).await;
    }
    let mut wire = app.join().await;
    wire.packet(&format!(r#"2["echo","{}"]"#, "x".repeat(10_000)))
        .await;
    assert_eq!(wire.closed().await.0, 1009);
    undisturbed(&app, &mut other).await;
}

#[tokio::test]
async fn a_broken_frame_ends_its_connection_only() {
    let app = TestApp::start().await;
    let mut other = app.join().await;
    for (frame, code) in [
        (ClientFrame::text("42[\"echo\"]").unmasked(), 1002),
        (ClientFrame::text("42[\"echo\"]").rsv(0b100), 1002),
        (ClientFrame::new(0xb, ""), 1002),
        (ClientFrame::continuation("x"), 1002),
        (ClientFrame::ping(vec![0; 126]), 1002),
        (ClientFrame::text(b"42[\"\xff\"]".to_vec()), 1007),
        (ClientFrame::binary("").declaring(1_000_001), 1009),
    ] {
        let mut wire = app.join().await;
        wire.frame(&frame).await;
        assert_eq!(wire.closed().await.0, code, "{frame}");
        undisturbed(&app, &mut other).await;
    }
}

#[tokio::test]
async fn deeply_nested_json_is_refused_and_harms_nobody() {
    let app = TestApp::start().await;
    let mut other = app.join().await;
    let mut wire = app.join().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    wire.packet(&format!(r#"51-["echo",{deep}]"#)).await;
    assert_eq!(wire.closed().await.1, "parse error");
    undisturbed(&app, &mut other).await;
    // Without attachments nobody has to look inside: it goes back as it came.
    let mut wire = app.join().await;
    wire.packet(&format!(r#"2["echo",{deep}]"#)).await;
    assert_eq!(wire.text().await, format!(r#"42["echo",{deep}]"#));
}

#[tokio::test]
async fn talking_in_a_namespace_that_was_not_joined_ends_the_connection() {
    let app = TestApp::start().await;
    let mut other = app.join().await;
    for packet in [
        r#"2/custom,["echo"]"#,
        "1/custom,",
        "3/custom,0[]",
        r#"2/nowhere,["echo"]"#,
    ] {
        let mut wire = app.join().await;
        wire.packet(packet).await;
        assert_eq!(
            wire.closed().await,
            (1000, "forced close".to_owned()),
            "{packet}"
        );
        undisturbed(&app, &mut other).await;
    }
    let mut wire = app.join().await;
    wire.packet("0").await;
    assert_eq!(wire.closed().await.1, "forced close", "joining twice");
    undisturbed(&app, &mut other).await;
}

#[tokio::test]
async fn reserved_and_unknown_events_are_answered_and_nothing_more() {
    let app = TestApp::start().await;
    let mut wire = app.join().await;
    for event in [
        "connect",
        "disconnecting",
        "newListener",
        "exception",
        "__proto__",
        "",
    ] {
        wire.packet(&format!(r#"27["{event}"]"#)).await;
        let answer = wire.json("437").await;
        assert_eq!(answer[0]["code"], "unknown_event", "{event}");
    }
    wire.works().await;
}

#[tokio::test]
async fn an_answer_that_nobody_waits_for_is_passed_over() {
    let app = TestApp::start().await;
    let mut wire = app.join().await;
    wire.packet("3999[1]").await;
    wire.packet("61-998[{\"_placeholder\":true,\"num\":0}]")
        .await;
    wire.binary(b"x").await;
    wire.works().await;
}
