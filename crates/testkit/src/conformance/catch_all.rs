//! Handlers of all other events, and observers of what is sent (CONTRACT 1).

use serde_json::json;

use super::{Power, Stage, Subject};
use crate::client::{Client, Payload};
use crate::{assert_exception, assert_push, assert_reply};

async fn connect(stage: &Stage) -> Client {
    stage.client().namespace("/catchall").connect().await
}

/// An event that no handler subscribed to goes to `#[subscribe_any]`, in its place in the order;
/// others do not.
pub async fn what_nobody_subscribed_to_goes_to_the_handler_of_all_others(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = connect(&stage).await;
    let first = client.ask("anything", json!([1])).await;
    let second = client.ask("known", Payload::none()).await;
    let third = client.ask("grüße *", json!({"a": 1})).await;
    let reply = client.reply(&first).await;
    assert_eq!(reply.data(), &json!({"event": "anything", "data": [1]}));
    if subject.can(Power::RepliesAsEvents) {
        assert_eq!(
            reply.event.as_deref(),
            Some("anything"),
            "not the handler's own name"
        );
    }
    assert_eq!(client.reply(&second).await.data(), &json!("known"));
    let reply = client.reply(&third).await;
    assert_eq!(reply.data(), &json!({"event": "grüße *", "data": {"a": 1}}));
    assert_reply!(client, "*", 2 => {"event": "*", "data": 2});
}

/// Names of the protocol stay unknown, and a name that is too long is refused.
pub async fn a_handler_of_all_others_does_not_get_names_of_the_protocol(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = connect(&stage).await;
    for name in ["connect", "disconnect", "exception", "gap", "newListener"] {
        assert_exception!(client, name, 1 => {"code": "unknown_event"});
    }
    let long = "x".repeat(129);
    assert_exception!(client, &long, 1 => {"code": "malformed"});
    assert_reply!(client, "other", 1 => {"event": "other", "data": 1});
}

/// `on_emit` hears of everything that is sent, once for each emit.
pub async fn an_observer_hears_of_all_that_is_sent_once(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut ada = connect(&stage).await;
    let mut grace = connect(&stage).await;
    grace.request("known", Payload::none()).await;
    // Observers are told behind the message, which may be there before them.
    let log = stage.log();
    log.until("sent Reply known known to one receivers=1").await;
    log.take();
    assert_reply!(ada, "bcast", "hi" => 2);
    assert_push!(grace, "bc", "hi");
    assert_exception!(ada, "fail", 1 => {"message": "no"});
    let id = ada.ask("ask", Payload::none()).await;
    let question = ada.expect_question("question").await;
    ada.answer(&question, json!("yes")).await;
    ada.reply(&id).await;
    log.until("sent Reply ask yes to one receivers=1").await;
    let (exception, others): (Vec<_>, Vec<_>) = log
        .take()
        .into_iter()
        .partition(|line| line.contains("exception"));
    assert_eq!(
        others,
        [
            "sent Event bc hi to all receivers=2",
            "sent Reply bcast 2 to one receivers=1",
            "sent Question question 1 to one receivers=1",
            "sent Reply ask yes to one receivers=1",
        ]
    );
    assert_eq!(exception.len(), 1, "{exception:?}");
    assert!(
        exception[0].starts_with("sent Exception exception"),
        "{exception:?}"
    );
}

/// An observer that panics costs nobody anything.
pub async fn an_observer_that_panics_is_not_noticed(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = connect(&stage).await;
    assert_reply!(client, "bcast", "panic" => 1);
    assert_push!(client, "bc", "panic");
    stage
        .log()
        .until("sent Event bc panic to all receivers=1")
        .await;
    assert_reply!(client, "known" => "known");
}
