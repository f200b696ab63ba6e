//! What a subscriber asks for, what of it is permitted, and the subscription that comes of it
//! (contract sections 4.2, 4.4 and 4.6).

use std::time::Duration;

use crate::delivery::retry::RetryPolicy;
use crate::events::event::EventKind;
use crate::identity::app::{ClientId, Scopes};
use crate::identity::permission::{Watched, permit};
use crate::identity::person::Person;
use crate::kernel::change::Change;
use crate::kernel::ids::{AccountId, PersonId, SubscriptionId};
use crate::kernel::limits::EVENT_FILTERS_MAX;
use crate::kernel::problem::{Code, Problem};
use crate::kernel::time::Timestamp;
use crate::subscriptions::filter::{EventFilter, FilterError, Place};
use crate::subscriptions::history::{HistoryWrite, Milestone};
use crate::subscriptions::mode::{DeliveryMode, TransportType};
use crate::subscriptions::subscription::{DisabledFilter, Subscription, SubscriptionStatus};

/// Why there is no such subscription, or it cannot be changed so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubscribeError {
    #[error("there are no filters, or more than {EVENT_FILTERS_MAX}")]
    FilterCount,
    /// Texts that are no filters.
    #[error("some event filters are unknown")]
    UnknownFilters(Vec<String>),
    /// Its parameters are invalid, it makes no sense for the time that was granted, or it is one of
    /// several.
    #[error("the reminder does not fit")]
    BadReminder,
    #[error("a reminder alone asks for nothing")]
    OnlyReminder,
    /// None of the filters is permitted; this is why the first is not.
    #[error("no event filter is permitted")]
    Denied(Problem),
}

/// Filters that were asked for, read.
#[derive(Debug)]
pub struct AskedFilters<'a> {
    subscriber: &'a Person,
    filters: Vec<(&'a str, Result<EventFilter, FilterError>)>,
}

/// Filters that were asked for, by whether they are permitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermittedFilters {
    pub permitted: Vec<EventFilter>,
    pub disabled: Vec<DisabledFilter>,
}

impl<'a> AskedFilters<'a> {
    /// Reads filters, and refuses them all when one is unknown.
    ///
    /// # Errors
    ///
    /// When there are none or too many, or some are unknown.
    pub fn parse(texts: &'a [String], subscriber: &'a Person) -> Result<Self, SubscribeError> {
        if texts.is_empty() || texts.len() > EVENT_FILTERS_MAX {
            return Err(SubscribeError::FilterCount);
        }
        let parse = |text| EventFilter::parse(text, subscriber.account, subscriber.id);
        let filters: Vec<_> = texts
            .iter()
            .map(|text| (text.as_str(), parse(text)))
            .collect();
        let unknown: Vec<String> = filters
            .iter()
            .filter(|(_, parsed)| *parsed == Err(FilterError::Unknown))
            .map(|(text, _)| (*text).to_owned())
            .collect();
        if !unknown.is_empty() {
            return Err(SubscribeError::UnknownFilters(unknown));
        }
        Ok(Self {
            subscriber,
            filters,
        })
    }

    /// The extensions of others that they name: what [`AskedFilters::permit`] has to know.
    pub fn watched(&self) -> Vec<PersonId> {
        let mut others: Vec<PersonId> = self
            .filters
            .iter()
            .filter_map(|(_, parsed)| match parsed.as_ref().ok()?.place() {
                Place::Extension(person) if person != self.subscriber.id => Some(person),
                _ => None,
            })
            .collect();
        others.sort_unstable();
        others.dedup();
        others
    }

    /// Decides which the subscriber may have through an app with `scopes`. `watched` are those of
    /// [`AskedFilters::watched`] that the account has.
    ///
    /// # Errors
    ///
    /// When none but reminders is permitted, or a reminder is not one.
    pub fn permit(
        self,
        scopes: Scopes,
        watched: &[Watched<'_>],
    ) -> Result<PermittedFilters, SubscribeError> {
        let mut told = PermittedFilters {
            permitted: Vec::new(),
            disabled: Vec::new(),
        };
        let mut first_denial = None;
        for (text, parsed) in self.filters {
            let permitted = match parsed {
                Ok(filter) => {
                    let other = watched
                        .iter()
                        .find(|other| filter.place() == Place::Extension(other.person.id));
                    permit(&filter, self.subscriber, scopes, other.copied()).map(|()| filter)
                }
                Err(FilterError::BadReminder) => return Err(SubscribeError::BadReminder),
                Err(FilterError::OtherAccount) => Err(Problem::of(Code::OtherAccount)),
                Err(FilterError::Unknown) => {
                    return Err(SubscribeError::UnknownFilters(vec![text.to_owned()]));
                }
            };
            match permitted {
                Ok(filter) if told.permitted.contains(&filter) => {}
                Ok(filter) => told.permitted.push(filter),
                Err(problem) => {
                    told.disabled.push(DisabledFilter {
                        filter: text.to_owned(),
                        reason: problem.code.name().to_owned(),
                        message: problem.message.clone(),
                    });
                    first_denial.get_or_insert(problem);
                }
            }
        }
        let is_reminder = |filter: &&EventFilter| filter.kind() == EventKind::Reminder;
        let reminders = told.permitted.iter().filter(is_reminder).count();
        if told.permitted.len() == reminders {
            return Err(first_denial.map_or(SubscribeError::OnlyReminder, SubscribeError::Denied));
        }
        if reminders > 1 {
            return Err(SubscribeError::BadReminder);
        }
        Ok(told)
    }
}

/// A subscription that somebody asks for, of which everything is permitted.
#[derive(Debug, Clone)]
pub struct Proposal {
    pub account: AccountId,
    pub owner: PersonId,
    pub client_id: ClientId,
    pub filters: PermittedFilters,
    pub mode: DeliveryMode,
    pub policy: RetryPolicy,
    /// How long it shall live; the transport's default if it is not said.
    pub asked: Option<Duration>,
}

impl Proposal {
    /// How long it would live, if it may begin.
    ///
    /// # Errors
    ///
    /// When its reminder does not fit that time.
    pub fn granted(&self) -> Result<Duration, SubscribeError> {
        let ttl = self.mode.transport().granted(self.asked);
        check_reminder(&self.filters.permitted, ttl)?;
        Ok(ttl)
    }

    /// Begins the subscription at `now`, unless its owner and app have `count_max` live ones: a
    /// limit, or a quota, that the change is guarded by. One of a WebSocket session is in memory
    /// alone, and only its history is stored.
    ///
    /// # Errors
    ///
    /// When its reminder does not fit the time that is granted.
    pub fn begin(
        self,
        id: SubscriptionId,
        count_max: u32,
        now: Timestamp,
    ) -> Result<(Change, Subscription), SubscribeError> {
        let ttl = self.granted()?;
        let subscription = Subscription {
            account: self.account,
            id,
            owner: self.owner,
            client_id: self.client_id,
            filters: self.filters.permitted,
            disabled_filters: self.filters.disabled,
            mode: self.mode,
            policy: self.policy,
            status: SubscriptionStatus::Active,
            created_at: now,
            modified_at: now,
            expires_at: now + ttl,
            ttl,
            blacklisted: None,
            ended_at: None,
            failing_since: None,
            paused_at: None,
            catch_up_after: None,
            endpoint: None,
            version: 1,
        };
        let transport = subscription.mode.transport();
        let detail = Some(transport.name().to_owned());
        let note = HistoryWrite::Note(subscription.passed(Milestone::Created, now, detail));
        let change = match transport {
            TransportType::WebSocket => Change::of(note),
            _ => subscription.create(count_max).and(note),
        };
        Ok((change, subscription))
    }
}

/// Refuses a reminder that makes no sense for the time that was granted.
pub(super) fn check_reminder(filters: &[EventFilter], ttl: Duration) -> Result<(), SubscribeError> {
    let fits = filters
        .iter()
        .filter_map(EventFilter::reminder)
        .all(|reminder| reminder.fits(ttl));
    fits.then_some(()).ok_or(SubscribeError::BadReminder)
}

impl Subscription {
    /// Whether a new subscription of `mode` takes the place of this one: a WebSocket session has
    /// one at most.
    pub fn gives_way_to(&self, mode: &DeliveryMode) -> bool {
        match (&self.mode, mode) {
            (DeliveryMode::WebSocket { socket }, DeliveryMode::WebSocket { socket: own }) => {
                socket == own
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
