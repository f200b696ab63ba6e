//! JSON Schemas that accounts register. They come from outside: they are bounded, refer to nothing
//! but themselves, and what checking with them costs is counted.

use std::sync::Arc;

use serde_json::Value;

use super::effort::{Effort, Outline, TooMuch};
use crate::events::schema::{CompiledSchema, SchemaCompiler, Uncompilable, Violation};
use crate::kernel::limits::{DATA_SCHEMA_BYTES_MAX, DATA_SCHEMA_DEPTH_MAX};
use crate::kernel::raw::{check_json, depth_of};

/// A JSON Schema, ready to check data. Draft 2020-12, unless `$schema` names an older one.
#[derive(Debug)]
pub struct DataSchema {
    text: Arc<str>,
    outline: Outline,
    compiled: Box<dyn CompiledSchema>,
}

impl DataSchema {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// What is wrong with the schema, and where in it.
    pub fn compile(text: &str, compiler: &dyn SchemaCompiler) -> Result<Self, Violation> {
        if text.len() > DATA_SCHEMA_BYTES_MAX {
            let message = format!("the schema is larger than {DATA_SCHEMA_BYTES_MAX} bytes");
            return Err(Violation::of_whole(message));
        }
        check_json(text).map_err(Violation::of_whole)?;
        let schema: Value =
            serde_json::from_str(text).map_err(|error| Violation::of_whole(error.to_string()))?;
        if !matches!(schema, Value::Object(_) | Value::Bool(_)) {
            return Err(Violation::of_whole("a schema is an object or a boolean"));
        }
        if depth_of(&schema) > DATA_SCHEMA_DEPTH_MAX {
            let message = format!("the schema nests deeper than {DATA_SCHEMA_DEPTH_MAX} levels");
            return Err(Violation::of_whole(message));
        }
        let compiled = compiler.compile(&schema);
        let compiled = compiled.map_err(|error| explained(&schema, error))?;
        let outline = Outline::new(schema.clone());
        if let Some(violation) = unfollowed(&schema, &outline) {
            return Err(violation);
        }
        // What asks for too much of nothing asks for too much of anything.
        let trial = outline.spend(&Value::Null, &mut Effort::default());
        trial.map_err(|TooMuch| {
            Violation::of_whole(
                "the schema asks for too many steps: its references lead back to themselves, or double at each level",
            )
        })?;
        Ok(Self {
            text: text.into(),
            outline,
            compiled,
        })
    }

    /// The schema as it came.
    pub const fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Checks that `value` satisfies the schema, formats such as `date-time` included.
    ///
    /// # Errors
    ///
    /// The first violation, or that it would take more than is left of `effort`.
    pub fn check(&self, value: &Value, effort: &mut Effort) -> Result<(), Violation> {
        let spent = self.outline.spend(value, effort);
        spent.map_err(|TooMuch| {
            Violation::of_whole(
                "it takes too many steps to check: send less at once, or simplify the schema",
            )
        })?;
        self.compiled.check(value)
    }
}

/// Says it better than the compiler does, where that says little.
fn explained(schema: &Value, error: Uncompilable) -> Violation {
    let found = error.violation;
    if found.pointer.is_empty() {
        return unresolved(schema, found);
    }
    let keyword = found.pointer.rsplit('/').next().unwrap_or_default();
    let message = if error.is_expression {
        "not a regular expression that is understood here: those without look-around and back references are, up to a size"
    } else if keyword == "type" {
        "not a type: name array, boolean, integer, null, number, object or string, or list some of them"
    } else {
        return found;
    };
    Violation {
        message: message.to_owned(),
        ..found
    }
}

/// The members that hold values, in which nothing is a reference.
const VALUES: [&str; 4] = ["const", "default", "enum", "examples"];
/// The members that name other schemas.
const REFERENCES: [&str; 5] = ["$ref", "$dynamicRef", "$recursiveRef", "$schema", "$id"];

const LEADS_NOWHERE: &str = "it leads nowhere: refer to what is in this schema, such as `#/$defs/address`; nothing is fetched";

/// A reference that the compiler follows by ways that are not taken here: through schemas within
/// this one that have addresses of their own.
fn unfollowed(schema: &Value, outline: &Outline) -> Option<Violation> {
    let own_id = schema.get("$id").and_then(Value::as_str);
    let wanted = |keyword: &str, text: &str| match keyword {
        "$schema" => false,
        "$id" => own_id != Some(text),
        _ => outline.resolve(text).is_none(),
    };
    let (pointer, keyword) = reference(schema, &wanted)?;
    let message = match keyword {
        "$id" => "only the whole schema can have an `$id`",
        _ => LEADS_NOWHERE,
    };
    Some(Violation {
        pointer,
        message: message.to_owned(),
    })
}

/// Finds the reference that cannot be followed: the compiler tells its text alone.
fn unresolved(schema: &Value, found: Violation) -> Violation {
    let named = |_: &str, text: &str| {
        let text = text.trim_start_matches('#');
        !text.is_empty() && found.message.contains(text)
    };
    let Some((pointer, keyword)) = reference(schema, &named) else {
        return found;
    };
    let message = match keyword {
        "$schema" => "not a draft that is known: leave it out for 2020-12".to_owned(),
        "$id" => found.message,
        _ => LEADS_NOWHERE.to_owned(),
    };
    Violation { pointer, message }
}

/// The pointer and keyword of the first reference in `schema` that is `wanted`, by keyword and text.
fn reference(
    schema: &Value,
    wanted: &impl Fn(&str, &str) -> bool,
) -> Option<(String, &'static str)> {
    let below = |step: String, inner: &Value| {
        let (pointer, keyword) = reference(inner, wanted)?;
        Some((format!("/{step}{pointer}"), keyword))
    };
    match schema {
        Value::Object(members) => {
            let own = REFERENCES.into_iter().find(|keyword| {
                let text = members.get(*keyword).and_then(Value::as_str);
                text.is_some_and(|text| wanted(keyword, text))
            });
            if let Some(keyword) = own {
                return Some((format!("/{keyword}"), keyword));
            }
            let schemas = members
                .iter()
                .filter(|(name, _)| !VALUES.contains(&name.as_str()));
            schemas
                .map(|(name, inner)| (name.replace('~', "~0").replace('/', "~1"), inner))
                .find_map(|(step, inner)| below(step, inner))
        }
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, inner)| below(index.to_string(), inner))
        }
        _ => None,
    }
}
