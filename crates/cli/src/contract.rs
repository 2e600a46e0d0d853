//! What an application says about itself, and the documents made from it.
//!
//! Nothing in here knows how the description was obtained.

mod asyncapi;
mod description;
mod names;
mod schema;
mod typescript;
mod written;

use serde_json::{Map, Value};

pub(crate) use self::asyncapi::asyncapi;
pub(crate) use self::description::{Description, Event, Gateway, Kind, TypeOf};
pub(crate) use self::typescript::typescript;
pub(crate) use self::written::Written;

/// A body, reply or emitted event: its schema, and whether it comes in items.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shape {
    /// A JSON schema whose references point to `#/components/schemas/`.
    pub(crate) schema: Value,
    /// Several items, one after the other.
    pub(crate) stream: bool,
    /// Under another event than the one that was handled.
    pub(crate) rerouted: bool,
    /// It may be missing altogether.
    pub(crate) optional: bool,
}

/// The schemas of all named types.
#[derive(Debug, Default)]
pub(crate) struct Schemas(Map<String, Value>);

impl Schemas {
    /// The shape of a type; `None` for `()`. Named types are collected.
    pub(crate) fn shape(&mut self, of: &TypeOf) -> Option<Shape> {
        let written = Written::parse(&of.name);
        if written.is_nothing() && of.schema.is_none() {
            return None;
        }
        let schema = match &of.schema {
            Some(given) => self.given(&written, given),
            None => schema::from_written(written.shape(), &mut |name| self.unknown(name)),
        };
        Some(Shape {
            schema,
            stream: of.stream || written.is_stream(),
            rerouted: written.is_rerouted(),
            optional: written.is_optional(),
        })
    }

    /// The schemas by name.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// A schema of the application: its definitions are shared, and it is one
    /// of them when its type has a name.
    fn given(&mut self, written: &Written, given: &Value) -> Value {
        let mut schema = given.clone();
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
            for key in ["$defs", "definitions"] {
                if let Some(Value::Object(definitions)) = object.remove(key) {
                    for (name, mut definition) in definitions {
                        schema::point_to_components(&mut definition);
                        self.0.insert(name, definition);
                    }
                }
            }
        }
        schema::point_to_components(&mut schema);
        match written.name() {
            Some(name) => {
                self.0.insert(name.clone(), schema);
                schema::reference(&name)
            }
            None => schema,
        }
    }

    /// A named type without a schema: anything.
    fn unknown(&mut self, name: &str) -> Value {
        let anything = || {
            serde_json::json!({
                "description": format!("The application gives no schema for `{name}`."),
            })
        };
        self.0.entry(name).or_insert_with(anything);
        schema::reference(name)
    }
}
