//! The body of a message, on its way in or out.
//!
//! A body travels as the JSON text it came as, or was encoded to, and is
//! decoded once, when somebody asks for it. Only a body with binary inside is
//! kept as a tree, because JSON cannot hold it.

mod body_error;
mod encode;
mod json_text;
mod portable;
mod short;

use std::fmt::{self, Display as _};
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

pub use self::body_error::{BodyError, FieldProblem, Problem};
pub use crate::value::EncodeError;

use self::encode::{Binary, Encoder, Text};
use self::json_text::JsonText;
use crate::value::{Value, to_value};

/// The body of a message. Cloning one copies a pointer, or a text as short as
/// that.
///
/// "No body" is a payload of its own, [`Payload::empty`], and not `null`: a
/// native client can leave `"data"` out, and a Socket.IO event can have no
/// arguments. It decodes as `null` would.
#[derive(Clone, Default)]
pub struct Payload(Repr);

#[derive(Clone, Default)]
enum Repr {
    #[default]
    Empty,
    Json(JsonText),
    Tree(Arc<Value>),
}

impl From<Text> for Payload {
    fn from(text: Text) -> Self {
        Self(Repr::Json(match text {
            Text::Short(short) => JsonText::Short(short),
            Text::Long(bytes) => JsonText::Shared(bytes),
        }))
    }
}

impl Payload {
    /// No body at all.
    pub const fn empty() -> Self {
        Self(Repr::Empty)
    }

    /// A body that is JSON text already, such as a part of a parsed frame.
    ///
    /// The caller vouches that it is exactly one JSON value; it goes to
    /// clients as it is. If it is not, decoding it fails, and nothing worse.
    pub const fn from_json(text: Bytes) -> Self {
        Self(Repr::Json(JsonText::Shared(text)))
    }

    /// A copy of a body that is JSON text; one that is short needs no memory of
    /// its own.
    ///
    /// The caller vouches for the text as with [`Payload::from_json`].
    pub fn copy_from_json(text: &[u8]) -> Self {
        Self(Repr::Json(JsonText::copy_of(text)))
    }

    /// A body that is a part of a message: a slice of it, or a copy that needs
    /// no memory of its own where it is as short as that.
    ///
    /// The caller vouches for the text as with [`Payload::from_json`].
    ///
    /// # Panics
    /// When `json` is no part of `message`.
    pub fn from_json_in(message: &Bytes, json: &[u8]) -> Self {
        Self(Repr::Json(JsonText::part_of(message, json)))
    }

    /// A body that was decoded from another format, or put together by hand.
    pub fn from_value(value: Value) -> Self {
        Self(Repr::Tree(Arc::new(value)))
    }

    /// Encodes a value of the application.
    ///
    /// That is one pass into JSON text, unless the value has bytes inside
    /// (`serialize_bytes`, as `Bytes` and `serde_bytes` do); then the payload
    /// is a tree that keeps them.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, EncodeError> {
        let mut encoder = Encoder::new(Binary::Refuse);
        match encoder.encode(value) {
            Ok(text) => Ok(text.into()),
            Err(_) if encoder.refused_binary() => to_value(value).map(Self::from_value),
            Err(error) => Err(error),
        }
    }

    /// Whether there is no body. A body of `null` is not empty.
    pub fn is_empty(&self) -> bool {
        matches!(self.0, Repr::Empty)
    }

    /// The JSON text, if the body is held as such.
    pub fn as_json(&self) -> Option<&[u8]> {
        match &self.0 {
            Repr::Json(text) => Some(text),
            Repr::Empty | Repr::Tree(_) => None,
        }
    }

    /// The tree, if the body is held as such; a body with binary always is.
    pub fn as_value(&self) -> Option<&Value> {
        match &self.0 {
            Repr::Tree(value) => Some(value),
            _ => None,
        }
    }

    /// Whether there is binary anywhere inside.
    pub fn has_binary(&self) -> bool {
        self.as_value().is_some_and(Value::has_binary)
    }

    /// The body as a tree; an empty one is `null`.
    pub fn to_value(&self) -> Result<Value, BodyError> {
        match &self.0 {
            Repr::Empty => Ok(Value::Null),
            Repr::Json(text) => parse(text),
            Repr::Tree(value) => Ok(Value::clone(value)),
        }
    }

    /// Decodes the body into a type of the application.
    ///
    /// Of duplicate keys the last wins, for structs too. An empty body decodes
    /// as `null` would; for a type that does not take `null`, it is
    /// [`Problem::Missing`].
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        match &self.0 {
            Repr::Empty => Value::Null.decode().map_err(|_| Problem::Missing.into()),
            Repr::Json(text) => decode(text),
            Repr::Tree(value) => value.decode(),
        }
    }

    /// Checks that every peer can read the body, before it is sent on as it
    /// came: no half surrogate pairs, no number beyond a float, no more than 127
    /// levels. Decoding a body checks the same.
    pub fn check_portable(&self) -> Result<(), BodyError> {
        match self.as_json() {
            Some(text) => portable::check(text).map_err(Into::into),
            None => Ok(()),
        }
    }

    /// One field of a body that is an object, without decoding the others.
    /// Empty when there is no such field, or the body is no object.
    #[must_use]
    pub fn field(&self, name: &str) -> Payload {
        match &self.0 {
            Repr::Empty => Self::empty(),
            Repr::Json(text) => match find_field(text, name) {
                Some(field) => Self(Repr::Json(text.part(field.get().as_bytes()))),
                None => Self::empty(),
            },
            Repr::Tree(value) => value
                .get(name)
                .cloned()
                .map_or_else(Self::empty, Self::from_value),
        }
    }

    /// The body as JSON text, for a wire that has nothing else.
    ///
    /// Binary becomes a string in base64 (RFC 4648, section 4: with padding).
    /// An empty body is `null`; whoever can leave it out asks
    /// [`is_empty`](Payload::is_empty) before.
    pub fn to_json(&self) -> Result<Bytes, EncodeError> {
        match &self.0 {
            Repr::Empty => Ok(Bytes::from_static(b"null")),
            Repr::Json(text) => Ok(text.to_bytes()),
            Repr::Tree(value) => Ok(Encoder::new(Binary::Base64).encode(&**value)?.into()),
        }
    }

    /// Appends what [`Payload::to_json`] returns to `buffer`.
    ///
    /// # Errors
    /// When a tree cannot be encoded; what was written until then stays.
    pub fn write_json(&self, buffer: &mut Vec<u8>) -> Result<(), EncodeError> {
        match &self.0 {
            Repr::Empty => buffer.extend_from_slice(b"null"),
            Repr::Json(text) => buffer.extend_from_slice(text),
            Repr::Tree(value) => Encoder::new(Binary::Base64).encode_to(buffer, &**value)?,
        }
        Ok(())
    }

    /// About how many bytes the body takes on a wire. Exact for JSON text; for
    /// a tree, without quotes, escapes and the like.
    pub fn size_hint_bytes(&self) -> usize {
        match &self.0 {
            Repr::Empty => 0,
            Repr::Json(text) => text.len(),
            Repr::Tree(value) => weight(value),
        }
    }
}

impl From<Value> for Payload {
    fn from(value: Value) -> Self {
        Self::from_value(value)
    }
}

/// Straight from the text, which is right nearly always. When it is not, the
/// tree tells more: the path, the kind of the problem as a value and not as a
/// sentence, and of duplicate keys only the last.
fn decode<T: DeserializeOwned>(text: &[u8]) -> Result<T, BodyError> {
    serde_json::from_slice(text).or_else(|_| parse(text)?.decode())
}

/// Reads text as a tree, and says where it cannot.
fn parse(text: &[u8]) -> Result<Value, BodyError> {
    let parsed: Result<Value, _> = serde_json::from_slice(text);
    parsed.or_else(|_| {
        let mut json = serde_json::Deserializer::from_slice(text);
        let value = serde_path_to_error::deserialize(&mut json)
            .map_err(|error| BodyError::from_json(&error))?;
        json.end().map_err(|_| Problem::Syntax)?;
        Ok(value)
    })
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        Value::Array(items) => items.iter().map(|item| 1 + weight(item)).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| 2 + key.len() + weight(value))
            .sum(),
    }
}

fn find_field<'a>(text: &'a [u8], name: &str) -> Option<&'a RawValue> {
    let mut json = serde_json::Deserializer::from_slice(text);
    json.deserialize_map(FindField(name)).ok().flatten()
}

/// Finds the last field of this name, and skips over the others.
struct FindField<'n>(&'n str);

impl<'de> Visitor<'de> for FindField<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = access.next_key_seed(KeyIs(self.0))? {
            if is_it {
                found = Some(access.next_value()?);
            } else {
                access.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key without keeping it.
struct KeyIs<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// Writes the body into any format: bytes stay bytes where the format has
/// them. An empty body is `null`.
impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = match &self.0 {
            Repr::Empty => return serializer.serialize_unit(),
            Repr::Tree(value) => return Value::serialize(value, serializer),
            Repr::Json(text) => text,
        };
        match parse(text) {
            Ok(value) => value.serialize(serializer),
            Err(error) => Err(serde::ser::Error::custom(error)),
        }
    }
}

/// The body as JSON, cut after 256 bytes; of binary, only the length.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Empty => f.write_str("<empty>"),
            Repr::Json(text) => Cut::of(text).fmt(f),
            Repr::Tree(value) => {
                let mut cut = Cut::default();
                // It fails when the cut is full, which is what stops it.
                let _ = Encoder::new(Binary::Length).encode_to(&mut cut, &**value);
                cut.fmt(f)
            }
        }
    }
}

/// The first bytes of what is written to it.
#[derive(Default)]
struct Cut {
    kept: Vec<u8>,
    more: bool,
}

impl Cut {
    const LEN: usize = 256;

    fn of(text: &[u8]) -> Self {
        let mut cut = Self::default();
        cut.push(text);
        cut
    }

    fn push(&mut self, bytes: &[u8]) {
        let (kept, rest) = bytes.split_at(bytes.len().min(Self::LEN - self.kept.len()));
        self.kept.extend_from_slice(kept);
        self.more |= !rest.is_empty();
    }
}

impl io::Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        if self.more {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The cut can fall into the middle of a character; what is left of it
        // is not shown.
        for chunk in self.kept.utf8_chunks() {
            f.write_str(chunk.valid())?;
        }
        f.write_str(if self.more { "…" } else { "" })
    }
}
