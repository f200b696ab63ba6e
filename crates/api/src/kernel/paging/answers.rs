//! Pages as they are told.

use schemars::JsonSchema;
use serde::Serialize;

use crate::operations::answers::Shown;

/// Where a list goes on. Always there, empty when there is nothing more.
#[derive(Debug, Default, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Navigation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prev_page_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// A page of records.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Records")]
pub(crate) struct Records<T> {
    pub(crate) records: Vec<T>,
    pub(crate) navigation: Navigation,
}

/// A page of a list under `/api/v1`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}List")]
pub(crate) struct Listing<T> {
    pub(crate) records: Vec<T>,
    /// Leads to what is older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

impl<T> Listing<T> {
    /// The same page of what `view` makes of the records.
    pub(crate) fn map<V>(self, view: impl FnMut(T) -> V) -> Listing<V> {
        Listing {
            records: self.records.into_iter().map(view).collect(),
            next_page_token: self.next_page_token,
        }
    }
}

/// A page of a list that is older than page tokens: it tells the same token by its former name.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "{T}List")]
pub(crate) struct FormerListing<T> {
    records: Vec<T>,
    /// Leads to what is older.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    navigation: FormerNavigation,
}

/// Where the list goes on; empty at its end.
#[derive(Debug, Serialize, JsonSchema)]
struct FormerNavigation {
    /// The former name of `nextPageToken`.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

impl<T> From<Listing<T>> for FormerListing<T> {
    fn from(listing: Listing<T>) -> Self {
        Self {
            records: listing.records,
            navigation: FormerNavigation {
                before: listing.next_page_token.clone(),
            },
            next_page_token: listing.next_page_token,
        }
    }
}

/// A list that is answered whole.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "All{T}Records")]
pub(crate) struct AllRecords<T> {
    pub(crate) records: Vec<T>,
}

impl<T: Shown> Shown for Records<T> {
    type As = Records<T::As>;
}

impl<T: Shown> Shown for Listing<T> {
    type As = Listing<T::As>;
}

impl<T: Shown> Shown for FormerListing<T> {
    type As = FormerListing<T::As>;
}

impl<T: Shown> Shown for AllRecords<T> {
    type As = AllRecords<T::As>;
}
