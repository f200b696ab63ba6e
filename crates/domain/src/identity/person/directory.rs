//! Decisions about who is in an account: taking somebody in, changing what is known of them, and
//! disabling them: what they wrote keeps its author; or erasing what is known of them.

use serde::Serialize;

use super::{Person, PersonKind, PersonStatus};
use crate::events::event::{Audience, Event, EventKind};
use crate::identity::person::PersonWrite;
use crate::identity::secret::Secret;
use crate::identity::session::SessionWrite;
use crate::kernel::change::{Change, Claim, Guard};
use crate::kernel::erasure::{ERASED_FIRST_NAME, ERASED_LAST_NAME};
use crate::kernel::ids::{EventId, PersonId};
use crate::kernel::limits::{
    EMAIL_CHARS_MAX, EXTENSION_NUMBER_DIGITS_MAX, PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN,
    PERSON_NAME_CHARS_MAX,
};
use crate::messaging::chat::{Chat, ChatEventType, ChatWrite};
use crate::messaging::teams::next_version;
use crate::messaging::{Act, chat_event, json};
use crate::subscriptions::ports::SubscriptionWrite;

/// Why a person cannot be made or changed as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("the first name is too long")]
    BadFirstName,
    #[error("the last name is too long")]
    BadLastName,
    #[error("a person needs a name")]
    NoName,
    #[error("this is no e-mail address")]
    BadEmail,
    #[error("this is no extension number")]
    BadExtensionNumber,
    #[error("only administrators may do this")]
    NotAnAdmin,
    /// Who may change an operator could become one.
    #[error("only operators may do this")]
    NotAnOperator,
    /// Somebody must be able to look after the installation.
    #[error("this is the last operator")]
    LastOperator,
    #[error("there are as many operators as there may be")]
    TooManyOperators,
    #[error("nobody may do this to themselves")]
    Oneself,
    /// An integration is the author of hook posts, and nobody's to change.
    #[error("there is no such person")]
    NotAPerson,
}

/// What a new person is made of. Texts may be empty for none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewPerson {
    pub first_name: String,
    pub last_name: String,
    pub email: Option<String>,
    pub extension_number: Option<String>,
    /// The hash of their password; without one they cannot sign in by a password.
    pub password: Option<Secret>,
}

/// What to change about a person; absent parts stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PersonPatch {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// Empty for none.
    pub email: Option<String>,
    /// Empty for none.
    pub extension_number: Option<String>,
    pub status: Option<PersonStatus>,
    pub admin: Option<bool>,
}

/// What happened to an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum Happened {
    Create,
    Update,
    Delete,
}

impl Happened {
    const fn name(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Update => "Update",
            Self::Delete => "Delete",
        }
    }
}

/// The body of an extension event (contract section 5.5).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ExtensionEventBody {
    extension_id: PersonId,
    event_type: Happened,
    hints: [&'static str; 1],
}

/// Whether `password` may be one: long enough to resist, short enough to hash.
pub fn is_password(password: &str) -> bool {
    (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.chars().count())
}

fn check_email(email: &str) -> Result<(), DirectoryError> {
    let fits = email.chars().count() <= EMAIL_CHARS_MAX
        && !email.contains(|c: char| c.is_whitespace() || c.is_control())
        && email
            .rsplit_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    fits.then_some(()).ok_or(DirectoryError::BadEmail)
}

fn check_extension_number(number: &str) -> Result<(), DirectoryError> {
    let fits = (1..=EXTENSION_NUMBER_DIGITS_MAX).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(()).ok_or(DirectoryError::BadExtensionNumber)
}

/// An absent part stays, and an empty one leaves nothing.
fn replaced(former: Option<&String>, asked: Option<String>) -> Option<String> {
    match asked {
        Some(text) => Some(text).filter(|text| !text.is_empty()),
        None => former.cloned(),
    }
}

impl Person {
    /// Takes somebody in, and into the chat of all. `act` is an administrator's.
    pub fn take_in(
        act: &Act<'_>,
        maker: &Self,
        new: NewPerson,
        everyone: Option<&Chat>,
    ) -> Result<(Change, Self), DirectoryError> {
        if !maker.admin {
            return Err(DirectoryError::NotAnAdmin);
        }
        let person = Self {
            account: act.account,
            id: PersonId(act.next_id()),
            kind: PersonKind::User,
            first_name: new.first_name,
            last_name: new.last_name,
            email: new.email.filter(|email| !email.is_empty()),
            extension_number: new.extension_number.filter(|number| !number.is_empty()),
            admin: false,
            operator: false,
            status: PersonStatus::Enabled,
            created_at: act.now,
            modified_at: act.now,
            version: 1,
        };
        person.check()?;
        let mut change = Change::of(PersonWrite::Put(person.clone())).given(maker.unchanged());
        change.guards.extend(person.claims());
        if let Some(hash) = new.password {
            change = change.and(PersonWrite::PutPassword {
                account: act.account,
                person: person.id,
                hash,
            });
        }
        change = change.announcing(person.event(act, Happened::Create));
        if let Some(everyone) = everyone {
            change = everyone.taking_in_newcomer(act, person.id, change);
        }
        Ok((change, person))
    }

    fn check(&self) -> Result<(), DirectoryError> {
        let fits = |name: &str| name.chars().count() <= PERSON_NAME_CHARS_MAX;
        if !fits(&self.first_name) {
            return Err(DirectoryError::BadFirstName);
        }
        if !fits(&self.last_name) {
            return Err(DirectoryError::BadLastName);
        }
        if self.name().is_empty() {
            return Err(DirectoryError::NoName);
        }
        self.email.as_deref().map_or(Ok(()), check_email)?;
        self.extension_number
            .as_deref()
            .map_or(Ok(()), check_extension_number)
    }

    /// Changes what is known of a person: their own name and address by themselves, all of it by
    /// administrators; but nobody can lock themselves out.
    pub fn patch(
        &self,
        act: &Act<'_>,
        by: &Self,
        patch: PersonPatch,
    ) -> Result<(Change, Self), DirectoryError> {
        self.check_changeable(by)?;
        let mut next = Self {
            first_name: patch.first_name.unwrap_or_else(|| self.first_name.clone()),
            last_name: patch.last_name.unwrap_or_else(|| self.last_name.clone()),
            email: replaced(self.email.as_ref(), patch.email),
            extension_number: replaced(self.extension_number.as_ref(), patch.extension_number),
            status: patch.status.unwrap_or(self.status),
            admin: patch.admin.unwrap_or(self.admin),
            ..self.clone()
        };
        if next == *self {
            return Ok((Change::default(), next));
        }
        let rights = (next.status, next.admin) != (self.status, self.admin);
        if (rights || next.extension_number != self.extension_number) && !by.admin {
            return Err(DirectoryError::NotAnAdmin);
        }
        if rights && by.id == self.id {
            return Err(DirectoryError::Oneself);
        }
        next.check()?;
        Ok((self.becoming(act, by, &mut next, Happened::Update), next))
    }

    /// Disables a person for good. Their chats and posts stay, and so does their name.
    pub fn disable(&self, act: &Act<'_>, by: &Self) -> Result<(Change, Self), DirectoryError> {
        self.check_changeable(by)?;
        if !by.admin {
            return Err(DirectoryError::NotAnAdmin);
        }
        if by.id == self.id {
            return Err(DirectoryError::Oneself);
        }
        let mut next = Self {
            status: PersonStatus::Disabled,
            ..self.clone()
        };
        if next == *self {
            return Ok((Change::default(), next));
        }
        Ok((self.becoming(act, by, &mut next, Happened::Delete), next))
    }

    /// Erases what is known of a person, but for their number. What they wrote and what tells of
    /// them is erased after it, page by page.
    pub fn erase(&self, act: &Act<'_>, by: &Self) -> Result<(Change, Self), DirectoryError> {
        self.check_changeable(by)?;
        if !by.admin {
            return Err(DirectoryError::NotAnAdmin);
        }
        if by.id == self.id {
            return Err(DirectoryError::Oneself);
        }
        let mut next = Self {
            first_name: ERASED_FIRST_NAME.to_owned(),
            last_name: ERASED_LAST_NAME.to_owned(),
            email: None,
            extension_number: None,
            admin: false,
            status: PersonStatus::Disabled,
            ..self.clone()
        };
        let change = self.becoming(act, by, &mut next, Happened::Delete);
        let personals = PersonWrite::ErasePersonals {
            account: self.account,
            person: self.id,
        };
        Ok((change.and(personals), next))
    }

    /// Gives a person another password. All that they have signed in to ends.
    pub fn reset_password(
        &self,
        act: &Act<'_>,
        by: &Self,
        hash: Secret,
    ) -> Result<Change, DirectoryError> {
        self.check_changeable(by)?;
        if !by.admin {
            return Err(DirectoryError::NotAnAdmin);
        }
        if by.id == self.id {
            return Err(DirectoryError::Oneself);
        }
        let password = PersonWrite::PutPassword {
            account: act.account,
            person: self.id,
            hash,
        };
        Ok(Change::of(password)
            .and(self.end_of_sessions())
            .given(self.unchanged())
            .given(by.unchanged()))
    }

    fn check_changeable(&self, by: &Self) -> Result<(), DirectoryError> {
        if self.kind == PersonKind::Integration {
            return Err(DirectoryError::NotAPerson);
        }
        if self.id != by.id && !by.admin {
            return Err(DirectoryError::NotAnAdmin);
        }
        if self.id != by.id && self.operator && !by.operator {
            return Err(DirectoryError::NotAnOperator);
        }
        Ok(())
    }

    /// The step to `next`. It relies on who takes it as well: of two administrators who disable
    /// one another at the same time, one remains.
    fn becoming(&self, act: &Act<'_>, by: &Self, next: &mut Self, happened: Happened) -> Change {
        next.modified_at = act.now;
        next.version += 1;
        next.operator &= next.is_enabled();
        let mut change = Change::of(PersonWrite::Put(next.clone())).given(self.unchanged());
        if self.operator && !next.operator {
            change = change.given(Guard::ANOTHER_OPERATOR);
        }
        if next.email != self.email || next.extension_number != self.extension_number {
            change.guards.extend(next.claims());
        }
        if by.id != self.id {
            change = change.given(by.unchanged());
        }
        if self.is_enabled() && !next.is_enabled() {
            change = change
                .and(self.end_of_sessions())
                .and(SubscriptionWrite::DeleteAllOf {
                    account: self.account,
                    owner: self.id,
                    at: act.now,
                    reason: "its owner was disabled",
                });
        }
        change.announcing(next.event(act, happened))
    }

    /// That nobody else is reached by what this person is reached by.
    fn claims(&self) -> impl Iterator<Item = Guard> {
        let (account, by) = (self.account, self.id);
        let email = self
            .email
            .clone()
            .map(|email| Claim::Email { account, email, by });
        let number = self.extension_number.clone();
        let number = number.map(|number| Claim::ExtensionNumber {
            account,
            number,
            by,
        });
        email.into_iter().chain(number).map(Guard::Free)
    }

    const fn end_of_sessions(&self) -> SessionWrite {
        SessionWrite::EndAllOf {
            account: self.account,
            person: self.id,
        }
    }

    fn event(&self, act: &Act<'_>, happened: Happened) -> Event {
        Event {
            account: self.account,
            id: EventId::PENDING,
            kind: EventKind::Extension,
            event_type: happened.name().into(),
            audience: Audience::Persons([self.id].into()),
            chat: None,
            post: None,
            request: None,
            occurred_at: act.now,
            body: json(&ExtensionEventBody {
                extension_id: self.id,
                event_type: happened,
                hints: ["ExtensionInfo"],
            }),
            confidential: false,
            attributes: None,
        }
    }
}

impl Chat {
    /// Adds to `change` that somebody new is in the chat of all.
    fn taking_in_newcomer(&self, act: &Act<'_>, person: PersonId, change: Change) -> Change {
        let (mut next, guard) = next_version(act, self);
        // A new person has the largest number, so the order is kept.
        next.members.push(person);
        let joined = Audience::Persons([person].into());
        let members = Audience::ChatMembers(next.id);
        let joined = chat_event(act, &next, ChatEventType::GroupJoined, joined);
        let changed = chat_event(act, &next, ChatEventType::GroupChanged, members);
        change
            .and(ChatWrite::Put(next))
            .given(guard)
            .announcing(joined)
            .announcing(changed)
    }
}

#[cfg(test)]
mod tests;
