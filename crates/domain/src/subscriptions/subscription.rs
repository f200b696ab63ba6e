//! Who wants which events, how, until when.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::delivery::retry::RetryPolicy;
use crate::endpoints::endpoint::{Endpoint, document_of};
use crate::events::event::{Audience, Event};
use crate::identity::app::ClientId;
use crate::kernel::change::Guard;
use crate::kernel::ids::{AccountId, EventId, IdSequence, PersonId, SubscriptionId};
use crate::kernel::limits::{CATCH_UP_AGE_MAX, RENEWAL_GRACE};
use crate::kernel::time::Timestamp;
use crate::subscriptions::filter::{EventFilter, Place, Reminder};
use crate::subscriptions::mode::DeliveryMode;

/// Whether events flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubscriptionStatus {
    Active,
    /// Paused by its owner; new events pass it by.
    Suspended,
    /// Paused by us, because its address kept failing.
    Blacklisted,
    /// An endpoint past its failure threshold: what comes is kept for it.
    Errored,
}

impl SubscriptionStatus {
    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Suspended => "Suspended",
            Self::Blacklisted => "Blacklisted",
            Self::Errored => "Errored",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Active,
            Self::Suspended,
            Self::Blacklisted,
            Self::Errored,
        ]
        .into_iter()
        .find(|status| status.name() == name)
    }
}

/// A filter that was asked for and is not permitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DisabledFilter {
    pub filter: String,
    /// An error code, such as `SUB-412`.
    pub reason: String,
    pub message: String,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub account: AccountId,
    pub id: SubscriptionId,
    pub owner: PersonId,
    pub client_id: ClientId,
    pub filters: Vec<EventFilter>,
    /// What its owner asked for besides and may not have.
    pub disabled_filters: Vec<DisabledFilter>,
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
    /// Since when it is suspended or blacklisted.
    pub paused_at: Option<Timestamp>,
    /// Its time ran out and that has been noted; it can still be renewed for a while.
    pub ended_at: Option<Timestamp>,
    /// Since when every attempt has failed. Kept apart from the rest: it does not grow the version.
    pub failing_since: Option<Timestamp>,
    /// Events after this one are to be matched anew: they were committed while it was not active.
    pub catch_up_after: Option<EventId>,
    /// Of webhook endpoints: they ask for types instead of having filters.
    pub endpoint: Option<Arc<Endpoint>>,
    /// Grows by one with every change; what guards compare.
    pub version: u64,
}

impl Subscription {
    /// What its reminder needs, if that is longer than the default: a renewal without a body must
    /// not fail for the reminder that tells people to renew.
    fn default_for_reminder(&self) -> Option<Duration> {
        let needed = self.reminder()?.threshold * 2;
        (needed > self.mode.transport().granted(None)).then_some(needed)
    }

    /// When it is reminded of its end.
    pub fn reminder(&self) -> Option<Reminder> {
        self.filters.iter().find_map(EventFilter::reminder)
    }

    /// The subscription after `asked` more time was granted at `now`.
    #[must_use]
    pub fn renewed(&self, asked: Option<Duration>, now: Timestamp) -> Self {
        let asked = asked.or_else(|| self.default_for_reminder());
        let ttl = self.mode.transport().granted(asked);
        Self {
            ttl,
            expires_at: now + ttl,
            ended_at: None,
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
        disabled_filters: Vec<DisabledFilter>,
        asked: Option<Duration>,
        now: Timestamp,
    ) -> Self {
        let changed = Self {
            filters,
            disabled_filters,
            ..self.clone()
        };
        changed.renewed(asked, now)
    }

    /// The same, paused by its owner.
    #[must_use]
    pub fn suspended(&self, now: Timestamp) -> Self {
        Self {
            status: SubscriptionStatus::Suspended,
            paused_at: self.paused_at.or(Some(now)),
            modified_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same, paused by us for `reason`.
    #[must_use]
    pub fn blacklisted(&self, reason: String, now: Timestamp) -> Self {
        Self {
            status: SubscriptionStatus::Blacklisted,
            blacklisted: Some((now, reason)),
            paused_at: self.paused_at.or(Some(now)),
            modified_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same, past its failure threshold for `reason`.
    #[must_use]
    pub fn errored(&self, reason: String, now: Timestamp) -> Self {
        let error = |endpoint: &Arc<Endpoint>| {
            Arc::new(Endpoint {
                error: Some(reason),
                ..Endpoint::clone(endpoint)
            })
        };
        Self {
            status: SubscriptionStatus::Errored,
            endpoint: self.endpoint.as_ref().map(error),
            paused_at: self.paused_at.or(Some(now)),
            modified_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same with other settings.
    #[must_use]
    pub fn with_endpoint(&self, endpoint: Endpoint, now: Timestamp) -> Self {
        Self {
            endpoint: Some(Arc::new(endpoint)),
            modified_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same, taking events again. What was committed meanwhile is caught up with if that is
    /// wished.
    #[must_use]
    pub fn resumed(&self, catch_up: bool, now: Timestamp) -> Self {
        Self {
            status: SubscriptionStatus::Active,
            blacklisted: None,
            paused_at: None,
            endpoint: self.endpoint.as_ref().map(Endpoint::without_error),
            catch_up_after: self.catch_up_after.or(self.missed_after(catch_up, now)),
            modified_at: now,
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same with the note that its time has run out.
    #[must_use]
    pub fn ended(&self, now: Timestamp) -> Self {
        Self {
            ended_at: Some(now),
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same after it expired and is renewed within its grace.
    #[must_use]
    pub fn revived(&self, asked: Option<Duration>, catch_up: bool, now: Timestamp) -> Self {
        Self {
            catch_up_after: self.catch_up_after.or(self.missed_after(catch_up, now)),
            ..self.renewed(asked, now)
        }
    }

    /// The number below which no event was missed; an endpoint misses none. Numbers follow commits, and it was not active at
    /// commits from the moment on at which it was paused or ran out.
    fn missed_after(&self, wished: bool, now: Timestamp) -> Option<EventId> {
        if self.endpoint.is_some() {
            return None;
        }
        let ran_out = self.is_expired(now).then_some(self.expires_at);
        let since = self.paused_at.into_iter().chain(ran_out).min()?;
        let since = since.max(now - CATCH_UP_AGE_MAX);
        let first = IdSequence::first_at(since);
        wished.then(|| EventId(first.saturating_sub(1)))
    }

    /// Until when it can still be renewed.
    pub fn renewable_until(&self) -> Timestamp {
        self.expires_at + RENEWAL_GRACE
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

    /// Whether deliveries are written for it at `now`. Those of an endpoint that is paused or
    /// Errored wait until it is active again; other subscriptions miss what happens meanwhile.
    pub fn takes_events(&self, now: Timestamp) -> bool {
        (self.status == SubscriptionStatus::Active || self.endpoint.is_some())
            && !self.is_expired(now)
    }

    /// Whether its time is over at `now`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }

    /// The first filter or type that asks for `event`, if the subscription may have it; `recipients`
    /// is who may learn of it, ascending. A subscriber gets an event once, however many of its
    /// filters match.
    pub fn wants(&self, event: &Event, recipients: &[PersonId]) -> Option<&str> {
        let document = OnceCell::new();
        self.wants_by(event, recipients, &document)
    }

    /// The same, for many subscriptions in turn: `document` is made once for all of them.
    pub(crate) fn wants_by(
        &self,
        event: &Event,
        recipients: &[PersonId],
        document: &OnceCell<Value>,
    ) -> Option<&str> {
        if let Some(endpoint) = &self.endpoint {
            return self.wants_type(endpoint, event, recipients, document);
        }
        self.wants_path(event, recipients).map(EventFilter::as_str)
    }

    /// An endpoint gets what is for all endpoints of the account, what its owner may learn, and
    /// what is for it alone, which it need not have asked for.
    fn wants_type<'s>(
        &self,
        endpoint: &'s Endpoint,
        event: &Event,
        recipients: &[PersonId],
        document: &OnceCell<Value>,
    ) -> Option<&'s str> {
        let reached = match event.audience {
            Audience::Subscription(only) => {
                return (only == self.id).then_some(Endpoint::FOR_IT_ALONE);
            }
            Audience::Account => true,
            Audience::ChatMembers(_) | Audience::Persons(_) => {
                recipients.binary_search(&self.owner).is_ok()
            }
        };
        let pattern = reached
            .then(|| endpoint.asks_for(event, || document.get_or_init(|| document_of(event))))
            .flatten()?;
        Some(pattern.as_str())
    }

    fn wants_path(&self, event: &Event, recipients: &[PersonId]) -> Option<&EventFilter> {
        let told = |person: PersonId| recipients.binary_search(&person).is_ok();
        self.filters.iter().find(|filter| {
            let reached = match (filter.place(), &event.audience) {
                (_, Audience::Subscription(only)) => *only == self.id,
                (_, Audience::Account) | (Place::Subscription, _) => false,
                (Place::Owner, _) => told(self.owner),
                (Place::Extension(extension), _) => told(extension),
                (Place::Account, _) => true,
            };
            reached && filter.matches(event)
        })
    }

    /// Whether it is sent one event after the other.
    pub fn is_ordered(&self) -> bool {
        self.endpoint
            .as_ref()
            .is_some_and(|endpoint| endpoint.ordered)
    }

    /// When a delivery that is made at `now` is to be sent: at once, or together with those of the
    /// same interval.
    pub fn first_due(&self, now: Timestamp) -> Timestamp {
        let batching = self
            .endpoint
            .as_ref()
            .and_then(|endpoint| endpoint.batching);
        batching.map_or(now, |batching| batching.next_after(now))
    }

    /// The guard that it has not changed.
    pub fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.id, self.version)
    }
}
