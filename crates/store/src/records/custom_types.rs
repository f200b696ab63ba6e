//! `event_types.versions`.

use std::borrow::Cow;

use hookyard_domain::{Timestamp, TypeVersion};
use serde::{Deserialize, Serialize};

/// The versions of a registered type, the newest last.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct VersionsRecord<'a>(Vec<VersionRecord<'a>>);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    example: Option<Cow<'a, str>>,
    /// Milliseconds since 1970.
    created_at: i64,
}

impl<'a> From<&'a Vec<TypeVersion>> for VersionsRecord<'a> {
    fn from(versions: &'a Vec<TypeVersion>) -> Self {
        let records = versions.iter().map(|version| VersionRecord {
            schema: version.schema.as_deref().map(Cow::Borrowed),
            example: version.example.as_deref().map(Cow::Borrowed),
            created_at: version.created_at.as_millis(),
        });
        Self(records.collect())
    }
}

impl From<VersionsRecord<'_>> for Vec<TypeVersion> {
    fn from(record: VersionsRecord<'_>) -> Self {
        let versions = record.0.into_iter().map(|version| TypeVersion {
            schema: version.schema.map(Into::into),
            example: version.example.map(Into::into),
            created_at: Timestamp::from_millis(version.created_at),
        });
        versions.collect()
    }
}
