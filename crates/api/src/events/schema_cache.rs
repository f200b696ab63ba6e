//! Schemas of registered types, compiled once for the many events that they check.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use hookyard_domain::events::schema::Violation;
use hookyard_domain::kernel::limits::{COMPILED_SCHEMAS_BYTES_MAX, COMPILED_SCHEMAS_MAX};
use hookyard_domain::{AccountId, DataSchema, TypeName};

use crate::events::json_schema::JsonSchemas;

/// A version of a type.
type Key = (AccountId, TypeName, u32);

/// Compiled schemas. When it is full it starts over, which costs one compilation for each.
#[derive(Debug, Default)]
pub(super) struct CompiledSchemas {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    schemas: HashMap<Key, Arc<DataSchema>>,
    /// Of their texts.
    bytes: usize,
}

/// Shared by all: what a text compiles to is the same for everybody.
pub(super) static COMPILED: LazyLock<CompiledSchemas> = LazyLock::new(CompiledSchemas::default);

impl CompiledSchemas {
    /// The compiled schema of a version, whose text is `text`. A type can be deleted and registered
    /// anew, so what is kept counts only when it was made from the same text.
    ///
    /// # Errors
    ///
    /// When it does not compile, which what is registered did once.
    pub(super) fn get(
        &self,
        account: AccountId,
        name: &TypeName,
        number: u32,
        text: &str,
    ) -> Result<Arc<DataSchema>, Violation> {
        let key = (account, name.clone(), number);
        if let Some(found) = self.lock().schemas.get(&key)
            && **found.text() == *text
        {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(DataSchema::compile(text, &JsonSchemas)?);
        let mut kept = self.lock();
        if kept.schemas.len() >= COMPILED_SCHEMAS_MAX
            || kept.bytes + text.len() > COMPILED_SCHEMAS_BYTES_MAX
        {
            *kept = Kept::default();
        }
        kept.bytes += text.len();
        if let Some(former) = kept.schemas.insert(key, Arc::clone(&compiled)) {
            kept.bytes -= former.text().len();
        }
        Ok(compiled)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(schemas: &CompiledSchemas, number: u32, text: &str) -> Arc<DataSchema> {
        let name = TypeName::parse("a.b").expect("a name");
        let got = schemas.get(AccountId(1), &name, number, text);
        got.expect("it compiles")
    }

    #[test]
    fn a_schema_is_compiled_once_and_again_when_its_text_is_another() {
        let schemas = CompiledSchemas::default();
        let first = get(&schemas, 1, "true");
        assert!(Arc::ptr_eq(&first, &get(&schemas, 1, "true")));
        let other = get(&schemas, 1, "false");
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(schemas.lock().bytes, "false".len());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let schemas = CompiledSchemas::default();
        let text = format!(r#"{{"description":"{}"}}"#, "x".repeat(60_000));
        for number in 1..100 {
            get(&schemas, number, &text);
            let kept = schemas.lock();
            assert!(kept.bytes <= COMPILED_SCHEMAS_BYTES_MAX);
            assert_eq!(kept.bytes, kept.schemas.len() * text.len());
        }
        for number in 1..=u32::try_from(COMPILED_SCHEMAS_MAX).expect("few") + 1 {
            get(&schemas, number, "true");
        }
        assert!(schemas.lock().schemas.len() <= COMPILED_SCHEMAS_MAX);
    }
}
