//! Compiling the JSON of a filter. What would quietly never match is refused.

use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::{Comparison, Condition, ContentFilterError, DOCUMENT_MEMBERS, Operand, TextTest};
use crate::kernel::limits::{
    CONTENT_FILTER_BYTES_MAX, CONTENT_FILTER_CONDITIONS_MAX, CONTENT_FILTER_DEPTH_MAX,
    CONTENT_FILTER_REGEX_CHARS_MAX, CONTENT_FILTER_REGEX_COMPILED_BYTES_MAX,
    CONTENT_FILTER_REGEXES_MAX,
};
use crate::kernel::raw::repeats_a_name;

/// Compiles `text`.
pub(super) fn read(text: &str) -> Result<Condition, ContentFilterError> {
    let mut reader = Reader {
        pointer: String::new(),
        depth: 0,
        conditions: 0,
        regexes: 0,
    };
    if text.len() > CONTENT_FILTER_BYTES_MAX {
        return Err(reader.error(format!(
            "the filter is longer than {CONTENT_FILTER_BYTES_MAX} bytes"
        )));
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| reader.error(format!("the filter is not JSON: {error}")))?;
    if repeats_a_name(text) {
        return Err(reader.error("an object of the filter has two members of one name"));
    }
    reader.condition(&value, Scope::Document)
}

/// What a condition is asked about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The event as a whole.
    Document,
    /// Some value in it.
    Value,
}

struct Reader {
    /// Where we are.
    pointer: String,
    depth: usize,
    conditions: usize,
    regexes: usize,
}

type Read<T> = Result<T, ContentFilterError>;

impl Reader {
    fn error(&self, message: impl Into<String>) -> ContentFilterError {
        ContentFilterError {
            pointer: self.pointer.clone(),
            message: message.into(),
        }
    }

    /// Reads what stands under `name` with `read`.
    fn under<T>(&mut self, name: &str, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer
            .push_str(&name.replace('~', "~0").replace('/', "~1"));
        let result = read(self);
        self.pointer.truncate(length);
        result
    }

    /// Reads the content of an array or object with `read`.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        if self.depth == CONTENT_FILTER_DEPTH_MAX {
            return Err(self.error(format!(
                "the filter is nested deeper than {CONTENT_FILTER_DEPTH_MAX} levels"
            )));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn count_condition(&mut self) -> Read<()> {
        if self.conditions == CONTENT_FILTER_CONDITIONS_MAX {
            return Err(self.error(format!(
                "the filter has more than {CONTENT_FILTER_CONDITIONS_MAX} conditions"
            )));
        }
        self.conditions += 1;
        Ok(())
    }

    fn condition(&mut self, value: &Value, scope: Scope) -> Read<Condition> {
        match value {
            Value::Object(object) => self.inside(|reader| reader.object(object, scope)),
            _ if scope == Scope::Document => {
                Err(self.error("expected an object such as {\"data\": {\"status\": \"paid\"}}"))
            }
            Value::Array(_) => self.listed(value).map(Condition::Equals),
            _ => self
                .literal(value)
                .map(|value| Condition::Equals(vec![value])),
        }
    }

    fn object(&mut self, object: &Map<String, Value>, scope: Scope) -> Read<Condition> {
        let mut members = Vec::new();
        let mut conditions = Vec::new();
        for (name, value) in object {
            self.under(name, |reader| {
                if name.starts_with('$') {
                    conditions.push(reader.operator(name, value, scope)?);
                } else {
                    reader.check_member(name, scope)?;
                    let condition = reader.condition(value, Scope::Value)?;
                    members.push((name.clone(), condition));
                }
                Ok(())
            })?;
        }
        if !members.is_empty() {
            conditions.push(Condition::Members(members));
        }
        Ok(match <[Condition; 1]>::try_from(conditions) {
            Ok([condition]) => condition,
            Err(conditions) => Condition::All(conditions),
        })
    }

    fn check_member(&self, name: &str, scope: Scope) -> Read<()> {
        if scope == Scope::Document && !DOCUMENT_MEMBERS.contains(&name) {
            return Err(self.error(
                "an event has the members type, data, subject and source; what it tells is inside data",
            ));
        }
        Ok(())
    }

    fn operator(&mut self, name: &str, value: &Value, scope: Scope) -> Read<Condition> {
        match name {
            "$not" => {
                let condition = self.condition(value, scope)?;
                return Ok(Condition::Not(Box::new(condition)));
            }
            "$and" => return self.list(value, scope).map(Condition::All),
            "$or" => return self.list(value, scope).map(Condition::Any),
            _ => {}
        }
        let condition = self.test(name, value)?;
        if scope == Scope::Document {
            return Err(self.error(
                "this operator looks at one value: put it under a member such as data, as in {\"data\": {\"total\": {\"$gt\": 100}}}",
            ));
        }
        Ok(condition)
    }

    fn test(&mut self, name: &str, value: &Value) -> Read<Condition> {
        let equals_one = |listed| Condition::Equals(listed);
        let opposite = |condition| Condition::Not(Box::new(condition));
        match name {
            "$eq" => self.literal(value).map(|value| equals_one(vec![value])),
            "$ne" => self
                .literal(value)
                .map(|value| opposite(equals_one(vec![value]))),
            "$in" => self.listed(value).map(equals_one),
            "$nin" => self.listed(value).map(|listed| opposite(equals_one(listed))),
            "$gt" => self.comparison(Comparison::Greater, value),
            "$gte" => self.comparison(Comparison::GreaterOrEqual, value),
            "$lt" => self.comparison(Comparison::Less, value),
            "$lte" => self.comparison(Comparison::LessOrEqual, value),
            "$exists" => {
                self.count_condition()?;
                let wanted = value.as_bool();
                wanted
                    .map(Condition::Exists)
                    .ok_or_else(|| self.error("expected true or false"))
            }
            "$startsWith" => self.text(value).map(TextTest::StartsWith).map(Condition::Text),
            "$endsWith" => self.text(value).map(TextTest::EndsWith).map(Condition::Text),
            "$contains" => self.text(value).map(TextTest::Contains).map(Condition::Text),
            "$regex" => self.regex(value),
            _ => Err(self.error(
                "there is no such operator; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $startsWith, $endsWith, $contains, $regex, $not, $and and $or",
            )),
        }
    }

    /// The conditions of `$and` and `$or`.
    fn list(&mut self, value: &Value, scope: Scope) -> Read<Vec<Condition>> {
        let items = self.items(value, "expected an array of one or more conditions")?;
        self.inside(|reader| {
            let item = |(index, item): (usize, &Value)| {
                reader.under(&index.to_string(), |reader| reader.condition(item, scope))
            };
            items.iter().enumerate().map(item).collect()
        })
    }

    /// Values of which one is wanted.
    fn listed(&mut self, value: &Value) -> Read<Vec<Value>> {
        let items = self.items(value, "expected an array of one or more values")?;
        self.inside(|reader| {
            let item = |(index, item): (usize, &Value)| {
                reader.under(&index.to_string(), |reader| reader.literal(item))
            };
            items.iter().enumerate().map(item).collect()
        })
    }

    fn items<'a>(&self, value: &'a Value, expected: &str) -> Read<&'a [Value]> {
        match value {
            Value::Array(items) if !items.is_empty() => Ok(items),
            _ => Err(self.error(expected)),
        }
    }

    /// A value that is wanted as it is.
    fn literal(&mut self, value: &Value) -> Read<Value> {
        self.count_condition()?;
        self.check_literal(value)?;
        Ok(value.clone())
    }

    fn check_literal(&mut self, value: &Value) -> Read<()> {
        match value {
            Value::Array(items) => self.inside(|reader| {
                items.iter().enumerate().try_for_each(|(index, item)| {
                    reader.under(&index.to_string(), |reader| reader.check_literal(item))
                })
            }),
            Value::Object(members) => self.inside(|reader| {
                members.iter().try_for_each(|(name, value)| {
                    reader.under(name, |reader| {
                        if name.starts_with('$') {
                            return Err(reader.error(
                                "an operator cannot stand inside a value; list conditions with $or",
                            ));
                        }
                        reader.check_literal(value)
                    })
                })
            }),
            _ => Ok(()),
        }
    }

    fn comparison(&mut self, comparison: Comparison, value: &Value) -> Read<Condition> {
        self.count_condition()?;
        let operand = match value {
            Value::Number(number) => Operand::Number(number.clone()),
            Value::String(text) => Operand::Text(text.clone()),
            _ => return Err(self.error("expected a number or a string")),
        };
        Ok(Condition::Compares(comparison, operand))
    }

    fn text(&mut self, value: &Value) -> Read<String> {
        self.count_condition()?;
        let text = value.as_str().map(str::to_owned);
        text.ok_or_else(|| self.error("expected a string"))
    }

    fn regex(&mut self, value: &Value) -> Read<Condition> {
        let pattern = self.text(value)?;
        if pattern.chars().count() > CONTENT_FILTER_REGEX_CHARS_MAX {
            return Err(self.error(format!(
                "the expression is longer than {CONTENT_FILTER_REGEX_CHARS_MAX} characters"
            )));
        }
        if self.regexes == CONTENT_FILTER_REGEXES_MAX {
            return Err(self.error(format!(
                "the filter has more than {CONTENT_FILTER_REGEXES_MAX} expressions"
            )));
        }
        self.regexes += 1;
        RegexBuilder::new(&pattern)
            .size_limit(CONTENT_FILTER_REGEX_COMPILED_BYTES_MAX)
            .dfa_size_limit(CONTENT_FILTER_REGEX_COMPILED_BYTES_MAX)
            .build()
            .map(|regex| Condition::Text(TextTest::Regex(regex)))
            .map_err(|error| match error {
                regex::Error::CompiledTooBig(_) => self.error(
                    "the expression takes too much memory: repeat less, or write [A-Za-z0-9_] for \\w and [0-9] for \\d",
                ),
                error => self.error(format!("not a regular expression: {}", reason(&error))),
            })
    }
}

/// What the parser says, without the drawing that shows where: its last line.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}
