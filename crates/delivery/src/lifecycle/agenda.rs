//! What has to be done for each subscription, and when.
//!
//! The agenda knows of a subscription what planning needs, and no more: who does a task reads the
//! subscription again, so that what is written is what the store holds.

use std::collections::{BTreeSet, HashMap};

use hookyard_domain::subscriptions::life_cycle::{Place, Stage, Task};
use hookyard_domain::{AccountId, SubscriptionId, Timestamp};

/// A task that has come, and the version of the subscription that it was planned for. A newer
/// version has a plan of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) account: AccountId,
    pub(super) subscription: SubscriptionId,
    pub(super) version: u64,
    pub(super) task: Task,
}

/// Every subscription and what is next for it.
#[derive(Debug)]
pub(super) struct Agenda {
    heals: bool,
    watched: HashMap<SubscriptionId, Watched>,
    due: BTreeSet<(Timestamp, SubscriptionId)>,
}

#[derive(Debug, Clone, Copy)]
struct Watched {
    account: AccountId,
    version: u64,
    stage: Stage,
    /// `None` while what was due is being done and nothing can be planned before that.
    next: Option<(Timestamp, Task)>,
}

impl Agenda {
    /// An agenda that probes blacklisted addresses, if it `heals`.
    pub(super) fn new(heals: bool) -> Self {
        Self {
            heals,
            watched: HashMap::new(),
            due: BTreeSet::new(),
        }
    }

    /// Subscriptions that are watched.
    pub(super) fn len(&self) -> usize {
        self.watched.len()
    }

    /// Watches a subscription, unless a newer version of it is watched already.
    pub(super) fn watch(&mut self, place: Place, now: Timestamp) {
        let known = self.watched.get(&place.subscription);
        if known.is_some_and(|known| known.version > place.version) {
            return;
        }
        let watched = Watched {
            account: place.account,
            version: place.version,
            stage: place.stage,
            next: None,
        };
        self.plan(place.subscription, watched, now);
    }

    fn plan(&mut self, id: SubscriptionId, watched: Watched, now: Timestamp) {
        self.forget(id);
        let next = watched.stage.next_task(self.heals, now);
        self.due.insert((next.0, id));
        let watched = Watched {
            next: Some(next),
            ..watched
        };
        self.watched.insert(id, watched);
    }

    /// Watches it no longer.
    pub(super) fn forget(&mut self, id: SubscriptionId) {
        if let Some(Watched {
            next: Some((at, _)),
            ..
        }) = self.watched.remove(&id)
        {
            self.due.remove(&(at, id));
        }
    }

    /// Watches nothing any longer.
    pub(super) fn clear(&mut self) {
        self.watched.clear();
        self.due.clear();
    }

    /// Notes that catching up is done.
    pub(super) fn caught_up(&mut self, id: SubscriptionId, now: Timestamp) {
        if let Some(watched) = self.watched.get(&id) {
            let done = Watched {
                stage: watched.stage.caught_up(),
                ..*watched
            };
            self.plan(id, done, now);
        }
    }

    /// When something is due next.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes one task that is due at `now`, and plans what comes after it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<Due> {
        let (at, id) = *self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, id));
        let watched = self.watched.get_mut(&id).expect("what is due is watched");
        let (_, task) = watched.next.take().expect("what is due has a task");
        let due = Due {
            account: watched.account,
            subscription: id,
            version: watched.version,
            task,
        };
        // Expiring, forgetting and catching up change the subscription, which is watched anew then.
        if matches!(task, Task::Remind | Task::Probe) {
            let next = watched.stage.next_task(self.heals, now);
            watched.next = Some(next);
            self.due.insert((next.0, id));
        }
        Some(due)
    }

    /// Plans a task again that could not be done, for `at`.
    pub(super) fn retry(&mut self, due: &Due, at: Timestamp) {
        if let Some(watched) = self.watched.get_mut(&due.subscription)
            && watched.next.is_none()
        {
            watched.next = Some((at, due.task));
            self.due.insert((at, due.subscription));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookyard_domain::{EventFilter, Subscription};
    use hookyard_testkit::{VirtualClock, sample};
    use std::time::Duration;

    fn at(seconds: u64) -> Timestamp {
        VirtualClock::BEGIN + Duration::from_secs(seconds)
    }

    /// Lives a thousand seconds; reminded in the last 300, every 100.
    fn subscription() -> Subscription {
        let reminder = "/restapi/v1.0/subscription/~?threshold=300&interval=100";
        let mut subscription = sample::subscription(1, "https://example.com/");
        subscription
            .filters
            .push(EventFilter::read(reminder).expect("a filter"));
        subscription.expires_at = at(1_000);
        subscription
    }

    /// What happens to a subscription to which nothing is done, from `now` on.
    fn story(subscription: &Subscription, heals: bool) -> Vec<(u64, Task)> {
        let mut agenda = Agenda::new(heals);
        agenda.watch(subscription.into(), at(0));
        let mut story = Vec::new();
        while let Some(next) = agenda.next_at() {
            let Due { task, version, .. } = agenda.take_due(next).expect("it is due");
            assert_eq!(version, subscription.version);
            story.push((next.since(at(0)).as_secs(), task));
            if task == Task::Expire {
                agenda.forget(subscription.id);
                let ended = Subscription {
                    version,
                    ..subscription.ended(next)
                };
                agenda.watch((&ended).into(), next);
            }
        }
        story
    }

    #[test]
    fn a_subscription_is_reminded_expires_and_is_forgotten_after_its_grace() {
        let expect = [
            (700, Task::Remind),
            (800, Task::Remind),
            (900, Task::Remind),
            (1_000, Task::Expire),
            (1_000 + 86_400, Task::Forget),
        ];
        assert_eq!(story(&subscription(), true), expect);
    }

    #[test]
    fn a_blacklisted_one_is_probed_until_it_expires() {
        let mut blacklisted = subscription().blacklisted("broken".to_owned(), at(10));
        blacklisted.expires_at = at(2_000);
        let tasks = |heals| story(&blacklisted, heals);
        let expect = [
            (910, Task::Probe),
            (1_810, Task::Probe),
            (2_000, Task::Expire),
        ];
        assert_eq!(tasks(true)[..3], expect);
        assert_eq!(tasks(false)[0], (2_000, Task::Expire));
    }

    #[test]
    fn what_was_missed_comes_first_and_then_what_else_there_is() {
        let resumed = subscription().suspended(at(0)).resumed(true, at(5));
        assert_eq!(story(&resumed, true), [(0, Task::CatchUp)]);
        let mut agenda = Agenda::new(true);
        agenda.watch((&resumed).into(), at(5));
        agenda.take_due(at(5)).expect("it is due");
        agenda.caught_up(resumed.id, at(6));
        assert_eq!(agenda.next_at(), Some(at(700)), "the first reminder");
    }

    #[test]
    fn a_renewal_moves_everything() {
        let mut agenda = Agenda::new(true);
        let first = subscription();
        let renewed = first.renewed(Some(Duration::from_secs(10_000)), at(600));
        agenda.watch((&first).into(), at(0));
        agenda.watch((&renewed).into(), at(600));
        assert_eq!(agenda.next_at(), Some(at(10_300)));
        agenda.watch((&first).into(), at(600));
        assert_eq!(
            agenda.next_at(),
            Some(at(10_300)),
            "an older version is stale"
        );
    }
}
