//! How many requests a lane has begun of late: an endpoint says how many it takes in a time. A rate
//! limit (throttle) that we keep to; those that we set for callers are the API's.

use std::collections::VecDeque;
use std::time::Duration;

use hookyard_domain::endpoints::endpoint::RateLimit;
use tokio::time::Instant;

/// When the newest requests began, as many as the limit counts. In no stretch of the limit's time
/// are there more than its count.
#[derive(Debug, Default)]
pub(super) struct Pace {
    begun: VecDeque<Instant>,
}

impl Pace {
    /// Whether another request may begin.
    pub(super) fn permits(&self, rate: Option<RateLimit>, now: Instant) -> bool {
        self.next_at(rate, now).is_none()
    }

    /// When the next request may begin; `None` for now.
    pub(super) fn next_at(&self, rate: Option<RateLimit>, now: Instant) -> Option<Instant> {
        let rate = rate?;
        let count = usize::try_from(rate.count).unwrap_or(usize::MAX);
        let counted = self.begun.len().checked_sub(count)?;
        let next = *self.begun.get(counted)? + Duration::from_millis(rate.per_ms);
        (next > now).then_some(next)
    }

    /// Notes that a request begins.
    pub(super) fn note(&mut self, rate: Option<RateLimit>, now: Instant) {
        let Some(rate) = rate else {
            self.begun.clear();
            return;
        };
        let count = usize::try_from(rate.count).unwrap_or(usize::MAX);
        self.begun.push_back(now);
        while self.begun.len() > count {
            self.begun.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_stretch_holds_more_than_the_limit(
            count in 1_u32..10,
            per_ms in 1_u64..1_000,
            pauses in prop::collection::vec(0_u64..300, 1..200),
        ) {
            let rate = Some(RateLimit { count, per_ms });
            let mut pace = Pace::default();
            let mut now = Instant::now();
            let mut begun: Vec<Instant> = Vec::new();
            for pause in pauses {
                now += Duration::from_millis(pause);
                if pace.permits(rate, now) {
                    pace.note(rate, now);
                    begun.push(now);
                } else {
                    let next = pace.next_at(rate, now).unwrap();
                    prop_assert!(next > now);
                    prop_assert!(next <= now + Duration::from_millis(per_ms));
                }
            }
            for (index, first) in begun.iter().enumerate() {
                let until = *first + Duration::from_millis(per_ms);
                let within = begun[index..].iter().filter(|at| **at < until).count();
                prop_assert!(within <= count as usize);
            }
        }
    }
}
