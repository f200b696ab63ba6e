//! Pages of a list that is short enough to be read whole, newest first.

use hookyard_domain::Timestamp;
use serde::Serialize;

use crate::delivery::deliveries::{limit_of, refused};
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Query;

/// One page, and where the next one begins.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListPage<T> {
    pub(crate) records: Vec<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_page_token: Option<String>,
}

/// The page of `all` that is asked for. `all` is in the order of `place`, descending: when a record
/// was made, and its id.
pub(crate) fn page<T>(
    query: &Query,
    all: Vec<T>,
    place: impl Fn(&T) -> (Timestamp, String),
) -> ApiResult<ListPage<T>> {
    let limit = usize::try_from(limit_of(query)?).expect("pages are small");
    let after = match query.first("pageToken") {
        None => None,
        Some(text) => Some(read(text).ok_or_else(|| {
            let should = "take the one that the last page came with";
            refused("pageToken", text, should)
        })?),
    };
    let further = |record: &T| after.as_ref().is_none_or(|after| place(record) < *after);
    let mut records: Vec<T> = all.into_iter().filter(further).take(limit + 1).collect();
    let more = records.len() > limit;
    records.truncate(limit);
    let last = records.last().filter(|_| more);
    let next_page_token = last.map(|record| {
        let (at, id) = place(record);
        format!("{}_{id}", at.as_millis())
    });
    Ok(ListPage {
        records,
        next_page_token,
    })
}

fn read(text: &str) -> Option<(Timestamp, String)> {
    let (at, id) = text.split_once('_')?;
    Some((Timestamp::from_millis(at.parse().ok()?), id.to_owned()))
}

impl<T> ListPage<T> {
    /// The same page with each record as `view` shows it.
    pub(crate) fn map<V>(self, view: impl FnMut(T) -> V) -> ListPage<V> {
        ListPage {
            records: self.records.into_iter().map(view).collect(),
            next_page_token: self.next_page_token,
        }
    }
}
