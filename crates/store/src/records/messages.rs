//! `messages.sender` and `messages.receivers`.

use std::borrow::Cow;

use hookyard_domain::{Correspondent, PersonId};
use serde::{Deserialize, Serialize};

use super::{borrowed, owned};

/// A sender or receiver.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CorrespondentRecord<'a> {
    extension_id: PersonId,
    #[serde(skip_serializing_if = "Option::is_none")]
    extension_number: Option<Cow<'a, str>>,
    name: Cow<'a, str>,
}

/// All receivers.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct CorrespondentsRecord<'a>(Vec<CorrespondentRecord<'a>>);

impl<'a> From<&'a Correspondent> for CorrespondentRecord<'a> {
    fn from(correspondent: &'a Correspondent) -> Self {
        Self {
            extension_id: correspondent.person,
            extension_number: borrowed(correspondent.extension_number.as_ref()),
            name: Cow::Borrowed(&correspondent.name),
        }
    }
}

impl From<CorrespondentRecord<'_>> for Correspondent {
    fn from(record: CorrespondentRecord<'_>) -> Self {
        Self {
            person: record.extension_id,
            extension_number: owned(record.extension_number),
            name: record.name.into_owned(),
        }
    }
}

impl<'a> From<&'a Vec<Correspondent>> for CorrespondentsRecord<'a> {
    fn from(correspondents: &'a Vec<Correspondent>) -> Self {
        Self(
            correspondents
                .iter()
                .map(CorrespondentRecord::from)
                .collect(),
        )
    }
}

impl From<CorrespondentsRecord<'_>> for Vec<Correspondent> {
    fn from(record: CorrespondentsRecord<'_>) -> Self {
        record.0.into_iter().map(Correspondent::from).collect()
    }
}
