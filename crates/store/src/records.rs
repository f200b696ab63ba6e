//! What columns keep as JSON: a record for each, whose names and defaults are those of every row
//! that was ever written.
//!
//! The domain names things as it likes; records stay. A record may gain a member that has a default
//! and is left out while it has that; it loses none and renames none. `golden/` holds rows of every
//! shape, and tests read and write them.
//!
//! Ids, times, names of types and filters are texts of one spelling everywhere, so records keep the
//! domain's own.

mod apps;
mod attempts;
mod bins;
mod cards;
mod custom_types;
mod endpoints;
mod events;
mod first_requests;
mod jobs;
mod messages;
mod posts;
mod requests;
mod statistics;
mod subscriptions;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use apps::{KeysRecord, RedirectUrisRecord};
pub(crate) use attempts::TranscriptRecord;
pub(crate) use bins::AnswerRecord;
pub(crate) use custom_types::VersionsRecord;
pub(crate) use endpoints::EndpointRecord;
pub(crate) use events::{AttributesRecord, AudienceRecord};
pub(crate) use first_requests::FirstAnswerRecord;
pub(crate) use jobs::WorkRecord;
pub(crate) use messages::{CorrespondentRecord, CorrespondentsRecord};
pub(crate) use posts::ContentRecord;
pub(crate) use requests::{FindingsRecord, HeadersRecord};
pub(crate) use statistics::{LatencyRecord, OutcomesRecord};
pub(crate) use subscriptions::{DisabledFiltersRecord, FiltersRecord, PolicyRecord};

/// A record that holds what the domain does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// A record as its column keeps it.
pub(crate) fn to_json(record: &impl Serialize) -> String {
    serde_json::to_string(record).expect("records are JSON")
}

/// What a column of records `R` stands for; `None` when it cannot be read.
pub(crate) fn from_json<R, T>(json: impl AsRef<[u8]>) -> Option<T>
where
    R: DeserializeOwned,
    T: TryFrom<R>,
{
    let record: R = serde_json::from_slice(json.as_ref()).ok()?;
    T::try_from(record).ok()
}

fn borrowed(text: Option<&String>) -> Option<Cow<'_, str>> {
    text.map(|text| Cow::Borrowed(text.as_str()))
}

fn owned(text: Option<Cow<'_, str>>) -> Option<String> {
    text.map(Cow::into_owned)
}
