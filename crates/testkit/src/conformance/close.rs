//! Ends of connections, and breaches of RFC 6455 (CONTRACT 11).

use std::time::Duration;

use serde_json::json;

use super::{Power, Stage, Subject};
use crate::assert_reply;
use crate::client::{Client, ClientFrame, Ending, Payload, RawConnection, opcode};

/// CONTRACT 1: `client.disconnect(..)`.
pub async fn a_client_that_the_server_disconnects_is_told(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("ret_unit", Payload::none()).await;
    client.emit("kick", Payload::none()).await;
    let seen = client.expect_close().await;
    assert!(seen.was_told(), "{seen:?}");
    stage.expect_code(&seen, 1000);
    if seen.by == Ending::CloseFrame {
        assert_eq!(seen.reason, "kicked");
    }
}

/// CONTRACT 11: what was queued before the close is delivered before it.
pub async fn what_was_emitted_before_a_disconnect_arrives(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("emit_and_kick", json!(200)).await;
    for i in 1..=200 {
        assert_eq!(client.expect_event("tick").await, json!(i));
    }
    assert!(client.expect_close().await.was_told());
}

/// CONTRACT 1: `client.close_connection(..)`, and the same of a selection.
pub async fn a_client_whose_connection_is_closed_is_told(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let mut client = stage.client().connect().await;
        client.emit("join", json!({"room": "r"})).await;
        client.round_trip().await;
        clients.push(client);
    }
    let mut other = stage.client().connect().await;
    clients[0].emit("close_connection", Payload::none()).await;
    expect_closed(&stage, &mut clients[0]).await;
    stage.until_clients(3).await;
    other.emit("close_room", json!("r")).await;
    for client in &mut clients[1..] {
        expect_closed(&stage, client).await;
    }
    other.expect_open().await;
}

async fn expect_closed(stage: &Stage, client: &mut Client) {
    let seen = client.expect_close().await;
    assert!(seen.was_told(), "{seen:?}");
    stage.expect_code(&seen, 1000);
    if seen.by == Ending::CloseFrame {
        assert_eq!(seen.reason, "closed");
    }
}

/// CONTRACT 1: `client.close_connection(..)` ends the connection's clients of
/// other namespaces too, and each of their `on_disconnect` runs once.
pub async fn closing_a_connection_ends_its_clients_of_all_namespaces(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let mut shared = client
        .join_namespace("/shared", None)
        .await
        .expect("let in");
    assert_reply!(shared, "from_first" => "first");
    stage.log().take();
    client.emit("close_connection", Payload::none()).await;
    for ended in [&mut client, &mut shared] {
        let seen = ended.expect_close().await;
        assert!(seen.was_told(), "{seen:?}");
    }
    let stats = stage.stats();
    stage.until("no client", || stats.clients() == 0).await;
    let mut log = stage.log().take();
    log.sort();
    assert_eq!(log.len(), 3, "{log:#?}");
    assert!(log[0].starts_with("disconnect "), "{log:#?}");
    assert!(log[0].contains(" by=Server"), "{log:#?}");
    assert_eq!(log[1..], ["first disconnected", "second disconnected"]);
}

/// CONTRACT 1: codes of the application's own.
pub async fn an_application_closes_with_a_code_of_its_own(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client
        .emit("kick_with", json!({"code": 4242, "reason": "because"}))
        .await;
    let seen = client.expect_close().await;
    assert_eq!((seen.code, seen.reason.as_str()), (4242, "because"));
}

/// CONTRACT 7: the typed reason has the client's code and text.
pub async fn the_disconnect_reason_has_the_clients_code_and_text(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.round_trip().await;
    stage.log().take();
    client.close(4001, "bye").await;
    let line = stage.log().until_prefix("disconnect").await;
    assert!(line.contains(" 4001 bye "), "{line}");
    let seen = client.expect_close().await;
    assert_eq!(seen.code, 4001, "the code is echoed");
}

/// CONTRACT 10 and 11: a peer that falls silent is noticed by the heartbeat, and
/// told, since it may hear.
pub async fn a_client_that_ignores_pings_is_dropped(subject: Subject) {
    let stage = Stage::with(&subject, |config| {
        config.ping_interval = Duration::from_millis(100);
        config.ping_timeout = Duration::from_millis(100);
    })
    .await;
    let mut alive = stage.client().connect().await;
    let mut silent = stage.client().connect().await;
    silent.round_trip().await;
    stage.log().take();
    silent.ignore_pings().await;
    stage.log().until_prefix("disconnect").await;
    let seen = silent.expect_close().await;
    if subject.can(Power::WebSocket) {
        assert_eq!((seen.code, seen.reason.as_str()), (1008, "ping timeout"));
    }
    // Five heartbeats of the other one have passed or pass now.
    assert_reply!(alive, "echo", 1 => 1);
}

/// CONTRACT 10: the life of a connection, off by default.
pub async fn a_connection_above_its_age_is_closed(subject: Subject) {
    let age = Duration::from_millis(500);
    let stage = Stage::with(&subject, |config| config.max_connection_age = Some(age)).await;
    let mut client = stage.client().connect().await;
    let seen = client.expect_close().await;
    assert!(seen.was_told(), "{seen:?}");
    stage.expect_code(&seen, 1001);
}

/// CONTRACT 11: RFC 6455 violations are answered with a close frame.
pub async fn a_breach_of_rfc_6455_is_answered_with_its_code(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut other = stage.client().connect().await;
    let close = |payload: &[u8]| ClientFrame::new(opcode::CLOSE, payload);
    let breaches = [
        (
            "rsv1 without an extension",
            ClientFrame::text("{}").rsv(0b100),
            1002,
        ),
        ("rsv3", ClientFrame::text("{}").rsv(0b001), 1002),
        ("no mask", ClientFrame::text("{}").unmasked(), 1002),
        ("opcode 3", ClientFrame::new(0x3, "x"), 1002),
        ("opcode 11", ClientFrame::new(0xb, "x"), 1002),
        (
            "a continuation of nothing",
            ClientFrame::continuation("x"),
            1002,
        ),
        (
            "a ping above 125 bytes",
            ClientFrame::ping(vec![0; 126]),
            1002,
        ),
        (
            "a ping in fragments",
            ClientFrame::ping("x").unfinished(),
            1002,
        ),
        ("a close payload of one byte", close(&[3]), 1002),
        ("close code 999", ClientFrame::close(999, ""), 1002),
        ("close code 1005", ClientFrame::close(1005, ""), 1002),
        ("close code 1006", ClientFrame::close(1006, ""), 1002),
        ("close code 2999", ClientFrame::close(2999, ""), 1002),
        (
            "a close text that is not utf-8",
            close(&[3, 232, 0xff]),
            1007,
        ),
        (
            "text that is not utf-8",
            ClientFrame::text(vec![b'"', 0xff, b'"']),
            1007,
        ),
        (
            "a length of 2^63",
            ClientFrame::text("x").declaring(1 << 63),
            1002,
        ),
        (
            "a length of 2^40",
            ClientFrame::text("x").declaring(1 << 40),
            1009,
        ),
    ];
    for (name, frame, code) in breaches {
        let mut raw = stage.raw().await;
        raw.send(&frame).await;
        let seen = raw.expect_close().await;
        assert_eq!(seen.code, code, "{name}: {seen:?}\n{}", raw.transcript());
    }
    assert_reply!(other, "echo", 1 => 1);
}

/// RFC 6455 section 5.4: a new message amid fragments.
pub async fn a_message_amid_fragments_is_1002(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut raw = stage.raw().await;
    raw.send(&ClientFrame::text("a").unfinished()).await;
    raw.send(&ClientFrame::text("b")).await;
    assert_eq!(raw.expect_close().await.code, 1002);
}

/// RFC 6455 section 5.5.2: pings are answered, amid fragments too.
pub async fn a_ping_is_answered_amid_fragments(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut raw = stage.raw().await;
    raw.send(&ClientFrame::text("{\"ev").unfinished()).await;
    raw.send(&ClientFrame::ping("now")).await;
    loop {
        let frame = raw.frame().await.expect("the connection is open");
        if frame.opcode == opcode::PONG {
            assert_eq!(frame.payload, "now");
            break;
        }
    }
}

/// RFC 6455 section 5.5.1: a close is answered by the same code, and the
/// server ends the TCP connection.
pub async fn a_close_is_echoed_and_the_server_ends_the_connection(subject: Subject) {
    let stage = Stage::start(&subject).await;
    for (frame, code) in [
        (ClientFrame::close(1000, "bye"), 1000),
        (ClientFrame::close(3999, ""), 3999),
        (ClientFrame::new(opcode::CLOSE, ""), 1005),
    ] {
        let mut raw = stage.raw().await;
        raw.send(&frame).await;
        let seen = raw.expect_close().await;
        assert_eq!((seen.code, seen.by), (code, Ending::CloseFrame));
    }
}

/// DESIGN 3.3: the close frame arrives even if the client goes on sending.
pub async fn the_close_frame_arrives_while_the_client_still_sends(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut raw = stage.raw().await;
    let mut bytes = ClientFrame::text("x").rsv(0b100).encode();
    bytes.extend(ClientFrame::binary(vec![0; 100_000]).encode());
    raw.write(&bytes).await;
    let seen = raw.expect_close().await;
    assert_eq!((seen.code, seen.by), (1002, Ending::CloseFrame));
}

/// RFC 6455 in pieces: every byte may come alone.
pub async fn frames_may_come_byte_by_byte(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut raw = stage.raw().await;
    for byte in ClientFrame::ping("slowly").encode() {
        raw.write(&[byte]).await;
    }
    loop {
        let frame = raw.frame().await.expect("the connection is open");
        if frame.opcode == opcode::PONG {
            assert_eq!(frame.payload, "slowly");
            return;
        }
    }
}

/// A request head that is too large, or in too many lines, is 431.
pub async fn a_request_head_that_is_too_large_is_431(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let large = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nx: {}\r\n\r\n",
        "y".repeat(20_000)
    );
    let lines: String = (0..120).map(|_| "x: y\r\n").collect();
    let many = format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    for head in [large, many] {
        let mut raw = RawConnection::open(stage.remote())
            .await
            .expect("a port is open");
        raw.write(head.as_bytes()).await;
        assert_eq!(raw.response().await.status, 431);
    }
}
