//! JSON schemas.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::written::Shape;

/// Where all named schemas are.
pub(crate) const COMPONENTS: &str = "#/components/schemas/";

/// A reference to a named schema.
pub(crate) fn reference(name: &str) -> Value {
    json!({"$ref": format!("{COMPONENTS}{name}")})
}

/// The schema of a type that is known only from the way it is written. `named`
/// gives the schema of a type with a name.
pub(crate) fn from_written(shape: &Shape, named: &mut dyn FnMut(&str) -> Value) -> Value {
    match shape {
        Shape::Nothing => json!({"type": "null"}),
        Shape::Anything => json!({}),
        Shape::Boolean => json!({"type": "boolean"}),
        Shape::Integer => json!({"type": "integer"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Text => json!({"type": "string"}),
        Shape::List(item) => json!({"type": "array", "items": from_written(item, named)}),
        Shape::Map(value) => {
            json!({"type": "object", "additionalProperties": from_written(value, named)})
        }
        Shape::Nullable(inner) => {
            json!({"anyOf": [from_written(inner, named), {"type": "null"}]})
        }
        Shape::Tuple(parts) => {
            let count = parts.len();
            let parts: Vec<_> = parts.iter().map(|part| from_written(part, named)).collect();
            json!({"type": "array", "prefixItems": parts, "minItems": count, "maxItems": count})
        }
        Shape::Named(name) => named(name),
    }
}

/// Makes references to definitions inside of a schema point to the components,
/// under their names there.
pub(crate) fn point_to_components(schema: &mut Value, names: &BTreeMap<String, String>) {
    match schema {
        Value::Object(object) => {
            for (key, value) in object.iter_mut() {
                let target = value.as_str().and_then(|target| {
                    let name = target.strip_prefix("#/$defs/");
                    name.or_else(|| target.strip_prefix("#/definitions/"))
                });
                match target {
                    Some(name) if key == "$ref" => {
                        let name = names.get(name).map_or(name, String::as_str);
                        *value = reference(name)["$ref"].take();
                    }
                    _ => point_to_components(value, names),
                }
            }
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| point_to_components(value, names)),
        _ => {}
    }
}
