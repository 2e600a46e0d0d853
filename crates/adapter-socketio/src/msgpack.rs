//! The msgpack parser: each packet is a map in one binary message, with its binary inside.
//!
//! Packets of clients are read by the parser of the socketioxide project, which is hardened
//! against truncated and deeply nested input. Packets to clients are written here, once
//! for all receivers.

use std::sync::Arc;

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Format};
use nest_gateway_core::id::RequestId;
use nest_gateway_core::message::{Arguments, Encoded, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::recovery::{Offset, Offsets};
use nest_gateway_core::value::Value;
use nest_gateway_wire::{Frame, OpCode};
use serde::Serialize;
use serde::ser::{Error as _, SerializeSeq, Serializer};
use socketioxide_core::Value as TheirValue;
use socketioxide_core::packet::PacketData;
use socketioxide_core::parser::{Parse, ParseConfig, ParserState};
use socketioxide_parser_msgpack::MsgPackParser;

use crate::offset::{self, OffsetText};
use crate::packet::{PacketError, Text};
use crate::parser::{Body, Request};

/// The longest namespace that is read, in bytes. A refusal repeats the name.
const MAX_NAMESPACE: usize = 256;

/// Reads a packet.
pub(crate) fn decode(bytes: Bytes) -> Result<Request, PacketError> {
    // This parser keeps no state and looks at no limit: the message is whole, and its size
    // is limited by the transport.
    let (config, state) = (ParseConfig::default(), ParserState::default());
    let packet = MsgPackParser
        .decode_bin(&config, &state, bytes)
        .map_err(|_| PacketError::InvalidPayload)?;
    let namespace = match packet.ns.as_str() {
        "" => "/",
        name if name.len() > MAX_NAMESPACE || !name.starts_with('/') => {
            return Err(PacketError::InvalidNamespace);
        }
        name => name,
    };
    let namespace = Text::from(namespace.to_owned());
    let body = match packet.inner {
        PacketData::Connect(data) => Body::Connect(auth(data)?),
        PacketData::Disconnect => Body::Disconnect,
        PacketData::Event(data, id) | PacketData::BinaryEvent(data, id) => {
            let mut values = values(&data)?.into_iter();
            let Some(Value::String(event)) = values.next() else {
                return Err(PacketError::InvalidEvent);
            };
            Body::Event {
                id: id.map(number).transpose()?,
                event: Text::from(event),
                arguments: arguments(values),
            }
        }
        PacketData::EventAck(data, id) | PacketData::BinaryAck(data, id) => Body::Ack {
            id: number(id)?,
            arguments: arguments(values(&data)?.into_iter()),
        },
        PacketData::ConnectError(_) => return Err(PacketError::UnknownType),
    };
    Ok(Request { namespace, body })
}

fn auth(data: Option<TheirValue>) -> Result<Payload, PacketError> {
    let value = match data {
        Some(TheirValue::Bytes(bytes)) => read(&bytes)?,
        _ => Value::Null,
    };
    match value {
        Value::Null => Ok(crate::arguments::auth(None)),
        Value::Object(_) => Ok(Payload::from_value(value)),
        _ => Err(PacketError::InvalidPayload),
    }
}

fn values(data: &TheirValue) -> Result<Vec<Value>, PacketError> {
    match data {
        TheirValue::Bytes(bytes) => match read(bytes)? {
            Value::Array(values) => Ok(values),
            _ => Err(PacketError::InvalidPayload),
        },
        TheirValue::Str(..) => Err(PacketError::InvalidPayload),
    }
}

/// Reads a value; nested too deeply, it is refused.
fn read(bytes: &Bytes) -> Result<Value, PacketError> {
    rmp_serde::from_slice(bytes).map_err(|_| PacketError::InvalidPayload)
}

fn number(id: i64) -> Result<u64, PacketError> {
    u64::try_from(id).map_err(|_| PacketError::InvalidId)
}

fn arguments(values: impl Iterator<Item = Value>) -> Arguments {
    values.map(Payload::from_value).collect::<Vec<_>>().into()
}

/// What core sends, as msgpack.
#[derive(Debug)]
pub(crate) struct MsgpackCodec {
    /// Set when events carry an offset, for connection state recovery.
    pub(crate) offsets: Option<Arc<Offsets>>,
}

impl Codec for MsgpackCodec {
    fn format(&self) -> Format {
        match self.offsets {
            None => Format("socketio.msgpack"),
            Some(_) => Format("socketio.msgpack+offset"),
        }
    }

    fn recoverable(&self, message: &Bytes) -> Option<(Offset, Bytes)> {
        self.offsets
            .as_ref()
            .and_then(|_| offset::event_of(message))
    }

    fn encode(&self, path: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        let one = |data: Option<&Payload>| data.cloned().map_or(Arguments::None, Arguments::One);
        Ok(match message {
            Outgoing::Event { event, arguments } => Some(self.event(path, event, arguments, None)?),
            Outgoing::Question {
                id,
                event,
                arguments,
            } => Some(self.event(path, event, arguments, Some(id))?),
            Outgoing::Reply { request, data, .. } => ack(path, request, &one(data))?,
            Outgoing::Answer {
                request, arguments, ..
            } => ack(path, request, arguments)?,
            Outgoing::Response {
                event,
                request,
                data,
            } => {
                let event = self.event(path, event, &one(data), None)?;
                Some(match ack(path, request, &Arguments::None)? {
                    Some(ack) => [event, ack].concat().into(),
                    None => event,
                })
            }
            Outgoing::Item { event, data, .. } => {
                Some(self.event(path, event, &one(data), None)?)
            }
            Outgoing::Done { request, .. } => ack(path, Some(request), &Arguments::None)?,
            Outgoing::Exception { request, data } => {
                let arguments = Arguments::One(data.clone());
                match ack(path, request, &arguments)? {
                    Some(ack) => Some(ack),
                    None => Some(self.event(path, "exception", &arguments, None)?),
                }
            }
            // Core may learn to say more; what this wire has no words for is not sent.
            _ => None,
        })
    }
}

impl MsgpackCodec {
    fn event(
        &self,
        path: &str,
        event: &str,
        arguments: &Arguments,
        id: Option<u64>,
    ) -> Result<Bytes, EncodeError> {
        let offset: Option<OffsetText> = match id {
            None => self.offsets.as_ref().map(|offsets| offsets.next().into()),
            Some(_) => None,
        };
        let offset = offset.as_ref().map(OffsetText::as_str);
        let data = Elements {
            event: Some(event),
            arguments: arguments.as_slice(),
            offset,
        };
        frame(2, path, id, Some(&data)).map(|frame| frame.bytes().clone())
    }
}

fn ack(
    path: &str,
    request: Option<&RequestId>,
    arguments: &Arguments,
) -> Result<Encoded, EncodeError> {
    let Some(RequestId::Number(number)) = request else {
        return Ok(None);
    };
    let data = Elements {
        event: None,
        arguments: arguments.as_slice(),
        offset: None,
    };
    let frame = frame(3, path, number.as_u64(), Some(&data))?;
    Ok(Some(frame.bytes().clone()))
}

/// The answer to a CONNECT.
pub(crate) fn connect(namespace: &str, sid: &str, pid: Option<&str>) -> Frame {
    #[derive(Serialize)]
    struct Greeting<'a> {
        sid: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        pid: Option<&'a str>,
    }
    plain(0, namespace, Some(&Greeting { sid, pid }))
}

/// A CONNECT_ERROR.
pub(crate) fn connect_error(namespace: &str, message: &str, data: Option<&Payload>) -> Frame {
    #[derive(Serialize)]
    struct Refusal<'a> {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    }
    // A tree knows the length of its maps, which msgpack writes first.
    let data = data.and_then(|data| data.to_value().ok());
    plain(4, namespace, Some(&Refusal { message, data }))
}

/// A DISCONNECT.
pub(crate) fn disconnect(namespace: &str) -> Frame {
    plain(1, namespace, None::<&()>)
}

/// An event of the adapter itself.
pub(crate) fn event<T: Serialize>(namespace: &str, event: &str, data: &T) -> Frame {
    plain(2, namespace, Some(&(event, data)))
}

/// A packet of strings and numbers, which can always be written.
fn plain<T: Serialize>(kind: u8, namespace: &str, data: Option<&T>) -> Frame {
    frame(kind, namespace, None, data).expect("strings and numbers are msgpack")
}

/// Writes a packet. `data` comes last, so that an offset is at the very end.
fn frame<T: Serialize>(
    kind: u8,
    namespace: &str,
    id: Option<u64>,
    data: Option<&T>,
) -> Result<Frame, EncodeError> {
    #[derive(Serialize)]
    struct Packet<'a, T> {
        r#type: u8,
        nsp: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a T>,
    }
    let packet = Packet {
        r#type: kind,
        nsp: namespace,
        id,
        data,
    };
    let mut written = Ok(());
    let frame = Frame::build(OpCode::Binary, 128, |buffer| {
        let mut writer = rmp_serde::Serializer::new(buffer).with_struct_map();
        written = packet.serialize(&mut writer);
    });
    written.map_err(EncodeError::new)?;
    Ok(frame)
}

/// `[event, ..arguments, offset]`.
struct Elements<'a> {
    event: Option<&'a str>,
    arguments: &'a [Payload],
    offset: Option<&'a str>,
}

impl Serialize for Elements<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let length = self.arguments.len()
            + usize::from(self.event.is_some())
            + usize::from(self.offset.is_some());
        let mut elements = serializer.serialize_seq(Some(length))?;
        if let Some(event) = self.event {
            elements.serialize_element(event)?;
        }
        for argument in self.arguments {
            let value = argument.to_value().map_err(S::Error::custom)?;
            elements.serialize_element(&value)?;
        }
        if let Some(offset) = self.offset {
            elements.serialize_element(offset)?;
        }
        elements.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(value: &serde_json::Value) -> Bytes {
        Bytes::from(rmp_serde::to_vec_named(value).unwrap())
    }

    fn read_back(frame: &[u8]) -> Value {
        let frames = crate::engine::payload::split_frames(&Bytes::copy_from_slice(frame));
        rmp_serde::from_slice(&frames[0].payload()).unwrap()
    }

    #[test]
    fn packets_of_a_client_are_read() {
        let event = packet(&serde_json::json!({
            "type": 2, "data": ["e", 1, {"a": [null]}], "options": {"compress": true}, "nsp": "/a", "id": 7
        }));
        let request = decode(event).unwrap();
        assert_eq!(request.namespace.as_str(), "/a");
        let Body::Event {
            id: Some(7),
            event,
            arguments,
        } = request.body
        else {
            panic!("an event was expected");
        };
        assert_eq!((event.as_str(), arguments.as_slice().len()), ("e", 2));

        let connect = decode(packet(&serde_json::json!({"type": 0, "nsp": "/"}))).unwrap();
        let Body::Connect(auth) = connect.body else {
            panic!("a connect was expected");
        };
        assert_eq!(&auth.to_json().unwrap()[..], b"{}");
        let ack = decode(packet(
            &serde_json::json!({"type": 3, "nsp": "/", "id": 0, "data": []}),
        ));
        assert!(matches!(
            ack.unwrap().body,
            Body::Ack {
                id: 0,
                arguments: Arguments::None
            }
        ));
    }

    #[test]
    fn what_is_no_packet_is_refused() {
        for wrong in [
            serde_json::json!({"type": 9, "nsp": "/"}),
            serde_json::json!({"type": 2, "nsp": "/", "data": {}}),
            serde_json::json!({"type": 2, "nsp": "/", "data": [1]}),
            serde_json::json!({"type": 2, "nsp": "/", "data": []}),
            serde_json::json!({"type": 2, "nsp": "a", "data": ["e"]}),
            serde_json::json!({"type": 2, "nsp": "/", "data": ["e"], "id": -1}),
            serde_json::json!({"type": 3, "nsp": "/", "data": []}),
            serde_json::json!({"type": 0, "nsp": "/", "data": [1]}),
            serde_json::json!({"type": 4, "nsp": "/", "data": {"message": "x"}}),
            serde_json::json!({}),
            serde_json::json!([]),
        ] {
            assert!(decode(packet(&wrong)).is_err(), "{wrong}");
        }
        for bytes in [&b""[..], b"\x83", b"\xc1", b"\xdf\xff\xff\xff\xff"] {
            assert!(decode(Bytes::from_static(bytes)).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn binary_stays_inside_and_the_offset_is_at_the_end() {
        let codec = MsgpackCodec {
            offsets: Some(Arc::default()),
        };
        let bytes = Payload::from_value(Value::Binary(Bytes::from_static(&[1, 2])));
        let arguments = Arguments::One(bytes);
        let event = Outgoing::Event {
            event: "e",
            arguments: &arguments,
        };
        let encoded = codec.encode("/a", event).unwrap().unwrap();
        let packet = read_back(&encoded);
        assert_eq!(
            packet["data"][1].as_bytes(),
            Some(&Bytes::from_static(&[1, 2]))
        );
        let (offset, event) = codec.recoverable(&encoded).unwrap();
        let offset = OffsetText::from(offset);
        assert_eq!(packet["data"][2].as_str(), Some(offset.as_str()));
        assert_eq!(event, encoded);

        let question = Outgoing::Question {
            id: 4,
            event: "e",
            arguments: &arguments,
        };
        let encoded = codec.encode("/a", question).unwrap().unwrap();
        assert_eq!(codec.recoverable(&encoded), None);
        assert_eq!(read_back(&encoded)["id"].as_u64(), Some(4));
    }
}
