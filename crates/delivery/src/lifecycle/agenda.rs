//! What has to be done for each subscription, and when.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use hookyard_domain::subscriptions::life_cycle::{Stage, Task};
use hookyard_domain::{Subscription, SubscriptionId, Timestamp};

/// Every subscription and what is next for it.
#[derive(Debug)]
pub(super) struct Agenda {
    heals: bool,
    watched: HashMap<SubscriptionId, Watched>,
    due: BTreeSet<(Timestamp, SubscriptionId)>,
}

#[derive(Debug)]
struct Watched {
    subscription: Arc<Subscription>,
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

    /// Watches a subscription, unless a newer version of it is watched already.
    pub(super) fn watch(&mut self, subscription: &Arc<Subscription>, now: Timestamp) {
        let known = self.watched.get(&subscription.id);
        if known.is_some_and(|known| known.subscription.version > subscription.version) {
            return;
        }
        self.forget(subscription.id);
        let next = Stage::of(subscription).next_task(self.heals, now);
        self.due.insert((next.0, subscription.id));
        let watched = Watched {
            subscription: Arc::clone(subscription),
            next: Some(next),
        };
        self.watched.insert(subscription.id, watched);
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

    /// Notes that catching up is done.
    pub(super) fn caught_up(&mut self, id: SubscriptionId, now: Timestamp) {
        if let Some(watched) = self.watched.get(&id) {
            let done = Subscription {
                catch_up_after: None,
                endpoint: None,
                ..(*watched.subscription).clone()
            };
            self.watch(&Arc::new(done), now);
        }
    }

    /// When something is due next.
    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Takes one task that is due at `now`, and plans what comes after it.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Arc<Subscription>, Task)> {
        let (at, id) = *self.due.first().filter(|(at, _)| *at <= now)?;
        self.due.remove(&(at, id));
        let watched = self.watched.get_mut(&id).expect("what is due is watched");
        let (_, task) = watched.next.take().expect("what is due has a task");
        // Expiring, forgetting and catching up change the subscription, which is watched anew then.
        if matches!(task, Task::Remind | Task::Probe) {
            let next = Stage::of(&watched.subscription).next_task(self.heals, now);
            watched.next = Some(next);
            self.due.insert((next.0, id));
        }
        Some((Arc::clone(&watched.subscription), task))
    }

    /// Plans a task again that could not be done, for `at`.
    pub(super) fn retry(&mut self, id: SubscriptionId, task: Task, at: Timestamp) {
        if let Some(watched) = self.watched.get_mut(&id)
            && watched.next.is_none()
        {
            watched.next = Some((at, task));
            self.due.insert((at, id));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hookyard_domain::EventFilter;
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
    fn story(subscription: Subscription, heals: bool) -> Vec<(u64, Task)> {
        let mut agenda = Agenda::new(heals);
        agenda.watch(&Arc::new(subscription), at(0));
        let mut story = Vec::new();
        while let Some(next) = agenda.next_at() {
            let (subscription, task) = agenda.take_due(next).expect("it is due");
            story.push((next.since(at(0)).as_secs(), task));
            if task == Task::Expire {
                agenda.watch(&Arc::new(subscription.ended(next)), next);
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
        assert_eq!(story(subscription(), true), expect);
    }

    #[test]
    fn a_blacklisted_one_is_probed_until_it_expires() {
        let mut blacklisted = subscription().blacklisted("broken".to_owned(), at(10));
        blacklisted.expires_at = at(2_000);
        let tasks = |heals| story(blacklisted.clone(), heals);
        let expect = [
            (910, Task::Probe),
            (1_810, Task::Probe),
            (2_000, Task::Expire),
        ];
        assert_eq!(tasks(true)[..3], expect);
        assert_eq!(tasks(false)[0], (2_000, Task::Expire));
    }

    #[test]
    fn what_was_missed_comes_first() {
        let resumed = subscription().suspended(at(0)).resumed(true, at(5));
        assert_eq!(story(resumed, true)[0], (0, Task::CatchUp));
    }

    #[test]
    fn a_renewal_moves_everything() {
        let mut agenda = Agenda::new(true);
        let first = subscription();
        let renewed = first.renewed(Some(Duration::from_secs(10_000)), at(600));
        agenda.watch(&Arc::new(first.clone()), at(0));
        agenda.watch(&Arc::new(renewed), at(600));
        assert_eq!(agenda.next_at(), Some(at(10_300)));
        agenda.watch(&Arc::new(first), at(600));
        assert_eq!(
            agenda.next_at(),
            Some(at(10_300)),
            "an older version is stale"
        );
    }
}
