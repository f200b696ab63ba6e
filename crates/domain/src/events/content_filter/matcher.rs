//! Asking a condition about a value.

use std::cmp::Ordering;

use serde_json::Value;

use super::numbers::compare;
use super::{Comparison, Condition, Operand, TextTest};
use crate::kernel::limits::{CONTENT_FILTER_REGEX_ITEMS_MAX, CONTENT_FILTER_REGEX_TEXT_BYTES_MAX};

impl Condition {
    /// Whether it holds for `value`; `None` is what is missing.
    pub(super) fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Self::All(conditions) => conditions.iter().all(|each| each.holds(value)),
            Self::Any(conditions) => conditions.iter().any(|each| each.holds(value)),
            Self::Not(condition) => !condition.holds(value),
            Self::Members(members) => match value {
                Some(Value::Array(items)) => items.iter().any(|item| all_hold(members, item)),
                value => all_hold(members, value.unwrap_or(&Value::Null)),
            },
            Self::Equals(listed) => of_any(value, |value| {
                listed.iter().any(|wanted| equals(wanted, value))
            }),
            Self::Compares(comparison, operand) => of_any(value, |value| {
                operand
                    .order_of(value)
                    .is_some_and(|order| comparison.allows(order))
            }),
            Self::Exists(wanted) => value.is_some() == *wanted,
            Self::Text(test) => {
                let passes = |value: &Value| value.as_str().is_some_and(|text| test.passes(text));
                match value {
                    Some(Value::Array(items)) => items.iter().take(test.items_max()).any(passes),
                    value => value.is_some_and(passes),
                }
            }
        }
    }
}

/// An array has no members: only one array around objects is looked into.
fn all_hold(members: &[(String, Condition)], value: &Value) -> bool {
    let member_of = |name: &str| value.as_object().and_then(|object| object.get(name));
    members
        .iter()
        .all(|(name, condition)| condition.holds(member_of(name)))
}

/// Whether `test` passes for the value or for one of its items.
fn of_any(value: Option<&Value>, test: impl Fn(&Value) -> bool) -> bool {
    let value = value.unwrap_or(&Value::Null);
    test(value) || value.as_array().is_some_and(|items| items.iter().any(test))
}

/// Equality that knows numbers by value. Looks no deeper than `wanted`, whose depth is bounded.
fn equals(wanted: &Value, value: &Value) -> bool {
    match (wanted, value) {
        (Value::Number(wanted), Value::Number(number)) => {
            compare(wanted, number) == Some(Ordering::Equal)
        }
        (Value::Array(wanted), Value::Array(items)) => {
            wanted.len() == items.len()
                && wanted
                    .iter()
                    .zip(items)
                    .all(|(wanted, item)| equals(wanted, item))
        }
        (Value::Object(wanted), Value::Object(members)) => {
            wanted.len() == members.len()
                && wanted.iter().all(|(name, wanted)| {
                    members.get(name).is_some_and(|value| equals(wanted, value))
                })
        }
        _ => wanted == value,
    }
}

impl Operand {
    /// How `value` stands to the operand; `None` when it is of another kind.
    fn order_of(&self, value: &Value) -> Option<Ordering> {
        match (value, self) {
            (Value::Number(number), Self::Number(operand)) => compare(number, operand),
            (Value::String(text), Self::Text(operand)) => Some(text.cmp(operand)),
            _ => None,
        }
    }
}

impl Comparison {
    fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }
}

impl TextTest {
    fn passes(&self, text: &str) -> bool {
        match self {
            Self::StartsWith(prefix) => text.starts_with(prefix),
            Self::EndsWith(suffix) => text.ends_with(suffix),
            Self::Contains(part) => text.contains(part),
            Self::Regex(regex) => {
                text.len() <= CONTENT_FILTER_REGEX_TEXT_BYTES_MAX && regex.is_match(text)
            }
        }
    }

    /// How many items of a list it is tried on.
    fn items_max(&self) -> usize {
        match self {
            Self::Regex(_) => CONTENT_FILTER_REGEX_ITEMS_MAX,
            Self::StartsWith(_) | Self::EndsWith(_) | Self::Contains(_) => usize::MAX,
        }
    }
}
