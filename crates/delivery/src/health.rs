//! How a subscription's attempts fare, as the dispatcher sees them, and what follows: blacklisting
//! when everything has failed for too long (contract 4.10).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::limits::BLACKLIST_AFTER;
use hookyard_domain::{AttemptOutcome, Subscription, Timestamp, UnreachableReason};
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
}

/// Told how subscriptions fare. Must not wait.
pub trait HealthListener: Send + Sync + fmt::Debug {
    fn report(&self, subscription: &Arc<Subscription>, report: HealthReport);
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
