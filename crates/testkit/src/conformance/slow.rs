//! Clients that do not read (CONTRACT 9).

use nest_gateway_core::config::{Config, SlowPolicy};
use serde_json::json;

use super::{Stage, Subject};
use crate::assert_reply;
use crate::client::{Client, Payload};

/// Bytes of one flood message.
const SIZE: usize = 64 * 1024;

/// Messages that fill a 256 KiB outbox and all kernel buffers of a loopback
/// connection (10 MB at most) more than twice.
const FLOOD: usize = 400;

async fn slow_client(stage: &Stage) -> Client {
    let mut client = stage.client().receive_buffer(16 * 1024).connect().await;
    client.request("join", json!({"room": "slow"})).await;
    client.stop_reading().await;
    client
}

fn small(policy: SlowPolicy) -> impl Fn(&mut Config) {
    move |config| {
        config.outbox_bytes = 256 * 1024;
        config.slow_policy = policy;
    }
}

/// CONTRACT 9: policy `close` (default): 1008 "slow consumer".
pub async fn a_client_that_does_not_read_is_closed_by_default(subject: Subject) {
    let stage = Stage::with(&subject, small(SlowPolicy::Close)).await;
    let mut other = stage.client().connect().await;
    let mut slow = slow_client(&stage).await;
    stage.log().take();
    let flood = json!({"room": "slow", "n": FLOOD, "size": SIZE});
    other.request("flood_room", flood).await;
    // It is noticed while it still does not read.
    stage.log().until_prefix("disconnect").await;
    slow.resume_reading().await;
    let seen = slow.expect_close().await;
    if seen.was_told() {
        stage.expect_code(&seen, 1008);
    }
    assert_reply!(other, "flood_room", {"room": "slow", "n": 1, "size": 1} => 0);
}

/// CONTRACT 9: policy `drop_oldest`, with a `gap` notice.
pub async fn drop_oldest_keeps_the_newest_and_says_what_is_missing(subject: Subject) {
    let (_, last, missing) = flood_with(&subject, SlowPolicy::DropOldest).await;
    assert_eq!(last, FLOOD, "the newest message is kept");
    assert!(missing > 0, "something was dropped");
}

/// CONTRACT 9: policy `drop_newest`, with a `gap` notice.
pub async fn drop_newest_keeps_the_oldest_and_says_what_is_missing(subject: Subject) {
    let (first, last, missing) = flood_with(&subject, SlowPolicy::DropNewest).await;
    assert_eq!(first, 1);
    assert!(last < FLOOD, "the newest message was dropped");
    assert!(missing > 0, "something was dropped");
}

/// Floods a client that does not read, lets it read, and returns the first and
/// last number seen and how many are missing. Fails without a `gap` notice or
/// if numbers come out of order.
async fn flood_with(subject: &Subject, policy: SlowPolicy) -> (usize, usize, usize) {
    let stage = Stage::with(subject, small(policy)).await;
    let mut other = stage.client().connect().await;
    let mut slow = slow_client(&stage).await;
    let flood = json!({"room": "slow", "n": FLOOD, "size": SIZE});
    other.request("flood_room", flood).await;
    slow.resume_reading().await;
    slow.expect_event("gap").await;
    slow.round_trip().await;
    let mut seen = Vec::new();
    for incoming in slow.take_seen() {
        if let crate::client::Incoming::Event(event) = incoming
            && event.name == "flood"
        {
            let n = event.data()["n"].as_u64().expect("floods are numbered");
            seen.push(usize::try_from(n).expect("a small number"));
        }
    }
    assert!(seen.is_sorted(), "out of order: {seen:?}");
    let (first, last) = (seen[0], seen[seen.len() - 1]);
    (first, last, FLOOD - seen.len())
}

/// CONTRACT 8 and 9: an emit never waits for a client.
pub async fn a_client_that_does_not_read_delays_nobody(subject: Subject) {
    let stage = Stage::with(&subject, small(SlowPolicy::DropOldest)).await;
    let mut reader = stage.client().connect().await;
    let mut sender = stage.client().connect().await;
    reader.request("join", json!({"room": "slow"})).await;
    let _slow = slow_client(&stage).await;
    for n in 1..=FLOOD {
        let flood = json!({"room": "slow", "n": 1, "size": SIZE, "from": n});
        sender.request("flood_room", flood).await;
        let event = reader.expect_event("flood").await;
        assert_eq!(event["n"], json!(n));
    }
}

/// CONTRACT 9: volatile messages go first.
pub async fn volatile_messages_go_first(subject: Subject) {
    let stage = Stage::with(&subject, small(SlowPolicy::Close)).await;
    let mut other = stage.client().connect().await;
    let mut slow = slow_client(&stage).await;
    let flood = json!({"room": "slow", "n": FLOOD, "size": SIZE, "volatile": true});
    other.request("flood_room", flood).await;
    other
        .request(
            "flood_room",
            json!({"room": "slow", "n": 1, "size": 10, "from": 9_999}),
        )
        .await;
    slow.resume_reading().await;
    // It is not closed, and what matters arrives.
    loop {
        let event = slow.expect_event("flood").await;
        if event["n"] == json!(9_999) {
            break;
        }
    }
    slow.emit("ret_unit", Payload::none()).await;
    slow.expect_open().await;
}

/// CONTRACT 9: a client that never read can still leave.
pub async fn a_client_that_does_not_read_can_be_cut(subject: Subject) {
    let stage = Stage::with(&subject, small(SlowPolicy::DropNewest)).await;
    let mut other = stage.client().connect().await;
    let mut slow = slow_client(&stage).await;
    let flood = json!({"room": "slow", "n": FLOOD, "size": SIZE});
    other.request("flood_room", flood.clone()).await;
    stage.log().take();
    slow.cut().await;
    stage.log().until_prefix("disconnect").await;
    stage.until_clients(1).await;
    assert_eq!(other.request("flood_room", flood).await.data(), &json!(0));
}
