//! JSON Schemas (draft 2020-12) of what events carry. A schema is compiled when it is first needed,
//! and then kept.

use std::sync::OnceLock;

use serde_json::Value;

use crate::events::schema::{CompiledSchema, SchemaCompiler, Violation};

/// A schema of ours.
#[derive(Debug)]
pub struct Schema {
    name: &'static str,
    text: &'static str,
    compiled: OnceLock<Box<dyn CompiledSchema>>,
}

impl Schema {
    pub(super) const fn new(name: &'static str, text: &'static str) -> Self {
        Self {
            name,
            text,
            compiled: OnceLock::new(),
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
    pub fn check(&self, value: &Value, compiler: &dyn SchemaCompiler) -> Result<(), Violation> {
        let compiled = self.compiled.get_or_init(|| {
            let schema = serde_json::from_str(self.text).expect("our schemas are JSON");
            compiler.compile(&schema).expect("our schemas compile")
        });
        compiled.check(value)
    }
}
