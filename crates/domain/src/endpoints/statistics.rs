//! How an endpoint fares, in numbers: what became of its deliveries and attempts, and how long
//! answers took. Numbers of two times add up, so a batch, an hour and a month are the same thing.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Serialize, Serializer};

use crate::delivery::{Attempt, AttemptOutcome, DeliveryState, UnreachableReason};
use crate::kernel::ids::{AccountId, SubscriptionId};
use crate::kernel::limits::STATISTICS_PERIOD;
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// How an attempt ended, as it is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// It was answered with this status.
    Status(u16),
    Unreachable(UnreachableReason),
}

impl OutcomeKind {
    /// Its name: `200`, `timed-out`.
    pub fn name(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Unreachable(reason) => reason.name().to_owned(),
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let status = name.parse().ok().map(Self::Status);
        status.or_else(|| UnreachableReason::from_name(name).map(Self::Unreachable))
    }

    const fn is_accepted(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }
}

impl From<&AttemptOutcome> for OutcomeKind {
    fn from(outcome: &AttemptOutcome) -> Self {
        match *outcome {
            AttemptOutcome::Accepted { status } | AttemptOutcome::Refused { status, .. } => {
                Self::Status(status)
            }
            AttemptOutcome::Unreachable { reason } => Self::Unreachable(reason),
        }
    }
}

impl Serialize for OutcomeKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.name())
    }
}

/// How an endpoint fared in some time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Deliveries that were accepted.
    pub delivered: u64,
    /// Deliveries that were given up.
    pub abandoned: u64,
    pub attempts: BTreeMap<OutcomeKind, u64>,
    pub latency: Latency,
}

impl Statistics {
    /// Counts an attempt. The time that it took counts when it was answered.
    pub fn count_attempt(&mut self, attempt: &Attempt) {
        let kind = OutcomeKind::from(&attempt.outcome);
        *self.attempts.entry(kind).or_default() += 1;
        if matches!(kind, OutcomeKind::Status(_)) {
            self.latency.count(attempt.timings.total_us);
        }
    }

    /// Counts deliveries that came to `state`.
    pub fn count_ends(&mut self, state: &DeliveryState, deliveries: u64) {
        match state {
            DeliveryState::Waiting { .. } => {}
            DeliveryState::Delivered { .. } => self.delivered += deliveries,
            DeliveryState::Abandoned { .. } => self.abandoned += deliveries,
        }
    }

    /// Attempts in all.
    pub fn attempt_count(&self) -> u64 {
        self.attempts.values().sum()
    }

    /// Attempts that were not accepted.
    pub fn failed_attempts(&self) -> u64 {
        let failed = self.attempts.iter().filter(|(kind, _)| !kind.is_accepted());
        failed.map(|(_, count)| count).sum()
    }

    /// Adds those of another time.
    pub fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.abandoned += other.abandoned;
        for (kind, count) in &other.attempts {
            *self.attempts.entry(*kind).or_default() += count;
        }
        self.latency.add(&other.latency);
    }
}

/// Statistics of one period of [`STATISTICS_PERIOD`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatisticsBucket {
    /// When the period began.
    pub begins_at: Timestamp,
    pub statistics: Statistics,
}

/// The sums of one endpoint and hour, for lists of endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourSums {
    pub delivered: u64,
    pub abandoned: u64,
    pub attempts: u64,
    pub failed_attempts: u64,
}

/// The beginning of the period of `length` that `at` is in. Periods are the clock's.
pub fn period_of(at: Timestamp, length: Duration) -> Timestamp {
    let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX).max(1);
    Timestamp::from_millis(at.as_millis().div_euclid(length) * length)
}

/// The beginning of the period that `at` is counted in.
pub fn bucket_of(at: Timestamp) -> Timestamp {
    period_of(at, STATISTICS_PERIOD)
}

/// How long attempts took: counted in slots whose bounds grow by a quarter of an octave (19 %), so
/// that a percentile is off by at most half of that, whatever the time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Latency {
    slots: BTreeMap<u8, u64>,
}

/// Quarters of an octave, as fractions of 65,536: where its second to fourth slot begin.
const QUARTERS: [u64; 3] = [77_936, 92_682, 110_218];
/// The middles of the four slots of an octave, likewise.
const MIDDLES: [u64; 4] = [71_468, 84_990, 101_070, 120_194];

impl Latency {
    /// Counts by slot, as they were taken from [`Latency::slots`].
    pub const fn from_slots(slots: BTreeMap<u8, u64>) -> Self {
        Self { slots }
    }

    /// How many there are in each slot that has any.
    pub const fn slots(&self) -> &BTreeMap<u8, u64> {
        &self.slots
    }

    /// Counts one that took so many microseconds; less than one counts as one.
    pub fn count(&mut self, us: u64) {
        *self.slots.entry(slot_of(us)).or_default() += 1;
    }

    /// Adds those of another time.
    pub fn add(&mut self, other: &Self) {
        for (slot, count) in &other.slots {
            *self.slots.entry(*slot).or_default() += count;
        }
    }

    /// Microseconds within which `hundredths` of all were done; `None` when there are none. At most
    /// 10 % off.
    pub fn percentile_us(&self, hundredths: u64) -> Option<u64> {
        let all: u64 = self.slots.values().sum();
        let rank = (all * hundredths).div_ceil(100).max(1);
        let mut seen = 0;
        self.slots.iter().find_map(|(slot, count)| {
            seen += count;
            (seen >= rank).then(|| middle_of(*slot))
        })
    }
}

/// The slot of a time: four for each octave.
fn slot_of(us: u64) -> u8 {
    // An hour and more: nothing takes so long.
    let us = us.clamp(1, u64::from(u32::MAX));
    let octave = us.ilog2();
    let fraction = (us << 16) >> octave;
    let quarter = QUARTERS.iter().filter(|begin| fraction >= **begin).count();
    u8::try_from(octave * 4 + u32::try_from(quarter).expect("there are four"))
        .expect("32 octaves have 128 slots")
}

fn middle_of(slot: u8) -> u64 {
    let middle = MIDDLES[usize::from(slot % 4)];
    // Rounded, for the first few octaves.
    ((middle << (slot / 4)) + (1 << 15)) >> 16
}

/// What is written of how endpoints fare, beside what follows from attempts.
#[derive(Debug, Clone)]
pub enum StatisticsWrite {
    /// Forgets what was before a moment.
    Purge { before: Timestamp },
}

/// Reads of how endpoints fare.
#[async_trait]
pub trait EndpointStatistics: Send + Sync {
    /// How an endpoint fared from `from` until before `to`, period by period, oldest first; periods
    /// without anything are left out.
    async fn statistics(
        &self,
        account: AccountId,
        endpoint: SubscriptionId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<StatisticsBucket>, StoreError>;
    /// The sums of each endpoint of an account and each hour from `from` on that has any; hours by
    /// their beginning.
    async fn statistics_by_hour(
        &self,
        account: AccountId,
        from: Timestamp,
    ) -> Result<Vec<(SubscriptionId, Timestamp, HourSums)>, StoreError>;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::delivery::Timings;
    use crate::kernel::ids::{AccountId, DeliveryId, SubscriptionId};

    fn attempt(outcome: AttemptOutcome, total_us: u64) -> Attempt {
        Attempt {
            account: AccountId(1),
            delivery: DeliveryId(2),
            subscription: SubscriptionId::from_random([7; 16]),
            number: 1,
            started_at: Timestamp::from_millis(0),
            timings: Timings {
                total_us,
                ..Timings::default()
            },
            outcome,
            peer: None,
            answer_excerpt: None,
            transcript: None,
        }
    }

    #[test]
    fn attempts_are_counted_by_how_they_ended() {
        let refused = AttemptOutcome::Refused {
            status: 500,
            retry_after: None,
        };
        let unreachable = AttemptOutcome::Unreachable {
            reason: UnreachableReason::TimedOut,
        };
        let mut counted = Statistics::default();
        for outcome in [AttemptOutcome::Accepted { status: 204 }, refused, refused] {
            counted.count_attempt(&attempt(outcome, 1_000));
        }
        counted.count_attempt(&attempt(unreachable, 15_000_000));
        assert_eq!((counted.attempt_count(), counted.failed_attempts()), (4, 3));
        let named: Vec<_> = counted
            .attempts
            .iter()
            .map(|(kind, count)| (kind.name(), *count))
            .collect();
        let expect = [("204", 1), ("500", 2), ("timed-out", 1)];
        assert_eq!(named, expect.map(|(name, count)| (name.to_owned(), count)));
        let slowest = counted.latency.percentile_us(100).unwrap();
        assert!(
            slowest < 1_100,
            "what nothing answered has no latency: {slowest}"
        );
    }

    #[test]
    fn periods_are_the_clocks() {
        let at = Timestamp::from_millis(1_790_000_123_456);
        assert_eq!(bucket_of(at).as_millis() % 300_000, 0);
        assert!(at.since(bucket_of(at)) < STATISTICS_PERIOD);
        assert_eq!(bucket_of(bucket_of(at)), bucket_of(at));
    }

    #[test]
    fn nothing_has_no_percentiles() {
        assert_eq!(Latency::default().percentile_us(50), None);
    }

    proptest! {
        #[test]
        fn percentiles_are_within_a_tenth(
            mut times in prop::collection::vec(8_u64..4_000_000_000, 1..400),
            hundredths in 1_u64..=100,
        ) {
            let mut latency = Latency::default();
            for us in &times {
                latency.count(*us);
            }
            times.sort_unstable();
            let rank = (times.len() as u64 * hundredths).div_ceil(100).max(1);
            let exact = times[usize::try_from(rank - 1).unwrap()];
            let told = latency.percentile_us(hundredths).unwrap();
            prop_assert!(told.abs_diff(exact) * 10 <= exact, "{told} for {exact}");
        }

        #[test]
        fn the_numbers_of_two_times_add_up(
            first in prop::collection::vec(1_u64..100_000_000, 0..50),
            second in prop::collection::vec(1_u64..100_000_000, 0..50),
        ) {
            let counted = |times: &[u64]| {
                let mut statistics = Statistics::default();
                for us in times {
                    let outcome = match us % 3 {
                        0 => AttemptOutcome::Accepted { status: 200 },
                        1 => AttemptOutcome::Refused { status: 503, retry_after: None },
                        _ => AttemptOutcome::Unreachable { reason: UnreachableReason::Dns },
                    };
                    statistics.count_attempt(&attempt(outcome, *us));
                    statistics.count_ends(&DeliveryState::Delivered { at: Timestamp::MAX }, 1);
                }
                statistics
            };
            let mut sum = counted(&first);
            sum.add(&counted(&second));
            let all: Vec<u64> = first.into_iter().chain(second).collect();
            prop_assert_eq!(sum, counted(&all));
        }

        #[test]
        fn slots_are_all_there_is_to_keep(times in prop::collection::vec(0_u64..u64::MAX, 0..50)) {
            let mut latency = Latency::default();
            for us in &times {
                latency.count(*us);
            }
            prop_assert!(latency.slots().keys().all(|slot| *slot < 128));
            prop_assert_eq!(Latency::from_slots(latency.slots().clone()), latency);
        }
    }

    #[test]
    fn kinds_are_read_back_by_their_names() {
        let reasons = UnreachableReason::ALL.map(OutcomeKind::Unreachable);
        for kind in reasons.into_iter().chain([OutcomeKind::Status(599)]) {
            assert_eq!(OutcomeKind::from_name(&kind.name()), Some(kind));
        }
        assert_eq!(OutcomeKind::from_name("soon"), None);
    }
}
