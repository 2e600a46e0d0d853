//! The JSON envelope as it goes to a client: envelope and frame header in one
//! buffer, shared by all receivers.

use std::sync::Arc;

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Format, ItemEncoder};
use nest_gateway_core::id::RequestId;
use nest_gateway_core::json;
use nest_gateway_core::message::{Arguments, Encoded, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::recovery::{Offset, Offsets};
use nest_gateway_core::value::Value;
use nest_gateway_wire::{Frame, GapNotice, OpCode, Stencil};
use serde::Serialize;

/// Room for the envelope around the data.
const ENVELOPE_BYTES: usize = 64;

/// The codec of the JSON envelope.
#[derive(Debug)]
pub(crate) struct JsonCodec {
    /// Set when events carry an offset, for connection state recovery.
    pub(crate) offsets: Option<Arc<Offsets>>,
}

impl JsonCodec {
    /// Without offsets.
    pub(crate) const PLAIN: Self = Self { offsets: None };
}

impl Codec for JsonCodec {
    fn format(&self) -> Format {
        match self.offsets {
            None => Format("native.json"),
            Some(_) => Format("native.json+offset"),
        }
    }

    fn recoverable(&self, message: &Bytes) -> Option<(Offset, Bytes)> {
        self.offsets.as_ref()?;
        let frame = Frame::from_bytes(message.clone())?;
        Some((offset_of(&frame.payload())?, message.clone()))
    }

    fn encode(&self, _path: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        Outbound::with(message, |envelope| {
            if let Some(bytes) = envelope.bare_binary() {
                return Ok(Frame::binary(bytes).into_bytes());
            }
            envelope.number(self.offsets.as_deref());
            let mut result = Ok(());
            let frame = Frame::build(OpCode::Text, envelope.size_hint_bytes(), |buffer| {
                result = envelope.write_json(buffer);
            });
            result.map(|()| frame.into_bytes())
        })
    }

    fn encode_into(
        &self,
        _path: &str,
        message: Outgoing<'_>,
        buffer: &mut Vec<u8>,
    ) -> Result<bool, EncodeError> {
        let said = Outbound::with(message, |envelope| {
            if let Some(bytes) = envelope.bare_binary() {
                Frame::append(buffer, OpCode::Binary, bytes.len(), |buffer| {
                    buffer.extend_from_slice(bytes);
                });
                return Ok(());
            }
            envelope.number(self.offsets.as_deref());
            let mut result = Ok(());
            Frame::append(buffer, OpCode::Text, envelope.size_hint_bytes(), |buffer| {
                result = envelope.write_json(buffer);
            });
            result
        })?;
        Ok(said.is_some())
    }

    fn item_encoder(
        &self,
        _path: &str,
        event: &str,
        request: Option<&RequestId>,
    ) -> Option<ItemEncoder> {
        let id = request.map(OutboundId::Request);
        if id.is_none() && self.offsets.is_some() {
            // Each has a number of its own.
            return None;
        }
        let envelope = Outbound {
            event,
            data: None,
            id,
            done: false,
            offset: None,
        };
        let (mut before, mut behind) = (Vec::new(), Vec::new());
        envelope.write_head(&mut before);
        before.extend_from_slice(DATA);
        envelope.write_tail(&mut behind).ok()?;
        let stencil = Stencil::new(&before, &behind);
        Some(Box::new(move |json, buffer| stencil.append(buffer, json)))
    }
}

/// What stands between the event and the data.
const DATA: &[u8] = br#","data":"#;

/// The fields of an envelope on its way out.
pub(crate) struct Outbound<'a> {
    pub(crate) event: &'a str,
    pub(crate) data: Option<&'a Payload>,
    pub(crate) id: Option<OutboundId<'a>>,
    pub(crate) done: bool,
    /// The number of an event that can be sent again.
    pub(crate) offset: Option<Offset>,
}

/// The id of an envelope: the client's own, or that of a question.
pub(crate) enum OutboundId<'a> {
    Request(&'a RequestId),
    Question(u64),
}

impl Outbound<'_> {
    /// Shows `write` the envelope for a message; `None` where the native wire says nothing.
    pub(crate) fn with<R>(
        message: Outgoing<'_>,
        write: impl FnOnce(&mut Outbound<'_>) -> Result<R, EncodeError>,
    ) -> Result<Option<R>, EncodeError> {
        let mut array = Payload::empty();
        let (event, data, id) = match message {
            Outgoing::Event { event, arguments } => (event, body(arguments, &mut array)?, None),
            Outgoing::Question {
                id,
                event,
                arguments,
            } => {
                let id = Some(OutboundId::Question(id));
                (event, body(arguments, &mut array)?, id)
            }
            // Without a value there is only something to say to who asked.
            Outgoing::Reply {
                request: None,
                data: None,
                ..
            }
            | Outgoing::Answer {
                request: None,
                arguments: Arguments::None,
                ..
            } => return Ok(None),
            Outgoing::Answer {
                event,
                request,
                arguments,
            } => (event, body(arguments, &mut array)?, requested(request)),
            Outgoing::Reply {
                event,
                request,
                data,
            }
            | Outgoing::Response {
                event,
                request,
                data,
            }
            | Outgoing::Item {
                event,
                request,
                data,
            } => (event, data, requested(request)),
            Outgoing::Done { event, request } => (event, None, requested(Some(request))),
            Outgoing::Exception { request, data } => ("exception", Some(data), requested(request)),
            _ => return Err(EncodeError::new("unknown kind of message")),
        };
        let mut envelope = Outbound {
            event,
            data: data.filter(|data| !data.is_empty()),
            id,
            done: matches!(message, Outgoing::Done { .. }),
            offset: None,
        };
        write(&mut envelope).map(Some)
    }
}

fn requested(id: Option<&RequestId>) -> Option<OutboundId<'_>> {
    id.map(OutboundId::Request)
}

impl<'a> Outbound<'a> {
    /// Gives it the next number, if it is an event. What has an id belongs to a
    /// question or request that ends with its connection.
    pub(crate) fn number(&mut self, offsets: Option<&Offsets>) {
        if self.id.is_none() {
            self.offset = offsets.map(Offsets::next);
        }
    }

    /// The answer of a binary handler (which has no event) goes out as bytes.
    pub(crate) fn bare_binary(&self) -> Option<&'a [u8]> {
        if !self.event.is_empty() || self.id.is_some() {
            return None;
        }
        match self.data?.as_value()? {
            Value::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn size_hint_bytes(&self) -> usize {
        let data = self.data.map_or(0, Payload::size_hint_bytes);
        data + self.event.len() + ENVELOPE_BYTES
    }

    fn write_json(&self, buffer: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.write_head(buffer);
        if let Some(data) = self.data {
            buffer.extend_from_slice(DATA);
            data.write_json(buffer)?;
        }
        self.write_tail(buffer)
    }

    /// What stands before the data.
    fn write_head(&self, buffer: &mut Vec<u8>) {
        match self.offset {
            // In front, where it is found without reading the rest.
            Some(Offset(number)) => {
                buffer.extend_from_slice(format!(r#"{{"offset":{number},"event":"#).as_bytes());
            }
            None => buffer.extend_from_slice(br#"{"event":"#),
        }
        json::write_string(self.event, buffer);
    }

    /// What stands behind the data.
    fn write_tail(&self, buffer: &mut Vec<u8>) -> Result<(), EncodeError> {
        match self.id {
            Some(OutboundId::Request(id)) => {
                buffer.extend_from_slice(br#","id":"#);
                write_json(id, buffer)?;
            }
            Some(OutboundId::Question(id)) => {
                buffer.extend_from_slice(format!(r#","id":"s{id}""#).as_bytes());
            }
            None => {}
        }
        if self.done {
            buffer.extend_from_slice(br#","done":true"#);
        }
        buffer.push(b'}');
        Ok(())
    }
}

fn write_json<T: Serialize + ?Sized>(value: &T, buffer: &mut Vec<u8>) -> Result<(), EncodeError> {
    serde_json::to_writer(buffer, value).map_err(EncodeError::new)
}

/// The native wire has one body: several arguments become an array.
fn body<'a>(
    arguments: &'a Arguments,
    array: &'a mut Payload,
) -> Result<Option<&'a Payload>, EncodeError> {
    Ok(match arguments {
        Arguments::None => None,
        Arguments::One(payload) => Some(payload),
        Arguments::Many(payloads) => {
            *array = Payload::from_serialize(payloads)?;
            Some(array)
        }
    })
}

/// The offset that an encoded envelope begins with.
fn offset_of(envelope: &[u8]) -> Option<Offset> {
    let rest = envelope.strip_prefix(br#"{"offset":"#)?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    Some(Offset(number))
}

/// Tells a client that messages were dropped. There is one client to a connection.
pub(crate) const GAP: GapNotice = GapNotice {
    recipient: |_| Some(Bytes::new()),
    recipients: 1,
    frame: |_, dropped| {
        Frame::text(format!(r#"{{"event":"gap","data":{{"dropped":{dropped}}}}}"#).as_bytes())
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(message: Outgoing<'_>) -> Option<String> {
        let bytes = JsonCodec::PLAIN.encode("/", message).expect("encodes")?;
        let frame = Frame::from_bytes(bytes).expect("a frame");
        Some(String::from_utf8(frame.payload().to_vec()).expect("UTF-8"))
    }

    fn payload(value: &impl Serialize) -> Payload {
        Payload::from_serialize(value).expect("encodes")
    }

    #[test]
    fn replies_carry_the_id_of_their_request() {
        let (id, value) = (RequestId::from(7), payload(&0));
        let reply = |request, data| Outgoing::Reply {
            event: "e",
            request,
            data,
        };
        assert_eq!(encode(reply(None, None)), None);
        assert_eq!(
            encode(reply(Some(&id), None)).as_deref(),
            Some(r#"{"event":"e","id":7}"#)
        );
        assert_eq!(
            encode(reply(None, Some(&value))).as_deref(),
            Some(r#"{"event":"e","data":0}"#)
        );
        assert_eq!(
            encode(reply(Some(&id), Some(&value))).as_deref(),
            Some(r#"{"event":"e","data":0,"id":7}"#)
        );
    }

    #[test]
    fn an_event_that_answers_no_request_has_an_offset_where_that_is_on() {
        let codec = JsonCodec {
            offsets: Some(Arc::default()),
        };
        let (id, value) = (RequestId::from(7), payload(&1));
        let reply = |request| Outgoing::Reply {
            event: "e",
            request,
            data: Some(&value),
        };
        let event = codec
            .encode("/", reply(None))
            .expect("encodes")
            .expect("some");
        let frame = Frame::from_bytes(event.clone()).expect("a frame");
        assert_eq!(frame.payload(), br#"{"offset":1,"event":"e","data":1}"#[..]);
        assert_eq!(codec.recoverable(&event), Some((Offset(1), event)));

        let answer = codec
            .encode("/", reply(Some(&id)))
            .expect("encodes")
            .expect("some");
        assert_eq!(codec.recoverable(&answer), None);
        let plain = JsonCodec::PLAIN
            .encode("/", reply(None))
            .expect("encodes")
            .expect("some");
        assert_eq!(codec.recoverable(&plain), None);
    }

    #[test]
    fn the_end_of_a_stream_says_done() {
        let id = RequestId::from("x");
        let done = Outgoing::Done {
            event: "e",
            request: &id,
        };
        assert_eq!(
            encode(done).as_deref(),
            Some(r#"{"event":"e","id":"x","done":true}"#)
        );
    }

    #[test]
    fn an_item_is_the_same_whether_it_is_encoded_alone_or_with_the_encoder_of_its_stream() {
        let (number, text) = (RequestId::from(7), RequestId::from("x\"y"));
        let long = "long".repeat(20_000);
        for request in [None, Some(&number), Some(&text)] {
            for offsets in [None, Some(Arc::default())] {
                let numbered = offsets.is_some() && request.is_none();
                let codec = JsonCodec { offsets };
                let encoder = codec.item_encoder("/", "to\"ken", request);
                assert_eq!(encoder.is_none(), numbered);
                let Some(encode) = encoder else { continue };
                for value in ["", "short", &long] {
                    let data = payload(&value);
                    let item = Outgoing::Item {
                        event: "to\"ken",
                        request,
                        data: Some(&data),
                    };
                    let (mut alone, mut with) = (Vec::new(), Vec::new());
                    assert!(codec.encode_into("/", item, &mut alone).expect("encodes"));
                    encode(data.as_json().expect("JSON"), &mut with);
                    assert_eq!(alone, with);
                }
            }
        }
    }

    #[test]
    fn questions_have_ids_that_begin_with_s() {
        let question = Outgoing::Question {
            id: 3,
            event: "q",
            arguments: &Arguments::None,
        };
        assert_eq!(
            encode(question).as_deref(),
            Some(r#"{"event":"q","id":"s3"}"#)
        );
    }

    #[test]
    fn binary_in_a_body_is_base64() {
        let arguments = Arguments::One(Payload::from_value(Value::Binary(
            b"\0\x01".as_slice().into(),
        )));
        let event = Outgoing::Event {
            event: "b",
            arguments: &arguments,
        };
        assert_eq!(
            encode(event).as_deref(),
            Some(r#"{"event":"b","data":"AAE="}"#)
        );
    }
}
