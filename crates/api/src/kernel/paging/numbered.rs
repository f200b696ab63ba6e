//! Numbered pages, as the platform's lists have them: `page` and `perPage`, answered with `paging`
//! and with addresses of other pages.

use hookyard_domain::Problem;
use hookyard_domain::kernel::ports::Slice;
use schemars::JsonSchema;
use serde::Serialize;

use super::size;
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Pairs;
use crate::operations::answers::Shown;
use crate::operations::wire::shapes;

shapes! {
    /// Which page of a list.
    pub(crate) struct PageQuery {
        /// From 1.
        #[schemars(range(min = 1))]
        page: Option<u32>,
        /// Records on the page.
        #[schemars(range(min = 1))]
        per_page: Option<u32>,
    }
}

/// Which page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PageNumber {
    page: u32,
    per_page: u32,
}

impl PageNumber {
    /// Reads `page` and `perPage` of a query.
    ///
    /// # Errors
    ///
    /// CMN-101 for either.
    pub(crate) fn read(query: &Pairs) -> ApiResult<Self> {
        let number = |name: &'static str| {
            let text = query.first(name);
            text.map(|text| text.parse().map_err(|_| Problem::invalid(name)))
                .transpose()
        };
        Self::of(number("page")?, number("perPage")?)
    }

    /// A page by its numbers, which both begin at 1.
    pub(crate) fn of(page: Option<u32>, per_page: Option<u32>) -> ApiResult<Self> {
        let page = page.unwrap_or(1);
        if page == 0 {
            return Err(Problem::invalid("page").into());
        }
        let per_page = size::per_page(per_page)?;
        Ok(Self { page, per_page })
    }

    /// What to read for it.
    pub(crate) fn slice(self) -> Slice {
        Slice {
            offset: u64::from(self.page - 1) * u64::from(self.per_page),
            limit: self.per_page,
        }
    }

    /// What is told of it: it has `shown` of `total` records.
    pub(crate) fn paging(self, shown: usize, total: u64) -> Paging {
        let start = self.slice().offset;
        let shown = u64::try_from(shown).unwrap_or(u64::MAX);
        Paging {
            page: self.page,
            per_page: self.per_page,
            page_start: (shown > 0).then_some(start),
            page_end: (shown > 0).then(|| start + shown - 1),
            total_pages: total.div_ceil(u64::from(self.per_page)),
            total_elements: total,
        }
    }

    /// The page of the list at `uri` that `query` asked for.
    pub(crate) fn answer<T>(
        self,
        uri: &str,
        query: &Pairs,
        records: Vec<T>,
        total: u64,
    ) -> Numbered<T> {
        let paging = self.paging(records.len(), total);
        let page = u64::from(self.page);
        let last = paging.total_pages.max(1);
        let link = |page: u64| {
            let changed = [
                ("page", page.to_string()),
                ("perPage", self.per_page.to_string()),
            ];
            let uri = format!("{uri}?{}", query.with(&changed));
            Link { uri }
        };
        Numbered {
            uri: link(page).uri,
            records,
            navigation: Navigation {
                first: link(1),
                previous: (page > 1).then(|| link((page - 1).min(last))),
                next: (page < last).then(|| link(page + 1)),
                last: link(last),
            },
            paging,
        }
    }
}

/// A numbered page of records.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}Page")]
pub(crate) struct Numbered<T> {
    uri: String,
    records: Vec<T>,
    paging: Paging,
    navigation: Navigation,
}

impl<T: Shown> Shown for Numbered<T> {
    type As = Numbered<T::As>;
}

/// Where in a list a page is; its first and last record count from 0.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paging {
    page: u32,
    per_page: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_start: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    page_end: Option<u64>,
    total_pages: u64,
    total_elements: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageNavigation")]
struct Navigation {
    #[serde(rename = "firstPage")]
    first: Link,
    #[serde(rename = "previousPage", skip_serializing_if = "Option::is_none")]
    previous: Option<Link>,
    #[serde(rename = "nextPage", skip_serializing_if = "Option::is_none")]
    next: Option<Link>,
    #[serde(rename = "lastPage")]
    last: Link,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PageLink")]
struct Link {
    uri: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(query: &str) -> ApiResult<PageNumber> {
        PageNumber::read(&Pairs::parse(query.as_bytes()))
    }

    fn shown(query: &str, total: u64) -> String {
        let page = ask(query).unwrap();
        let left = total.saturating_sub(page.slice().offset);
        let records = vec![(); usize::try_from(left.min(page.per_page.into())).unwrap()];
        let query = Pairs::parse(query.as_bytes());
        let answer = page.answer("/list", &query, records, total);
        serde_json::to_string(&(answer.paging, answer.navigation)).unwrap()
    }

    #[test]
    fn a_page_knows_its_place_and_its_neighbours() {
        insta::assert_snapshot!(shown("page=2&perPage=2&type=User", 5), @r#"[{"page":2,"perPage":2,"pageStart":2,"pageEnd":3,"totalPages":3,"totalElements":5},{"firstPage":{"uri":"/list?type=User&page=1&perPage=2"},"previousPage":{"uri":"/list?type=User&page=1&perPage=2"},"nextPage":{"uri":"/list?type=User&page=3&perPage=2"},"lastPage":{"uri":"/list?type=User&page=3&perPage=2"}}]"#);
        insta::assert_snapshot!(shown("perPage=2", 2), @r#"[{"page":1,"perPage":2,"pageStart":0,"pageEnd":1,"totalPages":1,"totalElements":2},{"firstPage":{"uri":"/list?page=1&perPage=2"},"lastPage":{"uri":"/list?page=1&perPage=2"}}]"#);
        insta::assert_snapshot!(shown("", 0), @r#"[{"page":1,"perPage":100,"totalPages":0,"totalElements":0},{"firstPage":{"uri":"/list?page=1&perPage=100"},"lastPage":{"uri":"/list?page=1&perPage=100"}}]"#);
    }

    #[test]
    fn numbers_begin_at_one_and_pages_are_bounded() {
        assert_eq!(
            ask("").unwrap().slice(),
            Slice {
                offset: 0,
                limit: 100
            }
        );
        let slice = ask("page=4294967295&perPage=1001").unwrap().slice();
        assert_eq!((slice.offset, slice.limit), (4_294_967_294_000, 1_000));
        for query in ["page=0", "perPage=0", "page=-1", "perPage=x"] {
            assert!(ask(query).is_err(), "{query}");
        }
    }
}
