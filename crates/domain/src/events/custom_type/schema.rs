//! JSON Schemas that accounts register. They come from outside: they are bounded, fetch nothing,
//! and match regular expressions in linear time.

use std::sync::Arc;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use super::effort::{Effort, Outline, TooMuch};
use crate::events::catalogue::Violation;
use crate::kernel::limits::{
    DATA_SCHEMA_BYTES_MAX, DATA_SCHEMA_DEPTH_MAX, DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX,
};
use crate::kernel::raw::{check_json, depth_of};

/// A JSON Schema, ready to check data. Draft 2020-12, unless `$schema` names an older one.
#[derive(Debug)]
pub struct DataSchema {
    text: Arc<str>,
    outline: Outline,
    validator: Validator,
}

impl DataSchema {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// What is wrong with the schema, and where in it.
    pub fn compile(text: &str) -> Result<Self, Violation> {
        let whole = |message: String| Violation {
            pointer: String::new(),
            message,
        };
        if text.len() > DATA_SCHEMA_BYTES_MAX {
            let message = format!("the schema is larger than {DATA_SCHEMA_BYTES_MAX} bytes");
            return Err(whole(message));
        }
        check_json(text).map_err(whole)?;
        let schema: Value = serde_json::from_str(text).map_err(|error| whole(error.to_string()))?;
        if !matches!(schema, Value::Object(_) | Value::Bool(_)) {
            return Err(whole("a schema is an object or a boolean".to_owned()));
        }
        if depth_of(&schema) > DATA_SCHEMA_DEPTH_MAX {
            let message = format!("the schema nests deeper than {DATA_SCHEMA_DEPTH_MAX} levels");
            return Err(whole(message));
        }
        let validator = build(&schema).map_err(|error| explained(&schema, &error))?;
        let outline = Outline::new(schema.clone());
        if let Some(violation) = unfollowed(&schema, &outline) {
            return Err(violation);
        }
        // What asks for too much of nothing asks for too much of anything.
        let trial = outline.spend(&Value::Null, &mut Effort::default());
        trial.map_err(|TooMuch| {
            let message = "the schema asks for too many steps: its references lead back to themselves, or double at each level";
            whole(message.to_owned())
        })?;
        Ok(Self {
            text: text.into(),
            outline,
            validator,
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
        spent.map_err(|TooMuch| Violation {
            pointer: String::new(),
            message: "it takes too many steps to check: send less at once, or simplify the schema"
                .to_owned(),
        })?;
        let checked = self.validator.validate(value);
        checked.map_err(|error| Violation::from(&error))
    }
}

fn build(schema: &Value) -> Result<Validator, ValidationError<'static>> {
    let patterns = PatternOptions::regex()
        .size_limit(DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX)
        .dfa_size_limit(DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX);
    jsonschema::options()
        .should_validate_formats(true)
        .with_pattern_options(patterns)
        .offline()
        .build(schema)
}

/// Says it better than the compiler does, where that says little.
fn explained(schema: &Value, error: &ValidationError<'_>) -> Violation {
    let found = Violation::from(error);
    if found.pointer.is_empty() {
        return unresolved(schema, found);
    }
    let keyword = found.pointer.rsplit('/').next().unwrap_or_default();
    let is_pattern = error.masked_with("").to_string().contains("\"regex\"");
    let message = if is_pattern {
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(text: &str) -> Violation {
        DataSchema::compile(text).expect_err(text)
    }

    #[test]
    fn a_mistake_is_told_with_its_place_in_the_schema() {
        for (text, expect) in [
            (r#"{"type":"objekt"}"#, "/type"),
            (
                r#"{"properties":{"amount":{"type":"objekt"}}}"#,
                "/properties/amount/type",
            ),
            (
                r#"{"properties":{"a":{"required":"x"}}}"#,
                "/properties/a/required",
            ),
            (
                r#"{"properties":{"a/b":{"minimum":"3"}}}"#,
                "/properties/a~1b/minimum",
            ),
            (
                r#"{"properties":{"a":{"pattern":"("}}}"#,
                "/properties/a/pattern",
            ),
            (r#"{"pattern":"(?=x)y"}"#, "/pattern"),
            (r#"{"pattern":"\\w{100000}"}"#, "/pattern"),
            (
                r#"{"properties":{"a":{"$ref":"https://example.com/x.json"}}}"#,
                "/properties/a/$ref",
            ),
            (
                r#"{"properties":{"a":{"$ref":"file:///etc/passwd"}}}"#,
                "/properties/a/$ref",
            ),
            (
                r##"{"$defs":{"yes":{}},"anyOf":[{"$ref":"#/$defs/yes"},{"$ref":"#/$defs/no"}]}"##,
                "/anyOf/1/$ref",
            ),
            (r#"{"$schema":"https://example.com/mine"}"#, "/$schema"),
            (r#"{"$schema":7}"#, "/$schema"),
            (r#"{"$id":"foo bar:"}"#, "/$id"),
            ("7", ""),
            ("[]", ""),
            ("null", ""),
            ("{", ""),
            (r#"{"type":"object","type":"string"}"#, ""),
        ] {
            let violation = refused(text);
            assert_eq!(violation.pointer, expect, "{text}: {violation}");
            assert!(!violation.message.is_empty());
        }
    }

    #[test]
    fn schemas_are_bounded_in_size_and_depth() {
        let sized = |bytes: usize| {
            let rest = r#"{"description":""}"#.len();
            format!(r#"{{"description":"{}"}}"#, "x".repeat(bytes - rest))
        };
        assert!(DataSchema::compile(&sized(DATA_SCHEMA_BYTES_MAX)).is_ok());
        assert_eq!(refused(&sized(DATA_SCHEMA_BYTES_MAX + 1)).pointer, "");
        let nested = |depth: usize| {
            format!(
                "{}{{}}{}",
                "{\"not\":".repeat(depth - 1),
                "}".repeat(depth - 1)
            )
        };
        assert!(DataSchema::compile(&nested(DATA_SCHEMA_DEPTH_MAX)).is_ok());
        assert_eq!(refused(&nested(DATA_SCHEMA_DEPTH_MAX + 1)).pointer, "");
    }

    #[test]
    fn data_is_checked_with_formats_and_references() {
        let text = r##"{"type":"object","required":["at"],"properties":{
            "at":{"type":"string","format":"date-time"},
            "lines":{"type":"array","items":{"$ref":"#/$defs/line"}}},
            "$defs":{"line":{"properties":{"sku":{"pattern":"^[A-Z]{3}$"}}}}}"##;
        let schema = DataSchema::compile(text).unwrap();
        let check = |value: Value| match schema.check(&value, &mut Effort::default()) {
            Ok(()) => "ok".to_owned(),
            Err(violation) => violation.pointer,
        };
        let at = "2026-03-26T09:18:41Z";
        assert_eq!(check(json!({"at": at, "lines": [{"sku": "ABC"}]})), "ok");
        assert_eq!(check(json!({"at": "today"})), "/at");
        assert_eq!(
            check(json!({"at": at, "lines": [{}, {"sku": "x"}]})),
            "/lines/1/sku"
        );
        assert_eq!(check(json!({})), "");
        assert_eq!(check(json!(7)), "");
    }

    fn pointer(schema: &str, value: &Value) -> String {
        let schema = DataSchema::compile(schema).unwrap();
        let checked = schema.check(value, &mut Effort::default());
        checked.expect_err("it is wrong").pointer
    }

    #[test]
    fn a_schema_may_refer_to_itself_further_inside() {
        let tree = r##"{"$id":"https://x.test/tree","properties":{"left":{"$ref":"#"},
            "right":{"$ref":"https://x.test/tree#"},"n":{"$ref":"#n"}},
            "$defs":{"n":{"$anchor":"n","type":"integer"}},"default":{"$ref":"none"}}"##;
        let value = json!({"left": {"right": {"n": "x"}}});
        assert_eq!(pointer(tree, &value), "/left/right/n");
    }

    #[test]
    fn a_schema_without_end_is_refused() {
        for text in [
            r##"{"$ref":"#"}"##,
            r##"{"allOf":[{"$ref":"#"}]}"##,
            r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##,
            r##"{"$dynamicRef":"#x","$dynamicAnchor":"x"}"##,
        ] {
            assert_eq!(refused(text).pointer, "", "{text}");
        }
        let inner = r#"{"$defs":{"a":{"$id":"https://x.test/a"}},"$ref":"https://x.test/a"}"#;
        assert_eq!(refused(inner).pointer, "/$ref");
        let inner = r#"{"$defs":{"a":{"$id":"https://x.test/a"}}}"#;
        assert_eq!(refused(inner).pointer, "/$defs/a/$id");
    }

    #[test]
    fn values_that_take_too_long_are_refused_and_all_share_one_effort() {
        let schema = DataSchema::compile(r#"{"items":{"type":"integer"}}"#).unwrap();
        let value = json!(vec![1; 5_000]);
        let mut effort = Effort::of(100_000);
        let mut checked = 0;
        while schema.check(&value, &mut effort).is_ok() {
            checked += 1;
        }
        assert!((2..20).contains(&checked), "{checked}");
        assert!(schema.check(&value, &mut Effort::default()).is_ok());
    }

    #[test]
    fn older_drafts_are_understood_where_they_are_named() {
        let text = r#"{"$schema":"http://json-schema.org/draft-07/schema#",
            "items":[{"type":"string"}]}"#;
        assert_eq!(pointer(text, &json!([7])), "/0");
    }
}
