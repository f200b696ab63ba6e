//! Events that apps publish: what happens in a telephone system or elsewhere outside, told to the
//! same subscribers in the same form as if it had happened here.
//!
//! Publishing is idempotent for who names an id and a source of their own, or an idempotency key:
//! what was published before is found again instead.

mod announcement;
pub mod cloud_events;
pub mod draft;
pub mod plain;

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::events::catalogue::EventType;
use crate::events::event::{Audience, Event};
use crate::events::schema::{SchemaCompiler, Violation};
use crate::identity::person::Person;
use crate::kernel::ids::{AccountId, EventId, PersonId};
use crate::kernel::limits::PUBLISHED_BODY_BYTES_MAX;
use crate::kernel::raw::repeats_a_name;
use crate::kernel::time::Timestamp;
use crate::subscriptions::filter::{EventFilter, FilterError, Place};

/// Why an event cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The path is none that the catalogue has, names no single extension, or has a query.
    #[error("not the path of an event about one extension")]
    UnknownEvent,
    #[error("events of kind `{0}` come from Hookyard alone")]
    NotPublishable(&'static str),
    #[error("the path names another account")]
    OtherAccount,
    /// Only administrators publish what happens to others.
    #[error("the path names another extension")]
    OtherExtension,
    #[error("the body is larger than {PUBLISHED_BODY_BYTES_MAX} bytes")]
    BodyTooLarge,
    #[error("the body breaks its schema")]
    BodyInvalid(#[source] Violation),
}

/// What is about to be published: an event of which type, about whom.
#[derive(Debug, Clone)]
pub struct Publication {
    account: AccountId,
    extension: PersonId,
    event_type: &'static EventType,
    event: String,
}

impl Publication {
    /// Reads the path that `publisher` gives: a filter of the catalogue without parameters, with
    /// `~` for their own account and extension. Whether the extension exists is not known yet.
    ///
    /// # Errors
    ///
    /// When there is no such event, or it is not theirs to publish.
    pub fn read(event: &str, publisher: &Person) -> Result<Self, PublishError> {
        let filter = EventFilter::parse(event, publisher.account, publisher.id);
        let filter = filter.map_err(|error| match error {
            FilterError::OtherAccount => PublishError::OtherAccount,
            // Reminders, with parameters or without, are not published.
            FilterError::Unknown | FilterError::BadReminder => PublishError::UnknownEvent,
        })?;
        let event_type = EventType::published_as(filter.kind())
            .ok_or(PublishError::NotPublishable(filter.kind().name()))?;
        let Place::Extension(extension) = filter.place() else {
            return Err(PublishError::UnknownEvent);
        };
        if filter.as_str().contains('?') {
            return Err(PublishError::UnknownEvent);
        }
        if extension != publisher.id && !publisher.admin {
            return Err(PublishError::OtherExtension);
        }
        Ok(Self {
            account: publisher.account,
            extension,
            event_type,
            event: filter.as_str().to_owned(),
        })
    }

    /// The extension that the event is about.
    pub const fn extension(&self) -> PersonId {
        self.extension
    }

    /// The type of the event.
    pub const fn event_type(&self) -> &'static EventType {
        self.event_type
    }

    /// The path with ids in place of `~`.
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The event that tells `body`, whose bytes stay as they are.
    ///
    /// # Errors
    ///
    /// When the body is too large, breaks its schema, or names another extension than the path.
    pub fn announce(
        &self,
        body: &RawValue,
        compiler: &dyn SchemaCompiler,
        now: Timestamp,
    ) -> Result<Event, PublishError> {
        let body = body.get();
        if body.len() > PUBLISHED_BODY_BYTES_MAX {
            return Err(PublishError::BodyTooLarge);
        }
        self.check(body, compiler)
            .map_err(PublishError::BodyInvalid)?;
        Ok(Event {
            account: self.account,
            id: EventId::PENDING,
            kind: self.event_type.kind,
            event_type: self.event_type.event_type().into(),
            audience: Audience::Persons(Arc::from([self.extension])),
            chat: None,
            post: None,
            request: None,
            occurred_at: now,
            body: Bytes::copy_from_slice(body.as_bytes()),
            confidential: false,
            attributes: None,
        })
    }

    fn check(&self, body: &str, compiler: &dyn SchemaCompiler) -> Result<(), Violation> {
        let value: Value = serde_json::from_str(body)
            .map_err(|_| Violation::of_whole("the value cannot be read as JSON"))?;
        if repeats_a_name(body) {
            let message = "an object in the value has two members of one name";
            return Err(Violation::of_whole(message));
        }
        self.event_type.schema.check(&value, compiler)?;
        let same_id = |member: &str, id: u64| {
            let named = match value.get(member) {
                Some(Value::String(text)) => text.parse().ok(),
                Some(Value::Number(number)) => number.as_u64(),
                _ => return Ok(()),
            };
            if named == Some(id) {
                return Ok(());
            }
            Err(Violation {
                pointer: format!("/{member}"),
                message: format!("the event is about {id}"),
            })
        };
        same_id("extensionId", self.extension.0)?;
        same_id("accountId", self.account.0)
    }
}

#[cfg(test)]
mod tests;
