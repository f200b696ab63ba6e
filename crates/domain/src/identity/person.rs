//! A user of an account; `extension` in the platform API.

pub mod directory;
pub mod operator;

use async_trait::async_trait;
use serde::Serialize;

use crate::identity::secret::Secret;
use crate::kernel::change::Guard;
use crate::kernel::ids::{AccountId, PersonId};
use crate::kernel::ports::{Slice, StoreError};
use crate::kernel::time::Timestamp;

/// What stands behind a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonKind {
    /// A human being who can sign in.
    User,
    /// A program that acts in its own name.
    Bot,
    /// The author of posts that came through incoming webhooks; it cannot sign in.
    Integration,
}

/// Whether a person may do anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum PersonStatus {
    Enabled,
    /// Cannot sign in, has no sessions and no subscriptions. What they wrote stays, under their
    /// name.
    Disabled,
}

impl PersonStatus {
    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Disabled]
            .into_iter()
            .find(|known| known.name() == name)
    }
}

/// A person. The password's hash is kept apart from it: see `Store::password_of`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub account: AccountId,
    pub id: PersonId,
    pub kind: PersonKind,
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    /// Short number inside the account, such as `101`.
    pub extension_number: Option<String>,
    /// May see and change what belongs to others of the account.
    pub admin: bool,
    /// Looks after the whole installation, which is all accounts. Only who is enabled can.
    pub operator: bool,
    pub status: PersonStatus,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub version: u64,
}

impl Person {
    /// First and last name with one space between, or the one that is there.
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
            .trim()
            .to_owned()
    }

    /// Whether they may sign in and act.
    pub fn is_enabled(&self) -> bool {
        self.status == PersonStatus::Enabled
    }

    /// Whether messages reach them.
    pub fn takes_messages(&self) -> bool {
        self.is_enabled() && self.kind != PersonKind::Integration
    }

    /// Holds as long as nobody has changed them.
    pub fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.id, self.version)
    }
}

/// `TMPersonInfo`, contract section 2.3.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonView<'a> {
    pub id: PersonId,
    pub first_name: &'a str,
    pub last_name: &'a str,
    pub email: Option<&'a str>,
    pub avatar: Option<&'a str>,
    pub company_id: AccountId,
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
}

impl<'a> From<&'a Person> for PersonView<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            id: person.id,
            first_name: &person.first_name,
            last_name: &person.last_name,
            email: person.email.as_deref(),
            avatar: None,
            company_id: person.account,
            creation_time: person.created_at,
            last_modified_time: person.modified_at,
        }
    }
}

/// What is written of persons.
#[derive(Debug, Clone)]
pub enum PersonWrite {
    Put(Person),
    /// The Argon2 hash of a person's password.
    PutPassword {
        account: AccountId,
        person: PersonId,
        hash: Secret,
    },
    /// Takes away what a person could sign in with, and what they said of their presence.
    ErasePersonals {
        account: AccountId,
        person: PersonId,
    },
}

/// Reads of persons.
#[async_trait]
pub trait Persons: Send + Sync {
    async fn person(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Person>, StoreError>;
    async fn persons(&self, account: AccountId, limit: u32) -> Result<Vec<Person>, StoreError>;
    async fn person_by_email(
        &self,
        account: AccountId,
        email: &str,
    ) -> Result<Option<Person>, StoreError>;
    async fn person_by_extension_number(
        &self,
        account: AccountId,
        number: &str,
    ) -> Result<Option<Person>, StoreError>;
    /// Persons in order of their ids, integrations left out, and how many there are in all.
    async fn persons_matching(&self, query: PersonQuery) -> Result<(Vec<Person>, u64), StoreError>;
    /// Who signs in by `name`, an e-mail address or an extension number, in any account, and the
    /// Argon2 hash of their password.
    async fn password_of(&self, name: &str) -> Result<Option<(Person, Secret)>, StoreError>;
}

/// Which persons to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct PersonQuery {
    pub account: AccountId,
    pub email: Option<String>,
    pub extension_number: Option<String>,
    pub status: Option<PersonStatus>,
    pub kind: Option<PersonKind>,
    pub slice: Slice,
}
