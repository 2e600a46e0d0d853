//! Deserialising a [`Value`], and deserialising anything out of one.

use std::fmt;
use std::iter;
use std::sync::LazyLock;

use bytes::Bytes;
use serde::de::value::{BorrowedStrDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess,
    IntoDeserializer, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::Number;

use super::{Map, Value, token};
use crate::payload::{BodyError, Problem};

impl Value {
    /// Decodes the value into a type of the application.
    ///
    /// The result is what `serde_json::from_value` gives, except that
    /// [`Value::Binary`] is offered as bytes: `bytes::Bytes`, `serde_bytes` and
    /// a plain `Vec<u8>` take it, a `String` does not.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, BodyError> {
        // The path is tracked on a second pass, because most bodies are right.
        T::deserialize(ValueDeserializer(self)).or_else(|_| {
            serde_path_to_error::deserialize(ValueDeserializer(self)).map_err(BodyError::from_fault)
        })
    }
}

/// How many arrays and objects may be nested, plus one; `serde_json` counts in
/// the same way.
const DEPTH: u8 = 128;

/// The text with which both `serde_json` and [`Value`] refuse deeper nesting.
pub(crate) const TOO_DEEP: &str = "recursion limit exceeded";

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Nested { depth: DEPTH }.deserialize(deserializer)
    }
}

/// A value at some depth; knows how much deeper it may go.
#[derive(Clone, Copy)]
struct Nested {
    depth: u8,
}

impl Nested {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth - 1 {
            0 => Err(E::custom(TOO_DEEP)),
            depth => Ok(Self { depth }),
        }
    }

    /// The members after a first key that has been read already.
    fn members<'de, A: MapAccess<'de>>(
        self,
        first: String,
        mut access: A,
    ) -> Result<Value, A::Error> {
        let mut map = Map::with_capacity(reserve(access.size_hint()));
        let mut next = Some(first);
        while let Some(key) = next {
            map.insert(key, access.next_value_seed(self)?);
            next = access.next_key()?;
        }
        Ok(Value::Object(map))
    }
}

/// A length that a client merely claims is not worth much memory.
fn reserve(hint: Option<usize>) -> usize {
    hint.unwrap_or(0).min(64)
}

impl<'de> DeserializeSeed<'de> for Nested {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E: de::Error>(self, value: i128) -> Result<Value, E> {
        let number = Number::from_i128(value).map(Value::Number);
        number.ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_u128<E: de::Error>(self, value: u128) -> Result<Value, E> {
        let number = Number::from_u128(value).map(Value::Number);
        number.ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Bytes::copy_from_slice(value).into())
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Bytes::from(value).into())
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deeper()?.deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Value, D::Error> {
        self.deeper()?.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::with_capacity(reserve(access.size_hint()));
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        match access.next_key::<String>()? {
            None => Ok(Value::Object(Map::new())),
            Some(key) if key == token::NUMBER && *ARBITRARY_PRECISION => {
                let digits: String = access.next_value()?;
                digits.parse().map(Value::Number).map_err(de::Error::custom)
            }
            Some(key) => inner.members(key, access),
        }
    }
}

/// Whether some crate in the tree turned on `serde_json/arbitrary_precision`,
/// under which numbers arrive as a map with one key.
static ARBITRARY_PRECISION: LazyLock<bool> =
    LazyLock::new(|| serde_json::from_str::<Number>("1e400").is_ok());

/// What is wrong with a value, as the type that was to be decoded tells it.
///
/// It keeps the kind and drops the words: those of serde name Rust types and
/// quote the client's data. Nothing of it is parsed from text.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub(crate) struct Fault {
    pub(crate) problem: Problem,
    /// The member that is missing, since it is not on the path then.
    pub(crate) missing: Option<&'static str>,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            missing: None,
        }
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(_message: T) -> Self {
        Problem::InvalidValue.into()
    }

    fn invalid_type(_unexpected: Unexpected<'_>, _expected: &dyn de::Expected) -> Self {
        Problem::WrongType.into()
    }

    fn unknown_variant(_variant: &str, _expected: &'static [&'static str]) -> Self {
        Problem::UnknownVariant.into()
    }

    fn unknown_field(_field: &str, _expected: &'static [&'static str]) -> Self {
        Problem::UnknownField.into()
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            problem: Problem::Missing,
            missing: Some(field),
        }
    }
}

/// Reads a [`Value`] in place.
#[derive(Clone, Copy)]
pub(crate) struct ValueDeserializer<'de>(pub(crate) &'de Value);

impl<'de> IntoDeserializer<'de, Fault> for ValueDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> ValueDeserializer<'de> {
    fn wrong_type<V: Visitor<'de>>(self, visitor: &V) -> Fault {
        let unexpected = match self.0 {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Number(_) => Unexpected::Other("number"),
            Value::String(text) => Unexpected::Str(text),
            Value::Binary(bytes) => Unexpected::Bytes(bytes),
            Value::Array(_) => Unexpected::Seq,
            Value::Object(_) => Unexpected::Map,
        };
        de::Error::invalid_type(unexpected, visitor)
    }
}

fn visit_array<'de, V: Visitor<'de>>(items: &'de [Value], visitor: V) -> Result<V::Value, Fault> {
    let mut access = SeqDeserializer::new(items.iter().map(ValueDeserializer));
    let value = visitor.visit_seq(&mut access)?;
    access.end()?;
    Ok(value)
}

fn visit_object<'de, V: Visitor<'de>>(map: &'de Map, visitor: V) -> Result<V::Value, Fault> {
    let members = map
        .iter()
        .map(|(key, value)| (KeyDeserializer(key), ValueDeserializer(value)));
    let mut access = MapDeserializer::new(members);
    let value = visitor.visit_map(&mut access)?;
    access.end()?;
    Ok(value)
}

fn visit_number<'de, V: Visitor<'de>>(number: &Number, visitor: V) -> Result<V::Value, Fault> {
    if let Some(number) = number.as_u64() {
        visitor.visit_u64(number)
    } else if let Some(number) = number.as_i64() {
        visitor.visit_i64(number)
    } else if let Some(number) = number.as_i128() {
        visitor.visit_i128(number)
    } else if let Some(number) = number.as_u128() {
        visitor.visit_u128(number)
    } else if let Some(number) = number.as_f64() {
        visitor.visit_f64(number)
    } else {
        Err(Problem::InvalidValue.into())
    }
}

macro_rules! deserialize_numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0 {
                Value::Number(number) => visit_number(number, visitor),
                _ => Err(self.wrong_type(&visitor)),
            }
        }
    )*};
}

macro_rules! deserialize_texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            match self.0 {
                Value::String(text) => visitor.visit_borrowed_str(text),
                _ => Err(self.wrong_type(&visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
    type Error = Fault;

    deserialize_numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    deserialize_texts! { deserialize_char deserialize_str deserialize_string deserialize_identifier }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => visit_number(number, visitor),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::Array(items) => visit_array(items, visitor),
            Value::Object(map) => visit_object(map, visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Bool(value) => visitor.visit_bool(*value),
            _ => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Binary(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(items) => visit_array(items, visitor),
            _ => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            _ => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        if name != token::RAW_VALUE {
            return visitor.visit_newtype_struct(self);
        }
        // `RawValue` asks for the text by this name.
        let text = serde_json::to_string(self.0).map_err(|_| Problem::InvalidValue)?;
        visitor.visit_map(MapDeserializer::new(iter::once((token::RAW_VALUE, text))))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Array(items) => visit_array(items, visitor),
            Value::Binary(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.iter().copied())),
            _ => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Object(map) => visit_object(map, visitor),
            _ => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        match self.0 {
            Value::Object(map) => visit_object(map, visitor),
            Value::Array(items) => visit_array(items, visitor),
            _ => Err(self.wrong_type(&visitor)),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (variant, content) = match self.0 {
            Value::String(variant) => (variant, None),
            Value::Object(map) => match map.first() {
                Some((variant, content)) if map.len() == 1 => (variant, Some(content)),
                _ => return Err(Problem::InvalidValue.into()),
            },
            _ => return Err(self.wrong_type(&visitor)),
        };
        visitor.visit_enum(Variant { variant, content })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }
}

/// An enum: text for a variant without content, else an object of one member.
struct Variant<'de> {
    variant: &'de str,
    content: Option<&'de Value>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Content<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Content<'de>), Fault> {
        let variant = seed.deserialize(BorrowedStrDeserializer::<Fault>::new(self.variant))?;
        Ok((variant, Content(self.content)))
    }
}

struct Content<'de>(Option<&'de Value>);

impl<'de> Content<'de> {
    fn required(self) -> Result<ValueDeserializer<'de>, Fault> {
        self.0
            .map(ValueDeserializer)
            .ok_or(Fault::from(Problem::WrongType))
    }
}

impl<'de> VariantAccess<'de> for Content<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        self.0.map_or(Ok(()), |content| {
            Deserialize::deserialize(ValueDeserializer(content))
        })
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        seed.deserialize(self.required()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        self.required()?.deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.required()?.deserialize_map(visitor)
    }
}

/// The key of a member: text, which also serves for a number or a boolean when
/// the map asks for one.
struct KeyDeserializer<'de>(&'de str);

impl<'de> IntoDeserializer<'de, Fault> for KeyDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! deserialize_number_keys {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            if !self.0.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
                return Err(Problem::WrongType.into());
            }
            let mut digits = serde_json::Deserializer::from_str(self.0);
            let key = digits.$method(visitor).map_err(|_| Problem::InvalidValue)?;
            digits.end().map_err(|_| Problem::WrongType)?;
            Ok(key)
        }
    )*};
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = Fault;

    deserialize_number_keys! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_borrowed_str(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(Problem::WrongType.into()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(Variant {
            variant: self.0,
            content: None,
        })
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};
    use std::fmt::Debug;

    use serde::{Deserialize, Serialize};
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    enum Shape {
        Unit,
        Newtype(u8),
        Tuple(u8, char),
        Struct { side: f64 },
    }

    #[derive(Debug, PartialEq, Deserialize, Serialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        A { x: i8 },
        B,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Bytes(Blob),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Flat {
        name: String,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }

    #[derive(Debug, PartialEq, Eq, Hash, Deserialize)]
    struct Id(u32);

    /// Takes bytes only.
    #[derive(Debug, PartialEq)]
    struct Blob(Vec<u8>);

    impl<'de> Deserialize<'de> for Blob {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct BytesOnly;
            impl Visitor<'_> for BytesOnly {
                type Value = Blob;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("bytes")
                }
                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Blob, E> {
                    Ok(Blob(bytes.into()))
                }
            }
            deserializer.deserialize_bytes(BytesOnly)
        }
    }

    /// Decodes with both and compares, whether it works or not.
    #[track_caller]
    fn agrees_with_serde_json<T: DeserializeOwned + Debug + PartialEq>(value: &serde_json::Value) {
        let ours = Value::from(value.clone()).decode::<T>();
        let theirs = serde_json::from_value::<T>(value.clone());
        assert_eq!(
            ours.as_ref().ok(),
            theirs.as_ref().ok(),
            "{value}: {ours:?} but {theirs:?}"
        );
    }

    #[test]
    fn whatever_deserialises_from_serde_json_deserialises_the_same() {
        for shape in [
            json!("Unit"),
            json!({"Unit": null}),
            json!({"Unit": 1}),
            json!({"Newtype": 255}),
            json!({"Newtype": 256}),
            json!("Newtype"),
            json!({"Tuple": [1, "ü"]}),
            json!({"Tuple": [1]}),
            json!({"Tuple": [1, "ü", 3]}),
            json!({"Struct": {"side": 1}}),
            json!({"Struct": [1]}),
            json!({"Struct": {"side": 1}, "Unit": null}),
            json!({}),
            json!("Circle"),
            json!(7),
        ] {
            agrees_with_serde_json::<Shape>(&shape);
        }
        agrees_with_serde_json::<Tagged>(&json!({"kind": "a", "x": -3}));
        agrees_with_serde_json::<Tagged>(&json!({"x": 1}));
        agrees_with_serde_json::<Tagged>(&json!({"kind": "b"}));
        agrees_with_serde_json::<Vec<Option<i8>>>(&json!([1, null, -128]));
        agrees_with_serde_json::<(u8, bool)>(&json!([1, true]));
        agrees_with_serde_json::<(u8, bool)>(&json!([1, true, 2]));
        agrees_with_serde_json::<()>(&json!(null));
        agrees_with_serde_json::<f32>(&json!(1));
        agrees_with_serde_json::<i64>(&json!(1.0));
        agrees_with_serde_json::<u128>(&json!(u64::MAX));
        agrees_with_serde_json::<i128>(&json!(i64::MIN));
        agrees_with_serde_json::<HashMap<Id, bool>>(&json!({"1": true, "2": false}));
        agrees_with_serde_json::<HashMap<bool, bool>>(&json!({"true": true}));
        agrees_with_serde_json::<HashMap<i32, u8>>(&json!({"+1": 1}));
        agrees_with_serde_json::<HashMap<i32, u8>>(&json!({"1 2": 1}));
        agrees_with_serde_json::<HashMap<i32, u8>>(&json!({"-7": 1}));
        agrees_with_serde_json::<HashMap<i32, u8>>(&json!({"": 1}));
        agrees_with_serde_json::<Vec<u8>>(&json!("abc"));
        agrees_with_serde_json::<char>(&json!("ab"));
    }

    #[test]
    fn what_was_serialised_comes_back() {
        for shape in [
            Shape::Unit,
            Shape::Newtype(1),
            Shape::Tuple(2, 'x'),
            Shape::Struct { side: 0.5 },
        ] {
            assert_eq!(
                super::super::to_value(&shape).unwrap().decode::<Shape>(),
                Ok(shape)
            );
        }
    }

    #[test]
    fn bytes_reach_types_that_take_bytes_also_through_buffering_enums() {
        let value = Value::Binary(Bytes::from_static(b"\xff\x00"));
        assert_eq!(value.decode(), Ok(Blob(vec![0xff, 0])));
        assert_eq!(value.decode(), Ok(vec![0xff_u8, 0]));
        assert_eq!(value.decode(), Ok(Either::Bytes(Blob(vec![0xff, 0]))));
        assert_eq!(value.decode(), Ok(value.clone()));
        assert!(value.decode::<String>().is_err());
        let flat: Value = [("name", Value::from("f")), ("file", value.clone())]
            .into_iter()
            .collect();
        assert_eq!(flat.decode::<Flat>().unwrap().rest["file"], value);
    }

    #[test]
    fn raw_json_can_be_taken_out_of_a_value() {
        let value = Value::from(json!({"a": [1, 2]}));
        let raw = value.decode::<BTreeMap<String, Box<RawValue>>>().unwrap();
        assert_eq!(raw["a"].get(), "[1,2]");
    }

    #[test]
    fn the_last_of_duplicate_keys_wins() {
        let value: Value = serde_json::from_str(r#"{"a": 1, "b": 2, "a": 3}"#).unwrap();
        assert_eq!(value, json!({"a": 3, "b": 2}).into());
    }

    #[test]
    fn nesting_is_bounded_as_in_serde_json_whatever_the_format() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        for levels in [1, 127, 128, 100_000] {
            let text = nested(levels);
            let ours = serde_json::from_str::<Value>(&text).is_ok();
            assert_eq!(
                ours,
                serde_json::from_str::<serde_json::Value>(&text).is_ok()
            );
            let mut unlimited = Endless(levels);
            assert_eq!(
                ours,
                Value::deserialize(&mut unlimited).is_ok(),
                "{levels} levels"
            );
        }
    }

    /// A format without a limit of its own: arrays in arrays.
    struct Endless(usize);

    impl<'de> Deserializer<'de> for &mut Endless {
        type Error = Fault;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.visit_seq(self)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
            option unit unit_struct newtype_struct seq tuple tuple_struct map struct enum
            identifier ignored_any
        }
    }

    impl<'de> SeqAccess<'de> for Endless {
        type Error = Fault;

        fn next_element_seed<S: DeserializeSeed<'de>>(
            &mut self,
            seed: S,
        ) -> Result<Option<S::Value>, Fault> {
            if self.0 <= 1 {
                return Ok(None);
            }
            self.0 -= 1;
            seed.deserialize(self).map(Some)
        }
    }
}
