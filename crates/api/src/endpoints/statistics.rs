//! How endpoints fare, for plots: an endpoint's time in buckets, and the last day of all endpoints.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use hookyard_domain::endpoints::statistics::period_of;
use hookyard_domain::kernel::limits::{STATISTICS_BUCKETS_MAX, STATISTICS_PERIOD};
use hookyard_domain::{
    AccountId, HourSums, OutcomeKind, Statistics, Subscription, SubscriptionId, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::delivery::deliveries::{read_time, refused};
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Pairs;
use crate::operations::answers::shown;
use crate::operations::wire::Time;

shown!(StatisticsView);

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);
/// The longest bucket.
const BUCKET_MAX: Duration = Duration::from_secs(31 * 86_400);

/// Which time is asked for, in which pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// The beginning of the first bucket.
    from: Timestamp,
    to: Timestamp,
    bucket: Duration,
}

impl Span {
    /// Reads `from`, `to` and `bucketS`: the last day by the hour unless they say otherwise.
    pub(crate) fn read(query: &Pairs, now: Timestamp) -> ApiResult<Self> {
        let time = |name| query.first(name).map(|text| read_time(name, text));
        // The running period is told as well, also when it begins now.
        let latest = now + Duration::from_millis(1);
        let to = time("to").transpose()?.unwrap_or(latest);
        let from = time("from").transpose()?.unwrap_or(to - DAY);
        if to <= from {
            let text = query.first("to").or(query.first("from"));
            let problem = refused("to", text.unwrap_or_default(), "it must be after from");
            return Err(problem.into());
        }
        let bucket = match query.first("bucketS") {
            Some(text) => bucket_of(text)?,
            None if buckets(to.since(from), HOUR) <= STATISTICS_BUCKETS_MAX => HOUR,
            None => DAY,
        };
        if buckets(to.since(from), bucket) > STATISTICS_BUCKETS_MAX {
            let should = format!(
                "there would be more than {STATISTICS_BUCKETS_MAX} buckets; ask for longer ones, \
                 or for less time"
            );
            return Err(refused("bucketS", &bucket.as_secs().to_string(), &should).into());
        }
        Ok(Self {
            from: period_of(from, bucket),
            to,
            bucket,
        })
    }
}

fn bucket_of(text: &str) -> ApiResult<Duration> {
    let step = STATISTICS_PERIOD.as_secs();
    let seconds = text.parse::<u64>().ok().filter(|seconds| {
        (step..=BUCKET_MAX.as_secs()).contains(seconds) && seconds.is_multiple_of(step)
    });
    let should = format!(
        "it is a multiple of {step} seconds, at most {}",
        BUCKET_MAX.as_secs()
    );
    let seconds = seconds.ok_or_else(|| refused("bucketS", text, &should))?;
    Ok(Duration::from_secs(seconds))
}

fn buckets(length: Duration, bucket: Duration) -> u64 {
    length.as_secs().div_ceil(bucket.as_secs().max(1))
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointStatistics")]
pub(crate) struct StatisticsView {
    #[schemars(with = "Time")]
    from: Timestamp,
    #[schemars(with = "Time")]
    to: Timestamp,
    #[serde(rename = "bucketS")]
    bucket_s: u64,
    buckets: Vec<BucketView>,
    totals: SumsView,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatisticsBucket")]
struct BucketView {
    #[schemars(with = "Time")]
    time: Timestamp,
    #[serde(flatten)]
    sums: SumsView,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StatisticsSums")]
struct SumsView {
    delivered: u64,
    abandoned: u64,
    attempts: u64,
    failed_attempts: u64,
    /// By status, or by why nothing was answered.
    #[schemars(with = "BTreeMap<String, u64>")]
    attempts_by_status: BTreeMap<OutcomeKind, u64>,
    /// Null when nothing was answered.
    latency_ms: Option<PercentilesView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StatisticsPercentiles")]
struct PercentilesView {
    p50: f64,
    p90: f64,
    p99: f64,
}

impl From<Statistics> for SumsView {
    fn from(statistics: Statistics) -> Self {
        let percentile = |hundredths| {
            let us = statistics.latency.percentile_us(hundredths)?;
            Some(f64::from(u32::try_from(us).unwrap_or(u32::MAX)) / 1_000.0)
        };
        let latency_ms = percentile(50).zip(percentile(90)).zip(percentile(99));
        Self {
            delivered: statistics.delivered,
            abandoned: statistics.abandoned,
            attempts: statistics.attempt_count(),
            failed_attempts: statistics.failed_attempts(),
            latency_ms: latency_ms.map(|((p50, p90), p99)| PercentilesView { p50, p90, p99 }),
            attempts_by_status: statistics.attempts,
        }
    }
}

/// The last day of one endpoint, hour by hour, the running one last.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "EndpointDay")]
pub(crate) struct DayView {
    /// Deliveries that came to an end.
    events: u64,
    /// The part of attempts that failed; 0 when there were none.
    failure_rate: f64,
    hours: Vec<HourView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EndpointHour")]
struct HourView {
    #[schemars(with = "Time")]
    time: Timestamp,
    delivered: u64,
    /// Attempts that failed.
    failed: u64,
}

impl DayView {
    /// `hours` by their beginning; those that are not there had nothing.
    fn of(hours: &HashMap<Timestamp, HourSums>, now: Timestamp) -> Self {
        let last = period_of(now, HOUR);
        let views: Vec<_> = (0..24_u32)
            .rev()
            .map(|back| {
                let time = last - HOUR * back;
                let sums = hours.get(&time).copied().unwrap_or_default();
                (time, sums)
            })
            .collect();
        let sum = |part: fn(&HourSums) -> u64| views.iter().map(|(_, sums)| part(sums)).sum();
        let (attempts, failed): (u64, u64) =
            (sum(|sums| sums.attempts), sum(|sums| sums.failed_attempts));
        Self {
            events: sum(|sums| sums.delivered + sums.abandoned),
            failure_rate: rate(failed, attempts),
            hours: views
                .iter()
                .map(|(time, sums)| HourView {
                    time: *time,
                    delivered: sums.delivered,
                    failed: sums.failed_attempts,
                })
                .collect(),
        }
    }
}

/// `part` of `all` to a hundredth of a percent.
fn rate(part: u64, all: u64) -> f64 {
    let ten_thousandths = (part * 10_000).checked_div(all).unwrap_or(0);
    f64::from(u32::try_from(ten_thousandths).unwrap_or(10_000)) / 10_000.0
}

/// The last day of the endpoints of an account.
#[derive(Debug)]
pub(crate) struct LastDay {
    hours: HashMap<SubscriptionId, HashMap<Timestamp, HourSums>>,
    now: Timestamp,
}

impl LastDay {
    /// That of one endpoint.
    pub(crate) fn of(&self, endpoint: SubscriptionId) -> DayView {
        let none = HashMap::new();
        DayView::of(self.hours.get(&endpoint).unwrap_or(&none), self.now)
    }
}

impl Api {
    /// How an endpoint fared.
    pub(crate) async fn endpoint_statistics(
        &self,
        endpoint: &Subscription,
        span: Span,
    ) -> ApiResult<StatisticsView> {
        let Span { from, to, bucket } = span;
        let (account, id) = (endpoint.account, endpoint.id);
        let known = self.store.statistics(account, id, from, to).await?;
        let mut buckets = BTreeMap::new();
        let mut begin = from;
        while begin < to {
            buckets.insert(begin, Statistics::default());
            begin = begin + bucket;
        }
        let mut totals = Statistics::default();
        for part in known {
            let begin = period_of(part.begins_at, bucket);
            let sums: &mut Statistics = buckets.entry(begin).or_default();
            sums.add(&part.statistics);
            totals.add(&part.statistics);
        }
        Ok(StatisticsView {
            from,
            to,
            bucket_s: bucket.as_secs(),
            buckets: buckets
                .into_iter()
                .map(|(time, sums)| BucketView {
                    time,
                    sums: sums.into(),
                })
                .collect(),
            totals: totals.into(),
        })
    }

    /// How all endpoints of an account fared in the last day: one query, however many they are.
    pub(crate) async fn last_day(&self, account: AccountId) -> ApiResult<LastDay> {
        let now = self.now();
        let from = period_of(now, HOUR) - HOUR * 23;
        let mut hours: HashMap<_, HashMap<_, _>> = HashMap::new();
        for (endpoint, hour, sums) in self.store.statistics_by_hour(account, from).await? {
            hours.entry(endpoint).or_default().insert(hour, sums);
        }
        Ok(LastDay { hours, now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::problem::ApiError;

    const NOW: Timestamp = Timestamp::from_millis(1_790_001_234_567);

    fn span(query: &str) -> Result<(u64, u64), String> {
        match Span::read(&Pairs::parse(query.as_bytes()), NOW) {
            Ok(span) => Ok((
                span.bucket.as_secs(),
                buckets(span.to.since(span.from), span.bucket),
            )),
            Err(ApiError::Problem(problem)) => {
                Err(problem.parameter_name.unwrap_or_default().into_owned())
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    #[test]
    fn a_day_by_the_hour_unless_asked_otherwise() {
        assert_eq!(
            span(""),
            Ok((3_600, 25)),
            "the first hour counts from its beginning"
        );
        let month = "from=2026-08-21T14:00:00Z&to=2026-09-21T14:00:00Z";
        assert_eq!(span(month), Ok((3_600, 744)));
        assert_eq!(
            span(&format!("{month}&bucketS=86400")).map(|(s, _)| s),
            Ok(86_400)
        );
        assert_eq!(span(&format!("{month}&bucketS=300")), Err("bucketS".into()));
        let year = "from=2025-09-21T00:00:00Z&to=2026-09-21T00:00:00Z";
        assert_eq!(span(year), Ok((86_400, 365)));
        for (query, parameter) in [
            ("bucketS=301", "bucketS"),
            ("bucketS=0", "bucketS"),
            ("bucketS=x", "bucketS"),
            ("from=yesterday", "from"),
            ("to=2020-01-01T00:00:00Z&from=2021-01-01T00:00:00Z", "to"),
        ] {
            assert_eq!(span(query), Err(parameter.into()), "{query}");
        }
    }

    #[test]
    fn a_day_has_24_hours_and_a_rate() {
        let hour = period_of(NOW, HOUR);
        let sums = HourSums {
            delivered: 3,
            abandoned: 1,
            attempts: 8,
            failed_attempts: 5,
        };
        let hours = HashMap::from([(hour - HOUR * 23, sums), (hour, sums)]);
        let day = DayView::of(&hours, NOW);
        assert_eq!(day.hours.len(), 24);
        assert_eq!((day.hours[0].delivered, day.hours[23].failed), (3, 5));
        assert_eq!(day.events, 8);
        assert!((day.failure_rate - 0.625).abs() < f64::EPSILON);
    }
}
