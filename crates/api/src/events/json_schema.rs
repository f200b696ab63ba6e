//! What understands JSON Schema, behind the domain's port.

use hookyard_domain::events::schema::{CompiledSchema, SchemaCompiler, Uncompilable, Violation};
use hookyard_domain::kernel::limits::{DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX, VIOLATION_CHARS_MAX};
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// Compiles JSON Schemas.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonSchemas;

impl SchemaCompiler for JsonSchemas {
    fn compile(&self, schema: &Value) -> Result<Box<dyn CompiledSchema>, Uncompilable> {
        let expressions = PatternOptions::regex()
            .size_limit(DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX)
            .dfa_size_limit(DATA_SCHEMA_REGEX_COMPILED_BYTES_MAX);
        let built = jsonschema::options()
            .should_validate_formats(true)
            .with_pattern_options(expressions)
            .offline()
            .build(schema);
        match built {
            Ok(validator) => Ok(Box::new(Compiled(validator))),
            Err(error) => Err(Uncompilable {
                violation: violation(&error),
                is_expression: error.masked_with("").to_string().contains("\"regex\""),
            }),
        }
    }
}

#[derive(Debug)]
struct Compiled(Validator);

impl CompiledSchema for Compiled {
    fn check(&self, value: &Value) -> Result<(), Violation> {
        let checked = self.0.validate(value);
        checked.map_err(|error| violation(&error))
    }
}

fn violation(error: &ValidationError<'_>) -> Violation {
    let message = error.masked_with("the value").to_string();
    Violation {
        pointer: error.instance_path().as_str().to_owned(),
        message: message.chars().take(VIOLATION_CHARS_MAX).collect(),
    }
}
