//! Jobs and statistics: what every backend must do with them.

use std::sync::Arc;

use hookyard_domain::endpoints::statistics::bucket_of;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{CommitError, JobQuery};
use hookyard_domain::{
    AbandonReason, AccountId, AttemptOutcome, Change, ChatWrite, Delivery, DeliverySelection,
    DeliveryState, DeliveryWrite, HourSums, Job, JobId, JobPage, JobStatus, JobWork, JobWrite,
    OutcomeKind, Statistics, StatisticsWrite, Subscription, SubscriptionWrite, Timestamp,
    UnreachableReason, WebhookWrite,
};

use crate::world::{ACCOUNT, World, on_every_backend};

fn job(world: &World, work: JobWork) -> Job {
    Job::begun(ACCOUNT, JobId(world.id()), work, world.now())
}

fn resend(subscription: Option<&Subscription>) -> JobWork {
    JobWork::Resend {
        selection: DeliverySelection {
            subscription: subscription.map(|known| known.id),
            ..DeliverySelection::default()
        },
    }
}

async fn put(world: &World, job: &Job) {
    world.commit(Change::of(job.put())).await;
}

fn every() -> JobQuery {
    JobQuery {
        account: ACCOUNT,
        status: None,
        kind: None,
        endpoint: None,
        before: None,
        limit: 9,
    }
}

async fn put_endpoint(world: &World, endpoint: &Subscription) {
    let put = SubscriptionWrite::Put(Arc::new(endpoint.clone()));
    world.commit(Change::of(put)).await;
}

/// The deliveries of an endpoint, the oldest first.
async fn deliveries_to(world: &World, endpoint: &Subscription, count: usize) -> Vec<Delivery> {
    for _ in 0..count {
        world.published("invoice.paid").await;
    }
    let mut found = world
        .store
        .deliveries(
            ACCOUNT,
            Some(endpoint.id),
            hookyard_domain::kernel::ports::Page::First,
            99,
        )
        .await
        .unwrap();
    found.reverse();
    found
}

/// An attempt that took so many microseconds, and what it led to.
fn attempted(
    world: &World,
    delivery: &Delivery,
    (number, outcome, total_us): (u32, AttemptOutcome, u64),
    state: DeliveryState,
) -> DeliveryWrite {
    let mut attempt = world.attempt(delivery, number, outcome);
    attempt.timings.total_us = total_us;
    DeliveryWrite::RecordAttempt { attempt, state }
}

const ACCEPTED: AttemptOutcome = AttemptOutcome::Accepted { status: 200 };
const REFUSED: AttemptOutcome = AttemptOutcome::Refused {
    status: 500,
    retry_after: None,
};
const TIMED_OUT: AttemptOutcome = AttemptOutcome::Unreachable {
    reason: UnreachableReason::TimedOut,
};

async fn totals(world: &World, endpoint: &Subscription) -> Statistics {
    let mut all = Statistics::default();
    let found = world.store.statistics(
        ACCOUNT,
        endpoint.id,
        Timestamp::from_millis(0),
        Timestamp::MAX,
    );
    for bucket in found.await.unwrap() {
        assert_eq!(bucket.begins_at, bucket_of(bucket.begins_at));
        all.add(&bucket.statistics);
    }
    all
}

on_every_backend! {
    /// A job is kept as it is, page after page, and listeners hear of it once: when it begins.
    async fn a_job_is_kept_page_after_page(world: World) {
        let begun = job(&world, resend(None));
        put(&world, &begun).await;
        assert_eq!(world.store.job(ACCOUNT, begun.id).await.unwrap(), Some(begun.clone()));
        let page = JobPage { done: 7, sent: 6, cursor: Some(77) };
        let advanced = begun.counted(9).advanced(page);
        put(&world, &advanced).await;
        assert_eq!(world.store.running_jobs().await.unwrap(), std::slice::from_ref(&advanced));
        let failed = advanced.failed("it is gone", world.now());
        put(&world, &failed).await;
        assert_eq!(world.store.job(ACCOUNT, begun.id).await.unwrap(), Some(failed));
        assert!(world.store.running_jobs().await.unwrap().is_empty());
        let heard: Vec<_> = world.heard().jobs().map(|job| job.version).collect();
        assert_eq!(heard, [1]);
        assert_eq!(world.store.job(AccountId(999), begun.id).await.unwrap(), None);
    }

    /// Two that go on from the same page: one of them loses, and nothing of its page is done.
    async fn a_page_is_done_once(world: World) {
        let begun = job(&world, resend(None));
        put(&world, &begun).await;
        let page = |cursor| {
            let page = JobPage { done: 1, sent: 1, cursor: Some(cursor) };
            Change::of(begun.advanced(page).put()).given(begun.unchanged())
        };
        world.commit(page(5)).await;
        let lost = world.store.commit(page(6)).await;
        assert!(matches!(lost, Err(CommitError::Conflict)));
        assert_eq!(world.store.job(ACCOUNT, begun.id).await.unwrap().unwrap().cursor, Some(5));
    }

    /// Cancelling stops a job that runs, whatever page it is at, and no other.
    async fn cancelling_stops_what_runs(world: World) {
        let (running, done) = (job(&world, resend(None)), job(&world, resend(None)));
        put(&world, &running).await;
        put(&world, &done).await;
        let finished = done.finished(world.now());
        put(&world, &finished).await;
        for job in [running.id, finished.id] {
            world.commit(Change::of(JobWrite::Cancel { account: ACCOUNT, job, at: world.now() })).await;
        }
        let cancelled = world.store.job(ACCOUNT, running.id).await.unwrap().unwrap();
        assert_eq!((cancelled.status, cancelled.version), (JobStatus::Cancelled, 2));
        assert!(cancelled.finished_at.is_some());
        assert_eq!(world.store.job(ACCOUNT, finished.id).await.unwrap(), Some(finished));
        let stale = Change::of(running.counted(3).put()).given(running.unchanged());
        assert!(matches!(world.store.commit(stale).await, Err(CommitError::Conflict)));
    }

    /// Jobs are listed newest first, by status, kind and endpoint; old ones are cleared when they
    /// have ended.
    async fn jobs_are_listed_and_cleared(world: World) {
        let endpoint = world.endpoint("http://localhost/");
        let all = job(&world, resend(None));
        let ours = job(&world, resend(Some(&endpoint)));
        let recover = job(&world, JobWork::Recover { endpoint: endpoint.id, since: world.now() });
        for job in [&all, &ours, &recover] {
            put(&world, job).await;
        }
        put(&world, &ours.finished(world.now())).await;
        let ids = async |query: JobQuery| {
            let found = world.store.jobs(query).await.unwrap();
            found.iter().map(|job| job.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(every()).await, [recover.id, ours.id, all.id]);
        assert_eq!(ids(JobQuery { before: Some(recover.id), limit: 1, ..every() }).await, [ours.id]);
        assert_eq!(ids(JobQuery { status: Some(JobStatus::Running), ..every() }).await, [recover.id, all.id]);
        assert_eq!(ids(JobQuery { kind: Some("recover".into()), ..every() }).await, [recover.id]);
        assert_eq!(ids(JobQuery { endpoint: Some(endpoint.id), ..every() }).await, [recover.id, ours.id]);
        assert!(ids(JobQuery { account: AccountId(999), ..every() }).await.is_empty());
        world.commit(Change::of(JobWrite::Purge { before: Timestamp::MAX })).await;
        assert_eq!(ids(every()).await, [recover.id, all.id], "those that run stay");
    }

    /// What endpoints' attempts come to is counted with them; other subscriptions' are not.
    async fn attempts_at_endpoints_are_counted(world: World) {
        let (_, plain) = world.waiting_delivery().await;
        let endpoint = world.endpoint("http://localhost/");
        put_endpoint(&world, &endpoint).await;
        let found = deliveries_to(&world, &endpoint, 3).await;
        let now = world.now();
        let waiting = DeliveryState::Waiting { due_at: now };
        let delivered = DeliveryState::Delivered { at: now };
        let abandoned = DeliveryState::Abandoned { at: now, reason: AbandonReason::TooOld };
        let batch = Change::of(attempted(&world, &found[0], (1, REFUSED, 2_000), waiting))
            .and(attempted(&world, &found[0], (2, ACCEPTED, 1_000), delivered))
            .and(attempted(&world, &found[1], (1, TIMED_OUT, 9_000_000), abandoned))
            .and(attempted(&world, &plain, (1, ACCEPTED, 5), delivered));
        world.commit(batch).await;
        let give_up = DeliveryWrite::Abandon { account: ACCOUNT, delivery: found[2].id, state: abandoned };
        world.commit(Change::of(give_up.clone())).await;
        // What was recorded before, and what no longer waits, changes nothing.
        world.commit(Change::of(attempted(&world, &found[0], (2, ACCEPTED, 1_000), delivered))).await;
        world.commit(Change::of(give_up)).await;
        let counted = totals(&world, &endpoint).await;
        assert_eq!((counted.delivered, counted.abandoned), (1, 2));
        let attempts: Vec<_> = counted.attempts.iter().map(|(kind, count)| (*kind, *count)).collect();
        let timed_out = OutcomeKind::Unreachable(UnreachableReason::TimedOut);
        assert_eq!(attempts, [(OutcomeKind::Status(200), 1), (OutcomeKind::Status(500), 1), (timed_out, 1)]);
        let slowest = counted.latency.percentile_us(100).unwrap();
        assert!((1_800..=2_200).contains(&slowest), "{slowest}");
        let hours = world.store.statistics_by_hour(ACCOUNT, Timestamp::from_millis(0)).await.unwrap();
        let sums = HourSums { delivered: 1, abandoned: 2, attempts: 3, failed_attempts: 2 };
        assert_eq!(hours.len(), 1, "{hours:?}");
        assert_eq!((hours[0].0, hours[0].2), (endpoint.id, sums));
        assert_eq!(hours[0].1.as_millis() % 3_600_000, 0);
        let elsewhere = world.store.statistics(AccountId(999), endpoint.id, Timestamp::from_millis(0), Timestamp::MAX);
        assert!(elsewhere.await.unwrap().is_empty());
        assert!(world.store.statistics_by_hour(AccountId(999), Timestamp::from_millis(0)).await.unwrap().is_empty());
    }

    /// A change that is undone counts nothing, and what stands beside it in the batch counts once.
    async fn what_is_undone_is_not_counted(world: World) {
        let endpoint = world.endpoint("http://localhost/");
        put_endpoint(&world, &endpoint).await;
        let found = deliveries_to(&world, &endpoint, 1).await;
        let delivered = DeliveryState::Delivered { at: world.now() };
        let good = attempted(&world, &found[0], (1, ACCEPTED, 1_000), delivered);
        let team = world.team(&[crate::world::ALICE]);
        let webhook = world.webhook(&team, "taken");
        world.commit(Change::of(ChatWrite::Put(team.clone())).and(WebhookWrite::Put(webhook))).await;
        let broken = Change::of(good.clone()).and(WebhookWrite::Put(world.webhook(&team, "taken")));
        assert!(world.store.commit(broken).await.is_err());
        assert_eq!(totals(&world, &endpoint).await, Statistics::default());
        world.commit(Change::of(good)).await;
        assert_eq!(totals(&world, &endpoint).await.delivered, 1);
    }

    /// Statistics go with their endpoint, and when they are old.
    async fn statistics_are_cleared(world: World) {
        let endpoint = world.endpoint("http://localhost/");
        put_endpoint(&world, &endpoint).await;
        let found = deliveries_to(&world, &endpoint, 2).await;
        let delivered = DeliveryState::Delivered { at: world.now() };
        let accept = |delivery| Change::of(attempted(&world, delivery, (1, ACCEPTED, 1_000), delivered));
        world.commit(accept(&found[0])).await;
        world.commit(Change::of(StatisticsWrite::Purge { before: bucket_of(world.now()) })).await;
        assert_eq!(totals(&world, &endpoint).await.delivered, 1, "the running period stays");
        world.commit(Change::of(StatisticsWrite::Purge { before: Timestamp::MAX })).await;
        assert_eq!(totals(&world, &endpoint).await, Statistics::default());
        world.commit(accept(&found[1])).await;
        let delete = SubscriptionWrite::Delete { account: ACCOUNT, subscription: endpoint.id, at: world.now() };
        world.commit(Change::of(delete)).await;
        put_endpoint(&world, &endpoint).await;
        assert_eq!(totals(&world, &endpoint).await, Statistics::default());
    }
}
