//! From what core sends to WebSocket frames, encoded once for all receivers.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Format, ItemEncoder};
use nest_gateway_core::id::RequestId;
use nest_gateway_core::message::{Encoded, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::recovery::{Offset, Offsets};
use nest_gateway_core::value::Value;
use nest_gateway_wire::{Frame, OpCode, Stencil};

use crate::offset::{self, OffsetText};
use crate::packet::encode;

/// The default parser of Socket.IO: JSON, with binary as attachments.
#[derive(Debug, Default)]
pub(crate) struct JsonCodec {
    /// Set when events carry an offset, for connection state recovery.
    pub(crate) offsets: Option<Arc<Offsets>>,
}

impl Codec for JsonCodec {
    fn format(&self) -> Format {
        match self.offsets {
            None => Format("socketio"),
            Some(_) => Format("socketio+offset"),
        }
    }

    fn names_path(&self) -> bool {
        true
    }

    fn carries_many_arguments(&self) -> bool {
        true
    }

    fn recoverable(&self, message: &Bytes) -> Option<(Offset, Bytes)> {
        self.offsets
            .as_ref()
            .and_then(|_| offset::event_of(message))
    }

    fn encode(&self, path: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        let mut buffer = Vec::with_capacity(256);
        let said = self.encode_into(path, message, &mut buffer)?;
        Ok(said.then(|| buffer.into()))
    }

    fn encode_into(
        &self,
        path: &str,
        message: Outgoing<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        let before = buffer.len();
        match message {
            Outgoing::Event { event, arguments } => {
                self.event(buffer, path, event, arguments.as_slice(), None);
            }
            Outgoing::Question {
                id,
                event,
                arguments,
            } => self.event(buffer, path, event, arguments.as_slice(), Some(id)),
            // A reply goes to whoever asked for an answer, and to nobody else.
            Outgoing::Reply { request, data, .. } => ack(buffer, path, request, slice(data)),
            Outgoing::Answer {
                request, arguments, ..
            } => ack(buffer, path, request, arguments.as_slice()),
            Outgoing::Response {
                event,
                request,
                data,
            } => {
                self.event(buffer, path, event, slice(data), None);
                ack(buffer, path, request, &[]);
            }
            Outgoing::Item { event, data, .. } => {
                self.event(buffer, path, event, slice(data), None);
            }
            Outgoing::Done { request, .. } => ack(buffer, path, Some(request), &[]),
            Outgoing::Exception { request, data } => match request_number(request) {
                Some(_) => ack(buffer, path, request, std::slice::from_ref(data)),
                None => {
                    let arguments = std::slice::from_ref(data);
                    self.event(buffer, path, "exception", arguments, None);
                }
            },
            // Core may learn to say more; what this wire has no words for is not sent.
            _ => {}
        }
        Ok(buffer.len() > before)
    }

    fn item_encoder(
        &self,
        path: &str,
        event: &str,
        _request: Option<&RequestId>,
    ) -> Option<ItemEncoder> {
        if self.offsets.is_some() {
            // Each has a number of its own.
            return None;
        }
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        encode::around_argument(&mut before, &mut behind, path, event);
        let stencil = Stencil::new(&before, &behind);
        Some(Box::new(move |json, buffer| stencil.append(buffer, json)))
    }
}

impl JsonCodec {
    fn event(
        &self,
        buffer: &mut Vec<u8>,
        path: &str,
        event: &str,
        arguments: &[Payload],
        id: Option<u64>,
    ) {
        let body = Body::of(arguments);
        // Whoever waits for an answer cannot wait for it on another connection.
        let offset: Option<OffsetText> = match id {
            None => self.offsets.as_ref().map(|offsets| offsets.next().into()),
            Some(_) => None,
        };
        let event = encode::Event {
            namespace: path,
            id,
            event,
            arguments: &body.json,
            attachments: body.attachments.len(),
            offset: offset.as_ref().map(OffsetText::as_str),
        };
        let capacity = path.len() + event.event.len() + body.json.len() + 64;
        Frame::append(buffer, OpCode::Text, capacity, |buffer| {
            encode::event(buffer, event);
        });
        append_attachments(buffer, &body.attachments);
    }
}

/// Says nothing to who did not ask.
fn ack(buffer: &mut Vec<u8>, path: &str, request: Option<&RequestId>, arguments: &[Payload]) {
    let Some(id) = request_number(request) else {
        return;
    };
    let body = Body::of(arguments);
    let capacity = path.len() + body.json.len() + 32;
    let attachments = body.attachments.len();
    Frame::append(buffer, OpCode::Text, capacity, |buffer| {
        encode::ack(buffer, path, id, &body.json, attachments);
    });
    append_attachments(buffer, &body.attachments);
}

/// A binary frame for each attachment, behind the text frame of their packet.
fn append_attachments(buffer: &mut Vec<u8>, attachments: &[Bytes]) {
    for attachment in attachments {
        Frame::append(buffer, OpCode::Binary, attachment.len(), |buffer| {
            buffer.extend_from_slice(attachment);
        });
    }
}

/// The frame of a packet without arguments.
pub(crate) fn text_frame(write: impl FnOnce(&mut Vec<u8>)) -> Frame {
    Frame::build(OpCode::Text, 64, write)
}

fn slice(data: Option<&Payload>) -> &[Payload] {
    data.map_or(&[], std::slice::from_ref)
}

/// Socket.IO names requests by numbers; no other name comes from this adapter.
fn request_number(request: Option<&RequestId>) -> Option<u64> {
    match request? {
        RequestId::Number(number) => number.as_u64(),
        RequestId::Text(_) => None,
    }
}

/// The arguments of a packet as JSON with placeholders, and what they stand for.
struct Body<'a> {
    json: Cow<'a, [u8]>,
    attachments: Vec<Bytes>,
}

impl<'a> Body<'a> {
    fn of(arguments: &'a [Payload]) -> Self {
        if let [only] = arguments
            && let Some(json) = only.as_json()
        {
            return Self {
                json: Cow::Borrowed(json),
                attachments: Vec::new(),
            };
        }
        let (mut json, mut attachments) = (Vec::new(), Vec::new());
        for (index, argument) in arguments.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            match (argument.as_json(), argument.as_value()) {
                (Some(text), _) => json.extend_from_slice(text),
                (None, Some(value)) => write_value(&mut json, value, &mut attachments),
                (None, None) => json.extend_from_slice(b"null"),
            }
        }
        Self {
            json: Cow::Owned(json),
            attachments,
        }
    }
}

/// Writes a value as JSON; bytes become placeholders.
fn write_value(json: &mut Vec<u8>, value: &Value, attachments: &mut Vec<Bytes>) {
    match value {
        Value::Binary(bytes) => {
            encode::placeholder(json, attachments.len());
            attachments.push(bytes.clone());
        }
        Value::Array(items) => {
            json.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    json.push(b',');
                }
                write_value(json, item, attachments);
            }
            json.push(b']');
        }
        Value::Object(map) => {
            json.push(b'{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    json.push(b',');
                }
                encode::string(json, key);
                json.push(b':');
                write_value(json, item, attachments);
            }
            json.push(b'}');
        }
        Value::String(text) => encode::string(json, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            serde_json::to_writer(json, value).expect("a plain value is JSON");
        }
    }
}

#[cfg(test)]
mod tests {
    use nest_gateway_core::message::Arguments;

    use super::*;

    fn written(message: Outgoing<'_>) -> Option<Vec<String>> {
        let encoded = JsonCodec::default().encode("/chat", message).unwrap()?;
        let mut body = Vec::new();
        crate::engine::payload::append_frames(&mut body, &encoded);
        let body = String::from_utf8(body).unwrap();
        Some(body.split('\u{1e}').map(str::to_owned).collect())
    }

    fn json(text: &'static str) -> Payload {
        Payload::from_json(Bytes::from_static(text.as_bytes()))
    }

    fn event(arguments: &Arguments) -> Vec<String> {
        written(Outgoing::Event {
            event: "e",
            arguments,
        })
        .unwrap()
    }

    #[test]
    fn events_carry_any_number_of_arguments() {
        assert_eq!(event(&Arguments::None), [r#"42/chat,["e"]"#]);
        assert_eq!(event(&Arguments::One(json("1"))), [r#"42/chat,["e",1]"#]);
        let many = vec![json("1"), Payload::empty(), json("[2]")].into();
        assert_eq!(event(&many), [r#"42/chat,["e",1,null,[2]]"#]);
    }

    #[test]
    fn binary_becomes_attachments_wherever_it_stands() {
        let mut object = nest_gateway_core::value::Map::new();
        object.insert(
            "a\"b".to_owned(),
            Value::Binary(Bytes::from_static(&[1, 2, 3, 4])),
        );
        object.insert(
            "c".to_owned(),
            Value::Array(vec![Value::Null, Value::from(1.5), Value::Bool(true)]),
        );
        let arguments = vec![
            Payload::from_value(Value::Object(object)),
            json("{\"_placeholder\":false}"),
            Payload::from_value(Value::Binary(Bytes::new())),
        ]
        .into();
        assert_eq!(
            event(&arguments),
            [
                concat!(
                    r#"452-/chat,["e",{"a\"b":{"_placeholder":true,"num":0},"c":[null,1.5,true]},"#,
                    r#"{"_placeholder":false},{"_placeholder":true,"num":1}]"#
                ),
                "bAQIDBA==",
                "b",
            ]
        );
    }

    #[test]
    fn replies_follow_the_table_of_the_contract() {
        let (request, value) = (RequestId::from(7), json("{\"a\":1}"));
        let reply = |request, data| {
            written(Outgoing::Reply {
                event: "e",
                request,
                data,
            })
        };
        assert_eq!(reply(None, Some(&value)), None);
        assert_eq!(reply(None, None), None);
        assert_eq!(
            reply(Some(&request), Some(&value)).unwrap(),
            [r#"43/chat,7[{"a":1}]"#]
        );
        assert_eq!(reply(Some(&request), None).unwrap(), ["43/chat,7[]"]);

        let response = |request, data| {
            written(Outgoing::Response {
                event: "r",
                request,
                data,
            })
        };
        assert_eq!(
            response(None, Some(&value)).unwrap(),
            [r#"42/chat,["r",{"a":1}]"#]
        );
        assert_eq!(
            response(Some(&request), Some(&value)).unwrap(),
            [r#"42/chat,["r",{"a":1}]"#, "43/chat,7[]"]
        );
        let item = Outgoing::Item {
            event: "t",
            request: Some(&request),
            data: Some(&value),
        };
        assert_eq!(written(item).unwrap(), [r#"42/chat,["t",{"a":1}]"#]);
        let done = Outgoing::Done {
            event: "t",
            request: &request,
        };
        assert_eq!(written(done).unwrap(), ["43/chat,7[]"]);

        let exception = |request| {
            written(Outgoing::Exception {
                request,
                data: &value,
            })
            .unwrap()
        };
        assert_eq!(exception(None), [r#"42/chat,["exception",{"a":1}]"#]);
        assert_eq!(exception(Some(&request)), [r#"43/chat,7[{"a":1}]"#]);
    }

    #[test]
    fn an_item_is_the_same_whether_it_is_encoded_alone_or_with_the_encoder_of_its_stream() {
        let codec = JsonCodec::default();
        let long = format!("{:?}", "long".repeat(20_000));
        for path in ["/", "/chat"] {
            let encode = codec.item_encoder(path, "to\"ken", None).unwrap();
            for text in ["1", "\"short\"", &long] {
                let data = Payload::from_json(Bytes::copy_from_slice(text.as_bytes()));
                let item = Outgoing::Item {
                    event: "to\"ken",
                    request: Some(&RequestId::from(1)),
                    data: Some(&data),
                };
                let (mut alone, mut with) = (Vec::new(), Vec::new());
                assert!(codec.encode_into(path, item, &mut alone).unwrap());
                encode(text.as_bytes(), &mut with);
                assert_eq!(alone, with);
            }
        }
        let numbered = JsonCodec {
            offsets: Some(Arc::default()),
        };
        assert!(numbered.item_encoder("/", "token", None).is_none());
    }

    #[test]
    fn a_binary_reply_is_a_binary_ack() {
        let value = Payload::from_value(Value::Binary(Bytes::from_static(b"x")));
        let request = RequestId::from(0);
        let reply = Outgoing::Reply {
            event: "e",
            request: Some(&request),
            data: Some(&value),
        };
        let expected = [r#"461-/chat,0[{"_placeholder":true,"num":0}]"#, "beA=="];
        assert_eq!(written(reply).unwrap(), expected);
    }

    #[test]
    fn a_question_carries_its_number_and_never_an_offset() {
        let codec = JsonCodec {
            offsets: Some(Arc::default()),
        };
        let arguments = Arguments::One(json("1"));
        let question = Outgoing::Question {
            id: 3,
            event: "q",
            arguments: &arguments,
        };
        let bytes = codec.encode("/", question).unwrap().unwrap();
        assert_eq!(&bytes[2..], br#"423["q",1]"#);
        let event = Outgoing::Event {
            event: "q",
            arguments: &arguments,
        };
        let first = codec.encode("/", event).unwrap().unwrap();
        let second = codec.encode("/", event).unwrap().unwrap();
        assert!(first[2..].starts_with(br#"42["q",1,""#));
        assert_ne!(first, second);
    }
}
