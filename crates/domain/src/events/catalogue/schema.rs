//! JSON Schemas (draft 2020-12) of what events carry. A schema is compiled when it is first needed,
//! and then kept.

use std::sync::OnceLock;

use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::kernel::limits::VIOLATION_CHARS_MAX;

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Violation {
    /// JSON pointer to what is wrong; empty for the whole value.
    pub pointer: String,
    /// For people. Does not repeat the value, which may be long or private.
    pub message: String,
}

impl From<&ValidationError<'_>> for Violation {
    fn from(error: &ValidationError<'_>) -> Self {
        let message = error.masked_with("the value").to_string();
        Self {
            pointer: error.instance_path().as_str().to_owned(),
            message: message.chars().take(VIOLATION_CHARS_MAX).collect(),
        }
    }
}

/// A schema of ours.
#[derive(Debug)]
pub struct Schema {
    name: &'static str,
    text: &'static str,
    validator: OnceLock<Validator>,
}

impl Schema {
    pub(super) const fn new(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            text,
            validator: OnceLock::new(),
        }
    }

    /// What it describes. Several types of events share a schema.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The schema as JSON.
    pub const fn text(&self) -> &'static str {
        self.text
    }

    /// Checks that `value` satisfies the schema, formats such as `date-time` included.
    ///
    /// # Errors
    ///
    /// The first violation.
    pub fn check(&self, value: &Value) -> Result<(), Violation> {
        self.validator()
            .validate(value)
            .map_err(|error| Violation::from(&error))
    }

    fn validator(&self) -> &Validator {
        self.validator.get_or_init(|| {
            let schema = serde_json::from_str(self.text).expect("our schemas are JSON");
            jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(&schema)
                .expect("our schemas compile")
        })
    }
}
