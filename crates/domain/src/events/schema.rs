//! Checking values with JSON Schemas, as a port: what understands the language lives outside. What
//! a schema may be, and how much checking may cost, is decided here.

use std::fmt::Debug;

use serde_json::Value;

/// What is wrong with a value, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Violation {
    /// JSON pointer to what is wrong; empty for the whole value.
    pub pointer: String,
    /// For people. Does not repeat the value, which may be long or private.
    pub message: String,
}

impl Violation {
    /// A violation by the value as a whole.
    pub fn of_whole(message: impl Into<String>) -> Self {
        Self {
            pointer: String::new(),
            message: message.into(),
        }
    }
}

/// Why a schema cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{violation}")]
pub struct Uncompilable {
    /// Where in the schema, as far as it is known.
    pub violation: Violation,
    /// What is wrong is a regular expression: its syntax, or its size.
    pub is_expression: bool,
}

/// Understands JSON Schema: draft 2020-12, unless `$schema` names an older one.
///
/// Schemas come from outside. So nothing is fetched for one; its regular expressions are matched in
/// time linear in the text, and those that would compile to more than
/// [`DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX`] are refused. What checking costs is counted by
/// [`Effort`], beforehand.
///
/// [`DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX`]: crate::kernel::limits::DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX
/// [`Effort`]: crate::events::custom_type::Effort
pub trait SchemaCompiler: Debug + Send + Sync {
    /// Compiles a schema.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    fn compile(&self, schema: &Value) -> Result<Box<dyn CompiledSchema>, Uncompilable>;
}

/// A schema that is ready to check values.
pub trait CompiledSchema: Debug + Send + Sync {
    /// Checks that `value` satisfies the schema, formats such as `date-time` included.
    ///
    /// # Errors
    ///
    /// The first violation, in [`VIOLATION_CHARS_MAX`] characters.
    ///
    /// [`VIOLATION_CHARS_MAX`]: crate::kernel::limits::VIOLATION_CHARS_MAX
    fn check(&self, value: &Value) -> Result<(), Violation>;
}

#[cfg(test)]
pub(crate) mod fakes {
    //! A compiler for tests of what is not about schemas.

    use super::*;

    /// Compiles every schema to one that everything satisfies.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Anything;

    impl SchemaCompiler for Anything {
        fn compile(&self, _: &Value) -> Result<Box<dyn CompiledSchema>, Uncompilable> {
            Ok(Box::new(Self))
        }
    }

    impl CompiledSchema for Anything {
        fn check(&self, _: &Value) -> Result<(), Violation> {
            Ok(())
        }
    }
}
