//! AsyncAPI 3.

use serde_json::{Map, Value, json};

use crate::description::{Description, Event, Kind, TypeOf};
use crate::names::{Namespace, namespaces};
use crate::{Schemas, schema};

const ABOUT: &str = "The payloads of the messages are the data of events. On the native protocol \
(WebSocket at the channel's address) they travel in an envelope `{\"event\": name, \"data\": payload, \
\"id\": any}`, on Socket.IO (the address is the namespace) as the event's argument.";

/// The AsyncAPI 3 document of an application, whose `title` and `version` stand
/// in its `info`. The channels are the namespaces; what clients send are the
/// operations with the action `receive`.
pub fn asyncapi(description: &Description, title: &str, version: &str) -> Value {
    let mut document = Document::default();
    for namespace in namespaces(&description.gateways) {
        document.channel(&namespace);
    }
    document.schemas.insert("Exception", exception_schema());
    json!({
        "asyncapi": "3.0.0",
        "info": {"title": title, "version": version, "description": ABOUT},
        "defaultContentType": "application/json",
        "channels": document.channels,
        "operations": document.operations,
        "components": {"schemas": document.schemas.into_map()},
    })
}

/// What a client gets when something fails.
pub(crate) fn exception_schema() -> Value {
    json!({
        "description": "What a client gets when something failed. An application may send other objects.",
        "type": "object",
        "properties": {
            "status": {"const": "error"},
            "message": {"type": "string"},
            "code": {"type": "string"},
            "details": {},
            "cause": {
                "type": "object",
                "properties": {"pattern": {"type": "string"}},
                "required": ["pattern"],
            },
        },
        "required": ["status", "message"],
    })
}

#[derive(Default)]
struct Document {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    schemas: Schemas,
}

impl Document {
    fn channel(&mut self, namespace: &Namespace<'_>) {
        let names: Vec<_> = namespace
            .gateways
            .iter()
            .map(|gateway| gateway.name.as_str())
            .collect();
        let mut messages = Map::new();
        for gateway in &namespace.gateways {
            for event in &gateway.events {
                self.receive(namespace, event, &mut messages);
            }
            for emit in &gateway.emits {
                let key = self.message(&mut messages, &emit.event, emit.body.as_ref(), "");
                self.operation(namespace, "send", &key, json!({}));
            }
        }
        messages.insert(
            "exception".to_owned(),
            json!({"name": "exception", "payload": schema::reference("Exception")}),
        );
        self.operation(namespace, "send", "exception", json!({}));
        let mut channel = json!({
            "address": namespace.path,
            "title": names.join(", "),
            "messages": messages,
        });
        let parameters = parameters(namespace.path);
        if !parameters.is_empty() {
            channel["parameters"] = Value::Object(parameters);
        }
        self.channels.insert(namespace.key.clone(), channel);
    }

    fn receive(
        &mut self,
        namespace: &Namespace<'_>,
        event: &Event,
        messages: &mut Map<String, Value>,
    ) {
        if event.kind == Kind::Binary {
            let payload = json!({"type": "string", "format": "binary"});
            let message = json!({
                "name": event.method,
                "contentType": "application/octet-stream",
                "summary": "A WebSocket message of bytes, without an envelope.",
                "payload": payload,
            });
            let key = key_of(&event.method);
            messages.insert(key.clone(), message);
            return self.operation(namespace, "receive", &key, json!({}));
        }
        if event.kind == Kind::Any {
            let mut message = json!({
                "name": event.method,
                "summary": "Any event that has no message of its own in this channel.",
            });
            if let Some(shape) = event
                .body
                .as_ref()
                .and_then(|body| self.schemas.shape(body))
            {
                message["payload"] = shape.schema;
            }
            let key = key_of(&event.method);
            messages.insert(key.clone(), message);
            return self.operation(namespace, "receive", &key, json!({}));
        }
        let key = self.message(messages, &event.name, event.body.as_ref(), "");
        let mut details = json!({});
        let reply = event
            .reply
            .as_ref()
            .and_then(|reply| Some((reply, self.schemas.shape(reply)?)));
        if let Some((reply, shape)) = reply {
            let answer = self.message(messages, &event.name, Some(reply), "reply");
            details["reply"] = json!({
                "channel": {"$ref": format!("#/channels/{}", namespace.key)},
                "messages": [{"$ref": format!("#/channels/{}/messages/{answer}", namespace.key)}],
            });
            if shape.stream {
                details["description"] =
                    json!("The reply is a stream: any number of such messages, then its end.");
            }
        }
        self.operation(namespace, "receive", &key, details);
    }

    fn message(
        &mut self,
        messages: &mut Map<String, Value>,
        event: &str,
        body: Option<&TypeOf>,
        suffix: &str,
    ) -> String {
        let mut message = json!({"name": event});
        if let Some(shape) = body.and_then(|body| self.schemas.shape(body)) {
            message["payload"] = shape.schema;
        }
        let plain = key_of(event);
        let mut key = if suffix.is_empty() {
            plain
        } else {
            format!("{plain}.{suffix}")
        };
        // The same event may be both received and emitted, with different data.
        while messages.get(&key).is_some_and(|other| *other != message) {
            key.push('_');
        }
        messages.insert(key.clone(), message);
        key
    }

    fn operation(
        &mut self,
        namespace: &Namespace<'_>,
        action: &str,
        message: &str,
        details: Value,
    ) {
        let channel = format!("#/channels/{}", namespace.key);
        let mut operation = json!({
            "action": action,
            "channel": {"$ref": channel},
            "messages": [{"$ref": format!("{channel}/messages/{message}")}],
        });
        if let (Some(operation), Value::Object(details)) = (operation.as_object_mut(), details) {
            operation.extend(details);
        }
        let key = format!("{}.{action}.{message}", namespace.key);
        self.operations.insert(key, operation);
    }
}

/// The `{parameters}` of a path.
fn parameters(path: &str) -> Map<String, Value> {
    let inner = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    inner.map(|name| (name.to_owned(), json!({}))).collect()
}

/// A key that can stand in references without being escaped.
fn key_of(event: &str) -> String {
    event
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '.') {
                c
            } else {
                '_'
            }
        })
        .collect()
}
