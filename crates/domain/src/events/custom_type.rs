//! Types of events that an account registers for what it publishes.

mod effort;
mod schema;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use crate::events::catalogue::EventType;
use crate::events::schema::Violation;
use crate::events::type_name::{RESERVED_PREFIX, TypeName};
use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::AccountId;
use crate::kernel::limits::{DESCRIPTION_CHARS_MAX, TYPE_EXAMPLE_BYTES_MAX, TYPE_VERSIONS_MAX};
use crate::kernel::ports::StoreError;
use crate::kernel::raw::check_json;
use crate::kernel::time::Timestamp;

pub use effort::Effort;
pub use schema::DataSchema;

/// Why a type cannot be registered or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CustomTypeError {
    #[error("`{0}` is built in and cannot be changed")]
    BuiltIn(TypeName),
    #[error("names that begin with `{RESERVED_PREFIX}` are kept for what Hookyard tells of itself")]
    Reserved,
    #[error("it is longer than {DESCRIPTION_CHARS_MAX} characters")]
    DescriptionTooLong,
    #[error("it is longer than {DESCRIPTION_CHARS_MAX} characters")]
    NoteTooLong,
    /// A note says what to use instead of a type that is deprecated.
    #[error("the type is not deprecated: set `deprecated` to true with it")]
    NoteWithoutDeprecation,
    #[error("the type has {TYPE_VERSIONS_MAX} versions, which is the most: register another type")]
    TooManyVersions,
    #[error("the schema does not compile")]
    Schema(#[source] Violation),
    #[error("the example is not as its schema says")]
    Example(#[source] Violation),
}

/// What the data of a type's events is like, at one time. Numbered from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeVersion {
    /// A JSON Schema, as it came; data is not checked without one.
    pub schema: Option<Arc<str>>,
    /// Data of an event, as it came.
    pub example: Option<Arc<str>>,
    pub created_at: Timestamp,
}

impl TypeVersion {
    /// Reads a version: its schema, and an example as it came.
    ///
    /// # Errors
    ///
    /// When the example does not satisfy the schema.
    pub fn read(
        schema: Option<&DataSchema>,
        example: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, CustomTypeError> {
        if let Some(example) = example {
            check_example(example, schema).map_err(CustomTypeError::Example)?;
        }
        Ok(Self {
            schema: schema.map(|schema| Arc::clone(schema.text())),
            example: example.map(Into::into),
            created_at: now,
        })
    }

    /// What it takes to keep it.
    pub fn bytes(&self) -> usize {
        let length = |text: &Option<Arc<str>>| text.as_deref().map_or(0, str::len);
        length(&self.schema) + length(&self.example)
    }
}

fn check_example(example: &str, schema: Option<&DataSchema>) -> Result<(), Violation> {
    if example.len() > TYPE_EXAMPLE_BYTES_MAX {
        let message = format!("the example is larger than {TYPE_EXAMPLE_BYTES_MAX} bytes");
        return Err(Violation::of_whole(message));
    }
    check_json(example).map_err(Violation::of_whole)?;
    let value: Value =
        serde_json::from_str(example).map_err(|error| Violation::of_whole(error.to_string()))?;
    schema.map_or(Ok(()), |schema| {
        schema.check(&value, &mut Effort::default())
    })
}

/// A type of events of an account's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomType {
    pub account: AccountId,
    pub name: TypeName,
    pub description: String,
    /// Since when it should no longer be used, and what to use instead.
    pub deprecated: Option<(Timestamp, String)>,
    /// The newest last; never empty.
    pub versions: Vec<TypeVersion>,
    pub created_at: Timestamp,
    /// Grows by one with every change; what guards compare.
    pub version: u64,
}

/// What is to be changed about a type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CustomTypePatch {
    pub description: Option<String>,
    pub deprecated: Option<bool>,
    pub deprecation_note: Option<String>,
}

impl CustomType {
    /// A new type with its first version.
    ///
    /// # Errors
    ///
    /// When the name is not for accounts to give, or the description is too long.
    pub fn new(
        account: AccountId,
        name: TypeName,
        description: String,
        first: TypeVersion,
    ) -> Result<Self, CustomTypeError> {
        if name.is_reserved() {
            return Err(CustomTypeError::Reserved);
        }
        if EventType::named(name.as_str()).is_some() {
            return Err(CustomTypeError::BuiltIn(name));
        }
        check_description(&description)?;
        Ok(Self {
            account,
            name,
            description,
            deprecated: None,
            created_at: first.created_at,
            versions: vec![first],
            version: 1,
        })
    }

    /// The change that registers it, unless there is one of its name.
    pub fn register(self) -> Change {
        let absent = Guard::version(self.account, self.name.clone(), 0);
        Change::of(CustomTypeWrite::Put(self)).given(absent)
    }

    /// The change that applies `patch`, and the type as it is then.
    ///
    /// # Errors
    ///
    /// When a text is too long, or there is a note about a deprecation that is not.
    pub fn change(
        &self,
        patch: CustomTypePatch,
        now: Timestamp,
    ) -> Result<(Change, Self), CustomTypeError> {
        let CustomTypePatch {
            description,
            deprecated,
            deprecation_note,
        } = patch;
        let description = description.unwrap_or_else(|| self.description.clone());
        check_description(&description)?;
        let note = deprecation_note.as_deref();
        if note.is_some_and(|note| note.chars().count() > DESCRIPTION_CHARS_MAX) {
            return Err(CustomTypeError::NoteTooLong);
        }
        let (since, former) = match &self.deprecated {
            Some((since, former)) => (*since, former.as_str()),
            None => (now, ""),
        };
        let deprecated = if deprecated.unwrap_or(self.deprecated.is_some()) {
            Some((since, note.unwrap_or(former).to_owned()))
        } else if note.is_some_and(|note| !note.is_empty()) {
            return Err(CustomTypeError::NoteWithoutDeprecation);
        } else {
            None
        };
        Ok(self.followed_by(Self {
            description,
            deprecated,
            ..self.clone()
        }))
    }

    /// The change that adds a version, and the type as it is then.
    ///
    /// # Errors
    ///
    /// When it has as many as it may have.
    pub fn add_version(&self, next: TypeVersion) -> Result<(Change, Self), CustomTypeError> {
        if self.versions.len() >= TYPE_VERSIONS_MAX {
            return Err(CustomTypeError::TooManyVersions);
        }
        let mut changed = self.clone();
        changed.versions.push(next);
        Ok(self.followed_by(changed))
    }

    fn followed_by(&self, changed: Self) -> (Change, Self) {
        let changed = Self {
            version: self.version + 1,
            ..changed
        };
        let change = Change::of(CustomTypeWrite::Put(changed.clone()));
        (change.given(self.unchanged()), changed)
    }

    /// The change that forgets it. Its events stay.
    pub fn delete(&self) -> Change {
        Change::of(CustomTypeWrite::Delete {
            account: self.account,
            name: self.name.clone(),
        })
        .given(self.unchanged())
    }

    /// The version that is enforced when a publisher names none, and its number.
    pub fn newest(&self) -> &TypeVersion {
        self.versions.last().expect("there is a first version")
    }

    /// The number of the newest version.
    pub fn newest_number(&self) -> u32 {
        u32::try_from(self.versions.len()).expect("versions are few")
    }

    /// The version with this number.
    pub fn numbered(&self, number: u32) -> Option<&TypeVersion> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.versions.get(index)
    }

    /// What it takes to keep it.
    pub fn bytes(&self) -> usize {
        self.versions.iter().map(TypeVersion::bytes).sum()
    }

    /// The guard that it has not changed.
    pub fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.name.clone(), self.version)
    }
}

fn check_description(description: &str) -> Result<(), CustomTypeError> {
    if description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(CustomTypeError::DescriptionTooLong);
    }
    Ok(())
}

/// What is written of registered types.
#[derive(Debug, Clone)]
pub enum CustomTypeWrite {
    Put(CustomType),
    Delete { account: AccountId, name: TypeName },
}

/// Reads of registered types.
#[async_trait]
pub trait CustomTypes: Send + Sync {
    /// A type that the account has registered.
    async fn custom_type(
        &self,
        account: AccountId,
        name: &TypeName,
    ) -> Result<Option<Arc<CustomType>>, StoreError>;
    /// Every type that the account has registered, by name.
    async fn custom_types(&self, account: AccountId) -> Result<Vec<CustomType>, StoreError>;
}

#[cfg(test)]
mod tests;
