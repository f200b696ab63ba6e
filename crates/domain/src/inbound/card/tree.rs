//! A payload as a tree that borrows its texts, read with bounds on depth and size.
//!
//! Objects keep their entries in order and with repeats; who reads them lets the last one win.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use crate::kernel::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};

/// The entries of an object, as they came.
pub(super) type Entries<'a> = Vec<(Cow<'a, str>, Tree<'a>)>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Tree<'a>>),
    Object(Entries<'a>),
}

/// Why a text did not become a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TreeError {
    NotJson { line: usize, column: usize },
    TooDeep,
    TooManyValues,
}

impl<'a> Tree<'a> {
    /// Reads one JSON value with nothing but white space around it.
    pub(super) fn parse(text: &'a str) -> Result<Self, TreeError> {
        let budget = Budget {
            values_left: Cell::new(JSON_VALUES_MAX),
            exceeded: Cell::new(None),
        };
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let seed = Seed {
            budget: &budget,
            depth: 0,
        };
        seed.deserialize(&mut deserializer)
            .and_then(|tree| deserializer.end().map(|()| tree))
            .map_err(|error| {
                budget.exceeded.take().unwrap_or(TreeError::NotJson {
                    line: error.line(),
                    column: error.column(),
                })
            })
    }

    /// What the value is called in findings.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The value of `key`; the last one, if it is repeated.
pub(super) fn entry<'t, 'a>(
    entries: &'t [(Cow<'a, str>, Tree<'a>)],
    key: &str,
) -> Option<&'t Tree<'a>> {
    entries
        .iter()
        .rev()
        .find(|(name, _)| name == key)
        .map(|(_, value)| value)
}

struct Budget {
    values_left: Cell<usize>,
    exceeded: Cell<Option<TreeError>>,
}

#[derive(Clone, Copy)]
struct Seed<'b> {
    budget: &'b Budget,
    depth: usize,
}

impl Seed<'_> {
    fn exceed<E: Error>(&self, error: TreeError) -> E {
        self.budget.exceeded.set(Some(error));
        E::custom("a limit is exceeded")
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == JSON_DEPTH_MAX {
            return Err(self.exceed(TreeError::TooDeep));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Tree<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree<'de>, D::Error> {
        let Some(left) = self.budget.values_left.get().checked_sub(1) else {
            return Err(self.exceed(TreeError::TooManyValues));
        };
        self.budget.values_left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Tree<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Tree<'de>, E> {
        Ok(Tree::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree<'de>, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree<'de>, E> {
        Ok(Tree::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree<'de>, E> {
        Ok(Number::from_f64(value).map_or(Tree::Null, Tree::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree<'de>, E> {
        Ok(Tree::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree<'de>, A::Error> {
        let deeper = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(deeper)? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree<'de>, A::Error> {
        let deeper = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            entries.push((key, map.next_value_seed(deeper)?));
        }
        Ok(Tree::Object(entries))
    }
}

/// Reads a key without copying it, where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_accepted_up_to_the_limit() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Tree::parse(&nested(JSON_DEPTH_MAX)).is_ok());
        assert_eq!(
            Tree::parse(&nested(JSON_DEPTH_MAX + 1)),
            Err(TreeError::TooDeep)
        );
        assert_eq!(Tree::parse(&"[".repeat(1_000_000)), Err(TreeError::TooDeep));
    }

    #[test]
    fn values_are_counted() {
        let list = |count: usize| format!("[{}0]", "0,".repeat(count - 2));
        assert!(Tree::parse(&list(JSON_VALUES_MAX)).is_ok());
        assert_eq!(
            Tree::parse(&list(JSON_VALUES_MAX + 1)),
            Err(TreeError::TooManyValues)
        );
    }

    #[test]
    fn what_is_not_one_json_value_is_refused_with_its_place() {
        for text in [
            "",
            "{",
            "{} {}",
            "{'a':1}",
            "nul",
            r#""\ud800""#,
            "[1,]",
            "01",
        ] {
            assert!(
                matches!(Tree::parse(text), Err(TreeError::NotJson { .. })),
                "{text}"
            );
        }
        assert_eq!(
            Tree::parse("{\n  \"a\": x}"),
            Err(TreeError::NotJson { line: 2, column: 8 })
        );
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let Ok(Tree::Object(entries)) = Tree::parse(r#"{"a":"b","c":"\n","a":1}"#) else {
            panic!("an object");
        };
        assert!(matches!(
            &entries[0],
            (Cow::Borrowed("a"), Tree::Text(Cow::Borrowed("b")))
        ));
        assert!(matches!(&entries[1].1, Tree::Text(Cow::Owned(_))));
        assert_eq!(entry(&entries, "a"), Some(&Tree::Number(1.into())));
    }
}
