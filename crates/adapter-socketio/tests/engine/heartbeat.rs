use std::time::{Duration, Instant};

use nest_gateway_adapter_socketio::engine::{CloseReason, EngineConfig};

use crate::server::{EchoServer, closed, send, text};

fn fast() -> EngineConfig {
    let mut config = EngineConfig::default();
    config.ping_interval = Duration::from_millis(60);
    config.ping_timeout = Duration::from_millis(40);
    config
}

#[tokio::test]
async fn a_client_that_answers_pings_stays() {
    let server = EchoServer::start(fast()).await;
    let mut socket = server.websocket("EIO=4&transport=websocket").await;
    for _ in 0..3 {
        assert_eq!(text(&mut socket).await, "2");
        send(&mut socket, "3").await;
    }
    let query = server.open().await;
    for _ in 0..3 {
        assert_eq!(server.get(&query).await.text(), "2");
        assert_eq!(server.post(&query, "3").await.status, 200);
    }
}

#[tokio::test]
async fn no_ping_is_sent_before_the_first_interval_is_over() {
    let server = EchoServer::start(fast()).await;
    let opened = Instant::now();
    let query = server.open().await;
    assert_eq!(server.get(&query).await.text(), "2");
    assert!(
        opened.elapsed() >= Duration::from_millis(60),
        "{:?}",
        opened.elapsed()
    );
}

#[tokio::test]
async fn a_silent_client_is_gone_on_either_transport() {
    let mut server = EchoServer::start(fast()).await;
    let query = server.open().await;
    assert_eq!(server.ended().await, CloseReason::PingTimeout);
    assert_eq!(
        server.get(&query).await.text(),
        r#"{"code":1,"message":"Session ID unknown"}"#
    );

    let mut socket = server.websocket("EIO=4&transport=websocket").await;
    let close = closed(&mut socket).await;
    assert_eq!((close.0, close.1.as_str()), (1008, "ping timeout"));
    assert_eq!(server.ended().await, CloseReason::PingTimeout);
}

#[tokio::test]
async fn a_poll_that_waits_when_the_time_is_over_is_told() {
    let server = EchoServer::start(fast()).await;
    let query = server.open().await;
    assert_eq!(server.get(&query).await.text(), "2");
    assert_eq!(server.get(&query).await.text(), "1");
}

#[tokio::test]
async fn a_client_must_not_ping() {
    let mut server = EchoServer::default().await;
    let mut socket = server.websocket("EIO=4&transport=websocket").await;
    send(&mut socket, "2").await;
    assert_eq!(closed(&mut socket).await.0, 1008);
    assert_eq!(server.ended().await, CloseReason::TransportError);
}
