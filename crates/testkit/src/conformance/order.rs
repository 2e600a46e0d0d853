//! Messages are handled in order; what may run beside them (CONTRACT 9).

use serde_json::json;

use super::{Stage, Subject};
use crate::assert_reply;
use crate::client::Payload;

/// CONTRACT 9, DESIGN 3.2: one after another, in the order received.
pub async fn messages_of_one_client_are_handled_in_order(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    for i in 0..1_000 {
        client.emit("yielding", json!(i)).await;
    }
    client.round_trip().await;
    let expected: Vec<_> = (0..1_000)
        .flat_map(|i| [format!("start {i}"), format!("end {i}")])
        .collect();
    let log = stage.log().take();
    let differs = log.iter().zip(&expected).find(|(is, should)| is != should);
    assert_eq!(differs, None, "out of order");
    assert_eq!(log.len(), expected.len());
}

/// DESIGN 3.2: guards included.
pub async fn an_async_guard_does_not_reorder_messages(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    client.emit("g_gated", json!("a")).await;
    let last = client.ask("echo", json!("b")).await;
    stage.log().until("guard waits for a").await;
    stage.gates().open("a");
    client.reply(&last).await;
    let log = stage.log().take();
    assert_eq!(log, ["guard waits for a", "handler a", "echo"]);
}

/// CONTRACT 9: the next message waits for the one before it.
pub async fn a_slow_handler_delays_what_its_client_sends_next(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut slow = stage.client().connect().await;
    let mut other = stage.client().connect().await;
    stage.log().take();
    slow.emit("gated", json!("a")).await;
    let next = slow.ask("echo", json!(1)).await;
    stage.log().until("start a").await;
    // Another client is not held up by it.
    other.request("ret_unit", Payload::none()).await;
    assert_eq!(stage.log().take(), ["start a"]);
    stage.gates().open("a");
    slow.reply(&next).await;
    assert_eq!(stage.log().take(), ["end a", "echo"]);
}

/// CONTRACT 9: `concurrent` lets a handler run beside others.
pub async fn concurrent_handlers_run_beside_the_queue(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for i in 0..10 {
        client.emit("gated_concurrent", json!(i.to_string())).await;
    }
    assert_reply!(client, "echo", "beside" => "beside");
    for i in 0..10 {
        stage.log().until(&format!("start {i}")).await;
    }
    for i in (0..10).rev() {
        stage.gates().open(&i.to_string());
        assert_eq!(client.expect_event("done").await, json!(i.to_string()));
    }
}

/// CONTRACT 9: `max_in_flight` bounds them.
pub async fn concurrent_handlers_are_bounded_for_each_client(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_in_flight = 3).await;
    let mut client = stage.client().connect().await;
    let mut other = stage.client().connect().await;
    for i in 0..5 {
        client.emit("gated_concurrent", json!(i.to_string())).await;
    }
    for i in 0..3 {
        stage.log().until(&format!("start {i}")).await;
    }
    // Another client's bound is its own.
    other.emit("gated_concurrent", json!("other")).await;
    stage.log().until("start other").await;
    assert_eq!(stage.log().count("start"), 0, "the fourth had to wait");
    stage.gates().open("1");
    stage.log().until("start 3").await;
    for gate in ["0", "2", "3", "4", "other"] {
        stage.gates().open(gate);
    }
    for _ in 0..5 {
        client.expect_event("done").await;
    }
    other.expect_event("done").await;
}

/// DESIGN 3.2: backpressure is the transport's own.
pub async fn a_client_that_sends_too_fast_is_held_up_and_loses_nothing(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    client.emit("gated", json!("a")).await;
    stage.log().until("start a").await;
    let flood = 3_000;
    let sending = async move {
        for i in 0..flood {
            client.emit("yielding", json!(i)).await;
        }
        client
    };
    let sending = tokio::spawn(sending);
    // What the server has taken stays bounded while the handler is held.
    let mut other = stage.client().connect().await;
    let before = stage.received();
    for i in 0..50 {
        assert_reply!(other, "ret_zero" => 0);
        let taken = stage.received() - before - i;
        assert!(taken < 1_000, "{taken} messages were taken from the client");
    }
    stage.gates().open("a");
    let mut client = sending.await.expect("sending does not panic");
    client.round_trip().await;
    let log = stage.log().take();
    assert_eq!(
        log.len(),
        2 * flood + 2,
        "two lines for the gate, two for each"
    );
    assert_eq!(log.last(), Some(&format!("end {}", flood - 1)));
}

/// DESIGN 3.2: join-then-say holds for one client.
pub async fn a_message_sees_what_the_one_before_it_did(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for i in 0..200 {
        let room = format!("room {i}");
        client.emit("join", json!({"room": room})).await;
        client.emit("shout", json!({"room": room, "text": i})).await;
        client.emit("leave", json!({"room": room})).await;
    }
    for i in 0..200 {
        assert_eq!(client.expect_event("said").await["text"], json!(i));
    }
    let rooms = client.request("rooms", Payload::none()).await;
    assert_eq!(rooms.data(), &json!([]));
}

/// CONTRACT 8: per receiver, messages of one emitter arrive in order.
pub async fn emits_of_one_handler_arrive_in_order_and_before_its_reply(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let reply = client.request("emit_many", json!(500)).await;
    assert_eq!(reply.data(), &json!(500));
    for i in 1..=500 {
        let event = client.next_event().await;
        assert_eq!((event.name.as_str(), event.data()), ("tick", &json!(i)));
        assert!(event.order < reply.order, "tick {i} came behind the reply");
    }
}
