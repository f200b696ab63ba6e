//! Who wants which events, how, until when.

use std::time::Duration;

use crate::app::ClientId;
use crate::event::EventKind;
use crate::filter::EventFilter;
use crate::ids::{AccountId, PersonId, SubscriptionId};
use crate::limits::{WEBHOOK_TTL_DEFAULT, WEBHOOK_TTL_MAX};
use crate::retry::RetryPolicy;
use crate::secret::Secret;
use crate::time::Timestamp;

/// Whether events flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubscriptionStatus {
    Active,
    /// Paused by its owner; new events pass it by.
    Suspended,
    /// Paused by us, because its address kept failing.
    Blacklisted,
}

impl SubscriptionStatus {
    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Suspended => "Suspended",
            Self::Blacklisted => "Blacklisted",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Blacklisted]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// How events reach the subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeliveryMode {
    WebHook {
        /// Absolute `http` or `https` URL in canonical form.
        address: String,
        /// Sent as `Verification-Token` with the handshake and every event.
        verification_token: Option<Secret>,
    },
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub account: AccountId,
    pub id: SubscriptionId,
    pub owner: PersonId,
    pub client_id: ClientId,
    pub filters: Vec<EventFilter>,
    pub mode: DeliveryMode,
    pub policy: RetryPolicy,
    pub status: SubscriptionStatus,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub expires_at: Timestamp,
    /// What was granted; `/renew` grants it again.
    pub ttl: Duration,
    /// When and why it was blacklisted.
    pub blacklisted: Option<(Timestamp, String)>,
    /// Grows by one with every change; what guards compare.
    pub version: u64,
}

/// How long a subscription is granted for, given what was asked (contract section 4.4): the
/// default when nothing was, and never longer than the longest.
pub fn granted(asked: Option<Duration>) -> Duration {
    asked.unwrap_or(WEBHOOK_TTL_DEFAULT).min(WEBHOOK_TTL_MAX)
}

impl Subscription {
    /// The subscription after `asked` more time was granted at `now`.
    #[must_use]
    pub fn renewed(&self, asked: Option<Duration>, now: Timestamp) -> Self {
        let ttl = granted(asked);
        Self {
            ttl,
            expires_at: now + ttl,
            modified_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same with other filters. Renews too: RingCentral's documents since 2016 say so.
    #[must_use]
    pub fn updated(
        &self,
        filters: Vec<EventFilter>,
        asked: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        Self {
            filters,
            ..self.renewed(asked, now)
        }
    }

    /// Seconds left at `now`, as the wire counts them: a life of a week begins with 604799.
    pub fn expires_in(&self, now: Timestamp) -> u64 {
        (self
            .expires_at
            .since(now)
            .saturating_sub(Duration::from_millis(1)))
        .as_secs()
    }

    /// Whether it takes events at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.status == SubscriptionStatus::Active && !self.is_expired(now)
    }

    /// Whether its time is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// The first filter that asks for events of `kind`. A subscriber gets an event once, however
    /// many of its filters match.
    pub fn wants(&self, kind: EventKind) -> Option<&EventFilter> {
        self.filters.iter().find(|filter| filter.matches(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_granted_is_clamped() {
        assert_eq!(granted(None), Duration::from_secs(604_800));
        assert_eq!(
            granted(Some(Duration::from_secs(60))),
            Duration::from_secs(60)
        );
        assert_eq!(
            granted(Some(Duration::from_secs(630_720_000))),
            WEBHOOK_TTL_MAX
        );
    }
}
