//! `subscriptions.filters`, `.disabled_filters` and `.policy`.

use std::borrow::Cow;

use hookyard_domain::{DisabledFilter, EventFilter, RetryPolicy, RetrySchedule};
use serde::{Deserialize, Serialize};

use super::Unreadable;

/// Filters as they were subscribed.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct FiltersRecord<'a>(Vec<Cow<'a, str>>);

impl<'a> From<&'a Vec<EventFilter>> for FiltersRecord<'a> {
    fn from(filters: &'a Vec<EventFilter>) -> Self {
        let texts = filters.iter().map(EventFilter::as_str);
        Self(texts.map(Cow::Borrowed).collect())
    }
}

impl TryFrom<FiltersRecord<'_>> for Vec<EventFilter> {
    type Error = Unreadable;

    fn try_from(record: FiltersRecord<'_>) -> Result<Self, Unreadable> {
        let filters = record.0.iter().map(|text| EventFilter::read(text));
        filters.collect::<Result<_, _>>().map_err(|_| Unreadable)
    }
}

/// Filters that were asked for and are not permitted.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DisabledFiltersRecord<'a>(Vec<DisabledFilterRecord<'a>>);

#[derive(Serialize, Deserialize)]
struct DisabledFilterRecord<'a> {
    filter: Cow<'a, str>,
    reason: Cow<'a, str>,
    message: Cow<'a, str>,
}

impl<'a> From<&'a Vec<DisabledFilter>> for DisabledFiltersRecord<'a> {
    fn from(filters: &'a Vec<DisabledFilter>) -> Self {
        let records = filters.iter().map(|disabled| DisabledFilterRecord {
            filter: Cow::Borrowed(&disabled.filter),
            reason: Cow::Borrowed(&disabled.reason),
            message: Cow::Borrowed(&disabled.message),
        });
        Self(records.collect())
    }
}

impl From<DisabledFiltersRecord<'_>> for Vec<DisabledFilter> {
    fn from(record: DisabledFiltersRecord<'_>) -> Self {
        let filters = record.0.into_iter().map(|disabled| DisabledFilter {
            filter: disabled.filter.into_owned(),
            reason: disabled.reason.into_owned(),
            message: disabled.message.into_owned(),
        });
        filters.collect()
    }
}

/// How a subscription retries.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyRecord<'a> {
    schedule: ScheduleRecord<'a>,
    attempts_max: u32,
    age_max_ms: u64,
    timeout_ms: u64,
    concurrency_max: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
enum ScheduleRecord<'a> {
    List { delays_ms: Cow<'a, [u64]> },
    Exponential { first_ms: u64, longest_ms: u64 },
}

impl<'a> From<&'a RetryPolicy> for PolicyRecord<'a> {
    fn from(policy: &'a RetryPolicy) -> Self {
        Self {
            schedule: match &policy.schedule {
                RetrySchedule::List { delays_ms } => ScheduleRecord::List {
                    delays_ms: Cow::Borrowed(delays_ms),
                },
                RetrySchedule::Exponential {
                    first_ms,
                    longest_ms,
                } => ScheduleRecord::Exponential {
                    first_ms: *first_ms,
                    longest_ms: *longest_ms,
                },
            },
            attempts_max: policy.attempts_max,
            age_max_ms: policy.age_max_ms,
            timeout_ms: policy.timeout_ms,
            concurrency_max: policy.concurrency_max,
        }
    }
}

impl From<PolicyRecord<'_>> for RetryPolicy {
    fn from(record: PolicyRecord<'_>) -> Self {
        Self {
            schedule: match record.schedule {
                ScheduleRecord::List { delays_ms } => RetrySchedule::List {
                    delays_ms: delays_ms.into_owned(),
                },
                ScheduleRecord::Exponential {
                    first_ms,
                    longest_ms,
                } => RetrySchedule::Exponential {
                    first_ms,
                    longest_ms,
                },
            },
            attempts_max: record.attempts_max,
            age_max_ms: record.age_max_ms,
            timeout_ms: record.timeout_ms,
            concurrency_max: record.concurrency_max,
        }
    }
}
