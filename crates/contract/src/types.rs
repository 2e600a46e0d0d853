//! TypeScript's types, from JSON schemas.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::schema;

/// Declares a named type.
pub(crate) fn declare(text: &mut String, name: &str, schema: &Value) {
    describe(text, schema, "");
    let name = identifier(name);
    let is_object =
        schema["properties"].is_object() && schema["oneOf"].is_null() && schema["anyOf"].is_null();
    // Writing to a string cannot fail.
    let _ = if is_object {
        writeln!(text, "export interface {name} {}", type_of(schema, 0))
    } else {
        writeln!(text, "export type {name} = {};", type_of(schema, 0))
    };
}

fn describe(text: &mut String, schema: &Value, indentation: &str) {
    if let Some(description) = schema["description"].as_str() {
        let safe = description.replace("*/", "*\u{200b}/");
        let mut lines = safe.lines();
        let first = lines.next().unwrap_or_default();
        let _ = write!(text, "{indentation}/** {first}");
        for line in lines {
            let _ = write!(text, "\n{indentation} * {line}");
        }
        text.push_str(" */\n");
    }
}

/// The TypeScript type of a JSON schema. What has no counterpart is `unknown`.
pub(crate) fn type_of(schema: &Value, depth: usize) -> String {
    let Some(object) = schema.as_object() else {
        return if schema == &json!(false) {
            "never"
        } else {
            "unknown"
        }
        .to_owned();
    };
    if let Some(target) = object.get("$ref").and_then(Value::as_str) {
        let name = target.strip_prefix(schema::COMPONENTS).unwrap_or("unknown");
        return if name == "unknown" {
            name.to_owned()
        } else {
            identifier(name)
        };
    }
    if let Some(value) = object.get("const") {
        return value.to_string();
    }
    if let Some(values) = object.get("enum").and_then(Value::as_array) {
        return union(values.iter().map(Value::to_string));
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = object.get(key).and_then(Value::as_array) {
            let choices = union(choices.iter().map(|choice| type_of(choice, depth)));
            return with_properties(object, choices, depth);
        }
    }
    if let Some(parts) = object.get("allOf").and_then(Value::as_array) {
        let parts: Vec<_> = parts
            .iter()
            .map(|part| in_list(type_of(part, depth)))
            .collect();
        return with_properties(object, parts.join(" & "), depth);
    }
    match object.get("type") {
        Some(Value::Array(kinds)) => union(kinds.iter().map(|kind| {
            let mut one = object.clone();
            one.insert("type".to_owned(), kind.clone());
            type_of(&Value::Object(one), depth)
        })),
        Some(Value::String(kind)) => of_kind(kind, object, depth),
        _ if object.contains_key("properties") => of_kind("object", object, depth),
        _ => "unknown".to_owned(),
    }
}

fn of_kind(kind: &str, object: &Map<String, Value>, depth: usize) -> String {
    match kind {
        "string" => "string".to_owned(),
        "integer" | "number" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => match (
            object.get("prefixItems").and_then(Value::as_array),
            object.get("items"),
        ) {
            (Some(parts), _) => {
                let parts: Vec<_> = parts.iter().map(|part| type_of(part, depth)).collect();
                format!("[{}]", parts.join(", "))
            }
            (None, Some(item)) => format!("{}[]", in_list(type_of(item, depth))),
            (None, None) => "unknown[]".to_owned(),
        },
        "object" if object.get("properties").is_some_and(Value::is_object) => {
            properties(object, depth)
        }
        "object" => match object.get("additionalProperties") {
            Some(value) => format!("Record<string, {}>", type_of(value, depth)),
            None => "Record<string, unknown>".to_owned(),
        },
        _ => "unknown".to_owned(),
    }
}

fn properties(object: &Map<String, Value>, depth: usize) -> String {
    let indentation = "  ".repeat(depth + 1);
    let required = object.get("required").and_then(Value::as_array);
    let is_required = |name: &str| {
        required.is_some_and(|required| required.iter().any(|required| required == name))
    };
    let mut text = "{\n".to_owned();
    let all = object
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    for (name, property) in all {
        describe(&mut text, property, &indentation);
        let mark = if is_required(name) { "" } else { "?" };
        let _ = writeln!(
            text,
            "{indentation}{}{mark}: {};",
            key(name),
            type_of(property, depth + 1)
        );
    }
    text.push_str(&"  ".repeat(depth));
    text.push('}');
    text
}

/// A choice whose schema has properties beside it, as flattened types have.
fn with_properties(object: &Map<String, Value>, choices: String, depth: usize) -> String {
    if object.get("properties").is_some_and(Value::is_object) {
        return format!("{} & {}", properties(object, depth), in_list(choices));
    }
    choices
}

fn union(types: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for one in types {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    if all.is_empty() {
        "never".to_owned()
    } else {
        all.join(" | ")
    }
}

fn in_list(written: String) -> String {
    if written.contains(" | ") || written.contains(" & ") {
        format!("({written})")
    } else {
        written
    }
}

/// A property's name, quoted where that is needed.
pub(crate) fn key(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// The name of a type: schemas may have any, such as `Page_for_User`.
fn identifier(name: &str) -> String {
    let mut text: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
        text.insert(0, '_');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemas_become_types() {
        for (schema, written) in [
            (json!(true), "unknown"),
            (json!({}), "unknown"),
            (json!({"type": "string", "format": "uuid"}), "string"),
            (json!({"type": ["integer", "null"]}), "number | null"),
            (
                json!({"type": "array", "items": {"type": ["string", "null"]}}),
                "(string | null)[]",
            ),
            (
                json!({"type": "array", "prefixItems": [{"type": "number"}, {"const": "a"}]}),
                "[number, \"a\"]",
            ),
            (json!({"enum": ["a", "b"]}), "\"a\" | \"b\""),
            (
                json!({"anyOf": [{"$ref": "#/components/schemas/User"}, {"type": "null"}]}),
                "User | null",
            ),
            (
                json!({"type": "object", "additionalProperties": {"type": "boolean"}}),
                "Record<string, boolean>",
            ),
            (
                json!({"type": "object", "properties": {"a-b": {"type": "null"}}, "required": []}),
                "{\n  \"a-b\"?: null;\n}",
            ),
            (
                json!({"type": "object", "properties": {"a": {"type": "number"}}, "required": ["a"],
                       "oneOf": [{"$ref": "#/components/schemas/B"}, {"$ref": "#/components/schemas/C"}]}),
                "{\n  a: number;\n} & (B | C)",
            ),
        ] {
            assert_eq!(type_of(&schema, 0), written, "{schema}");
        }
    }

    #[test]
    fn a_description_cannot_end_its_comment() {
        let mut text = String::new();
        describe(&mut text, &json!({"description": "a */ b\nc"}), "");
        assert_eq!(text.matches("*/").count(), 1, "{text}");
    }
}
