//! Arguments of a packet as core knows them.

use bytes::Bytes;
use nest_gateway_core::message::Arguments as CoreArguments;
use nest_gateway_core::payload::Payload;
use nest_gateway_core::value::Value;

use crate::packet::{Arguments, PacketError};

/// Each value as a payload. Without attachments they stay the slices that were received;
/// with attachments they become trees in which the bytes stand where placeholders were.
pub(crate) fn of_core(arguments: Arguments) -> Result<CoreArguments, PacketError> {
    let (mut values, attachments) = arguments.into_parts();
    let payload = |json: Bytes| {
        if attachments.is_empty() {
            return Ok(Payload::from_json(json));
        }
        let mut value = serde_json::from_slice(&json).map_err(|_| PacketError::InvalidPayload)?;
        put_attachments(&mut value, &attachments);
        Ok(Payload::from_value(value))
    };
    Ok(match values.len() {
        0 => CoreArguments::None,
        1 => CoreArguments::One(payload(values.remove(0))?),
        _ => CoreArguments::Many(values.into_iter().map(payload).collect::<Result<_, _>>()?),
    })
}

/// All values as one payload: nothing, the only one, or a list.
pub(crate) fn joined(arguments: &CoreArguments) -> Result<Payload, PacketError> {
    Ok(match arguments.as_slice() {
        [] => Payload::empty(),
        [only] => only.clone(),
        several => {
            let values: Result<Vec<_>, _> = several.iter().map(Payload::to_value).collect();
            Payload::from_value(Value::Array(
                values.map_err(|_| PacketError::InvalidPayload)?,
            ))
        }
    })
}

/// The `auth` of a CONNECT packet; without one it is an empty object, as on Node's server.
pub(crate) fn auth(json: Option<Bytes>) -> Payload {
    Payload::from_json(json.unwrap_or(Bytes::from_static(b"{}")))
}

/// Puts the attachments where their placeholders stand. The numbers were checked when the
/// packet was received, and a value is nested at most 127 deep.
fn put_attachments(value: &mut Value, attachments: &[Bytes]) {
    match value {
        Value::Array(items) => {
            for item in items {
                put_attachments(item, attachments);
            }
        }
        Value::Object(map) => {
            if let Some(bytes) = placeholder(map).and_then(|number| attachments.get(number)) {
                *value = Value::Binary(bytes.clone());
                return;
            }
            for item in map.values_mut() {
                put_attachments(item, attachments);
            }
        }
        _ => {}
    }
}

fn placeholder(map: &nest_gateway_core::value::Map) -> Option<usize> {
    if map.get("_placeholder")?.as_bool() != Some(true) {
        return None;
    }
    usize::try_from(map.get("num")?.as_u64()?).ok()
}
