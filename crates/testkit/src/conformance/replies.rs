//! What a handler returns, and what the client gets (CONTRACT 4 and 5).

use serde_json::{Value, json};

use super::{Power, Stage, Subject};
use crate::client::Payload;
use crate::{assert_event, assert_exception, assert_push, assert_reply, refute_event};

/// CONTRACT 4, row "`()` / `None`", request.
pub async fn a_handler_that_returns_nothing_answers_a_request_without_data(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for event in ["ret_unit", "ret_none"] {
        let reply = client.request(event, Payload::none()).await;
        assert!(!reply.has_data(), "{event}: {}", reply.raw);
        assert_eq!(reply.exception(), None);
    }
    refute_event!(client);
}

/// CONTRACT 4, row "`()` / `None`", no request.
pub async fn a_handler_that_returns_nothing_says_nothing_unasked(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("ret_unit", Payload::none()).await;
    client.emit("ret_none", Payload::none()).await;
    refute_event!(client);
}

/// CONTRACT 4, row "value (0, false, "" too)", request.
pub async fn a_value_answers_a_request_however_empty_it_looks(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for (event, value) in values() {
        let reply = client.request(event, Payload::none()).await;
        assert!(reply.has_data(), "{event}: {}", reply.raw);
        assert_eq!(reply.data(), &value, "{event}");
    }
    refute_event!(client);
}

/// CONTRACT 4, row "value", native, no id.
pub async fn a_value_is_sent_unasked_under_the_events_name(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for (event, value) in values() {
        client.emit(event, Payload::none()).await;
        let seen = client.next_event().await;
        assert_eq!(seen.name, event, "{}", seen.raw);
        assert!(seen.has_data(), "{}", seen.raw);
        assert_eq!(seen.data(), &value);
    }
    refute_event!(client);
}

/// CONTRACT 4, row "value", Socket.IO, no ack.
pub async fn a_value_nobody_asked_for_is_not_sent(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for (event, _) in values() {
        client.emit(event, Payload::none()).await;
    }
    refute_event!(client);
}

fn values() -> [(&'static str, Value); 7] {
    [
        ("ret_str", json!("hello")),
        ("ret_zero", json!(0)),
        ("ret_false", json!(false)),
        ("ret_empty", json!("")),
        ("ret_obj", json!({"a": 1})),
        ("ret_arr", json!([1, 2])),
        ("ret_some", json!(7)),
    ]
}

/// CONTRACT 2: the answer to a request carries its id, and nothing else does.
pub async fn a_frame_has_exactly_the_keys_of_the_contract(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let raw = |text: &str| serde_json::from_str::<Value>(text).expect("a frame is JSON");
    client.ask_as("a", "ret_zero", Payload::none()).await;
    let reply = client.reply(&"a".into()).await;
    assert_eq!(
        raw(&reply.raw),
        json!({"event": "ret_zero", "data": 0, "id": "a"})
    );
    client.ask_as(7, "ret_unit", Payload::none()).await;
    let reply = client.reply(&7.into()).await;
    assert_eq!(raw(&reply.raw), json!({"event": "ret_unit", "id": 7}));
    client.ask_as(8, "ws", json!(1)).await;
    let reply = client.reply(&8.into()).await;
    assert_eq!(
        raw(&reply.raw),
        json!({"event": "resp", "data": 1, "id": 8})
    );
    client.emit("ret_zero", Payload::none()).await;
    let event = client.next_event().await;
    assert_eq!(raw(&event.raw), json!({"event": "ret_zero", "data": 0}));
    client.ask_as(9, "stream_plain", Payload::none()).await;
    for item in 1..=3 {
        let reply = client.reply(&9.into()).await;
        assert_eq!(
            raw(&reply.raw),
            json!({"event": "stream_plain", "data": item, "id": 9})
        );
    }
    let end = client.reply(&9.into()).await;
    assert_eq!(
        raw(&end.raw),
        json!({"event": "stream_plain", "id": 9, "done": true})
    );
}

/// CONTRACT 4, row "`WsResponse::new(e2, v)`".
pub async fn a_response_reroutes_its_value_to_its_own_event(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("ws", json!({"x": 1})).await;
    assert_event!(client, "resp", {"x": 1});
    let reply = client.request("ws", json!("y")).await;
    if subject.can(Power::RepliesAsEvents) {
        assert_eq!(
            (reply.event.as_deref(), reply.data()),
            (Some("resp"), &json!("y"))
        );
    } else {
        // The ack is without a value, and the event went out before it.
        assert!(!reply.has_data(), "{}", reply.raw);
        let event = client.next_event().await;
        assert_eq!((event.name.as_str(), event.data()), ("resp", &json!("y")));
        assert!(event.order < reply.order, "the ack came before the event");
    }
    refute_event!(client);
}

/// CONTRACT 4: only the type reroutes a reply.
pub async fn data_that_looks_like_a_response_is_data(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let data = json!({"event": "elsewhere", "data": 1});
    let reply = client.request("echo", data.clone()).await;
    assert_eq!(reply.data(), &data);
    refute_event!(client);
}

/// CONTRACT 4, rows "stream of values" and "stream of `WsResponse`".
pub async fn a_stream_sends_each_item_and_then_its_end(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for (event, under) in [("stream_plain", "stream_plain"), ("stream", "tok")] {
        let seen = client.stream(event, Payload::none()).await;
        let expected = [1, 2, 3].map(|item| (under.to_owned(), json!(item)));
        assert_eq!(seen.items, expected, "{event}");
        assert!(!seen.end.has_data(), "{event}: {}", seen.end.raw);
        assert!(seen.end.done, "{event}: {}", seen.end.raw);
    }
    refute_event!(client);
}

/// CONTRACT 4, row "stream of values", no id: items and no terminal frame.
pub async fn a_stream_nobody_asked_for_sends_its_items_alone(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("stream_plain", Payload::none()).await;
    for item in 1..=3 {
        assert_eq!(assert_event!(client, "stream_plain"), json!(item));
    }
    refute_event!(client);
}

/// CONTRACT 4, row "`Err`, panic" within a stream.
pub async fn an_error_amid_a_stream_ends_it_as_an_exception(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let seen = client.stream("stream_err", Payload::none()).await;
    assert_eq!(seen.values(), [json!(1), json!(2)]);
    let error = seen.end.exception().expect("the stream fails");
    assert_eq!(error["message"], "mid");
    client.expect_open().await;
}

/// CONTRACT 4, row "`Err`, panic", no request.
pub async fn an_error_nobody_asked_for_is_an_exception_event(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("fail", Payload::none()).await;
    let error = client.expect_exception().await;
    assert_eq!(
        error,
        json!({"status": "error", "message": "nope", "cause": {"pattern": "fail"}})
    );
    refute_event!(client);
}

/// CONTRACT 5: to an ack or id the same object is the answer.
pub async fn an_error_answers_its_request(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let error = assert_exception!(client, "fail", 1 => {"message": "nope"});
    assert_eq!(
        error,
        json!({"status": "error", "message": "nope", "cause": {"pattern": "fail"}})
    );
    refute_event!(client);
}

/// CONTRACT 5: `WsException::from(object)` is sent as that object.
pub async fn an_exception_of_an_object_is_sent_as_that_object(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.emit("fail_object", Payload::none()).await;
    let object = json!({"code": 42, "reason": "x"});
    assert_eq!(client.expect_exception().await, object);
    let reply = client.request("fail_object", Payload::none()).await;
    assert_eq!(reply.data(), &object);
}

/// CONTRACT 5: errors with `#[derive(WsError)]` keep message and code.
pub async fn an_error_of_the_application_keeps_its_message_and_code(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    assert_exception!(client, "fail_typed" => {"message": "room 7 is full", "code": "room_full"});
}

/// CONTRACT 5: any other error is internal, without a word of its own.
pub async fn an_internal_error_tells_the_client_nothing_but_a_log_id(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let mut ids = Vec::new();
    for event in ["fail_internal", "panic"] {
        let reply = client.request(event, Payload::none()).await;
        let error = reply.exception().expect("it fails");
        assert_eq!(error["message"], "Internal server error", "{error}");
        assert_eq!(error["cause"]["pattern"], event);
        assert!(!reply.raw.contains("secret"), "{}", reply.raw);
        ids.push(
            error["details"]["id"]
                .as_str()
                .expect("a log id")
                .to_owned(),
        );
    }
    assert_ne!(ids[0], ids[1], "log ids are unique");
    client.expect_open().await;
}

/// CONTRACT 5: the request's data is not echoed.
pub async fn an_exception_does_not_repeat_the_requests_data(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let reply = client.request("fail", json!({"password": "hunter2"})).await;
    assert!(!reply.raw.contains("hunter2"), "{}", reply.raw);
    let reply = client
        .request("dto", json!({"name": "", "n": "hunter2"}))
        .await;
    assert!(!reply.raw.contains("hunter2"), "{}", reply.raw);
}

/// CONTRACT 5: the request's data is echoed when that is switched on.
pub async fn an_exception_repeats_the_requests_data_when_told_to(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.echo_request_data = true).await;
    let mut client = stage.client().connect().await;
    let reply = client.request("fail", json!({"x": 1})).await;
    let error = reply.exception().expect("it fails");
    assert_eq!(error["cause"]["data"], json!({"x": 1}), "{error}");
}

/// CONTRACT 5: bad body: code `bad_request`, the field paths in `details`.
pub async fn a_body_that_does_not_fit_names_the_field(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    assert_reply!(client, "dto", {"name": "a", "n": 1} => {"name": "a", "n": 1});
    let error =
        assert_exception!(client, "dto", {"name": "a", "n": "b"} => {"code": "bad_request"});
    assert!(error["details"].to_string().contains(r#""n""#), "{error}");
    let error = assert_exception!(client, "dto", {"name": "a"} => {"code": "bad_request"});
    assert!(error["details"].to_string().contains('n'), "{error}");
    assert_exception!(client, "dto", [] => {"code": "bad_request"});
    assert_exception!(client, "dto" => {"code": "bad_request"});
    client.expect_open().await;
}

/// CONTRACT 1: `#[body("field")]` takes one field.
pub async fn a_field_of_the_body_can_be_taken_alone(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    assert_reply!(client, "prop", {"id": 7, "x": 1} => {"id": 7});
    assert_reply!(client, "prop", {"x": 1} => {"id": null});
}

/// CONTRACT 5: unknown event: says so and names it.
pub async fn an_unknown_event_is_named(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let reply = client.request("no such event", json!(1)).await;
    let error = reply.exception().expect("it fails");
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("no such event"), "{error}");
    client.emit("nor this", json!(1)).await;
    let error = client.expect_exception().await;
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("nor this"), "{error}");
    client.expect_open().await;
}

/// CONTRACT 5: reserved names are answered as unknown from clients.
pub async fn reserved_events_are_unknown_to_clients(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for event in ["exception", "gap"] {
        let reply = client.request(event, json!(1)).await;
        assert!(reply.exception().is_some(), "{event}: {}", reply.raw);
    }
    client.expect_open().await;
}

/// CONTRACT 4: `Ack` taken by value: the handler answers, once.
pub async fn a_handler_that_takes_the_ack_answers_by_itself(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    assert_reply!(client, "ack_manual" => {"manual": 1});
    // The value it returns besides is not a second answer.
    let id = client.ask("ack_and_value", Payload::none()).await;
    assert_eq!(client.reply(&id).await.data(), &json!("by hand"));
    refute_event!(client);
    let more = client.take_seen();
    assert!(more.is_empty(), "a second answer: {more:?}");
}

/// CONTRACT 4: beside a taken `Ack`, a returned `WsResponse` is still sent.
pub async fn a_response_beside_a_taken_ack_is_still_sent(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let id = client.ask("ack_and_ws", Payload::none()).await;
    assert_eq!(client.reply(&id).await.data(), &json!("by hand"));
    assert_push!(client, "resp", "besides");
}

/// CONTRACT 5: the connection stays open after an exception.
pub async fn the_connection_stays_open_after_an_exception(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    for event in ["fail", "fail_internal", "panic", "g_deny", "nothing"] {
        client.emit(event, Payload::none()).await;
        client.expect_exception().await;
    }
    assert_reply!(client, "echo", 1 => 1);
}
