//! How a subscription's attempts fare, and what follows: blacklisting when everything has failed for
//! too long (contract 4.10), and for endpoints a failure threshold. It is what others call a circuit
//! breaker that stays open until somebody closes it.

use std::time::Duration;

use crate::delivery::{AttemptOutcome, Delivery};
use crate::kernel::limits::BLACKLIST_AFTER;
use crate::kernel::time::Timestamp;
use crate::subscriptions::subscription::Subscription;

/// Failing for so long is worth remembering over a restart; less is not worth a write. It debounces
/// receivers that fail and recover in turn.
const REMEMBER_AFTER: Duration = Duration::from_secs(60);

/// What there is to say of a subscription after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Every attempt has failed since then.
    Failing { since: Timestamp },
    /// An attempt succeeded after all.
    Recovered,
    /// It has failed for too long.
    Blacklist,
    /// An endpoint is past its failure threshold; every attempt has failed since then.
    PastThreshold { since: Timestamp },
}

/// The attempts of one subscription, as far as its health goes.
#[derive(Debug)]
pub struct Health {
    failing_since: Option<Timestamp>,
    told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Failing,
    Blacklist,
    PastThreshold,
}

impl Health {
    /// Continues from what is known.
    pub const fn since(failing_since: Option<Timestamp>) -> Self {
        let told = if failing_since.is_some() {
            Told::Failing
        } else {
            Told::Nothing
        };
        Self {
            failing_since,
            told,
        }
    }

    /// Notes how an attempt of `delivery` ended at `now`, and tells what is worth telling of its
    /// subscription.
    pub fn note(
        &mut self,
        subscription: &Subscription,
        delivery: &Delivery,
        outcome: &AttemptOutcome,
        now: Timestamp,
    ) -> Option<Verdict> {
        if outcome.is_accepted() {
            let told = std::mem::replace(&mut self.told, Told::Nothing);
            self.failing_since = None;
            return (told != Told::Nothing).then_some(Verdict::Recovered);
        }
        match &subscription.endpoint {
            Some(endpoint) => self.past_threshold(delivery, endpoint.failure_threshold, now),
            None => self.too_long(now),
        }
    }

    fn too_long(&mut self, now: Timestamp) -> Option<Verdict> {
        let since = *self.failing_since.get_or_insert(now);
        if now.since(since) >= BLACKLIST_AFTER && self.told != Told::Blacklist {
            self.told = Told::Blacklist;
            return Some(Verdict::Blacklist);
        }
        self.remember(since, now)
    }

    /// An endpoint is Errored once `delivery` has failed as often as its threshold says, and nothing
    /// was accepted since the first of these attempts. A threshold of 0 is never reached.
    fn past_threshold(
        &mut self,
        delivery: &Delivery,
        threshold: u32,
        now: Timestamp,
    ) -> Option<Verdict> {
        let since = *self.failing_since.get_or_insert(now);
        let tried_since = delivery.round.tried_since.unwrap_or(now);
        let past = threshold > 0 && delivery.attempt_in_round() >= threshold;
        if past && since <= tried_since + REMEMBER_AFTER && self.told != Told::PastThreshold {
            self.told = Told::PastThreshold;
            return Some(Verdict::PastThreshold { since });
        }
        self.remember(since, now)
    }

    fn remember(&mut self, since: Timestamp, now: Timestamp) -> Option<Verdict> {
        if now.since(since) < REMEMBER_AFTER || self.told != Told::Nothing {
            return None;
        }
        self.told = Told::Failing;
        Some(Verdict::Failing { since })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::{DeliveryState, Round, UnreachableReason};
    use crate::kernel::ids::{AccountId, DeliveryId, EventId, SubscriptionId};
    use crate::subscriptions::sample::subscription;

    const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };
    const REFUSED: AttemptOutcome = AttemptOutcome::Refused {
        status: 404,
        retry_after: None,
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default() + Duration::from_secs(seconds)
    }

    /// Notes an attempt for a subscription that is no endpoint.
    fn note(health: &mut Health, outcome: &AttemptOutcome, now: Timestamp) -> Option<Verdict> {
        let subscription = subscription(&["/restapi/v1.0/glip/posts"]);
        health.note(&subscription, &delivery(0, 0), outcome, now)
    }

    #[test]
    fn ten_minutes_without_a_success_blacklist() {
        let mut health = Health::since(None);
        assert_eq!(note(&mut health, &REFUSED, at(0)), None);
        assert_eq!(note(&mut health, &REFUSED, at(59)), None);
        let failing = Some(Verdict::Failing { since: at(0) });
        assert_eq!(note(&mut health, &REFUSED, at(60)), failing);
        assert_eq!(note(&mut health, &REFUSED, at(599)), None);
        assert_eq!(
            note(&mut health, &REFUSED, at(600)),
            Some(Verdict::Blacklist)
        );
        assert_eq!(note(&mut health, &REFUSED, at(700)), None, "told once");
    }

    #[test]
    fn one_success_begins_the_count_anew() {
        let mut health = Health::since(None);
        note(&mut health, &REFUSED, at(0));
        assert_eq!(note(&mut health, &ACCEPTED, at(30)), None);
        assert_eq!(note(&mut health, &REFUSED, at(599)), None);
        assert_eq!(note(&mut health, &REFUSED, at(601)), None);
        let failing = Some(Verdict::Failing { since: at(599) });
        assert_eq!(note(&mut health, &REFUSED, at(700)), failing);
        let recovered = Some(Verdict::Recovered);
        assert_eq!(note(&mut health, &ACCEPTED, at(701)), recovered);
    }

    #[test]
    fn a_restart_goes_on_counting() {
        let mut health = Health::since(Some(at(0)));
        let timed_out = AttemptOutcome::Unreachable {
            reason: UnreachableReason::TimedOut,
        };
        assert_eq!(
            note(&mut health, &timed_out, at(600)),
            Some(Verdict::Blacklist)
        );
    }

    /// A delivery that has been attempted `attempts` times before, the first time at `tried`.
    fn delivery(attempts: u32, tried: u64) -> Delivery {
        Delivery {
            account: AccountId(1),
            id: DeliveryId(1),
            subscription: SubscriptionId::from_random([1; 16]),
            event: EventId(1),
            filter: "*".to_owned(),
            state: DeliveryState::Waiting { due_at: at(0) },
            attempts,
            round: Round {
                tried_since: Some(at(tried)),
                ..Round::first(at(0))
            },
            possible_repeat: false,
            created_at: at(0),
        }
    }

    #[test]
    fn an_endpoint_is_past_its_threshold_when_one_delivery_has_failed_so_often() {
        let errored = |attempts, threshold| {
            let mut health = Health::since(Some(at(5)));
            let delivery = delivery(attempts, 5);
            health.past_threshold(&delivery, threshold, at(20))
        };
        assert_eq!(errored(8, 10), None);
        assert_eq!(
            errored(9, 10),
            Some(Verdict::PastThreshold { since: at(5) })
        );
        assert_eq!(errored(9, 0), None, "never");
    }

    #[test]
    fn what_was_accepted_since_the_first_attempt_saves_an_endpoint() {
        let mut health = Health::since(None);
        let begun_long_before = delivery(9, 0);
        assert_eq!(health.past_threshold(&begun_long_before, 10, at(100)), None);
    }
}
