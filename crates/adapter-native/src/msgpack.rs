//! The msgpack envelope: the fields of the JSON one, binary kept.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Format};
use nest_gateway_core::id::RequestId;
use nest_gateway_core::message::{Encoded, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::recovery::{Offset, Offsets};
use nest_gateway_core::session::{CancelTarget, Malformed};
use nest_gateway_core::value::{Map, Value};
use nest_gateway_wire::{Frame, OpCode};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::codec::{Outbound, OutboundId};
use crate::envelope::{Envelope, Unreadable};

/// The codec of the msgpack envelope.
#[derive(Debug)]
pub(crate) struct MsgpackCodec {
    /// Set when events carry an offset, for connection state recovery.
    pub(crate) offsets: Option<Arc<Offsets>>,
}

impl MsgpackCodec {
    /// Without offsets.
    pub(crate) const PLAIN: Self = Self { offsets: None };
}

/// The format's name.
pub(crate) const FORMAT: Format = Format("native.msgpack");

impl Codec for MsgpackCodec {
    fn format(&self) -> Format {
        match self.offsets {
            None => FORMAT,
            Some(_) => Format("native.msgpack+offset"),
        }
    }

    fn recoverable(&self, message: &Bytes) -> Option<(Offset, Bytes)> {
        self.offsets.as_ref()?;
        let frame = Frame::from_bytes(message.clone())?;
        Some((offset_of(&frame.payload())?, message.clone()))
    }

    fn encode(&self, _path: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        Outbound::with(message, |envelope| {
            envelope.number(self.offsets.as_deref());
            let mut result = Ok(());
            let frame = Frame::build(OpCode::Binary, 256, |buffer| {
                let mut serializer = rmp_serde::Serializer::new(&mut *buffer)
                    .with_struct_map()
                    .with_human_readable();
                result = envelope.serialize(&mut serializer);
            });
            result.map_err(EncodeError::new)?;
            Ok(frame.into_bytes())
        })
    }
}

impl Serialize for Outbound<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = 1
            + usize::from(self.data.is_some())
            + usize::from(self.id.is_some())
            + usize::from(self.done)
            + usize::from(self.offset.is_some());
        let mut map = serializer.serialize_map(Some(fields))?;
        if let Some(Offset(number)) = self.offset {
            // In front, where it is found without reading the rest.
            map.serialize_entry("offset", &number)?;
        }
        map.serialize_entry("event", self.event)?;
        if let Some(data) = &self.data {
            // Only a tree knows the length of its maps, which msgpack writes first.
            let tree = data.to_value().map_err(serde::ser::Error::custom)?;
            map.serialize_entry("data", &tree)?;
        }
        match self.id {
            Some(OutboundId::Request(id)) => map.serialize_entry("id", id)?,
            Some(OutboundId::Question(id)) => map.serialize_entry("id", &format!("s{id}"))?,
            None => {}
        }
        if self.done {
            map.serialize_entry("done", &true)?;
        }
        map.end()
    }
}

/// The offset that an encoded envelope begins with.
fn offset_of(envelope: &[u8]) -> Option<Offset> {
    let [_map, key_and_value @ ..] = envelope else {
        return None;
    };
    let value = key_and_value.strip_prefix(b"\xa6offset")?;
    rmp_serde::from_slice(value).ok().map(Offset)
}

/// Reads a frame.
pub(crate) fn decode(frame: &[u8]) -> Result<Envelope<'static>, Unreadable> {
    let mut deserializer = rmp_serde::Deserializer::from_read_ref(frame).with_human_readable();
    let value = <Value as serde::Deserialize>::deserialize(&mut deserializer)
        .map_err(|_| Malformed::Syntax)?;
    let Value::Object(mut fields) = value else {
        return Err(Malformed::NotAnObject.into());
    };
    let data = fields.swap_remove("data");
    let data = data.map_or_else(Payload::empty, Payload::from_value);
    let Some(event) = fields.swap_remove("event") else {
        return control(&fields, data);
    };
    let request = fields.get("id").map(request_id).transpose();
    let Value::String(event) = event else {
        return Err(Unreadable {
            problem: Malformed::EventNotText,
            request: request.ok().flatten().flatten(),
        });
    };
    Ok(Envelope::Message {
        event: Cow::Owned(event),
        arguments: data.into(),
        request: request?.flatten(),
    })
}

/// An envelope without an event: an answer or a cancellation.
fn control(fields: &Map, data: Payload) -> Result<Envelope<'static>, Unreadable> {
    if let Some(ack) = fields.get("ack") {
        let id = match request_id(ack)? {
            Some(RequestId::Text(text)) => text.strip_prefix('s').and_then(|id| id.parse().ok()),
            _ => None,
        };
        return match id {
            Some(id) => Ok(Envelope::Answer { id, data }),
            None => Err(Malformed::BadId.into()),
        };
    }
    match fields.get("cancel").map(request_id).transpose()?.flatten() {
        Some(id) => Ok(Envelope::Cancel(CancelTarget::Request(id))),
        None if fields.contains_key("cancel") => Err(Malformed::BadId.into()),
        None => Err(Malformed::NoEvent.into()),
    }
}

fn request_id(value: &Value) -> Result<Option<RequestId>, Malformed> {
    match value {
        Value::Number(number) => Ok(Some(RequestId::Number(number.clone()))),
        Value::String(text) => Ok(Some(RequestId::from(text.as_str()))),
        Value::Null => Ok(None),
        _ => Err(Malformed::BadId),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload_of(message: Outgoing<'_>) -> Vec<u8> {
        let bytes = MsgpackCodec::PLAIN.encode("/", message).unwrap().unwrap();
        Frame::from_bytes(bytes).unwrap().payload().to_vec()
    }

    #[test]
    fn what_was_encoded_reads_back_with_its_bytes() {
        let data = Payload::from_value(Value::Binary(b"\0\xff".as_slice().into()));
        let id = RequestId::from(7);
        let bytes = payload_of(Outgoing::Reply {
            event: "e",
            request: Some(&id),
            data: Some(&data),
        });
        let Ok(Envelope::Message {
            event,
            arguments,
            request,
        }) = decode(&bytes)
        else {
            panic!("not a message")
        };
        assert_eq!((&*event, request), ("e", Some(id)));
        assert_eq!(arguments.first().as_value(), data.as_value());
    }

    #[test]
    fn an_event_begins_with_its_offset_where_that_is_on() {
        let codec = MsgpackCodec {
            offsets: Some(Arc::default()),
        };
        let event = Outgoing::Event {
            event: "e",
            arguments: &nest_gateway_core::message::Arguments::None,
        };
        for number in 1..=300 {
            let bytes = codec.encode("/", event).unwrap().unwrap();
            assert_eq!(codec.recoverable(&bytes), Some((Offset(number), bytes)));
        }
        let plain = MsgpackCodec::PLAIN.encode("/", event).unwrap().unwrap();
        assert_eq!(codec.recoverable(&plain), None);
    }

    #[test]
    fn noise_is_named() {
        assert_eq!(decode(b"\xc1").unwrap_err().problem, Malformed::Syntax);
        assert_eq!(decode(b"\x01").unwrap_err().problem, Malformed::NotAnObject);
        assert_eq!(decode(b"\x80").unwrap_err().problem, Malformed::NoEvent);
    }
}
