//! Bad input and the limits on messages (CONTRACT 5 and 10).

use nest_gateway_core::config::UnknownEventPolicy;
use serde_json::{Value, json};

use super::{Power, Stage, Subject};
use crate::client::{ClientFrame, Payload};
use crate::{assert_exception, assert_reply, refute_event};

/// CONTRACT 5: malformed frame: exception, and the connection stays usable.
pub async fn a_malformed_frame_is_an_exception_and_no_more(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    let malformed = [
        String::new(),
        "{".into(),
        "nonsense".into(),
        "7".into(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        r#"{"event":7}"#.into(),
        r#"{"event":null,"data":1}"#.into(),
        r#"{"data":1}"#.into(),
        r#"{"event":"echo","data":}"#.into(),
        r#"{"event":"echo"} trailing"#.into(),
        r#"{"event":"echo","data":1,"id":{}}"#.into(),
        r#"{"event":"echo","data":"\ud800"}"#.into(),
        r#"{"event":"echo","data":1e999}"#.into(),
        format!(r#"{{"event":"echo","data":{deep}}}"#),
        format!(r#"{{"event":"{}"}}"#, "x".repeat(10_000)),
    ];
    for text in &malformed {
        client.send_raw_text(text.clone()).await;
        let error = client.expect_exception().await;
        assert_eq!(error["status"], "error", "{text:.60}: {error}");
        assert!(error["message"].is_string(), "{text:.60}: {error}");
        if error["code"] == "malformed" {
            assert_eq!(error.get("cause"), None, "{text:.60}: {error}");
        }
    }
    assert_reply!(client, "echo", "still here" => "still here");
    refute_event!(client);
}

/// CONTRACT 2: unknown keys are ignored; of duplicate keys the last wins.
pub async fn unknown_keys_are_ignored_and_the_last_of_duplicates_wins(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let frames = [
        r#"{"x":[{}],"event":"echo","data":1,"__proto__":{"a":1}}"#,
        r#"{"event":"nothing","data":0,"event":"echo","data":1}"#,
        r#"  { "data" : 1 , "event" : "\u0065cho" }  "#,
    ];
    for frame in frames {
        client.send_raw_text(frame).await;
        assert_eq!(client.expect_event("echo").await, json!(1), "{frame}");
    }
    let prototype = json!({"__proto__": {"admin": true}, "constructor": 1});
    let reply = client.request("echo", prototype.clone()).await;
    assert_eq!(reply.data(), &prototype);
}

/// CONTRACT 2: text or binary frame with JSON.
pub async fn a_binary_frame_may_carry_the_envelope(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client
        .send_raw_binary(r#"{"event":"echo","data":"by binary"}"#)
        .await;
    assert_eq!(client.expect_event("echo").await, json!("by binary"));
}

/// CONTRACT 2: a binary frame that is not JSON goes to the gateway's binary
/// handler if it has one, else gets an exception.
pub async fn a_binary_frame_goes_to_the_binary_handler_or_is_an_exception(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    client.send_raw_binary(vec![0, 1, 2, 255]).await;
    assert_eq!(client.expect_event("bin_len").await, json!(4));
    let mut without = stage.client().namespace("/second").connect().await;
    without.send_raw_binary(vec![0, 1, 2, 255]).await;
    assert_eq!(without.expect_exception().await["status"], "error");
    without.expect_open().await;
}

/// CONTRACT 1: binary under an event, as far as the wire has it.
pub async fn binary_data_arrives_as_it_was_sent(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let bytes: Vec<u8> = (0..=255).collect();
    let reply = client
        .request("bin_len", Payload::binary(bytes.clone()))
        .await;
    assert_eq!(reply.data(), &json!(256));
    let reply = client.request("echo", Payload::binary(bytes.clone())).await;
    assert_eq!(reply.attachments, [bytes::Bytes::from(bytes)]);
}

/// CONTRACT 5: malformed frames are counted; after a limit the client is
/// closed with 1008.
pub async fn a_client_that_sends_only_noise_is_closed(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_malformed = 3).await;
    let mut client = stage.client().connect().await;
    for _ in 0..4 {
        client.send_raw_text("noise").await;
    }
    client.expect_exception().await;
    let seen = client.expect_close().await;
    stage.expect_code(&seen, 1008);
}

/// CONTRACT 10: messages above 1,000,000 bytes: 1009.
pub async fn a_message_above_the_limit_is_1009(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_message_bytes = 10_000).await;
    let mut other = stage.client().connect().await;
    let fits = json!("x".repeat(9_800));
    let mut client = stage.client().connect().await;
    assert_eq!(client.request("echo", fits.clone()).await.data(), &fits);
    client.emit("echo", json!("x".repeat(10_001))).await;
    let seen = client.expect_close().await;
    assert_eq!(seen.code, 1009, "{seen:?}");
    // Fragments are one message; what counts is their sum.
    let mut client = stage.client().connect().await;
    client
        .send_frame(ClientFrame::text("x".repeat(6_000)).unfinished())
        .await;
    client
        .send_frame(ClientFrame::continuation("x".repeat(6_000)))
        .await;
    let seen = client.expect_close().await;
    assert_eq!(seen.code, 1009, "{seen:?}");
    assert_reply!(other, "echo", 1 => 1);
}

/// CONTRACT 10: the default limit on messages.
pub async fn a_message_of_a_million_bytes_fits(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let text = "x".repeat(999_900);
    let reply = client.request("echo", json!(text)).await;
    assert_eq!(reply.data(), &json!(text));
}

/// CONTRACT 10: event name 128 bytes.
pub async fn an_event_name_may_have_128_bytes(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let longest = "e".repeat(128);
    let reply = client.request(&longest, Payload::none()).await;
    let error = reply.exception().expect("nobody handles it");
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|m| m.contains(&longest)),
        "{error}"
    );
    client.emit(&"e".repeat(129), Payload::none()).await;
    let error = client.expect_exception().await;
    assert!(!error.to_string().contains("eeee"), "{error}");
    client.expect_open().await;
}

/// CONTRACT 5: JSON of every kind survives the way in and out.
pub async fn json_comes_back_as_it_went(subject: Subject) {
    let stage = Stage::start(&subject).await;
    let mut client = stage.client().connect().await;
    let values = [
        Value::Null,
        json!(0),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(""),
        json!("\u{0}\u{1f}\"\\\u{2028}"),
        json!("Ä ß 漢字 👩‍👩‍👧 \u{10ffff}"),
        json!([]),
        json!({}),
        json!({"": {"": []}}),
        json!([[[[[[[[]]]]]]]]),
        json!({"event": "x", "data": {"id": 1}, "ack": "s1", "cancel": 1}),
    ];
    for value in values {
        let reply = client.request("echo", value.clone()).await;
        assert_eq!(reply.data(), &value);
    }
}

/// CONTRACT 9: in order, `ignore`, the second policy for unknown events.
pub async fn unknown_events_are_ignored_if_the_policy_says_so(subject: Subject) {
    let ignore = |config: &mut nest_gateway_core::config::Config| {
        config.unknown_event_policy = UnknownEventPolicy::Ignore;
    };
    let stage = Stage::with(&subject, ignore).await;
    let mut client = stage.client().connect().await;
    client.emit("unknown", json!(1)).await;
    assert_reply!(client, "echo", 1 => 1);
    assert!(client.take_seen().is_empty(), "nothing was to be said");
    // A request is still answered, so that nobody waits for ever.
    let reply = client.request("unknown", json!(1)).await;
    assert!(!reply.has_data(), "{}", reply.raw);
}

/// CONTRACT 5: `close`, the third policy for unknown events.
pub async fn an_unknown_event_closes_if_the_policy_says_so(subject: Subject) {
    let close = |config: &mut nest_gateway_core::config::Config| {
        config.unknown_event_policy = UnknownEventPolicy::Close;
    };
    let stage = Stage::with(&subject, close).await;
    let mut client = stage.client().connect().await;
    client.emit("unknown", json!(1)).await;
    client.expect_exception().await;
    let seen = client.expect_close().await;
    stage.expect_code(&seen, 1008);
}

/// CONTRACT 10: the optional cap of clients of one address: 429.
pub async fn an_address_has_so_many_clients_and_no_more(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_clients_per_address = Some(2)).await;
    let mut one = stage.client().connect().await;
    let mut two = stage.client().connect().await;
    let refused = stage.client().expect_refused().await;
    if let Some(response) = &refused.response {
        assert_eq!(response.status, 429, "{response:?}");
    }
    two.expect_open().await;
    one.close(1000, "").await;
    let mut three = stage.connect_when_possible().await;
    three.expect_open().await;
    stage.client().expect_refused().await;
}

/// CONTRACT 10: connections, when limited: 503 and Retry-After.
pub async fn a_client_above_the_limit_is_refused_with_503(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_clients = Some(2)).await;
    let mut one = stage.client().connect().await;
    let _two = stage.client().connect().await;
    let refused = stage.client().expect_refused().await;
    if let Some(response) = &refused.response {
        assert_eq!(response.status, 503);
        assert!(response.header("retry-after").is_some(), "{response:?}");
    }
    one.expect_open().await;
    stage.log().take();
    one.close(1000, "").await;
    stage.log().until_prefix("disconnect").await;
    let mut three = stage.connect_when_possible().await;
    three.expect_open().await;
}

/// CONTRACT 10: message rate of a client, off by default.
pub async fn a_client_above_its_rate_gets_exceptions(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_messages_per_second = Some(5)).await;
    let mut client = stage.client().connect().await;
    let mut refused = 0;
    for i in 0..20 {
        let reply = client.request("echo", json!(i)).await;
        refused += usize::from(reply.exception().is_some());
    }
    assert!((1..=15).contains(&refused), "{refused} of 20 were refused");
}

/// CONTRACT 10: handler deadline, off by default.
pub async fn a_handler_above_its_deadline_is_cancelled(subject: Subject) {
    let limit = std::time::Duration::from_millis(50);
    let stage = Stage::with(&subject, |config| config.handler_timeout = Some(limit)).await;
    let mut client = stage.client().connect().await;
    assert_exception!(client, "gated", "a" => {"code": "timeout"});
    assert_reply!(client, "echo", 1 => 1);
}

/// CONTRACT 9 and 5: bad input of one client is nobody else's.
pub async fn noise_of_one_client_does_not_disturb_another(subject: Subject) {
    let stage = Stage::with(&subject, |config| config.max_malformed = u32::MAX).await;
    let mut other = stage.client().connect().await;
    let mut noisy = stage.client().connect().await;
    for i in 0..2_000 {
        let bad = ["{", "[]", "", r#"{"event":1}"#][i % 4];
        noisy.send_raw_text(bad).await;
    }
    for i in 0..50 {
        assert_reply!(other, "echo", i => i);
    }
    for _ in 0..2_000 {
        noisy.expect_exception().await;
    }
    noisy.expect_open().await;
    if subject.can(Power::Requests) {
        assert_reply!(noisy, "echo", 1 => 1);
    }
}
