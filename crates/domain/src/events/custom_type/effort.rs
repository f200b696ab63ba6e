//! What it would take to check a value with a schema, counted before it is done. A few lines of
//! schema can ask for more steps than there is time: each level doubles them.
//!
//! The count walks schema and value as a validator does that never stops early, so it is never
//! below what is really done. It stops itself when too much would be asked.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::kernel::limits::{DATA_CHECK_NESTING_MAX, DATA_CHECK_STEPS_MAX};

/// Steps that checking may still take: of one value, or of all that are checked for one request.
#[derive(Debug)]
pub struct Effort {
    steps_left: usize,
}

impl Default for Effort {
    fn default() -> Self {
        Self {
            steps_left: DATA_CHECK_STEPS_MAX,
        }
    }
}

/// Checking would take too many steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

impl Effort {
    /// So many steps.
    pub const fn of(steps_left: usize) -> Self {
        Self { steps_left }
    }

    fn spend(&mut self, steps: usize) -> Result<(), TooMuch> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(TooMuch)?;
        Ok(())
    }
}

/// A schema and the places that its references lead to.
#[derive(Debug)]
pub(super) struct Outline {
    root: Value,
    /// Names and JSON pointers.
    anchors: Vec<(String, String)>,
}

/// What following a reference counts for: it is looked up by its text.
const REFERENCE_STEPS: usize = 32;
/// Schemas for the same value.
const IN_PLACE_ONE: [&str; 4] = ["not", "if", "then", "else"];
const IN_PLACE_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
const IN_PLACE_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];
/// Schemas for the items of a value, and for its members.
const OF_ITEMS: [&str; 5] = [
    "items",
    "prefixItems",
    "additionalItems",
    "contains",
    "unevaluatedItems",
];
const OF_MEMBERS: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];
/// What looks at a whole value at once.
const DEEP: [&str; 3] = ["const", "enum", "uniqueItems"];

impl Outline {
    pub(super) fn new(root: Value) -> Self {
        let mut anchors = Vec::new();
        find_anchors(&root, "", &mut anchors);
        Self { root, anchors }
    }

    /// Takes from `effort` what checking `value` would.
    pub(super) fn spend(&self, value: &Value, effort: &mut Effort) -> Result<(), TooMuch> {
        self.visit(&self.root, value, effort, 0)
    }

    /// The schema that a reference leads to, when it is one of this document.
    pub(super) fn resolve(&self, reference: &str) -> Option<&Value> {
        let id = self.root.get("$id").and_then(Value::as_str);
        let local = id.and_then(|id| reference.strip_prefix(id.trim_end_matches('#')));
        let fragment = match local.unwrap_or(reference) {
            "" => "",
            text => text.strip_prefix('#')?,
        };
        let fragment = percent_decode_str(fragment).decode_utf8().ok()?;
        if fragment.is_empty() || fragment.starts_with('/') {
            return self.root.pointer(&fragment);
        }
        let mut anchors = self.anchors.iter();
        let (_, pointer) = anchors.find(|(name, _)| *name == *fragment)?;
        self.root.pointer(pointer)
    }

    fn visit(
        &self,
        schema: &Value,
        value: &Value,
        effort: &mut Effort,
        nesting: usize,
    ) -> Result<(), TooMuch> {
        // References that lead back to themselves do not come to an end.
        if nesting > DATA_CHECK_NESTING_MAX {
            return Err(TooMuch);
        }
        let Value::Object(keywords) = schema else {
            return effort.spend(1);
        };
        effort.spend(1 + keywords.len() + length_of(value))?;
        for keyword in DEEP {
            if let Some(listed) = keywords.get(keyword) {
                let times = listed.as_array().map_or(1, |listed| 1 + listed.len());
                effort.spend(times.saturating_mul(size_of(value)))?;
            }
        }
        let unevaluated = ["unevaluatedItems", "unevaluatedProperties"];
        // What is not evaluated is known only when all else is gone through again.
        let times = if unevaluated.iter().any(|name| keywords.contains_key(*name)) {
            2
        } else {
            1
        };
        for _ in 0..times {
            self.visit_in_place(keywords, value, effort, nesting + 1)?;
        }
        match value {
            Value::Array(items) => self.visit_items(keywords, items, effort, nesting + 1),
            Value::Object(members) => self.visit_members(keywords, members, effort, nesting + 1),
            _ => Ok(()),
        }
    }

    fn visit_in_place(
        &self,
        keywords: &Map<String, Value>,
        value: &Value,
        effort: &mut Effort,
        nesting: usize,
    ) -> Result<(), TooMuch> {
        let ones = IN_PLACE_ONE.iter().filter_map(|name| keywords.get(*name));
        let lists = IN_PLACE_LISTS
            .iter()
            .filter_map(|name| keywords.get(*name)?.as_array())
            .flatten();
        let maps = IN_PLACE_MAPS
            .iter()
            .filter_map(|name| keywords.get(*name)?.as_object())
            .flat_map(Map::values);
        for inner in ones.chain(lists).chain(maps) {
            self.visit(inner, value, effort, nesting)?;
        }
        for reference in REFERENCES {
            if let Some(text) = keywords.get(reference).and_then(Value::as_str) {
                effort.spend(REFERENCE_STEPS)?;
                let inner = self.resolve(text).ok_or(TooMuch)?;
                self.visit(inner, value, effort, nesting)?;
            }
        }
        Ok(())
    }

    fn visit_items(
        &self,
        keywords: &Map<String, Value>,
        items: &[Value],
        effort: &mut Effort,
        nesting: usize,
    ) -> Result<(), TooMuch> {
        for schema in OF_ITEMS.iter().filter_map(|name| keywords.get(*name)) {
            match schema {
                Value::Array(tuple) => {
                    for (schema, item) in tuple.iter().zip(items) {
                        self.visit(schema, item, effort, nesting)?;
                    }
                }
                schema => {
                    for item in items {
                        self.visit(schema, item, effort, nesting)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn visit_members(
        &self,
        keywords: &Map<String, Value>,
        members: &Map<String, Value>,
        effort: &mut Effort,
        nesting: usize,
    ) -> Result<(), TooMuch> {
        let map = |name: &str| keywords.get(name).and_then(Value::as_object);
        for (name, schema) in map("properties").into_iter().flatten() {
            if let Some(member) = members.get(name) {
                self.visit(schema, member, effort, nesting)?;
            }
        }
        let patterns = map("patternProperties").into_iter().flat_map(Map::values);
        let rest = OF_MEMBERS.iter().filter_map(|name| keywords.get(*name));
        for schema in patterns.chain(rest) {
            for (name, member) in members {
                effort.spend(1 + name.len())?;
                self.visit(schema, member, effort, nesting)?;
            }
        }
        if let Some(schema) = keywords.get("propertyNames") {
            for name in members.keys() {
                effort.spend(name.len())?;
                self.visit(schema, &Value::Null, effort, nesting)?;
            }
        }
        Ok(())
    }
}

/// Items, members, or characters.
fn length_of(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        Value::String(text) => text.len(),
        _ => 0,
    }
}

/// The same with all that is inside.
fn size_of(value: &Value) -> usize {
    let inside: usize = match value {
        Value::Array(items) => items.iter().map(size_of).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| name.len() + size_of(member))
            .sum(),
        _ => 0,
    };
    1 + length_of(value) + inside
}

fn find_anchors(schema: &Value, pointer: &str, found: &mut Vec<(String, String)>) {
    match schema {
        Value::Object(members) => {
            for keyword in ["$anchor", "$dynamicAnchor"] {
                if let Some(name) = members.get(keyword).and_then(Value::as_str) {
                    found.push((name.to_owned(), pointer.to_owned()));
                }
            }
            for (name, inner) in members {
                let step = name.replace('~', "~0").replace('/', "~1");
                find_anchors(inner, &format!("{pointer}/{step}"), found);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                find_anchors(inner, &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Enough to tell what ends from what does not.
    const STEPS_MAX: usize = 1_000_000;

    fn steps(schema: &str, value: &Value) -> Option<usize> {
        let outline = Outline::new(serde_json::from_str(schema).unwrap());
        let mut effort = Effort::of(STEPS_MAX);
        let spent = outline.spend(value, &mut effort).ok();
        spent.map(|()| STEPS_MAX - effort.steps_left)
    }

    /// A schema whose every level asks for the next one twice.
    fn doubling(levels: usize, keyword: &str) -> String {
        let level = |n: usize| {
            let next = format!(r##"{{"$ref":"#/$defs/a{}"}}"##, n + 1);
            format!(r#""a{n}":{{"{keyword}":[{next},{next}]}}"#)
        };
        let all: Vec<_> = (0..levels).map(level).collect();
        format!(
            r##"{{"$defs":{{{},"a{levels}":{{}}}},"$ref":"#/$defs/a0"}}"##,
            all.join(",")
        )
    }

    #[test]
    fn what_doubles_at_each_level_is_too_much() {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            assert!(steps(&doubling(8, keyword), &json!(1)).is_some());
            assert_eq!(steps(&doubling(40, keyword), &json!(1)), None);
        }
    }

    #[test]
    fn what_doubles_with_the_depth_of_the_value_is_too_much_for_deep_ones() {
        let schema = r##"{"allOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}}]}"##;
        let nested = |depth: usize| {
            let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
            serde_json::from_str::<Value>(&text).unwrap()
        };
        assert!(steps(schema, &nested(5)).is_some());
        assert_eq!(steps(schema, &nested(40)), None);
    }

    #[test]
    fn references_without_end_are_too_much() {
        for schema in [
            r##"{"$ref":"#"}"##,
            r##"{"$dynamicRef":"#x","$dynamicAnchor":"x"}"##,
            r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"not":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"}"##,
        ] {
            assert_eq!(steps(schema, &json!(1)), None, "{schema}");
        }
    }

    #[test]
    fn ordinary_schemas_take_little_more_than_the_value_is_long() {
        let schema = r##"{"type":"object","properties":{"lines":{"type":"array",
            "items":{"$ref":"#line"}}},"$defs":{"l":{"$anchor":"line","required":["sku"],
            "properties":{"sku":{"type":"string","pattern":"^[A-Z]+$"}}}}}"##;
        let lines = vec![json!({"sku": "ABCDEFGH", "count": 1}); 10_000];
        let value = json!({ "lines": lines });
        let took = steps(schema, &value).unwrap();
        assert!((10_000..=800_000).contains(&took), "{took}");
        let tree = r##"{"properties":{"left":{"$ref":"#"},"right":{"$ref":"#"}}}"##;
        let value = json!({"left": {"left": {}, "right": {"left": {}}}});
        assert!(steps(tree, &value).unwrap() < 200);
    }

    #[test]
    fn whatever_looks_at_whole_values_counts_them() {
        let value = json!([vec!["x".repeat(100); 100]]);
        let plain = steps("{}", &value).unwrap();
        for schema in [
            r#"{"uniqueItems":true}"#,
            r#"{"enum":[1,2,3]}"#,
            r#"{"const":1}"#,
        ] {
            assert!(steps(schema, &value).unwrap() > plain + 10_000, "{schema}");
        }
    }
}
