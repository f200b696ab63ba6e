//! How many records a page has.

use hookyard_domain::Problem;
use hookyard_domain::kernel::limits::{
    PER_PAGE_DEFAULT, PER_PAGE_MAX, RECORD_COUNT_DEFAULT, RECORD_COUNT_MAX,
};

use crate::kernel::problem::ApiResult;
use crate::kernel::query::Pairs;

/// Reads `recordCount`, as the platform's lists have it: too many are cut at the most that a page
/// may have.
pub(super) fn record_count(query: &Pairs) -> ApiResult<Option<u32>> {
    let Some(text) = query.first("recordCount") else {
        return Ok(None);
    };
    match text.parse::<u32>() {
        Ok(count) if count > 0 => Ok(Some(count.min(RECORD_COUNT_MAX))),
        _ => Err(Problem::invalid("recordCount").into()),
    }
}

/// How many records `recordCount` asks of a list that has no further pages.
pub(crate) fn records_at_most(query: &Pairs) -> ApiResult<u32> {
    Ok(record_count(query)?.unwrap_or(RECORD_COUNT_DEFAULT))
}

/// Reads `limit`, as the lists under `/api/v1` have it: too many are refused.
pub(super) fn limit(query: &Pairs) -> ApiResult<Option<u32>> {
    let Some(text) = query.first("limit") else {
        return Ok(None);
    };
    let limit = text.parse().ok();
    let limit = limit.filter(|limit| (1..=RECORD_COUNT_MAX).contains(limit));
    let problem = || {
        let rule = format!("a number from 1 to {RECORD_COUNT_MAX}");
        Problem::invalid("limit").value(text).must_be(&rule)
    };
    Ok(Some(limit.ok_or_else(problem)?))
}

/// What a page that a token leads to may have: the token says how many the last one had.
pub(super) fn or_as_before(asked: Option<u32>, before: Option<u32>) -> u32 {
    let count = asked.or(before).unwrap_or(RECORD_COUNT_DEFAULT);
    count.clamp(1, RECORD_COUNT_MAX)
}

/// What a numbered page may have.
pub(super) fn per_page(asked: Option<u32>) -> ApiResult<u32> {
    match asked.unwrap_or(PER_PAGE_DEFAULT) {
        0 => Err(Problem::invalid("perPage").into()),
        count => Ok(count.min(PER_PAGE_MAX)),
    }
}
