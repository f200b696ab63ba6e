//! Pages of lists (contract section 2.2). A page token is opaque to clients; it carries direction,
//! position, size and filters, so that nothing else needs repeating.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookyard_domain::Problem;
use hookyard_domain::kernel::limits::{RECORD_COUNT_DEFAULT, RECORD_COUNT_MAX};
use hookyard_domain::kernel::ports::Page;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::identity::tokens::TokenMint;
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Pairs;
use crate::operations::wire::shapes;

shapes! {
    /// Which page of a list of the platform.
    pub(crate) struct RecordQuery {
        /// Records on the page.
        #[schemars(range(min = 1))]
        record_count: Option<u32>,
        /// Where the list goes on.
        page_token: Option<String>,
    }

    /// Which page of a list.
    pub(crate) struct LimitQuery {
        /// Records on the page.
        #[schemars(range(min = 1, max = 250))]
        limit: Option<u32>,
        /// The same, as the platform's lists call it.
        #[schemars(range(min = 1))]
        record_count: Option<u32>,
        /// The token that the last page came with.
        page_token: Option<String>,
    }
}

/// Bytes of the seal on a page token: enough that no client makes its own by accident or play.
const SEAL_BYTES: usize = 8;
/// Longest page token that is read.
const TOKEN_CHARS_MAX: usize = 1_024;

/// Which part of a list is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRequest {
    list: &'static str,
    pub(crate) page: Page,
    /// Records on the page.
    pub(crate) count: u32,
    /// What narrows the list, in the list's own words.
    pub(crate) filters: Vec<String>,
}

/// What a page token says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Position {
    v: u8,
    /// Name of the list.
    l: String,
    /// -1 for ids below, 1 for ids above.
    d: i8,
    id: u64,
    rc: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    f: Vec<String>,
}

impl PageRequest {
    /// Reads `recordCount` and `pageToken`; `list` names the list, so that a token of one is not
    /// taken for a token of another. `filters` are those of the query; a token brings its own.
    ///
    /// # Errors
    ///
    /// CMN-101 for either parameter.
    pub(crate) fn read(
        query: &Pairs,
        mint: &TokenMint,
        list: &'static str,
        filters: Vec<String>,
    ) -> ApiResult<Self> {
        let count = query.first("recordCount").map(record_count).transpose()?;
        let Some(token) = query.first("pageToken") else {
            return Ok(Self {
                list,
                page: Page::First,
                count: count.unwrap_or(RECORD_COUNT_DEFAULT),
                filters,
            });
        };
        let position = open(token, mint)
            .filter(|position| position.v == 1 && position.l == list)
            .ok_or_else(|| Problem::invalid("pageToken"))?;
        let page = match position.d {
            -1 => Page::Before(position.id),
            1 => Page::After(position.id),
            _ => return Err(Problem::invalid("pageToken").into()),
        };
        Ok(Self {
            list,
            page,
            count: count.unwrap_or(position.rc).clamp(1, RECORD_COUNT_MAX),
            filters: position.f,
        })
    }

    /// Reads `limit` and `pageToken`, as the lists under `/api/v1` have them.
    ///
    /// # Errors
    ///
    /// CMN-101 for either parameter, also for the token of a list with other filters.
    pub(crate) fn read_limit(
        query: &Pairs,
        mint: &TokenMint,
        list: &'static str,
        filters: &[String],
    ) -> ApiResult<Self> {
        let limit = query.first("limit").map(|text| {
            let limit = text.parse().ok();
            limit.filter(|limit| (1..=RECORD_COUNT_MAX).contains(limit))
        });
        if limit == Some(None) {
            let rule = format!("a number from 1 to {RECORD_COUNT_MAX}");
            return Err(Problem::invalid("limit").must_be(&rule).into());
        }
        let request = Self::read(query, mint, list, filters.to_vec())?;
        if request.filters != filters {
            return Err(Problem::invalid("pageToken").into());
        }
        Ok(Self {
            count: limit.flatten().unwrap_or(request.count),
            ..request
        })
    }

    /// Cuts rows that are newest first to a page, with the token of the one after it.
    pub(crate) fn listing<T>(
        &self,
        rows: Vec<T>,
        mint: &TokenMint,
        id_of: impl Fn(&T) -> u64,
    ) -> Listing<T> {
        let (records, navigation) = self.newest_first(rows, mint, id_of);
        Listing {
            records,
            next_page_token: navigation.prev_page_token,
        }
    }

    /// How many rows to read: one more than shown tells whether there are more.
    pub(crate) const fn rows(&self) -> u32 {
        self.count + 1
    }

    fn token(&self, page: Page, mint: &TokenMint) -> Option<String> {
        let (direction, id) = match page {
            Page::First => return None,
            Page::Before(id) => (-1, id),
            Page::After(id) => (1, id),
        };
        let position = Position {
            v: 1,
            l: self.list.to_owned(),
            d: direction,
            id,
            rc: self.count,
            f: self.filters.clone(),
        };
        let mut bytes = serde_json::to_vec(&position).expect("a position is plain data");
        let seal = mint.seal_page(&bytes);
        bytes.extend_from_slice(&seal[..SEAL_BYTES]);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Cuts rows that are newest first from `First` and `Before`, and oldest first from `After`,
    /// to a page that is newest first. `prevPageToken` leads to older records.
    pub(crate) fn newest_first<T>(
        &self,
        mut rows: Vec<T>,
        mint: &TokenMint,
        id_of: impl Fn(&T) -> u64,
    ) -> (Vec<T>, Navigation) {
        let count = self.shown();
        let more = rows.len() > count;
        rows.truncate(count);
        let backwards = matches!(self.page, Page::After(_));
        if backwards {
            rows.reverse();
        }
        let older = (more || backwards).then(|| rows.last().map(|row| Page::Before(id_of(row))));
        let newer = match self.page {
            Page::First => None,
            Page::Before(_) => rows.first().map(|row| Page::After(id_of(row))),
            Page::After(_) => rows
                .first()
                .filter(|_| more)
                .map(|row| Page::After(id_of(row))),
        };
        let navigation = self.navigation(older.flatten(), newer, mint);
        (rows, navigation)
    }

    /// Cuts ascending rows to a page. `prevPageToken` leads to *further*, that is newer, records:
    /// that is how the platform's clients read these lists.
    pub(crate) fn oldest_first<T>(
        &self,
        mut rows: Vec<T>,
        mint: &TokenMint,
        id_of: impl Fn(&T) -> u64,
    ) -> (Vec<T>, Navigation) {
        let count = self.shown();
        let more = rows.len() > count;
        let backwards = matches!(self.page, Page::Before(_));
        if backwards && more {
            rows.drain(..rows.len() - count);
        }
        rows.truncate(count);
        let further = (more || backwards).then(|| rows.last().map(|row| Page::After(id_of(row))));
        let back = match self.page {
            Page::First => None,
            Page::After(_) => rows.first().map(|row| Page::Before(id_of(row))),
            Page::Before(_) => rows
                .first()
                .filter(|_| more)
                .map(|row| Page::Before(id_of(row))),
        };
        let navigation = self.navigation(further.flatten(), back, mint);
        (rows, navigation)
    }

    /// A listing of rows that are picked from many: `stopped_at` is where looking for more of them
    /// was given up for this time.
    pub(crate) fn listing_after<T>(
        &self,
        rows: Vec<T>,
        stopped_at: Option<u64>,
        mint: &TokenMint,
        id_of: impl Fn(&T) -> u64,
    ) -> Listing<T> {
        let listing = self.listing(rows, mint, id_of);
        let further = stopped_at.and_then(|id| self.token(Page::Before(id), mint));
        Listing {
            next_page_token: listing.next_page_token.or(further),
            ..listing
        }
    }

    fn shown(&self) -> usize {
        usize::try_from(self.count).expect("pages are small")
    }

    fn navigation(&self, prev: Option<Page>, next: Option<Page>, mint: &TokenMint) -> Navigation {
        Navigation {
            prev_page_token: prev.and_then(|page| self.token(page, mint)),
            next_page_token: next.and_then(|page| self.token(page, mint)),
        }
    }
}

/// Reads a `recordCount`: 1 and more, cut at the most that a page may have.
pub(crate) fn record_count(text: &str) -> ApiResult<u32> {
    match text.parse::<u32>() {
        Ok(count) if count > 0 => Ok(count.min(RECORD_COUNT_MAX)),
        _ => Err(Problem::invalid("recordCount").into()),
    }
}

fn open(token: &str, mint: &TokenMint) -> Option<Position> {
    if token.len() > TOKEN_CHARS_MAX {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (text, seal) = bytes.split_at_checked(bytes.len().checked_sub(SEAL_BYTES)?)?;
    if mint.seal_page(text)[..SEAL_BYTES] != *seal {
        return None;
    }
    serde_json::from_slice(text).ok()
}

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

/// A list that is answered whole.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "All{T}Records")]
pub(crate) struct AllRecords<T> {
    pub(crate) records: Vec<T>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::problem::ApiError;

    fn mint() -> TokenMint {
        TokenMint::new([1; 32])
    }

    fn parameter_of(error: &ApiError) -> Option<&str> {
        match error {
            ApiError::Problem(problem) | ApiError::Explained(problem, _) => {
                problem.parameter_name.as_deref()
            }
            ApiError::Store(_) => None,
        }
    }

    fn ask(query: &str) -> ApiResult<PageRequest> {
        PageRequest::read(&Pairs::parse(query.as_bytes()), &mint(), "list", Vec::new())
    }

    /// What a store has: ids 1 to 7.
    fn rows(page: Page, limit: u32, ascending: bool) -> Vec<u64> {
        let limit = usize::try_from(limit).unwrap();
        let mut found: Vec<u64> = match page {
            Page::First if ascending => (1..=7).take(limit).collect(),
            Page::First => (1..=7).rev().take(limit).collect(),
            Page::Before(id) => (1..id).rev().take(limit).collect(),
            Page::After(id) => (id + 1..=7).take(limit).collect(),
        };
        if ascending && matches!(page, Page::Before(_)) {
            found.reverse();
        }
        found
    }

    fn walk(ascending: bool, forwards: bool, start: &str) -> Vec<Vec<u64>> {
        let mut query = start.to_owned();
        let mut pages = Vec::new();
        loop {
            let request = ask(&query).unwrap();
            let found = rows(request.page, request.rows(), ascending);
            let (page, navigation) = if ascending {
                request.oldest_first(found, &mint(), |id| *id)
            } else {
                request.newest_first(found, &mint(), |id| *id)
            };
            pages.push(page);
            let token = if forwards {
                navigation.prev_page_token
            } else {
                navigation.next_page_token
            };
            match token {
                Some(token) => query = format!("pageToken={token}"),
                None => return pages,
            }
        }
    }

    #[test]
    fn pages_cover_a_list_once_in_both_orders() {
        assert_eq!(
            walk(false, true, "recordCount=3"),
            [vec![7, 6, 5], vec![4, 3, 2], vec![1]]
        );
        assert_eq!(
            walk(true, true, "recordCount=3"),
            [vec![1, 2, 3], vec![4, 5, 6], vec![7]]
        );
        assert_eq!(
            walk(true, true, "recordCount=7"),
            [vec![1, 2, 3, 4, 5, 6, 7]]
        );
    }

    #[test]
    fn pages_lead_back() {
        let request = ask("recordCount=3").unwrap();
        let token = |page| request.token(page, &mint()).unwrap();
        let start = format!("pageToken={}", token(Page::Before(4)));
        assert_eq!(
            walk(false, false, &start),
            [vec![3, 2, 1], vec![6, 5, 4], vec![7]]
        );
        let start = format!("pageToken={}", token(Page::After(4)));
        assert_eq!(
            walk(true, false, &start),
            [vec![5, 6, 7], vec![2, 3, 4], vec![1]]
        );
    }

    #[test]
    fn a_token_that_is_not_ours_is_refused() {
        let request = ask("recordCount=3").unwrap();
        let token = request.token(Page::After(4), &mint()).unwrap();
        let last = if token.ends_with('A') { "B" } else { "A" };
        let bent = format!("{}{last}", &token[..token.len() - 1]);
        let foreign = PageRequest {
            list: "other",
            ..request.clone()
        };
        let foreign = foreign.token(Page::After(4), &mint()).unwrap();
        for token in [
            bent.as_str(),
            &foreign,
            "x",
            "e30",
            "%00",
            &"A".repeat(5_000),
        ] {
            let error = ask(&format!("pageToken={token}")).unwrap_err();
            assert_eq!(parameter_of(&error), Some("pageToken"), "{token}");
        }
    }

    #[test]
    fn record_counts_are_bounded() {
        assert_eq!(ask("").unwrap().count, 30);
        assert_eq!(ask("recordCount=250").unwrap().count, 250);
        assert_eq!(ask("recordCount=251").unwrap().count, 250);
        for count in ["0", "-1", "x", "99999999999"] {
            assert!(ask(&format!("recordCount={count}")).is_err(), "{count}");
        }
    }
}
