//! `events.audience` and `events.attributes`.

use std::borrow::Cow;

use hookyard_domain::{Attributes, Audience, PersonId, SubscriptionId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{borrowed, owned};

/// Who may learn of an event, other than the members of a chat: they have a column of their own.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum AudienceRecord {
    /// Numbers of persons.
    Persons(Vec<u64>),
    Subscription(Uuid),
    Wide(WideRecord),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WideRecord {
    Account,
}

impl AudienceRecord {
    /// The record of an audience that has one.
    pub(crate) fn of(audience: &Audience) -> Option<Self> {
        match audience {
            Audience::ChatMembers(_) => None,
            Audience::Persons(persons) => Some(Self::Persons(
                persons.iter().map(|person| person.0).collect(),
            )),
            Audience::Subscription(only) => Some(Self::Subscription(only.0)),
            Audience::Account => Some(Self::Wide(WideRecord::Account)),
        }
    }
}

impl From<AudienceRecord> for Audience {
    fn from(record: AudienceRecord) -> Self {
        match record {
            AudienceRecord::Persons(ids) => Self::Persons(ids.into_iter().map(PersonId).collect()),
            AudienceRecord::Subscription(only) => Self::Subscription(SubscriptionId(only)),
            AudienceRecord::Wide(WideRecord::Account) => Self::Account,
        }
    }
}

/// What a publisher said of an event beside its data.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct AttributesRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_schema: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_type: Option<Cow<'a, str>>,
    /// Names, and values as JSON texts.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    extensions: Cow<'a, [(String, String)]>,
}

impl<'a> From<&'a Attributes> for AttributesRecord<'a> {
    fn from(attributes: &'a Attributes) -> Self {
        Self {
            id: borrowed(attributes.id.as_ref()),
            source: borrowed(attributes.source.as_ref()),
            subject: borrowed(attributes.subject.as_ref()),
            data_schema: borrowed(attributes.data_schema.as_ref()),
            content_type: borrowed(attributes.content_type.as_ref()),
            extensions: Cow::Borrowed(&attributes.extensions),
        }
    }
}

impl From<AttributesRecord<'_>> for Attributes {
    fn from(record: AttributesRecord<'_>) -> Self {
        Self {
            id: owned(record.id),
            source: owned(record.source),
            subject: owned(record.subject),
            data_schema: owned(record.data_schema),
            content_type: owned(record.content_type),
            extensions: record.extensions.into_owned(),
        }
    }
}
