//! The JSON envelope of CONTRACT 2.

use bytes::Bytes;
use nest_gateway_core::adapter::{Codec, Format};
use nest_gateway_core::id::RequestId;
use nest_gateway_core::message::{Arguments, Encoded, Incoming, Outgoing};
use nest_gateway_core::payload::{EncodeError, Payload};
use nest_gateway_core::session::{CancelTarget, Malformed};
use serde::Serialize;
use serde_json::Value;

/// Writes the envelope.
pub(super) struct Envelope;

impl Codec for Envelope {
    fn format(&self) -> Format {
        Format("memory")
    }

    fn encode(&self, _: &str, message: Outgoing<'_>) -> Result<Encoded, EncodeError> {
        let Some(frame) = Frame::of(message) else {
            return Ok(None);
        };
        Ok(Some(frame.write()?.into()))
    }
}

struct Frame<'a> {
    event: &'a str,
    data: Option<Data<'a>>,
    id: Option<Id<'a>>,
    done: bool,
}

enum Data<'a> {
    One(&'a Payload),
    Many(&'a [Payload]),
}

enum Id<'a> {
    Request(&'a RequestId),
    Question(u64),
}

impl<'a> Frame<'a> {
    fn of(message: Outgoing<'a>) -> Option<Self> {
        let frame = |event, data, id| Self {
            event,
            data,
            id,
            done: false,
        };
        Some(match message {
            Outgoing::Event { event, arguments } => frame(event, data(arguments), None),
            Outgoing::Question {
                id,
                event,
                arguments,
            } => frame(event, data(arguments), Some(Id::Question(id))),
            Outgoing::Reply {
                event,
                request,
                data,
            } => {
                if request.is_none() && data.is_none() {
                    return None;
                }
                frame(event, data.map(Data::One), request.map(Id::Request))
            }
            Outgoing::Response {
                event,
                request,
                data,
            }
            | Outgoing::Item {
                event,
                request,
                data,
            } => frame(event, data.map(Data::One), request.map(Id::Request)),
            Outgoing::Done { event, request } => Self {
                done: true,
                ..frame(event, None, Some(Id::Request(request)))
            },
            Outgoing::Exception { request, data } => {
                let id = request.map(Id::Request);
                frame("exception", Some(Data::One(data)), id)
            }
            // A message of a kind that this wire does not know says nothing.
            _ => return None,
        })
    }
}

fn data(arguments: &Arguments) -> Option<Data<'_>> {
    match arguments.as_slice() {
        [] => None,
        [one] => Some(Data::One(one)),
        many => Some(Data::Many(many)),
    }
}

impl Frame<'_> {
    /// Bodies are JSON already, so they are copied and not encoded again.
    fn write(&self) -> Result<Vec<u8>, EncodeError> {
        let mut out = b"{\"event\":".to_vec();
        write_json(&mut out, self.event)?;
        match &self.data {
            None => {}
            Some(Data::One(payload)) => {
                out.extend_from_slice(b",\"data\":");
                out.extend_from_slice(&payload.to_json()?);
            }
            Some(Data::Many(payloads)) => {
                out.extend_from_slice(b",\"data\":[");
                for (index, payload) in payloads.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(&payload.to_json()?);
                }
                out.push(b']');
            }
        }
        if let Some(id) = &self.id {
            out.extend_from_slice(b",\"id\":");
            match id {
                Id::Request(id) => write_json(&mut out, id)?,
                Id::Question(number) => write_json(&mut out, &format!("s{number}"))?,
            }
        }
        out.extend_from_slice(if self.done {
            &b",\"done\":true}"[..]
        } else {
            b"}"
        });
        Ok(out)
    }
}

fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) -> Result<(), EncodeError> {
    out.extend_from_slice(&Payload::from_serialize(value)?.to_json()?);
    Ok(())
}

/// What a client's envelope says.
pub(super) enum Said {
    Event {
        event: String,
        data: Arguments,
        request: Option<RequestId>,
        size: usize,
    },
    Answer(u64, Payload),
    Cancel(CancelTarget),
    /// An answer to a question that was never asked.
    Nothing,
}

impl Said {
    /// Reads an envelope; an error also names the request, if there was one.
    pub(super) fn read(text: &[u8]) -> Result<Self, (Malformed, Option<RequestId>)> {
        let value = serde_json::from_slice(text).map_err(|_| (Malformed::Syntax, None))?;
        let Value::Object(mut frame) = value else {
            return Err((Malformed::NotAnObject, None));
        };
        if let Some(ack) = frame.remove("ack") {
            let data = frame.get("data").map_or_else(Payload::empty, payload);
            let number = ack
                .as_str()
                .and_then(|id| id.strip_prefix('s')?.parse().ok());
            return Ok(number.map_or(Self::Nothing, |number| Self::Answer(number, data)));
        }
        if !frame.contains_key("event")
            && let Some(target) = frame.remove("cancel")
        {
            let id = request_id(target).ok_or((Malformed::BadId, None))?;
            return Ok(Self::Cancel(CancelTarget::Request(id)));
        }
        let request = match frame.remove("id") {
            None => None,
            Some(id) => Some(request_id(id).ok_or((Malformed::BadId, None))?),
        };
        match frame.remove("event") {
            None => Err((Malformed::NoEvent, request)),
            Some(Value::String(event)) => Ok(Self::Event {
                event,
                data: frame
                    .get("data")
                    .map(payload)
                    .into_iter()
                    .collect::<Vec<_>>()
                    .into(),
                request,
                size: text.len(),
            }),
            Some(_) => Err((Malformed::EventNotText, request)),
        }
    }
}

/// The message as the session takes it.
pub(super) fn incoming(
    event: &str,
    arguments: Arguments,
    request: Option<RequestId>,
    size: usize,
) -> Incoming<'_> {
    Incoming {
        event,
        arguments,
        request,
        size,
    }
}

fn payload(value: &Value) -> Payload {
    Payload::from_json(Bytes::from(value.to_string()))
}

fn request_id(id: Value) -> Option<RequestId> {
    match id {
        Value::Number(number) => Some(RequestId::Number(number)),
        Value::String(text) => Some(RequestId::Text(text.into())),
        _ => None,
    }
}
