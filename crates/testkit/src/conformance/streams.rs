//! Streams: beside the queue, at the reader's pace, cancellable (CONTRACT 9).

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Stage, Subject};
use crate::client::Payload;
use crate::{assert_reply, refute_event};

/// Longest time from a client's end to the drop of its streams (CONTRACT 9),
/// with as much again for a busy test machine.
const DROPPED_WITHIN: Duration = Duration::from_millis(200);

/// CONTRACT 9, DESIGN 3.2: a stream runs beside the queue.
pub async fn a_client_talks_on_while_its_stream_runs(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let stream = client.ask("stream_gated", Payload::none()).await;
    stage.log().until("streaming").await;
    for i in 0..10 {
        assert_reply!(client, "echo", i => i);
    }
    stage.gates().open("stream");
    let seen = client.rest_of_stream(&stream).await;
    assert_eq!(seen.values(), [json!("opened")]);
}

/// CONTRACT 9: many at once.
pub async fn many_streams_of_one_client_run_at_once(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let ids: Vec<_> = {
        let mut ids = Vec::new();
        for _ in 0..10 {
            ids.push(client.ask("tokens", json!({"n": 50, "size": 8})).await);
        }
        ids
    };
    let mut items = 0;
    for id in &ids {
        let seen = client.rest_of_stream(id).await;
        assert_eq!(seen.end.exception(), None);
        items += seen.items.len();
    }
    assert_eq!(items, 500);
}

/// CONTRACT 9: the items of one stream arrive in order, all of them.
pub async fn a_long_stream_arrives_whole_and_in_order(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let n = 20_000;
    let seen = client.stream("tokens", json!({"n": n, "size": 0})).await;
    assert_eq!(seen.items.len(), n);
    for (index, (_, value)) in seen.items.iter().enumerate() {
        assert_eq!(value, &json!(format!("t{index}")));
    }
}

/// CONTRACT 9: in the order in which it was said, whether as an item, to the
/// client, or to a room that it is in.
pub async fn what_a_producer_sends_between_its_items_keeps_its_place(subject: Subject) {
    const N: u64 = 100;
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("stream_with_asides", json!(N)).await;
    for i in 0..N {
        if i % 3 < 2 {
            let aside = client.next_event().await;
            assert_eq!(
                (&*aside.name, aside.args.first()),
                ("aside", Some(&json!(i)))
            );
        }
        let item = client.next_event().await;
        assert_eq!((&*item.name, item.args.first()), ("tok", Some(&json!(i))));
    }
}

/// CONTRACT 9: polled only while the outbox has room: the producer never runs
/// ahead of a reader that stands still by more than what is queued.
pub async fn a_producer_waits_for_a_reader_that_stands_still(subject: Subject) {
    const SIZE: usize = 1_000;
    const N: usize = 40_000;
    // The outbox, and what two kernels keep between the ends of a loopback
    // connection at most (tcp_wmem and tcp_rmem, 4 and 6 MB by default).
    const BOUND: usize = 1024 * 1024 + 12 * 1024 * 1024;

    let stage = Stage::start(&subject).await;
    let mut reader = stage.client().receive_buffer(16 * 1024).connect().await;
    let mut other = stage.client().connect().await;
    reader.round_trip().await;
    reader.stop_reading().await;
    let id = reader.ask("tokens", json!({"n": N, "size": SIZE})).await;
    stage.log().until("produced 100").await;
    // It stands still when it has not moved during many turns of the server.
    let (mut produced, mut still) = (0, 0);
    while still < 50 {
        assert_reply!(other, "echo", 1 => 1);
        let now = stage.produced();
        still = if now == produced { still + 1 } else { 0 };
        produced = now;
    }
    assert!(
        produced < N,
        "all {N} items were produced for a reader that reads nothing"
    );
    assert!(produced * SIZE < BOUND, "{produced} items of {SIZE} bytes");
    reader.resume_reading().await;
    let seen = reader.rest_of_stream(&id).await;
    assert_eq!(seen.items.len(), N);
}

/// CONTRACT 9: dropped within 100 ms when the client leaves.
pub async fn a_stream_is_dropped_when_its_client_leaves(subject: Subject) {
    let stage = Stage::start(&subject).await;
    for politely in [true, false] {
        let mut client = stage.client().connect().await;
        client.emit("stream_gated", Payload::none()).await;
        stage.log().until("streaming").await;
        let begun = Instant::now();
        if politely {
            client.close(1000, "").await;
        } else {
            stage.take_away(&mut client).await;
        }
        stage.log().until("stream dropped").await;
        let took = begun.elapsed();
        assert!(took < DROPPED_WITHIN, "dropped after {took:?}");
        stage.log().until_prefix("disconnect").await;
        stage.log().take();
    }
}

/// CONTRACT 9: cancel by the client, by the request's id.
pub async fn a_request_is_cancelled_by_its_id(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let one = client.ask("stream_gated", Payload::none()).await;
    stage.log().until("streaming").await;
    let two = client.ask("stream_gated", Payload::none()).await;
    stage.log().until("streaming").await;
    client.cancel(&one).await;
    stage.log().until("stream dropped").await;
    assert_reply!(client, "echo", 1 => 1);
    assert_eq!(
        stage.log().count("stream dropped"),
        0,
        "the other one runs on"
    );
    stage.gates().open("stream");
    let seen = client.rest_of_stream(&two).await;
    assert_eq!(seen.values(), [json!("opened")]);
}

/// CONTRACT 9: x is an event's name: all running streams of that event.
pub async fn all_streams_of_an_event_are_cancelled_by_its_name(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let mut other = stage.client().connect().await;
    client.emit("stream_gated", Payload::none()).await;
    client.emit("stream_gated", Payload::none()).await;
    stage.log().until("streaming").await;
    stage.log().until("streaming").await;
    other.emit("stream_gated", Payload::none()).await;
    stage.log().until("streaming").await;
    client.cancel_event("stream_gated").await;
    stage.log().until("stream dropped").await;
    stage.log().until("stream dropped").await;
    assert_reply!(client, "echo", 1 => 1);
    assert_eq!(
        stage.log().count("stream dropped"),
        0,
        "another client's runs on"
    );
    stage.gates().open("stream");
    assert_eq!(other.expect_event("stream_gated").await, json!("opened"));
}

/// CONTRACT 9: a native id that is a string is tried as an id first.
pub async fn a_text_is_tried_as_an_id_before_it_is_an_event(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client
        .ask_as("stream_gated", "stream_gated", Payload::none())
        .await;
    stage.log().until("streaming").await;
    client
        .ask_as("other", "stream_gated", Payload::none())
        .await;
    stage.log().until("streaming").await;
    client.cancel(&"stream_gated".into()).await;
    stage.log().until("stream dropped").await;
    assert_reply!(client, "echo", 1 => 1);
    assert_eq!(
        stage.log().count("stream dropped"),
        0,
        "only the one with that id"
    );
}

/// CONTRACT 9: cancelling what is not running is not an error.
pub async fn cancelling_what_does_not_run_is_no_error(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.cancel(&12_345.into()).await;
    client.cancel_event("nothing").await;
    refute_event!(client);
    assert_reply!(client, "echo", 1 => 1);
}

/// CONTRACT 1: `CancellationToken` tells a handler that its client is gone.
pub async fn a_handler_learns_of_its_cancellation_by_its_token(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let id = client.ask("until_cancelled", Payload::none()).await;
    stage.log().until("waiting for the token").await;
    client.cancel(&id).await;
    stage.log().until("token fired").await;
    client.emit("until_cancelled", Payload::none()).await;
    stage.log().until("waiting for the token").await;
    stage.take_away(&mut client).await;
    stage.log().until("token fired").await;
}
