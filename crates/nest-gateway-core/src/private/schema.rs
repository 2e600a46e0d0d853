//! The ladders from a handler's types to JSON schemas. They work on types
//! alone: nothing is called but what describes them.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use futures_core::Stream;

use super::Tag;
use crate::dispatch::{MessageBody, WsResponse};

/// The schema of a type.
type Schema = fn() -> Value;

/// What a function gives, for function pointers of up to twelve arguments.
pub trait Function {
    /// What it gives.
    type Output;
}

macro_rules! function {
    ($($argument:ident)*) => {
        impl<Output, $($argument),*> Function for fn($($argument),*) -> Output {
            type Output = Output;
        }
    };
}
function!(A);
function!(A B);
function!(A B C);
function!(A B C D);
function!(A B C D E);
function!(A B C D E F);
function!(A B C D E F G);
function!(A B C D E F G H);
function!(A B C D E F G H I);
function!(A B C D E F G H I J);
function!(A B C D E F G H I J K);
function!(A B C D E F G H I J K L);

/// The type that a handler returns.
pub fn output<F: Function>(_: F) -> Tag<F::Output> {
    Tag::new()
}

/// The type that an async handler returns.
pub fn output_of_future<F: Function<Output: Future>>(_: F) -> Tag<<F::Output as Future>::Output> {
    Tag::new()
}

/// Two rungs that turn one type into another, or leave it.
macro_rules! step {
    ($with:ident, $without:ident: $method:ident, $($of:ty => $to:ident)|+) => {
        /// A type that stands around another.
        pub trait $with<T> {
            /// The one inside.
            fn $method(&self) -> Tag<T>;
        }

        $(impl<$to> $with<$to> for &Tag<$of> {
            fn $method(&self) -> Tag<$to> {
                Tag::new()
            }
        })+

        /// Any other type.
        pub trait $without<T> {
            /// Itself.
            fn $method(&self) -> Tag<T>;
        }

        impl<T> $without<T> for Tag<T> {
            fn $method(&self) -> Tag<T> {
                Tag::new()
            }
        }
    };
}

step!(SomeTypeRung, PlainSomeRung: some, Option<T> => T);
step!(ResponseTypeRung, PlainResponseRung: response, WsResponse<T> => T);

/// A result.
pub trait OkTypeRung<T> {
    /// What it is when it is `Ok`.
    fn ok(&self) -> Tag<T>;
}

impl<T, E> OkTypeRung<T> for &Tag<Result<T, E>> {
    fn ok(&self) -> Tag<T> {
        Tag::new()
    }
}

/// Any other type.
pub trait PlainOkRung<T> {
    /// Itself.
    fn ok(&self) -> Tag<T>;
}

impl<T> PlainOkRung<T> for Tag<T> {
    fn ok(&self) -> Tag<T> {
        Tag::new()
    }
}

/// A stream.
pub trait ItemTypeRung<T> {
    /// What it yields.
    fn item(&self) -> Tag<T>;
}

impl<S: Stream> ItemTypeRung<S::Item> for &Tag<S> {
    fn item(&self) -> Tag<S::Item> {
        Tag::new()
    }
}

/// Any other type.
pub trait PlainItemRung<T> {
    /// Itself.
    fn item(&self) -> Tag<T>;
}

impl<T> PlainItemRung<T> for Tag<T> {
    fn item(&self) -> Tag<T> {
        Tag::new()
    }
}

/// An argument with the body.
pub trait BodyTypeRung<T> {
    /// The type of the body.
    fn body(&self) -> Tag<T>;
}

impl<T> BodyTypeRung<T> for &Tag<MessageBody<T>> {
    fn body(&self) -> Tag<T> {
        Tag::new()
    }
}

/// An argument that may be missing, or wrong.
pub trait OwnBodyRung<T> {
    /// The type of the body.
    fn body(&self) -> Tag<T>;
}

impl<T> OwnBodyRung<T> for &&Tag<Option<MessageBody<T>>> {
    fn body(&self) -> Tag<T> {
        Tag::new()
    }
}

impl<T, E> OwnBodyRung<T> for &&Tag<Result<MessageBody<T>, E>> {
    fn body(&self) -> Tag<T> {
        Tag::new()
    }
}

/// Any other argument.
pub trait NoBodyTypeRung {
    /// A type without a schema.
    fn body(&self) -> Tag<super::Never>;
}

impl<A> NoBodyTypeRung for Tag<A> {
    fn body(&self) -> Tag<super::Never> {
        Tag::new()
    }
}

/// A field that may be missing.
pub trait OptionalRung {
    /// No.
    fn is_required(&self) -> bool;
}

impl<T> OptionalRung for &Tag<Option<T>> {
    fn is_required(&self) -> bool {
        false
    }
}

/// Any other field.
pub trait NotOptionalRung {
    /// Yes.
    fn is_required(&self) -> bool;
}

impl<T> NotOptionalRung for Tag<T> {
    fn is_required(&self) -> bool {
        true
    }
}

/// A type with a schema.
pub trait SchemaRung {
    /// The schema of what clients send.
    fn read_schema(&self) -> Option<Schema>;

    /// The schema of what they get.
    fn written_schema(&self) -> Option<Schema>;
}

impl<T: JsonSchema> SchemaRung for &Tag<T> {
    fn read_schema(&self) -> Option<Schema> {
        Some(|| of::<T>(SchemaSettings::default().for_deserialize()))
    }

    fn written_schema(&self) -> Option<Schema> {
        Some(|| of::<T>(SchemaSettings::default().for_serialize()))
    }
}

/// A type without one.
pub trait NoSchemaRung {
    /// None.
    fn read_schema(&self) -> Option<Schema>;

    /// None.
    fn written_schema(&self) -> Option<Schema>;
}

impl<T> NoSchemaRung for Tag<T> {
    fn read_schema(&self) -> Option<Schema> {
        None
    }

    fn written_schema(&self) -> Option<Schema> {
        None
    }
}

fn of<T: JsonSchema>(settings: SchemaSettings) -> Value {
    settings.into_generator().into_root_schema_for::<T>().into()
}

/// The schema of a body of which a handler takes single fields: name, whether
/// it is required, schema.
#[must_use]
pub fn object<const N: usize>(fields: [(&str, bool, Option<Schema>); N]) -> Value {
    let mut definitions = Map::new();
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, is_required, schema) in fields {
        let mut schema = schema.map_or_else(|| json!({}), |schema| schema());
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("$schema");
            if let Some(Value::Object(own)) = schema.remove("$defs") {
                definitions.extend(own);
            }
        }
        properties.insert(name.to_owned(), schema);
        if is_required {
            required.push(name);
        }
    }
    let mut object = json!({"type": "object", "properties": properties, "required": required});
    if !definitions.is_empty() {
        object["$defs"] = Value::Object(definitions);
    }
    object
}
