//! When to try again: one pure function of what happened, the policy, the time and a jitter value.
//! Retries with exponential backoff are one of its schedules.

use std::time::Duration;

use serde::Serialize;

/// How delays grow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum RetrySchedule {
    /// `delays[n]` after attempt n + 1; the last one repeats.
    List { delays_ms: Vec<u64> },
    /// Doubles from `first` to at most `longest`.
    Exponential { first_ms: u64, longest_ms: u64 },
}

/// How one subscription retries. Data, kept with the subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    pub schedule: RetrySchedule,
    /// Tries in all, the first included. At least 1.
    pub attempts_max: u32,
    /// An event older than this is given up.
    pub age_max_ms: u64,
    /// How long one attempt may take, from dialling to the end of the answer's head.
    pub timeout_ms: u64,
    /// Sends in flight to this subscriber.
    pub concurrency_max: u32,
}

impl Default for RetryPolicy {
    /// RingCentral's preset: 3 s for an answer; retried for a day, at first quickly.
    fn default() -> Self {
        Self {
            schedule: RetrySchedule::List {
                delays_ms: vec![1_000, 5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000],
            },
            attempts_max: 40,
            age_max_ms: 24 * 3_600_000,
            timeout_ms: 3_000,
            concurrency_max: 16,
        }
    }
}

/// Reads a `Retry-After` header: seconds, or a date that is compared with the answer's own `Date`,
/// because the two come from one clock. `None` when it cannot be read or names the past.
pub fn read_retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let read = |date: &str| jiff::fmt::rfc2822::parse(date.trim()).ok();
    let (until, now) = (read(text)?, read(date?)?);
    Duration::try_from(until.timestamp().duration_since(now.timestamp())).ok()
}

impl RetryPolicy {
    /// How long one attempt may take.
    pub const fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }

    /// The pause after attempt number `attempt` (the first is 1), spread by `jitter` in `0.0..1.0`
    /// over 80 % to 120 % of the schedule's delay.
    pub fn delay(&self, attempt: u32, jitter: f64) -> Duration {
        let base_ms = match &self.schedule {
            RetrySchedule::List { delays_ms } => {
                let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
                delays_ms
                    .get(index)
                    .or(delays_ms.last())
                    .copied()
                    .unwrap_or(1_000)
            }
            RetrySchedule::Exponential {
                first_ms,
                longest_ms,
            } => {
                let doublings = attempt.saturating_sub(1).min(63);
                first_ms.saturating_mul(1 << doublings).min(*longest_ms)
            }
        };
        Duration::from_millis(base_ms).mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn listed(delays_ms: &[u64]) -> RetryPolicy {
        let delays_ms = delays_ms.to_vec();
        RetryPolicy {
            schedule: RetrySchedule::List { delays_ms },
            ..RetryPolicy::default()
        }
    }

    fn exponential(first_ms: u64, longest_ms: u64) -> RetryPolicy {
        RetryPolicy {
            schedule: RetrySchedule::Exponential {
                first_ms,
                longest_ms,
            },
            ..RetryPolicy::default()
        }
    }

    #[test]
    fn delays_follow_the_schedule() {
        let list = listed(&[1_000, 5_000, 30_000]);
        let doubling = exponential(100, 1_000);
        let table = [
            (&list, 1, 1_000),
            (&list, 2, 5_000),
            (&list, 3, 30_000),
            (&list, 4, 30_000),
            (&list, u32::MAX, 30_000),
            (&doubling, 1, 100),
            (&doubling, 2, 200),
            (&doubling, 4, 800),
            (&doubling, 5, 1_000),
            (&doubling, u32::MAX, 1_000),
        ];
        for (policy, attempt, expected_ms) in table {
            let delay = policy.delay(attempt, 0.5);
            assert_eq!(
                delay,
                Duration::from_millis(expected_ms),
                "{policy:?} {attempt}"
            );
        }
        assert_eq!(listed(&[]).delay(1, 0.5), Duration::from_secs(1));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        let table = [
            ("120", None, Some(120)),
            (" 0 ", None, Some(0)),
            ("Wed, 21 Oct 2026 07:30:00 GMT", date, Some(120)),
            ("Wed, 21 Oct 2026 07:28:00 GMT", date, Some(0)),
            ("Wed, 21 Oct 2026 07:00:00 GMT", date, None),
            ("Wed, 21 Oct 2026 07:30:00 GMT", None, None),
            ("Wed, 21 Oct 2026 07:30:00 GMT", Some("now"), None),
            ("", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("soon", date, None),
            ("99999999999999999999999", None, None),
        ];
        for (text, date, seconds) in table {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(read_retry_after(text, date), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn delays_stay_within_a_fifth_of_the_schedule(
            first_ms in 1_u64..100_000,
            longest_ms in 1_u64..100_000_000,
            attempt in any::<u32>(),
            jitter in any::<f64>(),
        ) {
            let policy = exponential(first_ms, longest_ms);
            let middle = policy.delay(attempt, 0.5).as_secs_f64();
            let delay = policy.delay(attempt, if jitter.is_nan() { 0.0 } else { jitter });
            prop_assert!(delay.as_secs_f64() >= middle * 0.8 - 1e-6);
            prop_assert!(delay.as_secs_f64() <= middle * 1.2 + 1e-6);
            prop_assert!(middle <= Duration::from_millis(longest_ms).as_secs_f64());
        }

        #[test]
        fn doubling_never_goes_down(
            first_ms in 1_u64..100_000,
            longest_ms in 1_u64..100_000_000,
            attempt in 0..u32::MAX,
            jitter in 0.0..1.0_f64,
        ) {
            let policy = exponential(first_ms, longest_ms);
            prop_assert!(policy.delay(attempt, jitter) <= policy.delay(attempt + 1, jitter));
        }

        #[test]
        fn any_retry_after_is_read_without_panic(text in "\\PC{0,40}", date in "\\PC{0,40}") {
            let _ = read_retry_after(&text, Some(&date));
        }
    }
}
