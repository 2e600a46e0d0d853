//! Serialising a [`Value`], and serialising anything into one.

use std::fmt::Display;

use bytes::Bytes;
use serde::ser::{
    Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Number;

use super::{Map, Value, token};

/// A value of the application that no message can carry: a map whose keys are
/// not text, a number out of range, or a `Serialize` impl that gave up.
///
/// Its text is for the log. It can name types, so it never goes to a client.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot encode the payload: {0}")]
pub struct EncodeError(String);

impl EncodeError {
    /// An encoding failure, in words for a developer.
    pub fn new(reason: impl Display) -> Self {
        Self(reason.to_string())
    }
}

impl serde::ser::Error for EncodeError {
    fn custom<T: Display>(message: T) -> Self {
        Self::new(message)
    }
}

/// Turns anything that serialises into a [`Value`].
///
/// The result is what `serde_json::to_value` gives, except that bytes
/// (`serialize_bytes`) stay bytes.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, EncodeError> {
    value.serialize(ValueSerializer)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(number) => serialize_number(number, serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Binary(bytes) => serializer.serialize_bytes(bytes),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Object(map) => serializer.collect_map(map),
        }
    }
}

/// Writes a number as the primitive it is. `Number` itself does the same unless
/// some crate in the tree turned `arbitrary_precision` on; then it would write
/// a struct into formats other than JSON.
fn serialize_number<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
    if let Some(number) = number.as_u64() {
        serializer.serialize_u64(number)
    } else if let Some(number) = number.as_i64() {
        serializer.serialize_i64(number)
    } else if let Some(number) = number.as_f64() {
        serializer.serialize_f64(number)
    } else {
        number.serialize(serializer)
    }
}

struct ValueSerializer;

macro_rules! serialize_into {
    ($($method:ident: $number:ty)*) => {$(
        fn $method(self, value: $number) -> Result<Value, EncodeError> {
            Ok(value.into())
        }
    )*};
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = EncodeError;
    type SerializeSeq = ArraySerializer;
    type SerializeTuple = ArraySerializer;
    type SerializeTupleStruct = ArraySerializer;
    type SerializeTupleVariant = ArraySerializer;
    type SerializeMap = ObjectSerializer;
    type SerializeStruct = StructSerializer;
    type SerializeStructVariant = ObjectSerializer;

    serialize_into! {
        serialize_bool: bool
        serialize_i8: i8 serialize_i16: i16 serialize_i32: i32 serialize_i64: i64
        serialize_u8: u8 serialize_u16: u16 serialize_u32: u32 serialize_u64: u64
        serialize_f32: f32 serialize_f64: f64
        serialize_str: &str
    }

    fn serialize_i128(self, value: i128) -> Result<Value, EncodeError> {
        Number::from_i128(value)
            .map(Value::Number)
            .ok_or_else(number_out_of_range)
    }

    fn serialize_u128(self, value: u128) -> Result<Value, EncodeError> {
        Number::from_u128(value)
            .map(Value::Number)
            .ok_or_else(number_out_of_range)
    }

    fn serialize_char(self, value: char) -> Result<Value, EncodeError> {
        Ok(Value::String(value.into()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, EncodeError> {
        Ok(Value::Binary(Bytes::copy_from_slice(value)))
    }

    fn serialize_none(self) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, EncodeError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Value, EncodeError> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Value, EncodeError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Value, EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, EncodeError> {
        Ok(tagged(variant, to_value(value)?))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<ArraySerializer, EncodeError> {
        Ok(ArraySerializer {
            variant: None,
            items: Vec::with_capacity(len.unwrap_or(0)),
        })
    }

    fn serialize_tuple(self, len: usize) -> Result<ArraySerializer, EncodeError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        len: usize,
    ) -> Result<ArraySerializer, EncodeError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<ArraySerializer, EncodeError> {
        Ok(ArraySerializer {
            variant: Some(variant),
            items: Vec::with_capacity(len),
        })
    }

    fn serialize_map(self, len: Option<usize>) -> Result<ObjectSerializer, EncodeError> {
        Ok(ObjectSerializer {
            variant: None,
            map: Map::with_capacity(len.unwrap_or(0)),
            key: None,
        })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        len: usize,
    ) -> Result<StructSerializer, EncodeError> {
        if matches!(name, token::NUMBER | token::RAW_VALUE) {
            return Ok(StructSerializer::Json(Value::Null));
        }
        self.serialize_map(Some(len)).map(StructSerializer::Object)
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<ObjectSerializer, EncodeError> {
        Ok(ObjectSerializer {
            variant: Some(variant),
            map: Map::with_capacity(len),
            key: None,
        })
    }
}

fn number_out_of_range() -> EncodeError {
    EncodeError::new("number out of range")
}

/// An enum's variant with content is an object of one member.
fn tagged(variant: &str, content: Value) -> Value {
    Value::Object(Map::from_iter([(variant.to_owned(), content)]))
}

fn maybe_tagged(variant: Option<&str>, content: Value) -> Value {
    match variant {
        Some(variant) => tagged(variant, content),
        None => content,
    }
}

struct ArraySerializer {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

impl ArraySerializer {
    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), EncodeError> {
        self.items.push(to_value(item)?);
        Ok(())
    }

    fn finish(self) -> Value {
        maybe_tagged(self.variant, Value::Array(self.items))
    }
}

macro_rules! serialize_items {
    ($($trait:ident $method:ident)*) => {$(
        impl $trait for ArraySerializer {
            type Ok = Value;
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), EncodeError> {
                self.push(item)
            }

            fn end(self) -> Result<Value, EncodeError> {
                Ok(self.finish())
            }
        }
    )*};
}

serialize_items! {
    SerializeSeq serialize_element
    SerializeTuple serialize_element
    SerializeTupleStruct serialize_field
    SerializeTupleVariant serialize_field
}

struct ObjectSerializer {
    variant: Option<&'static str>,
    map: Map,
    key: Option<String>,
}

impl SerializeMap for ObjectSerializer {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.key = Some(key.serialize(KeySerializer)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        let key = self
            .key
            .take()
            .ok_or_else(|| EncodeError::new("a map value without a key"))?;
        self.map.insert(key, to_value(value)?);
        Ok(())
    }

    fn end(self) -> Result<Value, EncodeError> {
        Ok(maybe_tagged(self.variant, Value::Object(self.map)))
    }
}

impl SerializeStructVariant for ObjectSerializer {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.map.insert(key.to_owned(), to_value(value)?);
        Ok(())
    }

    fn end(self) -> Result<Value, EncodeError> {
        SerializeMap::end(self)
    }
}

/// A struct, or one of `serde_json`'s own types, whose single field is JSON
/// text.
enum StructSerializer {
    Object(ObjectSerializer),
    Json(Value),
}

impl SerializeStruct for StructSerializer {
    type Ok = Value;
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        match self {
            Self::Object(object) => SerializeStructVariant::serialize_field(object, key, value),
            Self::Json(parsed) => {
                let text = to_value(value)?;
                let text = text
                    .as_str()
                    .ok_or_else(|| EncodeError::new("expected JSON text"))?;
                *parsed = serde_json::from_str(text).map_err(EncodeError::new)?;
                Ok(())
            }
        }
    }

    fn end(self) -> Result<Value, EncodeError> {
        match self {
            Self::Object(object) => SerializeMap::end(object),
            Self::Json(value) => Ok(value),
        }
    }
}

/// Keys are text; numbers, booleans and unit variants are written as text, as
/// `serde_json` does.
struct KeySerializer;

fn key_must_be_text() -> EncodeError {
    EncodeError::new("the key of a map must be text")
}

macro_rules! key_to_string {
    ($($method:ident: $type:ty)*) => {$(
        fn $method(self, key: $type) -> Result<String, EncodeError> {
            Ok(key.to_string())
        }
    )*};
}

macro_rules! float_key {
    ($($method:ident: $type:ty)*) => {$(
        fn $method(self, key: $type) -> Result<String, EncodeError> {
            if !key.is_finite() {
                return Err(EncodeError::new("the key of a map must be a finite number"));
            }
            serde_json::to_string(&key).map_err(EncodeError::new)
        }
    )*};
}

impl Serializer for KeySerializer {
    type Ok = String;
    type Error = EncodeError;
    type SerializeSeq = Impossible<String, EncodeError>;
    type SerializeTuple = Impossible<String, EncodeError>;
    type SerializeTupleStruct = Impossible<String, EncodeError>;
    type SerializeTupleVariant = Impossible<String, EncodeError>;
    type SerializeMap = Impossible<String, EncodeError>;
    type SerializeStruct = Impossible<String, EncodeError>;
    type SerializeStructVariant = Impossible<String, EncodeError>;

    key_to_string! {
        serialize_bool: bool
        serialize_i8: i8 serialize_i16: i16 serialize_i32: i32 serialize_i64: i64 serialize_i128: i128
        serialize_u8: u8 serialize_u16: u16 serialize_u32: u32 serialize_u64: u64 serialize_u128: u128
        serialize_char: char
        serialize_str: &str
    }

    float_key! { serialize_f32: f32 serialize_f64: f64 }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<String, EncodeError> {
        Ok(variant.to_owned())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        key: &T,
    ) -> Result<String, EncodeError> {
        key.serialize(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, key: &T) -> Result<String, EncodeError> {
        key.serialize(self)
    }

    fn serialize_bytes(self, _key: &[u8]) -> Result<String, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_none(self) -> Result<String, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_unit(self) -> Result<String, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<String, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<String, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self::SerializeSeq, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self::SerializeTuple, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleStruct, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStruct, EncodeError> {
        Err(key_must_be_text())
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, EncodeError> {
        Err(key_must_be_text())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::value::RawValue;

    use super::*;

    #[derive(Serialize)]
    enum Shape {
        Unit,
        Newtype(u8),
        Tuple(u8, char),
        Struct { side: f64 },
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Newtype(Option<&'static str>);

    #[derive(Serialize)]
    struct Everything {
        shapes: Vec<Shape>,
        unit: Unit,
        newtype: Newtype,
        none: Option<u8>,
        not_finite: f64,
        big: u128,
        least: i64,
        small: f32,
        whole_keys: BTreeMap<i32, bool>,
        pair: (i8, ()),
        raw: Box<RawValue>,
    }

    #[test]
    fn whatever_serialises_becomes_what_serde_json_makes_of_it() {
        let everything = Everything {
            shapes: vec![
                Shape::Unit,
                Shape::Newtype(1),
                Shape::Tuple(2, 'ü'),
                Shape::Struct { side: 0.1 },
            ],
            unit: Unit,
            newtype: Newtype(Some("x")),
            none: None,
            not_finite: f64::INFINITY,
            big: u128::from(u64::MAX),
            least: i64::MIN,
            small: 0.1,
            whole_keys: BTreeMap::from([(-1, true), (7, false)]),
            pair: (-1, ()),
            raw: RawValue::from_string(r#"{"a": [1, 2.5]}"#.into()).unwrap(),
        };
        let theirs = Value::from(serde_json::to_value(&everything).unwrap());
        assert_eq!(to_value(&everything).unwrap(), theirs);
    }

    #[test]
    fn what_serde_json_refuses_is_refused() {
        assert!(to_value(&i128::MIN).is_err());
        assert!(to_value(&(u128::from(u64::MAX) + 1)).is_err());
        assert!(to_value(&BTreeMap::from([((1, 2), 3)])).is_err());
        assert!(to_value(&BTreeMap::from([(None::<u8>, 3)])).is_err());
    }

    struct Raw(&'static [u8]);

    impl Serialize for Raw {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    #[test]
    fn bytes_stay_bytes() {
        let value = to_value(&BTreeMap::from([("file", Raw(b"\xff\0"))])).unwrap();
        assert_eq!(value["file"].as_bytes().unwrap(), &b"\xff\0"[..]);
        assert_eq!(to_value(&value).unwrap(), value);
    }
}
