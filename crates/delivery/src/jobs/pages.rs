//! What each kind of job does on its next page.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::events::scenario::Run;
use hookyard_domain::kernel::limits::{ERASE_ROWS_MAX, JOB_EVENTS_PAGE_MAX, JOB_PAGE_MAX};
use hookyard_domain::kernel::ports::{
    DeliveryQuery, EventQuery, FoundDelivery, StateQuery, StoreError,
};
use hookyard_domain::{
    AccountId, Audience, Change, DeliveryId, DeliverySelection, DeliveryWrite, ErasureSubject,
    Event, EventId, IdSequence, Job, JobPage, JobWork, Redelivery, Scenario, Subscription,
    SubscriptionId, Timestamp, TypePattern,
};

use super::{Inner, Next};
use crate::recipients::recipients_now;

const ENDED: &str = "The endpoint was deleted, or its subscription has ended.";

/// What was made before the job: what it causes itself has larger numbers.
fn before(job: &Job) -> DeliveryId {
    DeliveryId(job.id.0)
}

/// The deliveries that a job sends again; `None` for jobs that look at events.
fn deliveries_of(job: &Job) -> Option<DeliveryQuery> {
    match &job.work {
        JobWork::Resend { selection } => {
            Some(selection.query(job.account, Some(before(job)), JOB_PAGE_MAX))
        }
        JobWork::Recover { endpoint, since } => {
            let selection = DeliverySelection {
                subscription: Some(*endpoint),
                state: Some(StateQuery::Abandoned),
                ..DeliverySelection::default()
            };
            Some(DeliveryQuery {
                abandoned_since: Some(*since),
                ..selection.query(job.account, Some(before(job)), JOB_PAGE_MAX)
            })
        }
        JobWork::Replay { .. } | JobWork::Scenario { .. } | JobWork::Erase { .. } => None,
    }
}

/// The next step of a scenario.
fn step(job: &Job, name: &str, pause: Duration, audience: Audience, now: Timestamp) -> Next {
    let Some(scenario) = Scenario::named(name) else {
        return Next::Failed(format!("There is no scenario `{name}`."));
    };
    let run = Run {
        number: job.id.0,
        begun_at: job.created_at,
        pause,
    };
    let event = scenario.event(job.done, &run, (job.account, audience, now));
    let sent = u64::from(event.is_some());
    Next::Page {
        change: Change {
            events: event.into_iter().collect(),
            ..Change::default()
        },
        page: JobPage {
            done: sent,
            sent,
            cursor: u64::try_from(now.as_millis()).ok(),
        },
        last: job.done + 1 >= scenario.len(),
    }
}

impl Inner {
    /// What there is to look at.
    pub(super) async fn count(&self, job: &Job) -> Result<u64, StoreError> {
        if let Some(query) = deliveries_of(job) {
            return self.store().count_deliveries(query).await;
        }
        let (since, until) = match &job.work {
            JobWork::Replay { since, until, .. } => (since, until),
            JobWork::Scenario { name, .. } => {
                return Ok(Scenario::named(name).map_or(0, Scenario::len));
            }
            JobWork::Erase { subject } => {
                let all = self.store().erasable(job.account, *subject, 0, u64::MAX);
                return Ok(all.await?.total());
            }
            JobWork::Resend { .. } | JobWork::Recover { .. } => return Ok(0),
        };
        let query = EventQuery {
            account: job.account,
            types: None,
            since: Some(*since),
            until: Some(*until),
            before: Some(EventId(job.id.0)),
            limit: u32::MAX,
        };
        self.store().count_events(query).await
    }

    /// What is next.
    pub(super) async fn next(&self, job: &Job) -> Result<Next, StoreError> {
        if let JobWork::Erase { subject } = job.work {
            return self.erase(job, subject).await;
        }
        let about = match job.work.endpoint() {
            None => None,
            Some(id) => {
                let found = self.store().subscription(job.account, id).await?;
                if found.is_none() {
                    return Ok(Next::Failed(ENDED.to_owned()));
                }
                found
            }
        };
        if let Some(query) = deliveries_of(job) {
            return self.resend(job, query).await;
        }
        match (&job.work, about) {
            (
                JobWork::Scenario {
                    name,
                    endpoint,
                    pause_ms,
                },
                _,
            ) => {
                let audience = endpoint.map_or(Audience::Account, Audience::Subscription);
                let pause = Duration::from_millis(*pause_ms);
                Ok(step(job, name, pause, audience, self.ports.clock.now()))
            }
            (
                JobWork::Replay {
                    since,
                    until,
                    types,
                    ..
                },
                Some(endpoint),
            ) => {
                let span = (*since, *until);
                self.replay(job, &endpoint, span, types).await
            }
            _ => Ok(Next::Failed(ENDED.to_owned())),
        }
    }

    /// A page of deliveries that are sent again, oldest first.
    async fn resend(&self, job: &Job, query: DeliveryQuery) -> Result<Next, StoreError> {
        let limit = query.limit;
        let after = DeliveryId(job.cursor.unwrap_or(0));
        let found = self.store().find_deliveries_after(query, after).await?;
        let mut reachable = HashMap::new();
        let mut change = Change::default();
        let mut sent = 0;
        for FoundDelivery { delivery, .. } in &found {
            let subscription = delivery.subscription;
            let open = if let Some(open) = reachable.get(&subscription) {
                *open
            } else {
                let open = self.is_reachable(job.account, subscription).await?;
                reachable.insert(subscription, open);
                open
            };
            if open {
                sent += 1;
                change = change.and(DeliveryWrite::Resend {
                    account: job.account,
                    delivery: delivery.id,
                });
            }
        }
        Ok(Next::Page {
            change,
            page: JobPage {
                done: count_of(&found),
                sent,
                cursor: found.last().map(|last| last.delivery.id.0),
            },
            last: count_of(&found) < u64::from(limit),
        })
    }

    /// A page of what is erased. Numbers are unique among all that has them, so one walk over the
    /// numbers comes by everything.
    async fn erase(&self, job: &Job, subject: ErasureSubject) -> Result<Next, StoreError> {
        let after = job.cursor.unwrap_or(0);
        let last = self.store().erasure_page(after, ERASE_ROWS_MAX).await?;
        let end = last.unwrap_or(u64::MAX);
        let store = self.store();
        let counts = store.erasable(job.account, subject, after, end).await?;
        Ok(Next::Page {
            change: subject.page(job.account, after, last, job.id),
            page: JobPage {
                done: counts.total(),
                sent: 0,
                cursor: last,
            },
            last: last.is_none(),
        })
    }

    /// Whether anything can be sent to a subscription.
    async fn is_reachable(
        &self,
        account: AccountId,
        id: SubscriptionId,
    ) -> Result<bool, StoreError> {
        let found = self.store().subscription(account, id).await?;
        Ok(found.is_some_and(|found| found.takes_events(self.ports.clock.now())))
    }

    /// A page of events, and those among them that the endpoint asks for now and never got.
    async fn replay(
        &self,
        job: &Job,
        endpoint: &Arc<Subscription>,
        (since, until): (Timestamp, Timestamp),
        types: &[TypePattern],
    ) -> Result<Next, StoreError> {
        let first = IdSequence::first_at(since);
        let below = IdSequence::first_at(until).min(job.id.0);
        let after = job.cursor.unwrap_or(first.saturating_sub(1));
        let limit = JOB_EVENTS_PAGE_MAX;
        let mut events = self
            .store()
            .events_after(job.account, EventId(after), limit)
            .await?;
        let full = count_of(&events) == u64::from(limit);
        events.retain(|event| event.id.0 < below);
        let all_within = count_of(&events) == u64::from(limit);
        let mut change = Change::default();
        let mut sent = 0;
        for event in &events {
            if let Some(write) = self.missed(endpoint, event, types).await? {
                sent += 1;
                change = change.and(write);
            }
        }
        Ok(Next::Page {
            change,
            page: JobPage {
                done: count_of(&events),
                sent,
                cursor: events.last().map(|event| event.id.0),
            },
            last: !(full && all_within),
        })
    }

    /// What sends `event` to the endpoint, if it asks for it, may have it and never got it.
    async fn missed(
        &self,
        endpoint: &Subscription,
        event: &Event,
        types: &[TypePattern],
    ) -> Result<Option<DeliveryWrite>, StoreError> {
        let name = event.type_name();
        if !types.is_empty() && !types.iter().any(|pattern| pattern.matches(&name)) {
            return Ok(None);
        }
        let Some(recipients) = recipients_now(self.store(), endpoint, event).await? else {
            return Ok(None);
        };
        let Some(pattern) = endpoint.wants(event, &recipients) else {
            return Ok(None);
        };
        let (account, subscription) = (endpoint.account, endpoint.id);
        if self
            .store()
            .has_delivery(account, event.id, subscription)
            .await?
        {
            return Ok(None);
        }
        Ok(Some(DeliveryWrite::Redeliver(Redelivery {
            account,
            subscription,
            event: event.id,
            filter: pattern.to_owned(),
        })))
    }
}

fn count_of<T>(found: &[T]) -> u64 {
    u64::try_from(found.len()).unwrap_or(u64::MAX)
}
