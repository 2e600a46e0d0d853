//! What an application says about itself, and the documents made from it:
//! [`asyncapi`] and [`typescript`] are pure functions of a [`Description`].
//!
//! Nothing in here knows how the description was obtained: the command line gets
//! it from a program that it started, the façade from the application that runs.
//! Users need neither this crate nor its names.
//!
//! ```
//! let description = serde_json::from_str(
//!     r#"{"nest_gateway_description": 1, "gateways": [{
//!         "name": "ChatGateway", "namespace": "/chat",
//!         "events": [{"event": "say", "method": "say", "body": {"type": "String"}}]
//!     }]}"#,
//! )?;
//! let document = nest_gateway_contract::asyncapi(&description, "chat", "1.0.0");
//! assert_eq!(document["channels"]["chat"]["address"], "/chat");
//! # Ok::<(), serde_json::Error>(())
//! ```

mod asyncapi;
mod description;
mod names;
mod schema;
mod types;
mod typescript;
mod written;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub use self::asyncapi::asyncapi;
pub use self::description::{Description, Emit, Enhancers, Event, Gateway, Kind, TypeOf};
pub use self::typescript::typescript;
pub use self::written::Written;

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
pub(crate) struct Schemas {
    named: Map<String, Value>,
    /// The schemas by the same names, as the application gave them.
    given: Map<String, Value>,
}

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

    /// Adds one of our own.
    pub(crate) fn insert(&mut self, name: &str, schema: Value) {
        self.named.insert(name.to_owned(), schema);
    }

    /// The schemas by name.
    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.named
    }

    /// A schema of the application: its definitions are shared, and it is one
    /// of them when its type has a name.
    fn given(&mut self, written: &Written, given: &Value) -> Value {
        let mut schema = given.clone();
        let mut definitions = Map::new();
        if let Some(object) = schema.as_object_mut() {
            object.remove("$schema");
            for key in ["$defs", "definitions"] {
                if let Some(Value::Object(inner)) = object.remove(key) {
                    definitions.extend(inner);
                }
            }
        }
        let own = written.name();
        if let Some(name) = &own {
            definitions.insert(name.clone(), schema.clone());
        }
        let names: BTreeMap<String, String> = definitions
            .iter()
            .map(|(name, definition)| (name.clone(), self.free_name(name, definition)))
            .collect();
        for (name, mut definition) in definitions {
            schema::point_to_components(&mut definition, &names);
            self.named.insert(names[&name].clone(), definition);
        }
        if let Some(name) = own {
            return schema::reference(&names[&name]);
        }
        schema::point_to_components(&mut schema, &names);
        schema
    }

    /// The name, with a number when another type has it already.
    fn free_name(&mut self, name: &str, definition: &Value) -> String {
        let numbered = (2_u32..).map(|number| format!("{name}{number}"));
        let mut candidates = std::iter::once(name.to_owned()).chain(numbered);
        let free = candidates.find(|name| {
            let is_ours = name == "Exception";
            !is_ours && self.given.get(name).is_none_or(|known| known == definition)
        });
        let free = free.expect("numbers do not end before the types of an application do");
        self.given.insert(free.clone(), definition.clone());
        free
    }

    /// A named type without a schema: anything.
    fn unknown(&mut self, name: &str) -> Value {
        let anything = || {
            serde_json::json!({
                "description": format!(
                    "No schema is known for `{name}`; it has one when it derives `schemars::JsonSchema` \
                     and nest-gateway has the feature `schema`."
                ),
            })
        };
        self.named.entry(name).or_insert_with(anything);
        schema::reference(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_of_the_same_name_stay_apart() {
        let mut schemas = Schemas::default();
        let mut shape = |schema: Value| {
            let of: TypeOf =
                serde_json::from_value(json!({"type": "Say", "schema": schema})).expect("a type");
            schemas.shape(&of).expect("data").schema
        };
        let first = shape(json!({"type": "string"}));
        let second = shape(json!({"$ref": "#/$defs/Text", "$defs": {"Text": {"type": "number"}}}));
        assert_eq!(first, json!({"$ref": "#/components/schemas/Say"}));
        assert_eq!(second, json!({"$ref": "#/components/schemas/Say2"}));
        assert_eq!(shape(json!({"type": "string"})), first);
        assert_eq!(
            schemas.into_map()["Say2"],
            json!({"$ref": "#/components/schemas/Text"})
        );
    }
}
