//! Assertions on what clients receive.
//!
//! Data is written as in [`serde_json::json!`] and compared exactly; with
//! `, ..` behind it, objects may have further keys. Each macro awaits by
//! itself, waits at most the client's patience, and fails at the line it stands
//! in, with the first difference and the last frames in both directions.
//!
//! | macro | passes when |
//! |---|---|
//! | [`assert_push!`](crate::assert_push) | an event of that name comes, whatever comes before it |
//! | [`refute_push!`](crate::refute_push) | no event of that name came before the end of a round trip |
//! | [`assert_event!`](crate::assert_event) | the oldest event is that one |
//! | [`refute_event!`](crate::refute_event) | no event at all came before the end of a round trip |
//! | [`assert_reply!`](crate::assert_reply) | a request is answered with that value |
//! | [`assert_exception!`](crate::assert_exception) | a request is answered with that error |
//! | [`assert_broadcast!`](crate::assert_broadcast) | each of several clients gets the event |

use std::fmt::Write as _;

use serde_json::Value;

use crate::client::{Reply, Transcript};

/// Waits for an event of this name, passing over others, and gives its data.
///
/// ```no_run
/// # use nest_gateway_testkit::*;
/// # async fn example(mut client: client::Client, mut ada: client::Client, mut grace: client::Client, id: &str) {
/// assert_push!(client, "said");
/// assert_push!(client, "said", {"from": id, "text": "hi"});
/// assert_push!(client, "said", {"text": "hi"}, ..);
/// # }
/// ```
#[macro_export]
macro_rules! assert_push {
    ($client:expr, $event:expr $(,)?) => {
        $client.expect_event($event).await
    };
    ($client:expr, $event:expr, $data:tt, ..) => {{
        let event = $client.event($event).await;
        $crate::assert::part(
            $event,
            event.data(),
            &$crate::json!($data),
            $client.transcript(),
        );
        event.into_data()
    }};
    ($client:expr, $event:expr, $data:tt $(,)?) => {{
        let event = $client.event($event).await;
        $crate::assert::equal(
            $event,
            event.data(),
            &$crate::json!($data),
            $client.transcript(),
        );
        event.into_data()
    }};
}

/// Makes a round trip; no event of this name may have come before its end.
#[macro_export]
macro_rules! refute_push {
    ($client:expr, $event:expr $(,)?) => {
        $client.refute_event($event).await
    };
}

/// Takes the oldest event, which has to be this one, and gives its data.
#[macro_export]
macro_rules! assert_event {
    ($client:expr, $event:expr $(,)?) => {
        $client.expect_no_event_before($event).await
    };
    ($client:expr, $event:expr, $data:tt, ..) => {{
        let data = $client.expect_no_event_before($event).await;
        $crate::assert::part($event, &data, &$crate::json!($data), $client.transcript());
        data
    }};
    ($client:expr, $event:expr, $data:tt $(,)?) => {{
        let data = $client.expect_no_event_before($event).await;
        $crate::assert::equal($event, &data, &$crate::json!($data), $client.transcript());
        data
    }};
}

/// Makes a round trip; no event at all may have come before its end.
#[macro_export]
macro_rules! refute_event {
    ($client:expr $(,)?) => {
        $client.refute_any_event().await
    };
}

/// Sends a request and compares its reply; gives the [`Reply`].
///
/// ```no_run
/// # use nest_gateway_testkit::*;
/// # async fn example(mut client: client::Client, mut ada: client::Client, mut grace: client::Client, id: &str) {
/// assert_reply!(client, "rooms" => ["a", "b"]);
/// assert_reply!(client, "join", {"room": "a"} => {"joined": "a"});
/// assert_reply!(client, "profile", {"id": 7} => {"name": "Ada"}, ..);
/// # }
/// ```
#[macro_export]
macro_rules! assert_reply {
    ($client:expr, $event:expr => $reply:tt $($rest:tt)*) => {{
        let reply = $client.request($event, $crate::client::Payload::none()).await;
        $crate::__compare_reply!($client, $event, reply, $reply $($rest)*)
    }};
    ($client:expr, $event:expr, $data:tt => $reply:tt $($rest:tt)*) => {{
        let reply = $client.request($event, $crate::json!($data)).await;
        $crate::__compare_reply!($client, $event, reply, $reply $($rest)*)
    }};
}

/// Sends a request that fails, and compares the error object, of which keys
/// may be left out; gives the error object.
///
/// ```no_run
/// # use nest_gateway_testkit::*;
/// # async fn example(mut client: client::Client, mut ada: client::Client, mut grace: client::Client, id: &str) {
/// assert_exception!(client, "join", {} => {"code": "bad_request"});
/// # }
/// ```
#[macro_export]
macro_rules! assert_exception {
    ($client:expr, $event:expr => $error:tt) => {{
        let reply = $client
            .request($event, $crate::client::Payload::none())
            .await;
        let error = $crate::assert::failed($event, &reply, $client.transcript());
        $crate::assert::part($event, &error, &$crate::json!($error), $client.transcript());
        error
    }};
    ($client:expr, $event:expr, $data:tt => $error:tt) => {{
        let reply = $client.request($event, $crate::json!($data)).await;
        let error = $crate::assert::failed($event, &reply, $client.transcript());
        $crate::assert::part($event, &error, &$crate::json!($error), $client.transcript());
        error
    }};
}

/// Waits until each of these clients has got the event.
///
/// ```no_run
/// # use nest_gateway_testkit::*;
/// # async fn example(mut client: client::Client, mut ada: client::Client, mut grace: client::Client, id: &str) {
/// assert_broadcast!([ada, grace], "said", {"text": "hi"}, ..);
/// # }
/// ```
#[macro_export]
macro_rules! assert_broadcast {
    ([$client:expr $(, $others:expr)* $(,)?], $($what:tt)+) => {{
        $crate::assert_push!($client, $($what)+);
        $crate::assert_broadcast!([$($others),*], $($what)+)
    }};
    ([], $($what:tt)+) => {
        ()
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __compare_reply {
    ($client:expr, $event:expr, $reply:ident, $data:tt, ..) => {{
        $crate::assert::succeeded($event, &$reply, $client.transcript());
        $crate::assert::part(
            $event,
            $reply.data(),
            &$crate::json!($data),
            $client.transcript(),
        );
        $reply
    }};
    ($client:expr, $event:expr, $reply:ident, $data:tt $(,)?) => {{
        $crate::assert::succeeded($event, &$reply, $client.transcript());
        $crate::assert::equal(
            $event,
            $reply.data(),
            &$crate::json!($data),
            $client.transcript(),
        );
        $reply
    }};
}

/// Panics unless `actual` equals `expected`; `what` and the frames go into the
/// text.
#[track_caller]
pub fn equal(what: &str, actual: &Value, expected: &Value, transcript: &Transcript) {
    compare(what, actual, expected, transcript, true);
}

/// Panics unless `actual` has all that `expected` has; objects may have more.
#[track_caller]
pub fn part(what: &str, actual: &Value, expected: &Value, transcript: &Transcript) {
    compare(what, actual, expected, transcript, false);
}

/// Panics if the reply is an exception.
#[track_caller]
pub fn succeeded(what: &str, reply: &Reply, transcript: &Transcript) {
    if let Some(error) = reply.exception() {
        panic!("{what} was answered with the exception {error}\n{transcript}");
    }
}

/// The error object of a reply; panics if the reply is none.
#[track_caller]
pub fn failed(what: &str, reply: &Reply, transcript: &Transcript) -> Value {
    match reply.exception() {
        Some(error) => error.clone(),
        None => panic!("{what} did not fail: {}\n{transcript}", reply.raw),
    }
}

#[track_caller]
fn compare(what: &str, actual: &Value, expected: &Value, transcript: &Transcript, exact: bool) {
    let mut path = String::from("$");
    if let Some(difference) = difference(actual, expected, exact, &mut path) {
        panic!(
            "the data of {what} differs at {path}: {difference}\n  actual:   {actual}\n  \
             expected: {expected}{}\n{transcript}",
            if exact { "" } else { " (and more)" }
        );
    }
}

/// The first difference; `path` is left where it is.
fn difference(actual: &Value, expected: &Value, exact: bool, path: &mut String) -> Option<String> {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, expected) in expected {
                let length = path.len();
                write!(path, ".{key}").expect("a String takes every write");
                match actual.get(key) {
                    None => return Some(format!("missing, expected {expected}")),
                    Some(actual) => {
                        if let Some(found) = difference(actual, expected, exact, path) {
                            return Some(found);
                        }
                    }
                }
                path.truncate(length);
            }
            let extra = actual.keys().find(|key| !expected.contains_key(*key));
            extra
                .filter(|_| exact)
                .map(|key| format!("the key {key:?} is one too many"))
        }
        (Value::Array(actual), Value::Array(expected)) if actual.len() == expected.len() => {
            for (index, (actual, expected)) in actual.iter().zip(expected).enumerate() {
                let length = path.len();
                write!(path, "[{index}]").expect("a String takes every write");
                if let Some(found) = difference(actual, expected, exact, path) {
                    return Some(found);
                }
                path.truncate(length);
            }
            None
        }
        (actual, expected) if actual == expected => None,
        (actual, expected) => Some(format!("{actual} is not {expected}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differs(actual: &Value, expected: &Value, exact: bool) -> Option<(String, String)> {
        let mut path = String::from("$");
        let found = difference(actual, expected, exact, &mut path)?;
        Some((path, found))
    }

    #[test]
    fn the_first_difference_is_named_by_its_path() {
        let actual = json!({"a": [1, {"b": 2}], "c": 3});
        let expected = json!({"a": [1, {"b": 4}], "c": 3});
        assert_eq!(
            differs(&actual, &expected, true),
            Some(("$.a[1].b".to_owned(), "2 is not 4".to_owned()))
        );
    }

    #[test]
    fn further_keys_are_allowed_in_a_part_only() {
        let actual = json!({"a": {"x": 1, "y": 2}});
        let expected = json!({"a": {"x": 1}});
        assert_eq!(differs(&actual, &expected, false), None);
        assert!(differs(&actual, &expected, true).is_some());
    }

    #[test]
    fn a_missing_key_and_a_null_are_not_the_same() {
        let expected = json!({"a": null});
        assert!(differs(&json!({}), &expected, false).is_some());
        assert_eq!(differs(&json!({"a": null}), &expected, true), None);
    }
}
