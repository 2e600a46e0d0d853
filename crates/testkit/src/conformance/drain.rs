//! Shutdown (CONTRACT 11).

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Stage, Subject};
use crate::client::{Client, Payload};

/// CONTRACT 11: clients are told.
pub async fn clients_are_told_that_the_server_goes(subject: Subject) {
    let mut stage = Stage::start(&subject).await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut client = stage.client().connect().await;
        client.round_trip().await;
        clients.push(client);
    }
    stage.log().take();
    stage.shutdown().await;
    for client in &mut clients {
        let seen = client.expect_close().await;
        assert!(seen.was_told(), "{seen:?}\n{}", client.transcript());
        stage.expect_code(&seen, 1001);
    }
    // `on_disconnect` of each was awaited before the shutdown was over.
    assert_eq!(stage.log().count("disconnect"), 5);
}

/// CONTRACT 11: handlers in flight finish and their replies are delivered.
pub async fn handlers_in_flight_finish_and_their_replies_arrive(subject: Subject) {
    let mut stage = Stage::start(&subject).await;
    let mut one = stage.client().connect().await;
    let mut two = stage.client().connect().await;
    let slow = one.ask("gated", json!("a")).await;
    let beside = two.ask("gated_concurrent", json!("a")).await;
    stage.log().until("start a").await;
    stage.log().until("start a").await;
    let down = stage.begin_shutdown();
    refused_from_now_on(&stage).await;
    stage.gates().open("a");
    let reply = one.reply(&slow).await;
    assert_eq!(reply.exception(), None, "{}", reply.raw);
    let reply = two.reply(&beside).await;
    assert_eq!(reply.exception(), None, "{}", reply.raw);
    assert!(one.expect_close().await.was_told());
    assert!(two.expect_close().await.was_told());
    down.await.expect("the shutdown does not panic");
}

/// CONTRACT 11: no new clients.
pub async fn no_client_gets_in_during_a_shutdown(subject: Subject) {
    let mut stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("gated", json!("a")).await;
    stage.log().until("start a").await;
    let down = stage.begin_shutdown();
    refused_from_now_on(&stage).await;
    stage.gates().open("a");
    down.await.expect("the shutdown does not panic");
}

/// Waits until the server takes no more clients; the shutdown has begun then.
async fn refused_from_now_on(stage: &Stage) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while let Ok(mut early) = stage.client().try_connect().await {
        // It came before the shutdown did, and is told of it like the others.
        early.close(1000, "").await;
        assert!(Instant::now() < deadline, "clients are let in for 5 s");
    }
}

/// CONTRACT 11: streams are dropped.
pub async fn streams_are_dropped_at_shutdown(subject: Subject) {
    let mut stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("stream_gated", Payload::none()).await;
    stage.log().until("streaming").await;
    let begun = Instant::now();
    stage.shutdown().await;
    stage.log().until("stream dropped").await;
    assert!(
        begun.elapsed() < Duration::from_secs(2),
        "took {:?}",
        begun.elapsed()
    );
    assert!(client.expect_close().await.was_told());
}

/// CONTRACT 11: exit within the drain time; the client and the gateway are told
/// before.
pub async fn a_handler_that_never_ends_does_not_hold_up_the_shutdown(subject: Subject) {
    let drain = Duration::from_millis(300);
    let mut stage = Stage::with(&subject, |config| config.drain = drain).await;
    let mut client = stage.client().connect().await;
    client.emit("gated", json!("never")).await;
    stage.log().until("start never").await;
    stage.log().take();
    let begun = Instant::now();
    stage.shutdown().await;
    let took = begun.elapsed();
    assert!(took < drain + Duration::from_secs(2), "took {took:?}");
    assert_eq!(stage.log().count("disconnect"), 1);
    let seen = client.expect_close().await;
    assert!(seen.was_told(), "{seen:?}\n{}", client.transcript());
    stage.expect_code(&seen, 1001);
}

/// CONTRACT 11: a client that does not read does not hold it up either.
pub async fn a_client_that_does_not_read_does_not_hold_up_the_shutdown(subject: Subject) {
    let drain = Duration::from_millis(300);
    let mut stage = Stage::with(&subject, |config| config.drain = drain).await;
    let mut slow: Client = stage.client().receive_buffer(16 * 1024).connect().await;
    slow.request("join", json!({"room": "slow"})).await;
    slow.stop_reading().await;
    let mut other = stage.client().connect().await;
    let flood = json!({"room": "slow", "n": 300, "size": 64 * 1024});
    other.request("flood_room", flood).await;
    let begun = Instant::now();
    stage.shutdown().await;
    let took = begun.elapsed();
    assert!(took < drain + Duration::from_secs(2), "took {took:?}");
}

/// CONTRACT 11: what was acknowledged was delivered: replies queued before
/// the shutdown are not lost.
pub async fn replies_queued_before_a_shutdown_arrive(subject: Subject) {
    let mut stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let mut ids = Vec::new();
    for i in 0..200 {
        ids.push(client.ask("logged_echo", json!(i)).await);
    }
    stage.log().until("echo 0").await;
    stage.shutdown().await;
    client.expect_close().await;
    // Each message that was handled was answered, in order.
    let handled = 1 + stage.log().count("echo");
    for (i, id) in ids.iter().take(handled).enumerate() {
        let reply = client.reply(id).await;
        assert_eq!(reply.data(), &json!(i), "{handled} were handled");
    }
}
