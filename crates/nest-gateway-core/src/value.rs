//! A decoded message body: JSON, plus binary.
//!
//! [`Value`] is what a payload is when it cannot be JSON text, because a
//! Socket.IO attachment or a msgpack `bin` is inside. It behaves as
//! [`serde_json::Value`] does, with two differences: bytes stay bytes, and the
//! keys of an object keep their order.

mod de;
mod ser;

use std::fmt;
use std::ops::Index;

use bytes::Bytes;
use indexmap::IndexMap;
pub use serde_json::Number;

pub use self::ser::{EncodeError, to_value};

pub(crate) use self::de::{Fault, TOO_DEEP};

/// The members of an object, in the order they came.
pub type Map = IndexMap<String, Value>;

/// A decoded message body: JSON, plus binary.
///
/// As `Serialize` it writes [`Value::Binary`] as bytes. Formats without bytes
/// render them in their own way (`serde_json` as an array of numbers); on the
/// JSON wires of this project they are base64 strings, see
/// [`Payload::to_json`](crate::payload::Payload::to_json).
///
/// As `Deserialize` it refuses more than 127 nested arrays and objects,
/// whatever the format, so that dropping, cloning or walking a value that came
/// from a client never exhausts the stack.
#[derive(Clone, Default, PartialEq)]
pub enum Value {
    /// JSON's `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole or floating number, as JSON knows them: never infinite or NaN.
    Number(Number),
    /// Text.
    String(String),
    /// Bytes: an attachment on Socket.IO, `bin` in msgpack.
    Binary(Bytes),
    /// A list.
    Array(Vec<Value>),
    /// A map from text to values. Of duplicate keys on the wire, the last wins.
    Object(Map),
}

impl Value {
    /// The member `key` of an object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.get(key)
    }

    /// The value at a JSON pointer (RFC 6901), such as `/items/3/name`.
    /// The empty pointer is the value itself.
    pub fn pointer(&self, pointer: &str) -> Option<&Value> {
        if pointer.is_empty() {
            return Some(self);
        }
        pointer
            .strip_prefix('/')?
            .split('/')
            .map(|token| token.replace("~1", "/").replace("~0", "~"))
            .try_fold(self, |value, token| match value {
                Value::Object(map) => map.get(&token),
                Value::Array(items) => items.get(array_index(&token)?),
                _ => None,
            })
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, if it is a whole one that fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.as_number()?.as_i64()
    }

    /// The number, if it is a whole one that is not negative and fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.as_number()?.as_u64()
    }

    /// The number, rounded where a float cannot hold it.
    pub fn as_f64(&self) -> Option<f64> {
        self.as_number()?.as_f64()
    }

    /// The number, if it is one.
    pub fn as_number(&self) -> Option<&Number> {
        match self {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, if it is binary. Cloning them copies nothing.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Value::Binary(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members, if it is an object.
    pub fn as_object(&self) -> Option<&Map> {
        match self {
            Value::Object(map) => Some(map),
            _ => None,
        }
    }

    /// Whether there is a [`Value::Binary`] anywhere inside.
    pub fn has_binary(&self) -> bool {
        match self {
            Value::Binary(_) => true,
            Value::Array(items) => items.iter().any(Value::has_binary),
            Value::Object(map) => map.values().any(Value::has_binary),
            _ => false,
        }
    }
}

/// An index as RFC 6901 writes it: digits without a leading zero.
fn array_index(token: &str) -> Option<usize> {
    let canonical = token == "0" || token.starts_with(|c: char| matches!(c, '1'..='9'));
    canonical.then(|| token.parse().ok())?
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(number) => fmt::Display::fmt(number, f),
            Value::String(text) => text.fmt(f),
            Value::Binary(bytes) => write!(f, "<{} bytes>", bytes.len()),
            Value::Array(items) => items.fmt(f),
            Value::Object(map) => f.debug_map().entries(map).finish(),
        }
    }
}

const NULL: &Value = &Value::Null;

/// The member of that name, or `null` when there is none.
impl Index<&str> for Value {
    type Output = Value;

    fn index(&self, key: &str) -> &Value {
        self.get(key).unwrap_or(NULL)
    }
}

/// The item at that place, or `null` when there is none.
impl Index<usize> for Value {
    type Output = Value;

    fn index(&self, index: usize) -> &Value {
        self.as_array()
            .and_then(|items| items.get(index))
            .unwrap_or(NULL)
    }
}

macro_rules! from_whole_number {
    ($($number:ty)*) => {$(
        impl From<$number> for Value {
            fn from(number: $number) -> Self {
                Value::Number(number.into())
            }
        }
    )*};
}

from_whole_number!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

/// Infinities and NaN, which JSON does not have, become `null`.
impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Number::from_f64(number).map_or(Value::Null, Value::Number)
    }
}

/// Infinities and NaN, which JSON does not have, become `null`.
impl From<f32> for Value {
    fn from(number: f32) -> Self {
        f64::from(number).into()
    }
}

impl From<()> for Value {
    fn from((): ()) -> Self {
        Value::Null
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        Value::Number(number)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::String(text)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::String(text.to_owned())
    }
}

impl From<Bytes> for Value {
    fn from(bytes: Bytes) -> Self {
        Value::Binary(bytes)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Object(map)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(value),
            serde_json::Value::Number(number) => Value::Number(number),
            serde_json::Value::String(text) => Value::String(text),
            serde_json::Value::Array(items) => items.into_iter().collect(),
            serde_json::Value::Object(map) => map.into_iter().collect(),
        }
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

impl<K: Into<String>, T: Into<Value>> FromIterator<(K, T)> for Value {
    fn from_iter<I: IntoIterator<Item = (K, T)>>(members: I) -> Self {
        let members = members.into_iter();
        Value::Object(
            members
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

/// The names under which `serde_json` passes its own types through serde.
///
/// They are how `RawValue`, and numbers when some crate in the tree turned on
/// `arbitrary_precision`, come through a foreign serializer unharmed.
mod token {
    pub(super) const NUMBER: &str = "$serde_json::private::Number";
    pub(super) const RAW_VALUE: &str = "$serde_json::private::RawValue";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Value {
        serde_json::json!({"items": [{"name": "a"}, {"na/me": 1.5}], "n": -3, "yes": true}).into()
    }

    #[test]
    fn members_and_items_are_reached_by_index_and_by_pointer() {
        let value = sample();
        assert_eq!(value["items"][0]["name"].as_str(), Some("a"));
        assert_eq!(value["items"][9]["name"], Value::Null);
        assert_eq!(value["nowhere"]["to be"][3], Value::Null);
        assert_eq!(
            value.pointer("/items/1/na~1me").and_then(Value::as_f64),
            Some(1.5)
        );
        assert_eq!(value.pointer(""), Some(&value));
        assert_eq!(value.pointer("/items/01"), None);
        assert_eq!(value.pointer("items"), None);
        assert_eq!(value["n"].as_i64(), Some(-3));
        assert_eq!(value["n"].as_u64(), None);
        assert_eq!(value["yes"].as_bool(), Some(true));
    }

    #[test]
    fn binary_is_found_at_any_depth() {
        let mut value = sample();
        assert!(!value.has_binary());
        let Value::Object(map) = &mut value else {
            unreachable!("the sample is an object")
        };
        map.insert(
            "deep".into(),
            vec![Value::from(Bytes::from_static(b"\0"))].into(),
        );
        assert!(value.has_binary());
        assert_eq!(value["deep"][0].as_bytes().map(Bytes::len), Some(1));
        assert!(format!("{value:?}").contains("<1 bytes>"));
    }

    #[test]
    fn numbers_that_json_does_not_have_become_null() {
        assert_eq!(Value::from(f64::NAN), Value::Null);
        assert_eq!(Value::from(f32::INFINITY), Value::Null);
        assert_eq!(Value::from(Some(1.5)), Value::from(1.5));
        assert_eq!(Value::from(None::<u8>), Value::Null);
    }
}
