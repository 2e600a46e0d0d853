use nest_gateway_adapter_socketio::engine::{CloseReason, EngineConfig};
use nest_gateway_testkit::client::http::send as request;
use nest_gateway_testkit::client::{ClientFrame, RawConnection};

use crate::server::{EchoServer, closed, text};

fn small() -> EngineConfig {
    let mut config = EngineConfig::default();
    config.max_payload = 1000;
    config.max_packets = 4;
    config
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_the_session_stays() {
    let server = EchoServer::start(small()).await;
    let query = server.open().await;
    assert_eq!(server.post(&query, [b'4'; 1001]).await.status, 413);
    assert_eq!(server.post(&query, [b'4'; 1000]).await.status, 200);
    assert_eq!(server.get(&query).await.body.len(), 1000);
}

#[tokio::test]
async fn a_body_without_a_length_is_limited_as_well() {
    let server = EchoServer::start(small()).await;
    let query = server.open().await;
    let mut post = RawConnection::open(server.addr).await.unwrap();
    let chunk = "a".repeat(600);
    let body = format!("258\r\n{chunk}\r\n258\r\n{chunk}\r\n0\r\n\r\n");
    let head = format!(
        "POST /engine.io/?{query} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    post.write(head.as_bytes()).await;
    post.write(body.as_bytes()).await;
    assert_eq!(post.response().await.status, 413);
}

#[tokio::test]
async fn a_message_over_the_limit_closes_a_websocket_with_1009() {
    let mut server = EchoServer::start(small()).await;
    let mut socket = server.websocket("EIO=4&transport=websocket").await;
    socket.send(&ClientFrame::text(vec![b'4'; 1001])).await;
    assert_eq!(closed(&mut socket).await.0, 1009);
    assert_eq!(server.ended().await, CloseReason::TransportError);
}

#[tokio::test]
async fn the_limit_also_holds_for_an_upgraded_session() {
    let server = EchoServer::start(small()).await;
    let query = server.open().await;
    let mut socket = server.websocket(&crate::server::upgrade_of(&query)).await;
    crate::server::send(&mut socket, "2probe").await;
    assert_eq!(text(&mut socket).await, "3probe");
    crate::server::send(&mut socket, "5").await;
    socket.send(&ClientFrame::binary(vec![0; 1001])).await;
    assert_eq!(closed(&mut socket).await.0, 1009);
}

#[tokio::test]
async fn a_body_with_too_many_packets_ends_the_session() {
    let mut server = EchoServer::start(small()).await;
    let query = server.open().await;
    assert_eq!(
        server
            .post(&query, "4\u{1e}4\u{1e}4\u{1e}4\u{1e}4")
            .await
            .status,
        400
    );
    assert_eq!(server.ended().await, CloseReason::ParseError);
    assert_eq!(server.get(&query).await.status, 400);
}

#[tokio::test]
async fn sessions_beyond_the_cap_are_answered_503() {
    let mut config = EngineConfig::default();
    config.max_sessions = Some(1);
    let server = EchoServer::start(config).await;
    let query = server.open().await;
    let refused = server.get("EIO=4&transport=polling").await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("1"))
    );
    let path = "/engine.io/?EIO=4&transport=websocket";
    let refused = RawConnection::upgrade(server.addr, path, &[])
        .await
        .unwrap_err();
    assert_eq!(refused.status, Some(503));
    assert_eq!(server.post(&query, "1").await.status, 200);
    server.engine.drained().await;
    server.open().await;
}

#[tokio::test]
async fn a_transport_that_is_not_offered_is_unknown() {
    let mut config = EngineConfig::default();
    config.polling = false;
    config.cookie = Some("io".to_owned());
    let server = EchoServer::start(config).await;
    let refused = server.get("EIO=4&transport=polling").await;
    assert_eq!(
        refused.text(),
        r#"{"code":0,"message":"Transport unknown"}"#
    );
    server.websocket("EIO=4&transport=websocket").await;

    let mut config = EngineConfig::default();
    config.websocket = false;
    config.cookie = Some("io".to_owned());
    let server = EchoServer::start(config).await;
    let opened = server.get("EIO=4&transport=polling").await;
    assert!(opened.text().contains(r#""upgrades":[]"#));
    let cookie = opened.header("set-cookie").unwrap();
    assert!(cookie.starts_with("io=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"));
    let path = "/engine.io/?EIO=4&transport=websocket";
    assert!(
        RawConnection::upgrade(server.addr, path, &[])
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_binary_body_is_refused() {
    let mut server = EchoServer::default().await;
    let query = server.open().await;
    let kind = [(
        "content-type".to_owned(),
        "application/octet-stream".to_owned(),
    )];
    let path = format!("/engine.io/?{query}");
    let refused = request(server.addr, "POST", &path, &kind, b"4a")
        .await
        .unwrap();
    assert_eq!(refused.status, 400);
    assert_eq!(server.ended().await, CloseReason::TransportError);
}
