//! Guards, interceptors, pipes and filters (CONTRACT 6).

use serde_json::json;

use super::{Stage, Subject};
use crate::client::Payload;
use crate::{assert_event, assert_exception, assert_reply, refute_event};
use nest_gateway_core::config::DenyPolicy;

/// CONTRACT 6, first sentence, on success.
pub async fn the_pipeline_runs_from_global_to_method_and_back(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    assert_reply!(client, "order", {"x": 1} => {"x": 1});
    assert_eq!(
        stage.log().take(),
        [
            "guard:global",
            "guard:class",
            "guard:m1",
            "guard:m2", //
            "pre:global",
            "pre:class",
            "pre:m1",
            "pre:m2", //
            "pipe:global",
            "pipe:class",
            "pipe:method",
            "pipe:param", //
            "handler",    //
            "post:m2",
            "post:m1",
            "post:class",
            "post:global",
        ]
    );
}

/// CONTRACT 6: an error passes the interceptors outwards, then exactly one
/// filter.
pub async fn an_error_passes_the_interceptors_and_then_one_filter(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    assert_exception!(client, "order_fail" => {"message": "x"});
    assert_eq!(
        stage.log().take(),
        [
            "guard:global",
            "guard:class",
            "guard:m1",
            "guard:m2", //
            "pre:global",
            "pre:class",
            "pre:m1",
            "pre:m2", //
            "pipe:global",
            "pipe:class",
            "pipe:method",
            "pipe:param", //
            "handler",    //
            "err:m2",
            "err:m1",
            "err:class",
            "err:global", //
            "filter:method",
        ]
    );
}

/// CONTRACT 6: guards stop at the first no, and nothing behind them runs.
pub async fn a_guards_no_stops_the_message(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    assert_exception!(client, "g_deny" => {"message": "Forbidden resource"});
    assert_exception!(client, "g_ws" => {"message": "guard says no"});
    assert_exception!(client, "g_err" => {"message": "Internal server error"});
    assert_exception!(client, "g_panic" => {"message": "Internal server error"});
    let log = stage.log().take();
    assert!(!log.iter().any(|line| line == "handler ran"), "{log:?}");
    client.expect_open().await;
}

/// CONTRACT 5: policy `close`: 1008 for denial.
pub async fn a_denied_client_is_closed_if_the_policy_says_so(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.deny_policy = DenyPolicy::Close).await;
    for (event, message) in [("g_deny", "Forbidden resource"), ("g_ws", "guard says no")] {
        let mut client = stage.client().connect().await;
        client.emit(event, Payload::none()).await;
        let error = client.expect_exception().await;
        assert_eq!(error["message"], message);
        let seen = client.expect_close().await;
        assert!(seen.was_told(), "{seen:?}");
        stage.expect_code(&seen, 1008);
    }
    let mut client = stage.client().connect().await;
    // The second one shows that the first did not close the client.
    for _ in 0..2 {
        client.emit("g_err", Payload::none()).await;
        let error = client.expect_exception().await;
        assert_eq!(error["message"], "Internal server error");
    }
}

/// CONTRACT 1: what `ExecutionContext` and `switch_to_ws()` show to a guard.
pub async fn a_guard_sees_client_event_data_and_handshake(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut builder = stage.client();
    if subject.can(super::Power::Headers) {
        builder = builder.header("x-test", "seen");
    }
    let mut client = builder.connect().await;
    let me = client.request("whoami", Payload::none()).await;
    let reply = client.request("g_ctx", json!({"k": [1]})).await;
    let seen = reply.data();
    assert_eq!(seen["type"], "ws");
    assert_eq!(seen["event"], "g_ctx");
    assert_eq!(seen["data"], json!({"k": [1]}));
    assert_eq!(&seen["client_id"], me.data());
    assert_eq!(seen["metadata"], "admin");
    if subject.can(super::Power::Headers) {
        assert_eq!(seen["header"], "seen");
    }
}

/// CONTRACT 6: interceptors map, answer in place of the handler, give up.
pub async fn interceptors_map_short_circuit_and_time_out(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    assert_reply!(client, "map", 1 => {"mapped": 1});
    assert_reply!(client, "short", 1 => "short");
    assert_exception!(client, "timeout" => {"message": "timed out"});
    // The handler's future is dropped, which its guard value logs; it never
    // comes to the line behind the gate, not even when the gate opens.
    stage.log().until("handler dropped").await;
    stage.gates().open("timeout");
    assert_reply!(client, "echo", 1 => 1);
    let log = stage.log().take();
    assert!(!log.contains(&"handler ran".to_owned()), "{log:?}");
    assert!(!log.contains(&"late".to_owned()), "{log:?}");
}

/// CONTRACT 6: an interceptor may call what it stands in front of again.
pub async fn an_interceptor_may_run_the_handler_again(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    stage.log().take();
    assert_reply!(client, "flaky" => "third time lucky");
    assert_eq!(stage.log().take(), ["try 1", "try 2", "try 3"]);
}

/// CONTRACT 6: interceptors see each item of a stream.
pub async fn an_interceptor_maps_each_item_of_a_stream(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let seen = client.stream("map_stream", Payload::none()).await;
    let expected = [1, 2, 3].map(|item| json!({"mapped": item}));
    assert_eq!(seen.values(), expected);
    assert!(!seen.end.has_data(), "{}", seen.end.raw);
}

/// CONTRACT 6: pipes work on the payload only, and may change or refuse it.
pub async fn a_pipe_changes_or_refuses_the_body(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    assert_reply!(client, "piped", "abc" => "ABC");
    assert_exception!(client, "piped", 7 => {"message": "not a text"});
}

/// CONTRACT 6: exactly one filter: method, then gateway, then global.
pub async fn the_nearest_filter_that_fits_gets_the_error(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for level in ["method", "class", "global"] {
        stage.log().take();
        let event = format!("f_{level}");
        let reply = client.request(&event, Payload::none()).await;
        assert!(reply.exception().is_some(), "{event}: {}", reply.raw);
        let filters: Vec<_> = stage.log().take();
        assert_eq!(filters, [format!("filter:{level}")], "{event}");
    }
}

/// CONTRACT 6: a filter may answer.
pub async fn a_filter_may_answer_in_place_of_the_error(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("f_reply", json!(1)).await;
    assert_event!(client, "filtered");
    refute_event!(client);
}

/// CONTRACT 6: if a filter fails itself, the client gets the internal error
/// and stays.
pub async fn a_filter_that_fails_costs_its_message_only(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    assert_exception!(client, "f_fail" => {"message": "Internal server error"});
    assert_exception!(client, "f_panic" => {"message": "Internal server error"});
    client.expect_open().await;
}

/// CONTRACT 6: global ones apply to every gateway, and all of them are
/// constructed once, with their dependencies.
pub async fn global_enhancers_apply_to_every_gateway_and_exist_once(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut root = stage.client().connect().await;
    let mut second = stage.client().namespace("/second").connect().await;
    stage.log().take();
    root.request("order", json!(1)).await;
    second.request("logged", json!(1)).await;
    let log = stage.log().take();
    let of = |line: &str| log.iter().filter(|seen| *seen == line).count();
    assert_eq!(of("guard:global"), 2, "{log:?}");
    assert_eq!(of("pre:global"), 2, "{log:?}");
    assert_eq!(stage.constructed("global guard"), 1);
    assert_eq!(stage.constructed("class guard"), 1);
}
