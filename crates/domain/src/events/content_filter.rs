//! Which events an endpoint wants by what they say: a JSON object, compiled once and then asked
//! about every event.

mod matcher;
mod numbers;
mod parser;

use std::fmt;
use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// What of an event can be asked for.
const DOCUMENT_MEMBERS: [&str; 4] = ["type", "data", "subject", "source"];

/// Why a text is not a content filter, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ContentFilterError {
    /// JSON pointer to what is wrong; empty for the whole filter.
    pub pointer: String,
    /// For people: what is wrong, and what to do.
    pub message: String,
}

/// A compiled filter, in the manner of MongoDB's queries. Clones share it.
///
/// It is matched against the document `{"type", "data", "subject", "source"}` of an event:
///
/// - An object matches when each of its members does: `{"data": {"total": {"$gt": 100}}}`.
/// - A string, number, boolean or null matches what equals it; an array, what equals one of its
///   items.
/// - `$eq $ne $gt $gte $lt $lte $in $nin $exists $startsWith $endsWith $contains $regex` look at
///   one value; `$not`, `$and` and `$or` take further conditions.
/// - What is missing is null, except to `$exists`.
/// - Where the event has an array, a condition holds when it holds for the array or for one of its
///   items, and an object when one item satisfies all of its members. `$ne` and `$nin` are the
///   opposites of `$eq` and `$in`, so they hold when no item equals.
/// - Numbers compare by value, whole ones of 64 bits exactly. `$gt` and its like hold between two
///   numbers, or between two strings by their characters, which puts times in one form in order.
///   Case counts, except where an expression begins with `(?i)`.
///
/// An answer takes time in proportion to the document, for each condition.
#[derive(Clone)]
pub struct ContentFilter {
    text: Arc<str>,
    condition: Arc<Condition>,
}

impl ContentFilter {
    /// Reads the JSON of a filter.
    ///
    /// # Errors
    ///
    /// The first mistake: text that is not JSON, an operator that there is not or that has the
    /// wrong operand, or more than the `CONTENT_FILTER_*` bounds allow.
    pub fn parse(text: &str) -> Result<Self, ContentFilterError> {
        Ok(Self {
            text: text.into(),
            condition: Arc::new(parser::read(text)?),
        })
    }

    /// The text that it was read from.
    pub fn as_json(&self) -> &str {
        &self.text
    }

    /// Whether the event wanted is the one that [`document`] tells of.
    pub fn matches(&self, document: &Value) -> bool {
        self.condition.holds(Some(document))
    }
}

/// What filters look at. Members that the event lacks are left out.
pub fn document(
    event_type: &str,
    data: Value,
    subject: Option<&str>,
    source: Option<&str>,
) -> Value {
    let mut document = Map::new();
    document.insert("type".into(), event_type.into());
    document.insert("data".into(), data);
    if let Some(subject) = subject {
        document.insert("subject".into(), subject.into());
    }
    if let Some(source) = source {
        document.insert("source".into(), source.into());
    }
    Value::Object(document)
}

impl PartialEq for ContentFilter {
    /// By their texts: equal filters ask the same, others may do so too.
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ContentFilter {}

impl Serialize for ContentFilter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for ContentFilter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for ContentFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ContentFilter").field(&self.text).finish()
    }
}

/// A question about a value, or about its absence.
#[derive(Debug)]
enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    /// The value, or an item of it, has members of which each satisfies its condition.
    Members(Vec<(String, Self)>),
    /// It equals one of these.
    Equals(Vec<Value>),
    Compares(Comparison, Operand),
    Exists(bool),
    Text(TextTest),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Debug)]
enum Operand {
    Number(serde_json::Number),
    Text(String),
}

#[derive(Debug)]
enum TextTest {
    StartsWith(String),
    EndsWith(String),
    Contains(String),
    Regex(Regex),
}

#[cfg(test)]
mod tests;
