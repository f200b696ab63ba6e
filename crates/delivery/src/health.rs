//! How a subscription's attempts fare, as the dispatcher sees them, and what follows: blacklisting
//! when everything has failed for too long (contract 4.10).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::kernel::limits::BLACKLIST_AFTER;
use hookyard_domain::{AttemptOutcome, Delivery, Subscription, Timestamp, UnreachableReason};
use http::StatusCode;

/// Failing for so long is worth remembering over a restart; less is not worth a write.
const REMEMBER_AFTER: Duration = Duration::from_secs(60);

/// What there is to say of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthReport {
    /// Every attempt has failed since then.
    Failing { since: Timestamp },
    /// An attempt succeeded after all.
    Recovered,
    /// It has failed for too long.
    Blacklist { reason: String },
    /// An endpoint is past its failure threshold; every attempt has failed since then.
    Errored { reason: String, since: Timestamp },
}

/// Told how subscriptions fare. Must not wait.
pub trait HealthListener: Send + Sync + fmt::Debug {
    fn report(&self, subscription: &Arc<Subscription>, report: HealthReport);
}

/// Nobody wants to know.
impl HealthListener for () {
    fn report(&self, _subscription: &Arc<Subscription>, _report: HealthReport) {}
}

/// The attempts of one subscription, as far as its health goes.
#[derive(Debug)]
pub(crate) struct Health {
    failing_since: Option<Timestamp>,
    told: Told,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Nothing,
    Failing,
    Blacklist,
    Errored,
}

impl Health {
    /// Continues from what is known.
    pub(crate) const fn since(failing_since: Option<Timestamp>) -> Self {
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

    /// Notes how an attempt ended at `now`, and tells what is worth telling.
    pub(crate) fn note(
        &mut self,
        outcome: &AttemptOutcome,
        now: Timestamp,
    ) -> Option<HealthReport> {
        if outcome.is_accepted() {
            let told = std::mem::replace(&mut self.told, Told::Nothing);
            self.failing_since = None;
            return (told != Told::Nothing).then_some(HealthReport::Recovered);
        }
        let since = *self.failing_since.get_or_insert(now);
        let lasted = now.since(since);
        if lasted >= BLACKLIST_AFTER && self.told != Told::Blacklist {
            self.told = Told::Blacklist;
            return Some(HealthReport::Blacklist {
                reason: reason_of(outcome),
            });
        }
        if lasted >= REMEMBER_AFTER && self.told == Told::Nothing {
            self.told = Told::Failing;
            return Some(HealthReport::Failing { since });
        }
        None
    }
}

impl Health {
    /// The same for an endpoint: it is Errored once `delivery` has failed as often as its threshold
    /// says, and nothing was accepted since the first of these attempts. A threshold of 0 is never
    /// reached.
    pub(crate) fn note_for_endpoint(
        &mut self,
        outcome: &AttemptOutcome,
        delivery: &Delivery,
        threshold: u32,
        now: Timestamp,
    ) -> Option<HealthReport> {
        if outcome.is_accepted() {
            return self.note(outcome, now);
        }
        let since = *self.failing_since.get_or_insert(now);
        let tried_since = delivery.round.tried_since.unwrap_or(now);
        let past = threshold > 0 && delivery.attempt_in_round() >= threshold;
        if past && since <= tried_since + REMEMBER_AFTER && self.told != Told::Errored {
            self.told = Told::Errored;
            return Some(HealthReport::Errored {
                reason: plain_reason_of(outcome),
                since,
            });
        }
        if now.since(since) >= REMEMBER_AFTER && self.told == Told::Nothing {
            self.told = Told::Failing;
            return Some(HealthReport::Failing { since });
        }
        None
    }
}

/// Why, in plain words.
fn plain_reason_of(outcome: &AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Accepted { status } | AttemptOutcome::Refused { status, .. } => {
            let name = StatusCode::from_u16(*status).ok();
            let name = name.and_then(|status| status.canonical_reason());
            format!("It answered {status} {}", name.unwrap_or_default())
                .trim_end()
                .to_owned()
        }
        AttemptOutcome::Unreachable { reason } => match reason {
            UnreachableReason::Forbidden => "Its address is not one that may be called",
            UnreachableReason::Dns => "Its name cannot be resolved",
            UnreachableReason::ConnectFailed => "It does not take connections",
            UnreachableReason::Tls => "Its certificate or TLS is not in order",
            UnreachableReason::TimedOut => "It does not answer in time",
            UnreachableReason::Broken => "It breaks the connection off",
            UnreachableReason::InvalidAnswer => "What it answers is not HTTP",
            UnreachableReason::NoAccessToken => "The source of its access token gives none",
        }
        .to_owned(),
    }
}

/// Why, in the words that the platform's users know.
fn reason_of(outcome: &AttemptOutcome) -> String {
    let details = match outcome {
        AttemptOutcome::Accepted { status } | AttemptOutcome::Refused { status, .. } => {
            let name = StatusCode::from_u16(*status).ok();
            let name = name.and_then(|status| status.canonical_reason());
            return format!(
                "Webhook responses with code: [{status}], reason: [{}]",
                name.unwrap_or("Unknown")
            );
        }
        AttemptOutcome::Unreachable { reason } => match reason {
            UnreachableReason::Forbidden => "Address is not allowed",
            UnreachableReason::Dns => "Unknown host",
            UnreachableReason::ConnectFailed => "Connection refused",
            UnreachableReason::Tls => "TLS handshake failed",
            UnreachableReason::TimedOut => "Read timed out",
            UnreachableReason::Broken => "Connection reset",
            UnreachableReason::InvalidAnswer => "Invalid HTTP response",
            UnreachableReason::NoAccessToken => "No access token",
        },
    };
    format!("I/O operation is failed. Details: [{details}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };
    const REFUSED: AttemptOutcome = AttemptOutcome::Refused {
        status: 404,
        retry_after: None,
    };

    fn at(seconds: u64) -> Timestamp {
        Timestamp::default() + Duration::from_secs(seconds)
    }

    #[test]
    fn ten_minutes_without_a_success_blacklist() {
        let mut health = Health::since(None);
        assert_eq!(health.note(&REFUSED, at(0)), None);
        assert_eq!(health.note(&REFUSED, at(59)), None);
        let failing = Some(HealthReport::Failing { since: at(0) });
        assert_eq!(health.note(&REFUSED, at(60)), failing);
        assert_eq!(health.note(&REFUSED, at(599)), None);
        let reason = "Webhook responses with code: [404], reason: [Not Found]".to_owned();
        let blacklist = Some(HealthReport::Blacklist { reason });
        assert_eq!(health.note(&REFUSED, at(600)), blacklist);
        assert_eq!(health.note(&REFUSED, at(700)), None, "told once");
    }

    #[test]
    fn one_success_begins_the_count_anew() {
        let mut health = Health::since(None);
        health.note(&REFUSED, at(0));
        assert_eq!(health.note(&ACCEPTED, at(30)), None);
        assert_eq!(health.note(&REFUSED, at(599)), None);
        assert_eq!(health.note(&REFUSED, at(601)), None);
        let failing = Some(HealthReport::Failing { since: at(599) });
        assert_eq!(health.note(&REFUSED, at(700)), failing);
        let recovered = Some(HealthReport::Recovered);
        assert_eq!(health.note(&ACCEPTED, at(701)), recovered);
    }

    #[test]
    fn a_restart_goes_on_counting() {
        let mut health = Health::since(Some(at(0)));
        let timed_out = AttemptOutcome::Unreachable {
            reason: UnreachableReason::TimedOut,
        };
        let reason = "I/O operation is failed. Details: [Read timed out]".to_owned();
        let blacklist = Some(HealthReport::Blacklist { reason });
        assert_eq!(health.note(&timed_out, at(600)), blacklist);
    }
}
