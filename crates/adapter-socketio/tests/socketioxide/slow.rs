//! Clients that do not read.

use std::time::Duration;

use nest_gateway_adapter_socketio::SocketIoxide;
use nest_gateway_testkit::json;
use socketioxide::SocketIo;

use crate::app::serve_on;

/// Its connection may stay until then: socketioxide ends it when its writer is done, which
/// a client that does not read holds up.
#[tokio::test]
async fn a_client_that_does_not_read_loses_its_place_and_is_told_when_it_reads_again() {
    let builder = SocketIo::builder()
        .max_buffer_size(4)
        .ping_interval(Duration::from_millis(300))
        .ping_timeout(Duration::from_millis(200));
    let (layer, io) = builder.build_layer();
    let app = serve_on(layer, SocketIoxide::new(io), |config| {
        config.outbox_bytes = 512 * 1024;
    })
    .await;
    let slow = app.client("/chat").receive_buffer(16 * 1024);
    let mut slow = slow.connect().await;
    slow.round_trip().await;
    let mut other = app.client("/chat").connect().await;
    slow.stop_reading().await;
    let flood = async {
        while app.stats.clients() > 1 {
            other.request("say", json!("x".repeat(32 * 1024))).await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(10), flood).await;
    assert!(done.is_ok(), "{} clients", app.stats.clients());
    slow.resume_reading().await;
    slow.expect_close().await;
}
