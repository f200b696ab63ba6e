//! One event on its way to one subscription, and each try of it.

pub mod envelope;
pub mod job;
pub mod ports;
pub mod retry;

use std::sync::Arc;
use std::time::Duration;

use crate::delivery::ports::DeliveryWrite;
use crate::delivery::retry::RetryPolicy;
use crate::kernel::change::Change;
use crate::kernel::ids::{AccountId, DeliveryId, EventId, SubscriptionId};
use crate::kernel::limits::{RETRY_AFTER_MAX, RETRY_AFTER_MIN};
use crate::kernel::time::Timestamp;

/// Why a delivery was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AbandonReason {
    /// Out of attempts.
    AttemptsExhausted,
    /// The event became too old.
    TooOld,
    /// The receiver answered 410: it does not want to hear again.
    Gone,
    /// The subscription was deleted or ran out.
    SubscriptionEnded,
}

impl AbandonReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [
        Self::AttemptsExhausted,
        Self::TooOld,
        Self::Gone,
        Self::SubscriptionEnded,
    ];

    /// Name in tables and on our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AttemptsExhausted => "attempts-exhausted",
            Self::TooOld => "too-old",
            Self::Gone => "gone",
            Self::SubscriptionEnded => "subscription-ended",
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    Waiting {
        due_at: Timestamp,
    },
    Delivered {
        at: Timestamp,
    },
    /// Given up: what others put into a dead letter queue. It stays where it is, can be listed, and
    /// is sent again by hand or by recovering its endpoint.
    Abandoned {
        at: Timestamp,
        reason: AbandonReason,
    },
}

/// One event on its way to one subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub account: AccountId,
    pub id: DeliveryId,
    pub subscription: SubscriptionId,
    pub event: EventId,
    /// The filter that matched, as subscribed: part of the bytes that every attempt sends.
    pub filter: String,
    pub state: DeliveryState,
    /// Attempts recorded so far.
    pub attempts: u32,
    /// What counts against the policy.
    pub round: Round,
    /// A crash may have hidden an attempt: the receiver may have seen this already.
    pub possible_repeat: bool,
    pub created_at: Timestamp,
}

/// A delivery that is sent again by hand begins a new round: attempts are numbered on, and the
/// policy counts from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Round {
    pub began_at: Timestamp,
    /// Attempts before it.
    pub attempts_before: u32,
    /// When its first attempt was made.
    pub tried_since: Option<Timestamp>,
}

impl Round {
    /// The first round of a delivery.
    pub const fn first(now: Timestamp) -> Self {
        Self {
            began_at: now,
            attempts_before: 0,
            tried_since: None,
        }
    }
}

/// Why no HTTP answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnreachableReason {
    /// The address is not one that we may call.
    Forbidden,
    /// The name did not resolve.
    Dns,
    ConnectFailed,
    Tls,
    TimedOut,
    /// The connection broke before an answer was complete.
    Broken,
    /// What came back is not HTTP, or its head is too large.
    InvalidAnswer,
    /// The endpoint wants an access token, and its source gave none.
    NoAccessToken,
}

impl UnreachableReason {
    /// Every reason.
    pub const ALL: [Self; 8] = [
        Self::Forbidden,
        Self::Dns,
        Self::ConnectFailed,
        Self::Tls,
        Self::TimedOut,
        Self::Broken,
        Self::InvalidAnswer,
        Self::NoAccessToken,
    ];

    /// Name in tables and on our own API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forbidden => "forbidden",
            Self::Dns => "dns",
            Self::ConnectFailed => "connect-failed",
            Self::Tls => "tls",
            Self::TimedOut => "timed-out",
            Self::Broken => "broken",
            Self::InvalidAnswer => "invalid-answer",
            Self::NoAccessToken => "no-access-token",
        }
    }

    /// The reason with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What became of one attempt. A failed delivery is a fact to record, not an error to propagate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptOutcome {
    /// A 2xx answer.
    Accepted {
        status: u16,
    },
    /// Any other answer; redirects are refusals too.
    Refused {
        status: u16,
        retry_after: Option<Duration>,
    },
    Unreachable {
        reason: UnreachableReason,
    },
}

impl AttemptOutcome {
    /// Whether the receiver took the event.
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// The HTTP status, if an answer came.
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Accepted { status } | Self::Refused { status, .. } => Some(*status),
            Self::Unreachable { .. } => None,
        }
    }
}

/// Where an attempt's time went, in microseconds. What a kept connection saves is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Resolving the name.
    pub dns_us: u64,
    /// Resolving, dialling and TLS together.
    pub connect_us: u64,
    /// The TLS handshake.
    pub tls_us: u64,
    /// From the request to the head of the answer.
    pub wait_us: u64,
    /// From the start to the end of the answer.
    pub total_us: u64,
}

/// What was said on both sides of an attempt, for people who look into it. Secrets are masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    pub url: String,
    pub request_headers: Vec<(String, String)>,
    /// Other deliveries in the same request.
    pub batched_with: u32,
    /// Empty when no answer came.
    pub answer_headers: Vec<(String, String)>,
    /// The answer's body was longer than what is kept of it.
    pub answer_truncated: bool,
}

/// One recorded try of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub account: AccountId,
    pub delivery: DeliveryId,
    pub subscription: SubscriptionId,
    /// The first is 1.
    pub number: u32,
    pub started_at: Timestamp,
    pub timings: Timings,
    pub outcome: AttemptOutcome,
    /// The address that was dialled, if it came so far.
    pub peer: Option<String>,
    /// Beginning of the answer's body, of endpoints always, of other subscriptions when it was not
    /// accepted; for people. Without an access token, why there is none.
    pub answer_excerpt: Option<String>,
    /// Of endpoints only.
    pub transcript: Option<Arc<Transcript>>,
}

impl Delivery {
    /// Sends it again by hand, as [`DeliveryWrite::Resend`] says.
    pub fn resend(&self) -> Change {
        Change::of(DeliveryWrite::Resend {
            account: self.account,
            delivery: self.id,
        })
    }

    /// The number that the next attempt has in this round; the first is 1.
    pub const fn attempt_in_round(&self) -> u32 {
        self.attempts
            .saturating_sub(self.round.attempts_before)
            .saturating_add(1)
    }

    /// Where the delivery stands after an attempt with `outcome` ended at `now`.
    ///
    /// 2xx delivers, 410 gives up, everything else waits for the policy's delay or for
    /// `Retry-After` (clamped), whichever is later, until attempts or age run out.
    pub fn after(
        &self,
        outcome: &AttemptOutcome,
        policy: &RetryPolicy,
        now: Timestamp,
        jitter: f64,
    ) -> DeliveryState {
        let abandoned = |reason| DeliveryState::Abandoned { at: now, reason };
        let attempt = self.attempt_in_round();
        let retry_after = match outcome {
            AttemptOutcome::Accepted { .. } => return DeliveryState::Delivered { at: now },
            AttemptOutcome::Refused { status: 410, .. } => return abandoned(AbandonReason::Gone),
            AttemptOutcome::Refused {
                status: 429 | 503,
                retry_after,
            } => *retry_after,
            AttemptOutcome::Refused { .. } | AttemptOutcome::Unreachable { .. } => None,
        };
        if attempt >= policy.attempts_max {
            return abandoned(AbandonReason::AttemptsExhausted);
        }
        let asked = retry_after.map_or(Duration::ZERO, |pause| {
            pause.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX)
        });
        let due_at = now + policy.delay(attempt, jitter).max(asked);
        if due_at.since(self.round.began_at) > Duration::from_millis(policy.age_max_ms) {
            return abandoned(AbandonReason::TooOld);
        }
        DeliveryState::Waiting { due_at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::retry::RetrySchedule;
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn delivery(attempts: u32, age: Duration) -> Delivery {
        Delivery {
            account: AccountId(1),
            id: DeliveryId(2),
            subscription: SubscriptionId::from_random([7; 16]),
            event: EventId(3),
            filter: "/restapi/v1.0/glip/posts".to_owned(),
            state: DeliveryState::Waiting { due_at: NOW },
            attempts,
            round: Round::first(NOW - age),
            possible_repeat: false,
            created_at: NOW - age,
        }
    }

    fn policy() -> RetryPolicy {
        RetryPolicy {
            schedule: RetrySchedule::List {
                delays_ms: vec![1_000, 60_000],
            },
            attempts_max: 5,
            age_max_ms: 3_600_000,
            ..RetryPolicy::default()
        }
    }

    fn refused(status: u16, retry_after_s: Option<u64>) -> AttemptOutcome {
        AttemptOutcome::Refused {
            status,
            retry_after: retry_after_s.map(Duration::from_secs),
        }
    }

    fn waiting(seconds: u64) -> DeliveryState {
        DeliveryState::Waiting {
            due_at: NOW + Duration::from_secs(seconds),
        }
    }

    const fn abandoned(reason: AbandonReason) -> DeliveryState {
        DeliveryState::Abandoned { at: NOW, reason }
    }

    #[test]
    fn what_follows_from_an_outcome() {
        let unreachable = |reason| AttemptOutcome::Unreachable { reason };
        let broken = unreachable(UnreachableReason::Broken);
        let young = Duration::from_secs(10);
        let table = [
            (
                0,
                young,
                AttemptOutcome::Accepted { status: 200 },
                DeliveryState::Delivered { at: NOW },
            ),
            (
                4,
                Duration::from_secs(9_999),
                AttemptOutcome::Accepted { status: 299 },
                DeliveryState::Delivered { at: NOW },
            ),
            (0, young, refused(410, None), abandoned(AbandonReason::Gone)),
            (0, young, refused(302, None), waiting(1)),
            (0, young, refused(404, None), waiting(1)),
            (1, young, refused(500, None), waiting(60)),
            (2, young, broken, waiting(60)),
            (
                0,
                young,
                unreachable(UnreachableReason::Forbidden),
                waiting(1),
            ),
            // What the receiver asks for counts with 429 and 503, and is clamped.
            (0, young, refused(429, Some(30)), waiting(30)),
            (0, young, refused(503, Some(0)), waiting(1)),
            (0, young, refused(500, Some(30)), waiting(1)),
            (1, young, refused(503, Some(5)), waiting(60)),
            (
                0,
                Duration::ZERO,
                refused(503, Some(999_999)),
                waiting(3_600),
            ),
            // The fifth is the last.
            (3, young, broken, waiting(60)),
            (
                4,
                young,
                broken,
                abandoned(AbandonReason::AttemptsExhausted),
            ),
            // Not beyond an hour of age.
            (1, Duration::from_secs(3_540), broken, waiting(60)),
            (
                1,
                Duration::from_secs(3_541),
                broken,
                abandoned(AbandonReason::TooOld),
            ),
            (
                0,
                young,
                refused(503, Some(999_999)),
                abandoned(AbandonReason::TooOld),
            ),
        ];
        for (attempts, age, outcome, expected) in table {
            let state = delivery(attempts, age).after(&outcome, &policy(), NOW, 0.5);
            assert_eq!(state, expected, "{attempts} {age:?} {outcome:?}");
        }
    }

    fn outcomes() -> impl Strategy<Value = AttemptOutcome> {
        let pause = prop::option::of((0_u64..100_000).prop_map(Duration::from_secs));
        prop_oneof![
            (200_u16..300).prop_map(|status| AttemptOutcome::Accepted { status }),
            (300_u16..600, pause).prop_map(|(status, retry_after)| AttemptOutcome::Refused {
                status,
                retry_after
            }),
            prop::sample::select(UnreachableReason::ALL.to_vec())
                .prop_map(|reason| AttemptOutcome::Unreachable { reason }),
        ]
    }

    proptest! {
        #[test]
        fn every_history_ends_within_the_bounds(
            outcomes in prop::collection::vec(outcomes(), 1..60),
            attempts_max in 1_u32..50,
            jitter in 0.0..1.0_f64,
        ) {
            let policy = RetryPolicy { attempts_max, ..policy() };
            let mut delivery = delivery(0, Duration::ZERO);
            let mut now = NOW;
            for outcome in outcomes {
                let state = delivery.after(&outcome, &policy, now, jitter);
                delivery.attempts += 1;
                delivery.state = state;
                prop_assert!(delivery.attempts <= attempts_max);
                let accepted = matches!(state, DeliveryState::Delivered { .. });
                prop_assert_eq!(accepted, outcome.is_accepted());
                let DeliveryState::Waiting { due_at } = state else { break };
                prop_assert!(due_at > now);
                prop_assert!(due_at.since(delivery.round.began_at).as_secs() <= 3_600);
                prop_assert!(delivery.attempts < attempts_max);
                now = due_at;
            }
        }
    }

    #[test]
    fn names_are_read_back() {
        for reason in AbandonReason::ALL {
            assert_eq!(AbandonReason::from_name(reason.name()), Some(reason));
        }
        for reason in UnreachableReason::ALL {
            assert_eq!(UnreachableReason::from_name(reason.name()), Some(reason));
        }
    }
}
