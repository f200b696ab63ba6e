//! What time does with subscriptions: it reminds, ends and forgets them, probes the address of a
//! blacklisted one, and gives up what has failed for too long (contract sections 4.6 and 4.10).
//! What owners do with them is in [`life`](super::life).
//!
//! [`Stage`] tells what is due when; each deed is a change that is guarded by the version that it
//! was decided for, so that a renewal that comes in between wins.

use bytes::Bytes;

use crate::endpoints::endpoint::{EndpointEventType, endpoint_event};
use crate::events::event::{Audience, Event, EventKind};
use crate::kernel::change::Change;
use crate::kernel::ids::{AccountId, EventId, SubscriptionId};
use crate::kernel::limits::{HEAL_PERIOD, RENEWAL_GRACE};
use crate::kernel::time::Timestamp;
use crate::subscriptions::filter::Reminder;
use crate::subscriptions::history::{HistoryWrite, Milestone};
use crate::subscriptions::ports::SubscriptionWrite;
use crate::subscriptions::subscription::{Subscription, SubscriptionStatus};

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Tell the subscriber that its time runs out.
    Remind,
    /// Look whether a blacklisted address is in order again.
    Probe,
    /// Note that the time has run out.
    Expire,
    /// Give up what can no longer be renewed.
    Forget,
    /// Match the events anew that were missed.
    CatchUp,
}

/// Where a subscription is in its life, as far as time drives it: all that planning needs.
#[derive(Debug, Clone, Copy)]
pub enum Stage {
    /// Its time has run out, and that is noted.
    Ended { renewable_until: Timestamp },
    /// It will run out.
    Running {
        expires_at: Timestamp,
        standing: Standing,
    },
}

/// How a subscription stands that has not run out.
#[derive(Debug, Clone, Copy)]
pub enum Standing {
    Active {
        catches_up: bool,
        reminder: Option<Reminder>,
    },
    Blacklisted {
        since: Timestamp,
    },
    /// Nothing happens to it but its end.
    Quiet,
}

/// What decides at which stage a subscription is.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub status: SubscriptionStatus,
    pub expires_at: Timestamp,
    /// That its time has run out is noted.
    pub ended: bool,
    pub blacklisted_since: Option<Timestamp>,
    /// Events that it missed are still to be looked for.
    pub catches_up: bool,
    pub reminder: Option<Reminder>,
}

impl From<Life> for Stage {
    fn from(life: Life) -> Self {
        let expires_at = life.expires_at;
        if life.ended {
            let renewable_until = expires_at + RENEWAL_GRACE;
            return Self::Ended { renewable_until };
        }
        let standing = match (life.status, life.blacklisted_since) {
            (SubscriptionStatus::Active, _) => Standing::Active {
                catches_up: life.catches_up,
                reminder: life.reminder,
            },
            (SubscriptionStatus::Blacklisted, Some(since)) => Standing::Blacklisted { since },
            _ => Standing::Quiet,
        };
        Self::Running {
            expires_at,
            standing,
        }
    }
}

/// The place of a subscription in its life, at one of its versions.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub account: AccountId,
    pub subscription: SubscriptionId,
    pub version: u64,
    pub stage: Stage,
}

impl From<&Subscription> for Place {
    fn from(subscription: &Subscription) -> Self {
        Self {
            account: subscription.account,
            subscription: subscription.id,
            version: subscription.version,
            stage: Stage::of(subscription),
        }
    }
}

impl Stage {
    /// The stage of a subscription.
    pub fn of(subscription: &Subscription) -> Self {
        let blacklisted = subscription.blacklisted.as_ref();
        Self::from(Life {
            status: subscription.status,
            expires_at: subscription.expires_at,
            ended: subscription.ended_at.is_some(),
            blacklisted_since: blacklisted.map(|(since, _)| *since),
            catches_up: subscription.catch_up_after.is_some(),
            reminder: subscription.reminder(),
        })
    }

    /// What comes next after `now`: what was due before has been done. Blacklisted addresses are
    /// probed if the server `heals`.
    pub fn next_task(&self, heals: bool, now: Timestamp) -> (Timestamp, Task) {
        let (expires_at, standing) = match *self {
            Self::Ended { renewable_until } => return (renewable_until, Task::Forget),
            Self::Running {
                expires_at,
                standing,
            } => (expires_at, standing),
        };
        let sooner = match standing {
            _ if now >= expires_at => None,
            Standing::Active {
                catches_up: true, ..
            } => Some((now, Task::CatchUp)),
            Standing::Active { reminder, .. } => reminder
                .and_then(|reminder| reminder.next_after(now, expires_at))
                .map(|at| (at, Task::Remind)),
            Standing::Blacklisted { since } if heals => Some((next_probe(since, now), Task::Probe)),
            Standing::Blacklisted { .. } | Standing::Quiet => None,
        };
        sooner
            .filter(|(at, _)| *at < expires_at)
            .unwrap_or((expires_at, Task::Expire))
    }

    /// The same once everything that was missed has been found.
    #[must_use]
    pub const fn caught_up(self) -> Self {
        match self {
            Self::Running {
                expires_at,
                standing: Standing::Active { reminder, .. },
            } => Self::Running {
                expires_at,
                standing: Standing::Active {
                    catches_up: false,
                    reminder,
                },
            },
            other => other,
        }
    }
}

/// The first multiple of the period after `since` that is after `now`.
fn next_probe(since: Timestamp, now: Timestamp) -> Timestamp {
    let period = HEAL_PERIOD.as_millis();
    let periods = now.since(since).as_millis() / period + 1;
    since + HEAL_PERIOD * u32::try_from(periods).unwrap_or(u32::MAX)
}

/// What a subscription is given up for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// Everything has failed for too long.
    Blacklisted { reason: String },
    /// An endpoint is past its failure threshold; every attempt has failed since then.
    PastThreshold { reason: String, since: Timestamp },
}

impl Trouble {
    /// Why, for people.
    pub fn reason(&self) -> &str {
        match self {
            Self::Blacklisted { reason } | Self::PastThreshold { reason, .. } => reason,
        }
    }
}

impl Subscription {
    /// Reminds its subscriber of the end.
    pub fn remind(&self, now: Timestamp) -> Change {
        Change::default()
            .announcing(reminder(self, now))
            .given(self.unchanged())
    }

    /// Notes that its time has run out. It can be renewed for a while.
    pub fn expire(&self, now: Timestamp) -> Change {
        self.becoming(self.ended(now), Milestone::Expired, now).0
    }

    /// Removes what can no longer be renewed.
    pub fn forget(&self, now: Timestamp) -> Change {
        self.removal(now).given(self.unchanged())
    }

    /// Puts it into use again: a probe found the address of a blacklisted one in order. What is not
    /// lost is delivered, and nobody has to ask for it.
    pub fn heal(&self, now: Timestamp) -> Change {
        self.becoming(self.resumed(true, now), Milestone::Healed, now)
            .0
    }

    /// Remembers since when every attempt has failed; `None` that one has succeeded.
    pub fn note_failing(&self, since: Option<Timestamp>) -> Change {
        Change::of(self.failing(since))
    }

    /// Blacklists it, or sets an endpoint Errored. `None` when something else has happened to it
    /// meanwhile; a renewal does not save it. What it has been failing since is remembered:
    /// recovering it begins there.
    pub fn give_up(&self, trouble: &Trouble, now: Timestamp) -> Option<(Change, Self)> {
        if !self.is_live(now) {
            return None;
        }
        let reason = trouble.reason().to_owned();
        let (changed, milestone) = match trouble {
            Trouble::Blacklisted { .. } => {
                let changed = self.blacklisted(reason.clone(), now);
                (changed, Milestone::Blacklisted)
            }
            Trouble::PastThreshold { since, .. } => {
                let changed = Self {
                    failing_since: self.failing_since.or(Some(*since)),
                    ..self.errored(reason.clone(), now)
                };
                (changed, Milestone::Errored)
            }
        };
        let note = changed.passed(milestone, now, Some(reason));
        let mut change = changed
            .put()
            .and(changed.failing(changed.failing_since))
            .and(HistoryWrite::Note(note))
            .given(self.unchanged());
        let told = endpoint_event(&changed, EndpointEventType::Errored, now);
        change.events.extend(told);
        Some((change, changed))
    }

    fn failing(&self, since: Option<Timestamp>) -> SubscriptionWrite {
        SubscriptionWrite::SetFailing {
            account: self.account,
            subscription: self.id,
            since,
        }
    }
}

/// The event that reminds a subscriber of the end (contract 4.6).
fn reminder(subscription: &Subscription, now: Timestamp) -> Event {
    let left = subscription.expires_at.since(now).as_secs();
    Event {
        account: subscription.account,
        id: EventId::PENDING,
        kind: EventKind::Reminder,
        event_type: EventKind::Reminder.name().into(),
        audience: Audience::Subscription(subscription.id),
        chat: None,
        post: None,
        request: None,
        occurred_at: now,
        body: Bytes::from(format!(r#"{{"expiresIn":{left}}}"#)),
        confidential: false,
        attributes: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::change::Write;
    use crate::subscriptions::sample::{at, subscription};

    const POSTS: &str = "/restapi/v1.0/glip/posts";
    const REMINDER: &str = "/restapi/v1.0/subscription/~?threshold=300&interval=100";

    fn next(subscription: &Subscription, heals: bool, now: i64) -> (Timestamp, Task) {
        Stage::of(subscription).next_task(heals, at(now))
    }

    #[test]
    fn what_comes_next_follows_from_the_stage() {
        let active = subscription(&[POSTS, REMINDER]);
        let broken = active.blacklisted("broken".to_owned(), at(10));
        let blacklisted = Subscription {
            expires_at: at(2_000),
            ..broken
        };
        let paused = active.suspended(at(10));
        let resumed = paused.resumed(true, at(20));
        let ended = active.ended(at(1_000));
        for (subscription, heals, now, expect) in [
            (&active, true, 0, (at(700), Task::Remind)),
            (&active, true, 700, (at(800), Task::Remind)),
            (&active, true, 900, (at(1_000), Task::Expire)),
            (&active, true, 5_000, (at(1_000), Task::Expire)),
            (&blacklisted, true, 10, (at(910), Task::Probe)),
            (&blacklisted, true, 910, (at(1_810), Task::Probe)),
            (&blacklisted, true, 1_810, (at(2_000), Task::Expire)),
            (&blacklisted, false, 10, (at(2_000), Task::Expire)),
            (&paused, true, 10, (at(1_000), Task::Expire)),
            (&resumed, true, 20, (at(20), Task::CatchUp)),
            (&ended, true, 1_000, (at(1_000 + 86_400), Task::Forget)),
        ] {
            assert_eq!(next(subscription, heals, now), expect);
        }
        let caught_up = Stage::of(&resumed).caught_up();
        assert_eq!(caught_up.next_task(true, at(20)), (at(700), Task::Remind));
    }

    #[test]
    fn every_deed_is_guarded_by_the_version() {
        let current = subscription(&[POSTS]);
        let trouble = Trouble::Blacklisted {
            reason: "broken".to_owned(),
        };
        let (given_up, _) = current.give_up(&trouble, at(1)).unwrap();
        for change in [
            current.remind(at(1)),
            current.expire(at(1)),
            current.forget(at(1)),
            current.heal(at(1)),
            given_up,
        ] {
            assert!(change.guards.contains(&current.unchanged()));
        }
        let healed = current.blacklisted("broken".to_owned(), at(1)).heal(at(5));
        let put = |write: &Write| match write {
            Write::Subscription(SubscriptionWrite::Put(subscription)) => Some(subscription.clone()),
            _ => None,
        };
        let healed = healed.writes.iter().find_map(put).unwrap();
        assert!(healed.is_live(at(5)) && healed.catch_up_after.is_some());
    }

    #[test]
    fn only_what_takes_events_is_given_up() {
        let current = subscription(&[POSTS]);
        let trouble = || Trouble::Blacklisted {
            reason: "broken".to_owned(),
        };
        let paused = current.suspended(at(1));
        assert!(paused.give_up(&trouble(), at(2)).is_none());
        assert!(
            current.give_up(&trouble(), at(1_000)).is_none(),
            "it has ended"
        );
        let (_, blacklisted) = current.give_up(&trouble(), at(2)).unwrap();
        assert_eq!(blacklisted.status, SubscriptionStatus::Blacklisted);
    }

    #[test]
    fn past_its_threshold_it_is_errored_since_the_first_failure_that_is_known() {
        let errored = |failing_since| {
            let current = Subscription {
                failing_since,
                ..subscription(&[POSTS])
            };
            let trouble = Trouble::PastThreshold {
                reason: "broken".to_owned(),
                since: at(5),
            };
            current.give_up(&trouble, at(10)).unwrap().1
        };
        assert_eq!(errored(None).status, SubscriptionStatus::Errored);
        assert_eq!(errored(None).failing_since, Some(at(5)));
        assert_eq!(errored(Some(at(3))).failing_since, Some(at(3)));
    }

    #[test]
    fn a_reminder_tells_how_much_is_left() {
        let change = subscription(&[POSTS]).remind(at(700));
        assert_eq!(&change.events[0].body[..], br#"{"expiresIn":300}"#);
    }
}
