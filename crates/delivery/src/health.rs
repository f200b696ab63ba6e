//! How a subscription's attempts fare, as the dispatcher tells it, and why in words for people. What
//! follows from it is decided in the domain.

use std::fmt;
use std::sync::Arc;

use hookyard_domain::subscriptions::health::Verdict;
use hookyard_domain::{AttemptOutcome, Subscription, Timestamp, UnreachableReason};
use http::StatusCode;

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

impl HealthReport {
    /// What a verdict after `outcome` is told as.
    pub(crate) fn of(verdict: Verdict, outcome: &AttemptOutcome) -> Self {
        match verdict {
            Verdict::Failing { since } => Self::Failing { since },
            Verdict::Recovered => Self::Recovered,
            Verdict::Blacklist => Self::Blacklist {
                reason: reason_of(outcome),
            },
            Verdict::PastThreshold { since } => Self::Errored {
                reason: plain_reason_of(outcome),
                since,
            },
        }
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

    #[test]
    fn reasons_are_given_in_words_that_people_know() {
        let refused = AttemptOutcome::Refused {
            status: 404,
            retry_after: None,
        };
        let timed_out = AttemptOutcome::Unreachable {
            reason: UnreachableReason::TimedOut,
        };
        for (outcome, reason, plain) in [
            (
                refused,
                "Webhook responses with code: [404], reason: [Not Found]",
                "It answered 404 Not Found",
            ),
            (
                timed_out,
                "I/O operation is failed. Details: [Read timed out]",
                "It does not answer in time",
            ),
        ] {
            let since = Timestamp::default();
            let blacklist = HealthReport::Blacklist {
                reason: reason.to_owned(),
            };
            let errored = HealthReport::Errored {
                reason: plain.to_owned(),
                since,
            };
            assert_eq!(HealthReport::of(Verdict::Blacklist, &outcome), blacklist);
            let past = Verdict::PastThreshold { since };
            assert_eq!(HealthReport::of(past, &outcome), errored);
        }
    }
}
