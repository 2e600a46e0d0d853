//! The JSON envelope as it comes from a client.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use nest_gateway_core::id::RequestId;
use nest_gateway_core::json::Scanner;
use nest_gateway_core::message::{Arguments, Incoming};
use nest_gateway_core::payload::Payload;
use nest_gateway_core::session::{CancelTarget, Malformed};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// What a frame says.
#[derive(Debug)]
pub(crate) enum Envelope<'a> {
    /// `{"event", "data"?, "id"?}`.
    Message {
        event: Cow<'a, str>,
        arguments: Arguments,
        request: Option<RequestId>,
    },
    /// `{"ack": "s1", "data"?}`: the answer to a question of the server.
    Answer { id: u64, data: Payload },
    /// `{"cancel": id or event}`.
    Cancel(CancelTarget),
}

/// Why a frame is not an envelope.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub(crate) problem: Malformed,
    /// The request that can be answered all the same.
    pub(crate) request: Option<RequestId>,
}

impl From<Malformed> for Unreadable {
    fn from(problem: Malformed) -> Self {
        Self {
            problem,
            request: None,
        }
    }
}

/// Reads a frame whose bytes are UTF-8, if it is what nearly every frame is: a
/// message without other keys, whose event has no escapes. `keep` makes a body
/// of the data, which is a part of the frame and stays encoded.
pub(crate) fn decode_plain(
    frame: &[u8],
    keep: impl FnOnce(&[u8]) -> Payload,
) -> Option<Incoming<'_>> {
    let message = PlainMessage::scan(frame)?;
    Some(Incoming {
        event: message.event?,
        arguments: match message.data {
            Some(data) => Arguments::One(keep(data)),
            None => Arguments::None,
        },
        request: message.request,
        size: frame.len(),
    })
}

#[derive(Default)]
struct PlainMessage<'a> {
    event: Option<&'a str>,
    data: Option<&'a [u8]>,
    request: Option<RequestId>,
}

/// The keys of a plain message.
enum Key {
    Event,
    Data,
    Id,
}

impl Key {
    /// Reads a key and its colon.
    fn read(json: &mut Scanner<'_>) -> Option<Self> {
        // As nearly everybody writes them, in one comparison each.
        if json.literal(br#""event":"#) {
            return Some(Self::Event);
        }
        if json.literal(br#""data":"#) {
            return Some(Self::Data);
        }
        if json.literal(br#""id":"#) {
            return Some(Self::Id);
        }
        let key = json.plain_string()?;
        json.expect(b':')?;
        match key {
            b"event" => Some(Self::Event),
            b"data" => Some(Self::Data),
            b"id" => Some(Self::Id),
            _ => None,
        }
    }
}

impl<'a> PlainMessage<'a> {
    fn scan(frame: &'a [u8]) -> Option<Self> {
        let mut message = Self::default();
        let mut json = Scanner::new(frame);
        json.expect(b'{')?;
        loop {
            match Key::read(&mut json)? {
                Key::Event => message.event = Some(str::from_utf8(json.plain_string()?).ok()?),
                Key::Data => message.data = Some(json.value()?),
                Key::Id => message.request = plain_request_id(json.value()?).ok()?,
            }
            match json.token()? {
                b',' => {}
                b'}' => break,
                _ => return None,
            }
        }
        json.end()?;
        Some(message)
    }
}

/// Reads whatever a frame can be, if its bytes are UTF-8: a message with escapes
/// and further keys, an answer, a cancellation, or a mistake that has to be
/// named. The data stays encoded: a slice of the frame.
pub(crate) fn decode(frame: &Bytes) -> Result<Envelope<'_>, Unreadable> {
    let fields = match serde_json::from_slice::<Fields<'_>>(frame) {
        Ok(fields) => fields,
        Err(error) if error.is_data() => return Err(Malformed::NotAnObject.into()),
        Err(_) => return Err(Malformed::Syntax.into()),
    };
    if fields.event.is_none() {
        if let Some(ack) = fields.ack {
            return answer(ack, payload(frame, fields.data));
        }
        if let Some(cancel) = fields.cancel {
            return Ok(Envelope::Cancel(cancel_target(cancel)?));
        }
    }
    let request = fields.id.map(RawValue::get).map(request_id).transpose();
    let event = match fields.event.map(|raw| serde_json::from_str(raw.get())) {
        Some(Ok(Text(event))) => event,
        Some(Err(_)) => {
            return Err(Unreadable {
                problem: Malformed::EventNotText,
                request: request.ok().flatten().flatten(),
            });
        }
        None => {
            return Err(Unreadable {
                problem: Malformed::NoEvent,
                request: request.ok().flatten().flatten(),
            });
        }
    };
    Ok(Envelope::Message {
        event,
        arguments: payload(frame, fields.data).into(),
        request: request?.flatten(),
    })
}

fn payload(frame: &Bytes, raw: Option<&RawValue>) -> Payload {
    match raw {
        Some(raw) => Payload::from_json_in(frame, raw.get().as_bytes()),
        None => Payload::empty(),
    }
}

fn answer<'a>(ack: &RawValue, data: Payload) -> Result<Envelope<'a>, Unreadable> {
    let id = match request_id(ack.get())? {
        Some(RequestId::Text(text)) => text.strip_prefix('s').and_then(|id| id.parse().ok()),
        _ => None,
    };
    match id {
        Some(id) => Ok(Envelope::Answer { id, data }),
        None => Err(Malformed::BadId.into()),
    }
}

fn cancel_target(raw: &RawValue) -> Result<CancelTarget, Malformed> {
    request_id(raw.get())?
        .map(CancelTarget::Request)
        .ok_or(Malformed::BadId)
}

/// [`request_id`] of what a scanner found.
fn plain_request_id(text: &[u8]) -> Result<Option<RequestId>, Malformed> {
    match counter(text) {
        Some(number) => Ok(Some(number.into())),
        None => request_id(str::from_utf8(text).map_err(|_| Malformed::BadId)?),
    }
}

/// What most ids are: a number of up to 19 digits, which always fits.
fn counter(text: &[u8]) -> Option<u64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    let add = |number: u64, &byte: &u8| Some(number * 10 + digit(byte)?);
    (text.len() <= 19).then(|| text.iter().try_fold(0, add))?
}

/// A number or a string; `null` is as good as none.
fn request_id(text: &str) -> Result<Option<RequestId>, Malformed> {
    match text.as_bytes().first() {
        Some(b'"') => serde_json::from_str(text)
            .map(|Text(id)| Some(RequestId::Text(Arc::from(&*id))))
            .map_err(|_| Malformed::BadId),
        Some(b'n') => Ok(None),
        _ => serde_json::from_str(text)
            .map(|number| Some(RequestId::Number(number)))
            .map_err(|_| Malformed::BadId),
    }
}

/// A string that borrows where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// The fields of an envelope, still encoded. Unknown ones are ignored, and of
/// duplicate ones the last counts, which a derived impl would refuse.
struct Fields<'a> {
    event: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    ack: Option<&'a RawValue>,
    cancel: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Fields {
                    event: None,
                    data: None,
                    id: None,
                    ack: None,
                    cancel: None,
                };
                while let Some(Text(key)) = map.next_key()? {
                    match &*key {
                        "event" => fields.event = Some(map.next_value()?),
                        "data" => fields.data = Some(map.next_value()?),
                        "id" => fields.id = Some(map.next_value()?),
                        "ack" => fields.ack = Some(map.next_value()?),
                        "cancel" => fields.cancel = Some(map.next_value()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(fields)
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a frame says, which is the same by both ways where it is plain.
    fn read(text: &'static str) -> Result<Envelope<'static>, Unreadable> {
        let frame: &'static Bytes = Box::leak(Box::new(Bytes::from_static(text.as_bytes())));
        let envelope = decode(frame);
        if let Some(plain) = decode_plain(frame, Payload::copy_from_json) {
            let Ok(Envelope::Message {
                event,
                arguments,
                request,
            }) = &envelope
            else {
                panic!("{text} is no message: {envelope:?}")
            };
            let json = |arguments: &Arguments| arguments.first().as_json().map(<[u8]>::to_vec);
            assert_eq!(plain.event, &**event, "{text}");
            assert_eq!(json(&plain.arguments), json(arguments), "{text}");
            assert_eq!(&plain.request, request, "{text}");
            assert_eq!(plain.size, text.len());
        }
        envelope
    }

    fn is_plain(text: &str) -> bool {
        decode_plain(text.as_bytes(), Payload::copy_from_json).is_some()
    }

    #[test]
    fn what_libraries_write_is_plain() {
        for text in [
            r#"{"event":"a"}"#,
            r#"{"event":"a","data":{"b":[1,"\""]},"id":7}"#,
            r#"{"event": "a", "data": null, "id": "x"}"#,
            r#"{"id":null,"data":"long enough to be no short text at all","event":"a"}"#,
            r#"{ "event" : "a" , "id" : 18446744073709551615 }"#,
        ] {
            assert!(is_plain(text), "{text}");
            read(text).expect(text);
        }
    }

    #[test]
    fn what_is_out_of_the_ordinary_is_not_plain() {
        for text in [
            r#"{"event":"a\n"}"#,
            r#"{"event":"a","more":1}"#,
            r#"{"event":"a","id":{}}"#,
            r#"{"data":1}"#,
            r#"{"ack":"s1"}"#,
            r#"{"event":"a""#,
            "nonsense",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }

    fn problem(text: &'static str) -> Malformed {
        read(text).expect_err(text).problem
    }

    #[test]
    fn of_duplicate_keys_the_last_wins_and_unknown_ones_are_ignored() {
        let envelope = read(r#"{"event":"a","x":[1,{"y":2}],"event":"b","data":1,"data":2}"#);
        let Ok(Envelope::Message {
            event, arguments, ..
        }) = envelope
        else {
            panic!("{envelope:?}")
        };
        assert_eq!(event, "b");
        assert_eq!(arguments.first().decode::<i32>().unwrap(), 2);
    }

    #[test]
    fn escapes_in_keys_and_events_are_read() {
        let envelope = read(r#"{"\u0065vent":"a\nb","data":"\u00e9"}"#);
        let Ok(Envelope::Message {
            event, arguments, ..
        }) = envelope
        else {
            panic!("{envelope:?}")
        };
        assert_eq!(event, "a\nb");
        assert_eq!(arguments.first().decode::<String>().unwrap(), "\u{e9}");
    }

    #[test]
    fn ids_are_numbers_or_strings() {
        for (text, expected) in [
            (r#"{"event":"a","id":7}"#, Some(RequestId::from(7))),
            (r#"{"event":"a","id":"x"}"#, Some(RequestId::from("x"))),
            (r#"{"event":"a","id":null}"#, None),
            (r#"{"event":"a","id":"7"}"#, Some(RequestId::from("7"))),
            (
                r#"{"event":"a","id":9999999999999999999}"#,
                Some(RequestId::from(9_999_999_999_999_999_999)),
            ),
        ] {
            let Ok(Envelope::Message { request, .. }) = read(text) else {
                panic!("{text}")
            };
            assert_eq!(request, expected, "{text}");
        }
        assert_eq!(problem(r#"{"event":"a","id":{}}"#), Malformed::BadId);
    }

    #[test]
    fn what_is_no_envelope_is_named() {
        assert_eq!(problem("{"), Malformed::Syntax);
        assert_eq!(problem("nonsense"), Malformed::Syntax);
        assert_eq!(problem("[1,2]"), Malformed::NotAnObject);
        assert_eq!(problem("\"text\""), Malformed::NotAnObject);
        assert_eq!(problem(r#"{"data":1}"#), Malformed::NoEvent);
        assert_eq!(problem(r#"{"event":1}"#), Malformed::EventNotText);
        assert_eq!(problem(r#"{"ack":7}"#), Malformed::BadId);
    }

    #[test]
    fn answers_and_cancels_are_told_from_messages() {
        assert!(matches!(
            read(r#"{"ack":"s12","data":true}"#),
            Ok(Envelope::Answer { id: 12, .. })
        ));
        assert!(matches!(
            read(r#"{"cancel":3}"#),
            Ok(Envelope::Cancel(CancelTarget::Request(RequestId::Number(
                _
            ))))
        ));
    }
}
