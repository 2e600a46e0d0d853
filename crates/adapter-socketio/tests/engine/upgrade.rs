use std::time::{Duration, Instant};

use nest_gateway_adapter_socketio::engine::EngineConfig;

use crate::server::{EchoServer, closed, send, text, upgrade_of};

#[tokio::test]
async fn a_session_moves_from_polling_to_websocket() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let mut socket = server.websocket(&upgrade_of(&query)).await;
    send(&mut socket, "2probe").await;
    assert_eq!(text(&mut socket).await, "3probe");
    assert_eq!(server.get(&query).await.text(), "6");
    send(&mut socket, "5").await;
    send(&mut socket, "4hello").await;
    assert_eq!(text(&mut socket).await, "4hello");
}

#[tokio::test]
async fn an_open_poll_is_left_alone_for_100_ms_after_the_probe() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let mut socket = server.websocket(&upgrade_of(&query)).await;
    let probed = Instant::now();
    send(&mut socket, "2probe").await;
    assert_eq!(server.get(&query).await.text(), "6");
    assert!(
        probed.elapsed() >= Duration::from_millis(100),
        "{:?}",
        probed.elapsed()
    );
}

#[tokio::test]
async fn what_is_queued_for_polling_arrives_over_the_websocket() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let mut socket = server.websocket(&upgrade_of(&query)).await;
    send(&mut socket, "2probe").await;
    assert_eq!(text(&mut socket).await, "3probe");
    assert_eq!(server.post(&query, "4one\u{1e}4two").await.status, 200);
    send(&mut socket, "5").await;
    send(&mut socket, "4three").await;
    for expected in ["4one", "4two", "4three"] {
        assert_eq!(text(&mut socket).await, expected);
    }
}

#[tokio::test]
async fn an_upgraded_session_is_no_longer_polled_and_goes_on() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let mut socket = server.websocket(&upgrade_of(&query)).await;
    send(&mut socket, "2probe").await;
    assert_eq!(text(&mut socket).await, "3probe");
    send(&mut socket, "5").await;
    send(&mut socket, "4a").await;
    assert_eq!(text(&mut socket).await, "4a");
    assert_eq!(server.get(&query).await.status, 400);
    assert_eq!(server.post(&query, "4x").await.status, 400);

    let mut second = server.websocket(&upgrade_of(&query)).await;
    assert_eq!(closed(&mut second).await.0, 1000);
    send(&mut socket, "4b").await;
    assert_eq!(text(&mut socket).await, "4b");
}

#[tokio::test]
async fn a_second_websocket_during_an_upgrade_is_closed() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    let mut socket = server.websocket(&upgrade_of(&query)).await;
    send(&mut socket, "2probe").await;
    assert_eq!(text(&mut socket).await, "3probe");
    let mut second = server.websocket(&upgrade_of(&query)).await;
    assert_eq!(closed(&mut second).await.0, 1000);
    send(&mut socket, "5").await;
    send(&mut socket, "4a").await;
    assert_eq!(text(&mut socket).await, "4a");
}

#[tokio::test]
async fn a_failed_upgrade_leaves_the_session_on_polling() {
    let server = EchoServer::default().await;
    let query = server.open().await;
    for wrong in ["4too early", "5", "2", "2prob", "3probe", "1", "x", ""] {
        let mut socket = server.websocket(&upgrade_of(&query)).await;
        send(&mut socket, wrong).await;
        assert_eq!(closed(&mut socket).await.0, 1000, "{wrong}");
    }
    server.websocket(&upgrade_of(&query)).await.reset();
    server.post(&query, "4still polling").await;
    assert_eq!(server.get(&query).await.text(), "4still polling");
}

#[tokio::test]
async fn an_upgrade_that_is_not_completed_in_time_is_closed() {
    let mut config = EngineConfig::default();
    config.upgrade_timeout = Duration::from_millis(50);
    let server = EchoServer::start(config).await;
    let query = server.open().await;
    let mut socket = server.websocket(&upgrade_of(&query)).await;
    assert_eq!(closed(&mut socket).await.0, 1000);
    server.post(&query, "4still polling").await;
    assert_eq!(server.get(&query).await.text(), "4still polling");
}
