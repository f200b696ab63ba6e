//! Examples, made from schemas: so that they never have a member that the type does not have.

use serde_json::{Map, Value, json};

/// Deeper than this, types that hold themselves end.
const DEPTH_MAX: usize = 12;

/// Which members an example has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// All that there are.
    All,
    /// Those that are required or have an example of their own.
    Telling,
}

/// Makes examples of schemas that refer to `schemas` by `#/components/schemas/…`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Examples<'a> {
    pub(super) schemas: &'a Map<String, Value>,
    pub(super) members: Members,
}

impl Examples<'_> {
    /// An example of `schema`.
    pub(super) fn of(self, schema: &Value) -> Value {
        self.at(schema, 0)
    }

    fn at(self, schema: &Value, depth: usize) -> Value {
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(example) = schema.pointer("/examples/0").or(schema.get("const")) {
            return example.clone();
        }
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap_or_default();
            let target = self.schemas.get(name).unwrap_or(&Value::Null);
            return self.at(target, depth + 1);
        }
        if let Some(first) = schema.pointer("/enum/0") {
            return first.clone();
        }
        for several in ["anyOf", "oneOf"] {
            let choices = schema[several].as_array();
            let choice = choices.and_then(|all| all.iter().find(|one| one["type"] != "null"));
            if let Some(choice) = choice {
                let chosen = self.at(choice, depth + 1);
                return merged(self.object(schema, depth), chosen);
            }
        }
        if let Some(parts) = schema["allOf"].as_array() {
            let parts = parts.iter().map(|part| self.at(part, depth + 1));
            return parts.fold(self.object(schema, depth), merged);
        }
        self.plain(schema, depth)
    }

    fn plain(self, schema: &Value, depth: usize) -> Value {
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| *kind != "null"),
            kind => Some(kind),
        };
        match kind.and_then(Value::as_str) {
            Some("string") => text(schema).into(),
            Some("integer") => schema
                .get("minimum")
                .filter(|least| **least != 0)
                .map_or_else(
                    || json!(3),
                    |least| json!(least.as_f64().map_or(3, |least| least as i64)),
                ),
            Some("number") => json!(1.5),
            Some("boolean") => json!(true),
            Some("array") => match schema["prefixItems"].as_array() {
                Some(items) => items.iter().map(|item| self.at(item, depth + 1)).collect(),
                None if schema["maxItems"] == 0 => json!([]),
                None => json!([self.at(&schema["items"], depth + 1)]),
            },
            Some("object") => self.object(schema, depth),
            Some("null") => Value::Null,
            _ if schema["properties"].is_object() => self.object(schema, depth),
            _ => json!({}),
        }
    }

    fn object(self, schema: &Value, depth: usize) -> Value {
        let mut object = Map::new();
        let required = schema["required"].as_array().map_or(&[][..], Vec::as_slice);
        for (name, shape) in schema["properties"].as_object().into_iter().flatten() {
            let told = self.members == Members::All
                || shape.get("examples").is_some()
                || required.iter().any(|other| other == name);
            if told {
                object.insert(name.clone(), self.at(shape, depth + 1));
            }
        }
        object.into()
    }
}

fn merged(mut base: Value, more: Value) -> Value {
    match (&mut base, more) {
        (Value::Object(base), Value::Object(more)) => base.extend(more),
        (_, more) => return more,
    }
    base
}

fn text(schema: &Value) -> &'static str {
    match schema["format"].as_str() {
        Some("uuid") => "3f1c2d9e-7a64-4b0e-9c53-0d8a1f6be274",
        Some("date-time") => "2026-03-02T09:30:00.000Z",
        Some("uri") => "https://hookyard.example.com",
        _ => "text",
    }
}
