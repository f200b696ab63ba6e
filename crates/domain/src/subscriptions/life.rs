//! What owners do with their subscriptions: renew and change them, pause, resume and delete them.
//! What time does with them is in [`life_cycle`](super::life_cycle).
//!
//! A subscription is a lease: it ends unless it is renewed, and can be renewed late for a while.

use std::time::Duration;

use crate::identity::app::ClientId;
use crate::identity::person::Person;
use crate::kernel::change::Change;
use crate::kernel::ids::PersonId;
use crate::kernel::time::Timestamp;
use crate::subscriptions::history::{HistoryWrite, Milestone};
use crate::subscriptions::mode::TransportType;
use crate::subscriptions::ports::SubscriptionWrite;
use crate::subscriptions::proposal::{PermittedFilters, SubscribeError, check_reminder};
use crate::subscriptions::subscription::{Subscription, SubscriptionStatus};

/// Why nothing can be done with a subscription.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifeError {
    /// For who asks, it does not exist.
    #[error("there is no such subscription")]
    Missing,
    /// It can only be renewed on our own API any more.
    #[error("the subscription has expired")]
    Expired,
    /// It lives with its WebSocket session: that alone changes it (contract 4.5), and it is neither
    /// paused nor renewed late.
    #[error("the subscription belongs to its WebSocket session")]
    OfItsSession,
    #[error(transparent)]
    Refused(#[from] SubscribeError),
}

/// Who asks for a change, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    Http,
    /// By a WebSocket session.
    Socket,
}

impl Subscription {
    /// Refuses the platform's API to all but the owner through the same app, and to what has
    /// expired.
    ///
    /// # Errors
    ///
    /// When it is not for the caller, or no longer.
    pub fn check_own(
        &self,
        person: PersonId,
        client_id: &ClientId,
        now: Timestamp,
    ) -> Result<(), LifeError> {
        if self.owner != person || self.client_id != *client_id {
            return Err(LifeError::Missing);
        }
        if self.is_expired(now) {
            return Err(LifeError::Expired);
        }
        Ok(())
    }

    /// Whether `person` may see and manage it on our own API: its owner through whatever app, and
    /// administrators, as long as it can be renewed.
    pub fn is_manageable_by(&self, person: &Person, now: Timestamp) -> bool {
        self.account == person.account
            && (self.owner == person.id || person.admin)
            && now < self.renewable_until()
    }

    /// Renews it for `asked`, or for its default.
    ///
    /// # Errors
    ///
    /// When its reminder does not fit, or it is another session's.
    pub fn renew(
        &self,
        asked: Option<Duration>,
        channel: Channel,
        now: Timestamp,
    ) -> Result<(Change, Self), LifeError> {
        self.granted(self.renewed(asked, now), Milestone::Renewed, channel, now)
    }

    /// Gives it other filters, and renews it.
    ///
    /// # Errors
    ///
    /// When its reminder does not fit, or it is another session's.
    pub fn update(
        &self,
        filters: PermittedFilters,
        asked: Option<Duration>,
        channel: Channel,
        now: Timestamp,
    ) -> Result<(Change, Self), LifeError> {
        let PermittedFilters {
            permitted,
            disabled,
        } = filters;
        let updated = self.updated(permitted, disabled, asked, now);
        self.granted(updated, Milestone::Updated, channel, now)
    }

    /// The change to `changed`, which was granted its time anew.
    fn granted(
        &self,
        changed: Self,
        milestone: Milestone,
        channel: Channel,
        now: Timestamp,
    ) -> Result<(Change, Self), LifeError> {
        check_reminder(&changed.filters, changed.ttl)?;
        let granted = format!("for {} s", changed.ttl.as_secs());
        let note = HistoryWrite::Note(changed.passed(milestone, now, Some(granted)));
        let change = match (changed.mode.transport(), channel) {
            (TransportType::WebSocket, Channel::Http) => return Err(LifeError::OfItsSession),
            (TransportType::WebSocket, Channel::Socket) => Change::of(note),
            _ => changed.put().and(note).given(self.unchanged()),
        };
        Ok((change, changed))
    }

    /// Renews it, also for a while after its time ran out. Who then does not ask for what was
    /// missed does not want what was waiting either.
    ///
    /// # Errors
    ///
    /// When it lives with its WebSocket session.
    pub fn renew_late(
        &self,
        asked: Option<Duration>,
        missed_events: bool,
        now: Timestamp,
    ) -> Result<(Change, Self), LifeError> {
        self.check_stored()?;
        let late = self.is_expired(now);
        let revived = self.revived(asked.or(Some(self.ttl)), missed_events, now);
        let note = revived.passed(Milestone::Renewed, now, late.then(|| "late".to_owned()));
        let mut change = revived.put().and(HistoryWrite::Note(note));
        if late && !missed_events {
            change = change.and(SubscriptionWrite::AbandonWaiting {
                account: self.account,
                subscription: self.id,
                at: now,
            });
        }
        Ok((change.given(self.unchanged()), revived))
    }

    /// Pauses it. What is paused already stays as it is.
    ///
    /// # Errors
    ///
    /// When it lives with its WebSocket session.
    pub fn suspend(&self, now: Timestamp) -> Result<(Change, Self), LifeError> {
        self.check_stored()?;
        if self.status == SubscriptionStatus::Suspended {
            return Ok((Change::default(), self.clone()));
        }
        Ok(self.becoming(self.suspended(now), Milestone::Suspended, now))
    }

    /// Ends a pause or a blacklisting, with what was missed if that is wished. Its address has shown
    /// before that it wants events.
    ///
    /// # Errors
    ///
    /// When it lives with its WebSocket session.
    pub fn resume(&self, missed_events: bool, now: Timestamp) -> Result<(Change, Self), LifeError> {
        self.check_stored()?;
        if self.status == SubscriptionStatus::Active {
            return Ok((Change::default(), self.clone()));
        }
        Ok(self.becoming(self.resumed(missed_events, now), Milestone::Resumed, now))
    }

    /// Ends it because its owner wants it so.
    pub fn delete(&self, now: Timestamp) -> Change {
        let note = HistoryWrite::Note(self.passed(Milestone::Deleted, now, None));
        match self.mode.transport() {
            TransportType::WebSocket => Change::of(note),
            _ => self.removal(now).and(note),
        }
    }

    /// The change from this to `next`, noted as `milestone`.
    pub(crate) fn becoming(
        &self,
        next: Self,
        milestone: Milestone,
        now: Timestamp,
    ) -> (Change, Self) {
        let note = HistoryWrite::Note(next.passed(milestone, now, None));
        let change = next.put().and(note).given(self.unchanged());
        (change, next)
    }

    /// Takes it out of the store; its waiting deliveries are abandoned.
    pub(crate) fn removal(&self, now: Timestamp) -> Change {
        Change::of(SubscriptionWrite::Delete {
            account: self.account,
            subscription: self.id,
            at: now,
        })
    }

    fn check_stored(&self) -> Result<(), LifeError> {
        match self.mode.transport() {
            TransportType::WebSocket => Err(LifeError::OfItsSession),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
