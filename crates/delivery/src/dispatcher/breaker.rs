//! The circuit breaker of a lane: it spends no attempts on a receiver that is down. After some
//! failures in a row it lets one probe through at a time, with growing pauses. The first success
//! closes it again.

use std::time::Duration;

use hookyard_domain::kernel::limits::{
    LANE_FAILURES_MAX, LANE_PAUSE_MAX, LANE_PAUSE_MIN, RETRY_AFTER_MAX,
};
use tokio::time::Instant;

/// Whether a lane's receiver seems to be there.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    open: Option<Probing>,
}

#[derive(Debug)]
struct Probing {
    pause: Duration,
    next_at: Instant,
    /// A probe is on its way. What else fails was sent before the breaker opened.
    under_way: bool,
}

impl Breaker {
    /// Whether the receiver counts as down.
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// When the next probe may go; `None` when everything may.
    pub(super) fn probe_at(&self) -> Option<Instant> {
        self.open.as_ref().map(|probing| probing.next_at)
    }

    /// Whether an attempt may start now, with `in_flight` others under way.
    pub(super) fn permits(&self, now: Instant, in_flight: usize) -> bool {
        let open = self.open.as_ref();
        open.is_none_or(|probing| in_flight == 0 && now >= probing.next_at)
    }

    /// Notes that an attempt starts.
    pub(super) const fn starting(&mut self) {
        if let Some(probing) = &mut self.open {
            probing.under_way = true;
        }
    }

    /// Notes that the attempt was called off.
    pub(super) const fn called_off(&mut self) {
        if let Some(probing) = &mut self.open {
            probing.under_way = false;
        }
    }

    /// Notes a success. True when the receiver was down until now.
    pub(super) fn succeeded(&mut self) -> bool {
        self.failures = 0;
        self.open.take().is_some()
    }

    /// Notes a failure, after which the receiver may have asked for a pause. True when the receiver
    /// counts as down from now on.
    pub(super) fn failed(&mut self, now: Instant, asked: Option<Duration>) -> bool {
        self.failures = self.failures.saturating_add(1);
        let asked = asked.unwrap_or_default().min(RETRY_AFTER_MAX);
        match &mut self.open {
            Some(probing) if probing.under_way => {
                probing.pause = (probing.pause * 2).min(LANE_PAUSE_MAX);
                probing.next_at = now + probing.pause.max(asked);
                probing.under_way = false;
                false
            }
            Some(_) => false,
            None if self.failures < LANE_FAILURES_MAX => false,
            None => {
                self.open = Some(Probing {
                    pause: LANE_PAUSE_MIN,
                    next_at: now + LANE_PAUSE_MIN.max(asked),
                    under_way: false,
                });
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(now: Instant) -> Breaker {
        let mut breaker = Breaker::default();
        for _ in 1..LANE_FAILURES_MAX {
            assert!(!breaker.failed(now, None));
        }
        assert!(breaker.failed(now, None));
        breaker
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_success_between_does_not() {
        let now = Instant::now();
        let mut breaker = Breaker::default();
        for _ in 0..3 {
            for _ in 1..LANE_FAILURES_MAX {
                assert!(!breaker.failed(now, None));
            }
            assert!(!breaker.succeeded());
        }
        assert!(breaker.permits(now, 15));
        assert!(!opened(now).permits(now, 0));
    }

    #[test]
    fn probes_go_one_at_a_time_with_growing_pauses() {
        let mut now = Instant::now();
        let mut breaker = opened(now);
        let mut pause = LANE_PAUSE_MIN;
        for _ in 0..10 {
            assert!(!breaker.permits(now + pause - Duration::from_millis(1), 0));
            now += pause;
            assert!(breaker.permits(now, 0));
            assert!(!breaker.permits(now, 1));
            breaker.starting();
            breaker.failed(now, None);
            pause = (pause * 2).min(LANE_PAUSE_MAX);
        }
        assert_eq!(pause, LANE_PAUSE_MAX);
        assert!(breaker.succeeded());
        assert!(breaker.permits(now, 15));
    }

    #[test]
    fn attempts_sent_before_it_opened_do_not_lengthen_the_pause() {
        let now = Instant::now();
        let mut breaker = opened(now);
        for _ in 0..100 {
            breaker.failed(now, None);
        }
        assert!(breaker.permits(now + LANE_PAUSE_MIN, 0));
    }

    #[test]
    fn a_pause_that_the_receiver_asks_for_is_kept() {
        let now = Instant::now();
        let mut breaker = opened(now);
        breaker.starting();
        breaker.failed(now, Some(Duration::from_secs(60)));
        assert!(!breaker.permits(now + Duration::from_secs(59), 0));
        assert!(breaker.permits(now + Duration::from_secs(60), 0));
    }
}
