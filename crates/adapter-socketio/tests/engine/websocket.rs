use nest_gateway_adapter_socketio::engine::CloseReason;
use nest_gateway_testkit::client::ClientFrame;

use crate::server::{EchoServer, closed, send, text};

const QUERY: &str = "EIO=4&transport=websocket";

#[tokio::test]
async fn text_and_binary_are_echoed() {
    let server = EchoServer::default().await;
    let mut socket = server.websocket(QUERY).await;
    send(&mut socket, "4grüße").await;
    assert_eq!(text(&mut socket).await, "4grüße");
    socket.send(&ClientFrame::binary([1, 2, 3])).await;
    assert_eq!(socket.frame().await.unwrap().payload, [1, 2, 3][..]);
}

#[tokio::test]
async fn a_client_may_close_with_a_packet_or_with_a_frame() {
    let mut server = EchoServer::default().await;
    let mut socket = server.websocket(QUERY).await;
    send(&mut socket, "1").await;
    assert_eq!(closed(&mut socket).await.0, 1000);
    assert_eq!(server.ended().await, CloseReason::TransportClose);

    let mut socket = server.websocket(QUERY).await;
    socket.send(&ClientFrame::close(1000, "")).await;
    assert_eq!(closed(&mut socket).await.0, 1000);
    assert_eq!(server.ended().await, CloseReason::TransportClose);

    server.websocket(QUERY).await.reset();
    assert_eq!(server.ended().await, CloseReason::TransportLost);
}

#[tokio::test]
async fn a_session_that_the_server_closes_delivers_what_is_queued_first() {
    let mut server = EchoServer::default().await;
    let mut socket = server.websocket(QUERY).await;
    send(&mut socket, "4close me").await;
    assert_eq!(text(&mut socket).await, "4bye");
    assert_eq!(closed(&mut socket).await.0, 1000);
    assert_eq!(server.ended().await, CloseReason::ForcedClose);
    assert_eq!(server.engine.sessions(), 0);
}

#[tokio::test]
async fn a_websocket_session_cannot_be_polled() {
    let server = EchoServer::default().await;
    let path = format!("/engine.io/?{QUERY}");
    let mut socket = nest_gateway_testkit::client::RawConnection::upgrade(server.addr, &path, &[])
        .await
        .unwrap();
    let open = text(&mut socket).await;
    let open: serde_json::Value = serde_json::from_str(&open[1..]).unwrap();
    assert_eq!(open["upgrades"], serde_json::json!([]));
    let query = format!(
        "EIO=4&transport=polling&sid={}",
        open["sid"].as_str().unwrap()
    );
    assert_eq!(
        server.get(&query).await.text(),
        r#"{"code":3,"message":"Bad request"}"#
    );
    assert_eq!(server.post(&query, "4x").await.status, 400);
    send(&mut socket, "4still here").await;
    assert_eq!(text(&mut socket).await, "4still here");
}
