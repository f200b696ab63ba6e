//! `apps.redirect_uris` and `apps.public_keys`.

use std::borrow::Cow;

use hookyard_domain::KeySet;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where people may be sent back to after they signed in.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct RedirectUrisRecord<'a>(Cow<'a, [String]>);

impl<'a> From<&'a Vec<String>> for RedirectUrisRecord<'a> {
    fn from(uris: &'a Vec<String>) -> Self {
        Self(Cow::Borrowed(uris))
    }
}

impl From<RedirectUrisRecord<'_>> for Vec<String> {
    fn from(record: RedirectUrisRecord<'_>) -> Self {
        record.0.into_owned()
    }
}

/// An app's public keys: JSON Web Keys, whose members are not ours.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct KeysRecord<'a>(Cow<'a, [Map<String, Value>]>);

impl<'a> From<&'a KeySet> for KeysRecord<'a> {
    fn from(keys: &'a KeySet) -> Self {
        Self(Cow::Borrowed(keys.keys()))
    }
}

impl From<KeysRecord<'_>> for KeySet {
    fn from(record: KeysRecord<'_>) -> Self {
        Self::checked(record.0.into_owned())
    }
}
