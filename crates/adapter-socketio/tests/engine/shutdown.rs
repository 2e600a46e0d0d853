use std::time::Duration;

use nest_gateway_adapter_socketio::engine::CloseReason;
use nest_gateway_testkit::client::RawConnection;

use crate::server::{EchoServer, closed, text};

#[tokio::test]
async fn at_shutdown_clients_are_told_and_new_ones_refused() {
    let mut server = EchoServer::default().await;
    let mut socket = server.websocket("EIO=4&transport=websocket").await;
    let query = server.open().await;
    crate::server::send(&mut socket, "4in front").await;
    assert_eq!(text(&mut socket).await, "4in front");
    server.engine.shut_down();
    let close = closed(&mut socket).await;
    assert_eq!((close.0, close.1.as_str()), (1001, "server shutting down"));
    assert_eq!(server.get(&query).await.text(), "6\u{1e}1");
    for _ in 0..2 {
        assert_eq!(server.ended().await, CloseReason::ServerShutdown);
    }
    let drained = tokio::time::timeout(Duration::from_secs(5), server.engine.drained());
    drained.await.expect("no session is left");
    assert_eq!(server.get("EIO=4&transport=polling").await.status, 503);
    let path = "/engine.io/?EIO=4&transport=websocket";
    let mut late = RawConnection::upgrade(server.addr, path, &[])
        .await
        .unwrap();
    assert_eq!(closed(&mut late).await.0, 1013);
}
