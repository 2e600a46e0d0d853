//! What socketioxide read, as core knows it.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use nest_gateway_core::message::Arguments;
use nest_gateway_core::payload::Payload;
use nest_gateway_core::value::Value;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use socketioxide::adapter::Adapter;
use socketioxide::extract::TryData;
use socketioxide::handler::{FromConnectParts, FromMessageParts, Value as TheirValue};
use socketioxide::socket::Socket;

use crate::arguments::of_core;
use crate::packet::{Arguments as PacketArguments, PacketError, Text};

/// Bytes of a message, attachments included.
pub(super) fn size(value: &TheirValue) -> usize {
    match value {
        TheirValue::Str(text, attachments) => {
            let attachments = attachments.iter().flatten().map(Bytes::len);
            text.len() + attachments.sum::<usize>()
        }
        TheirValue::Bytes(bytes) => bytes.len(),
    }
}

/// The event's name and its arguments. JSON stays the slices that were received.
pub(super) fn of_event<A: Adapter>(
    socket: &Arc<Socket<A>>,
    mut value: TheirValue,
) -> Result<(Text, Arguments), PacketError> {
    match value {
        TheirValue::Str(text, attachments) => {
            let attachments = attachments.unwrap_or_default().into();
            let (event, arguments) =
                PacketArguments::with_attachments(&Bytes::from(text), attachments)?;
            Ok((event, of_core(arguments)?))
        }
        TheirValue::Bytes(_) => {
            let Ok(TryData(read)) = <TryData<Values> as FromMessageParts<A>>::from_message_parts(
                socket, &mut value, &None,
            );
            let Values(values) = read.map_err(|_| PacketError::InvalidPayload)?;
            let event = event_of(socket, &mut value)?;
            Ok((event, arguments(values)))
        }
    }
}

fn event_of<A: Adapter>(
    socket: &Arc<Socket<A>>,
    value: &mut TheirValue,
) -> Result<Text, PacketError> {
    use socketioxide::extract::Event;
    let read = <Event as FromMessageParts<A>>::from_message_parts(socket, value, &None);
    read.map(|Event(name)| Text::from(name))
        .map_err(|_| PacketError::InvalidEvent)
}

/// The `auth` of a CONNECT; without one it is an empty object, as on Node's server.
#[expect(clippy::ref_option, reason = "as the extractors have it")]
pub(super) fn auth<A: Adapter>(
    socket: &Arc<Socket<A>>,
    auth: &Option<TheirValue>,
) -> Result<Payload, PacketError> {
    match auth {
        None => Ok(crate::arguments::auth(None)),
        Some(TheirValue::Str(text, _)) => {
            let json = Bytes::from(text.clone());
            let is_object = json.trim_ascii_start().first() == Some(&b'{')
                && serde_json::from_slice::<IgnoredAny>(&json).is_ok();
            is_object
                .then(|| Payload::from_json(json))
                .ok_or(PacketError::InvalidPayload)
        }
        Some(TheirValue::Bytes(_)) => {
            let Ok(TryData(read)) =
                <TryData<Value> as FromConnectParts<A>>::from_connect_parts(socket, auth);
            read.map(Payload::from_value)
                .map_err(|_| PacketError::InvalidPayload)
        }
    }
}

/// Which parser the `SocketIo` was built with. It does not say, but the two read "nothing"
/// differently: an empty object in JSON, nil in msgpack.
pub(super) fn speaks_json<A: Adapter>(socket: &Arc<Socket<A>>) -> bool {
    let Ok(TryData(nothing)) =
        <TryData<Nothing> as FromConnectParts<A>>::from_connect_parts(socket, &None);
    matches!(nothing, Ok(Nothing { is_object: true }))
}

struct Nothing {
    is_object: bool,
}

impl<'de> Deserialize<'de> for Nothing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Kind;
        impl<'de> Visitor<'de> for Kind {
            type Value = Nothing;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("nothing")
            }
            fn visit_unit<E>(self) -> Result<Nothing, E> {
                Ok(Nothing { is_object: false })
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Nothing, M::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Nothing { is_object: true })
            }
        }
        deserializer.deserialize_any(Kind)
    }
}

/// All values of a packet behind the event, as trees.
pub(super) struct Values(Vec<Value>);

impl Values {
    /// Nothing, the only value, or a list, as one payload.
    pub(super) fn joined(mut self) -> Payload {
        match self.0.len() {
            0 => Payload::empty(),
            1 => Payload::from_value(self.0.remove(0)),
            _ => Payload::from_value(Value::Array(self.0)),
        }
    }
}

fn arguments(values: Vec<Value>) -> Arguments {
    let payloads: Vec<_> = values.into_iter().map(Payload::from_value).collect();
    payloads.into()
}

impl<'de> Deserialize<'de> for Values {
    /// As a tuple, which is what makes socketioxide hand out all values and not the first.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Values;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of values")
            }
            fn visit_seq<S: SeqAccess<'de>>(self, mut values: S) -> Result<Values, S::Error> {
                let mut all = Vec::new();
                while let Some(value) = values.next_element()? {
                    all.push(value);
                }
                Ok(Values(all))
            }
        }
        deserializer.deserialize_tuple(1, All)
    }
}
