//! The events that can be completed: those that the server publishes.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use serde_json::Value;

use super::connect::tcp;
use super::url::Url;

/// The most that is read of a document, in bytes.
const MOST: u64 = 4 << 20;
/// How long it may take. It is only a convenience.
const PATIENCE: Duration = Duration::from_secs(1);

/// The events that clients may send in a namespace, if the server publishes its
/// contract at `/asyncapi.json`; otherwise none.
pub(crate) fn events(url: &Url, namespace: &str) -> Vec<String> {
    fetch(url)
        .map(|document| receivable(&document, namespace))
        .unwrap_or_default()
}

fn fetch(url: &Url) -> Option<Value> {
    let mut stream = tcp(url, PATIENCE).ok()?;
    let request = format!(
        "GET /asyncapi.json HTTP/1.0\r\nHost: {}\r\nAccept: application/json\r\n\r\n",
        url.authority()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut response = Vec::new();
    stream.take(MOST).read_to_end(&mut response).ok()?;
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, body) = response.split_at(end + 4);
    let status = head.split(|byte| *byte == b' ').nth(1)?;
    if status != b"200" {
        return None;
    }
    serde_json::from_slice(body).ok()
}

/// The names of all messages that the application receives in a channel.
fn receivable(document: &Value, namespace: &str) -> Vec<String> {
    let operations = document["operations"].as_object().into_iter().flatten();
    let mut names: Vec<String> = operations
        .filter(|(_, operation)| operation["action"] == "receive")
        .filter(|(_, operation)| {
            let address = resolved(document, &operation["channel"])["address"].as_str();
            address.is_some_and(|address| is_at(namespace, address))
        })
        .flat_map(|(_, operation)| operation["messages"].as_array().into_iter().flatten())
        .map(|message| resolved(document, message))
        // Messages of bytes have no event.
        .filter(|message| message["contentType"] != "application/octet-stream")
        .filter_map(|message| message["name"].as_str())
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Whether a namespace is at an address, which may have `{parameters}`. A prefix
/// of the adapter may stand before it.
fn is_at(namespace: &str, address: &str) -> bool {
    let (namespace, address) = (namespace.split('/'), address.split('/'));
    let parts: Vec<_> = namespace.collect();
    let wanted: Vec<_> = address.skip(1).collect();
    parts.len() > wanted.len()
        && parts
            .iter()
            .rev()
            .zip(wanted.iter().rev())
            .all(|(part, wanted)| {
                part == wanted || (wanted.starts_with('{') && wanted.ends_with('}'))
            })
}

/// Follows references, a few.
fn resolved<'a>(document: &'a Value, mut value: &'a Value) -> &'a Value {
    for _ in 0..4 {
        let Some(pointer) = value["$ref"]
            .as_str()
            .and_then(|reference| reference.strip_prefix('#'))
        else {
            break;
        };
        value = document.pointer(pointer).unwrap_or(&Value::Null);
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_parameters_and_prefixes() {
        for (namespace, address, expected) in [
            ("/chat", "/chat", true),
            ("/ws/chat", "/chat", true),
            ("/", "/", true),
            ("/chat", "/", false),
            ("/room/7", "/room/{id}", true),
            ("/ws/room/7", "/room/{id}", true),
            ("/room", "/room/{id}", false),
            ("/snapchat", "/chat", false),
        ] {
            assert_eq!(is_at(namespace, address), expected, "{namespace} {address}");
        }
    }

    #[test]
    fn events_of_the_namespace_are_found_through_references() {
        let document = serde_json::json!({
            "channels": {
                "chat": {"address": "/chat", "messages": {"say": {"$ref": "#/components/messages/say"}}},
                "other": {"address": "/other", "messages": {"x": {"name": "x"}}},
            },
            "operations": {
                "a": {"action": "receive", "channel": {"$ref": "#/channels/chat"},
                      "messages": [{"$ref": "#/channels/chat/messages/say"}]},
                "b": {"action": "send", "channel": {"$ref": "#/channels/chat"},
                      "messages": [{"name": "said"}]},
                "c": {"action": "receive", "channel": {"$ref": "#/channels/other"},
                      "messages": [{"$ref": "#/channels/other/messages/x"}]},
            },
            "components": {"messages": {"say": {"name": "say"}}},
        });
        assert_eq!(receivable(&document, "/chat"), ["say"]);
        assert_eq!(receivable(&document, "/ws/chat"), ["say"]);
        assert!(receivable(&Value::Null, "/chat").is_empty());
    }
}
