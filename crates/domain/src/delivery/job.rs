//! Work in the background that somebody asked for and can watch: sending many deliveries again,
//! recovering an endpoint, replaying what it missed, playing a scenario,
//! erasing.
//!
//! A job goes on in pages. Each page is one change that holds what the page does and how far the
//! job has come, so that a restart goes on behind it and repeats nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::events::type_name::TypePattern;
use crate::kernel::change::{Change, Guard};
use crate::kernel::erasure::ErasureSubject;
use crate::kernel::ids::{AccountId, DeliveryId, EventId, JobId, SubscriptionId};
use crate::kernel::limits::JOBS_RUNNING_MAX;
use crate::kernel::ports::{AnswerQuery, DeliveryQuery, StateQuery, StoreError};
use crate::kernel::time::Timestamp;

/// Which deliveries a job is about. Absent parts mean any.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliverySelection {
    pub subscription: Option<SubscriptionId>,
    pub event: Option<EventId>,
    pub state: Option<StateQuery>,
    pub answer: Option<AnswerQuery>,
    pub types: Option<TypePattern>,
    /// Made at this moment or after it.
    pub since: Option<Timestamp>,
    /// Made before this moment.
    pub until: Option<Timestamp>,
}

impl DeliverySelection {
    /// Whether it means every delivery of the account.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// The query for `limit` of them with ids below `before`.
    pub fn query(
        &self,
        account: AccountId,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> DeliveryQuery {
        DeliveryQuery {
            account,
            subscription: self.subscription,
            event: self.event,
            state: self.state,
            answer: self.answer,
            types: self.types.clone(),
            since: self.since,
            until: self.until,
            abandoned_since: None,
            before,
            limit,
        }
    }
}

/// What a job does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobWork {
    /// Sends deliveries again.
    Resend { selection: DeliverySelection },
    /// Sends again what an endpoint's deliveries were given up of since a moment.
    Recover {
        endpoint: SubscriptionId,
        since: Timestamp,
    },
    /// Sends events to an endpoint that asks for them now and never got them.
    Replay {
        endpoint: SubscriptionId,
        since: Timestamp,
        until: Timestamp,
        /// Only these, when there are any.
        types: Vec<TypePattern>,
    },
    /// Plays a scenario, step by step.
    Scenario {
        name: String,
        /// Who alone gets it; `None` when it is published to all.
        endpoint: Option<SubscriptionId>,
        /// Milliseconds between two steps.
        pause_ms: u64,
    },
    /// Erases what is kept of somebody or of an endpoint.
    Erase { subject: ErasureSubject },
}

impl JobWork {
    /// Its kind on the wire and in tables.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Resend { .. } => "resend",
            Self::Recover { .. } => "recover",
            Self::Replay { .. } => "replay",
            Self::Scenario { .. } => "scenario",
            Self::Erase { .. } => "erase",
        }
    }

    /// The one endpoint, or other subscription, that it is about.
    pub const fn endpoint(&self) -> Option<SubscriptionId> {
        match self {
            Self::Resend { selection } => selection.subscription,
            Self::Recover { endpoint, .. } | Self::Replay { endpoint, .. } => Some(*endpoint),
            Self::Scenario { endpoint, .. } => *endpoint,
            Self::Erase { subject } => match subject {
                ErasureSubject::Endpoint(endpoint) => Some(*endpoint),
                ErasureSubject::Person(_) => None,
            },
        }
    }
}

/// Every kind of job, by its name.
pub const JOB_KINDS: [&str; 5] = ["resend", "recover", "replay", "scenario", "erase"];

/// Whether a job goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobStatus {
    /// It is at work, or waits for its turn.
    Running,
    Done,
    Failed,
    Cancelled,
}

impl JobStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub account: AccountId,
    pub id: JobId,
    pub work: JobWork,
    pub status: JobStatus,
    /// What there is to look at; `None` until it is counted.
    pub total: Option<u64>,
    /// What was looked at.
    pub done: u64,
    /// Deliveries that were sent for it, or events of a scenario.
    pub sent: u64,
    /// The number that the last page ended with; of a scenario, when the last step was taken, in
    /// milliseconds since 1970.
    pub cursor: Option<u64>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// Why it failed.
    pub error: Option<String>,
    /// Grows by one with every page and every change; what guards compare.
    pub version: u64,
}

/// How far a page brings a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobPage {
    /// What the page looked at.
    pub done: u64,
    /// Deliveries or events that it sends.
    pub sent: u64,
    /// The number or time that it ended with.
    pub cursor: Option<u64>,
}

impl Job {
    /// A job that begins.
    pub const fn begun(account: AccountId, id: JobId, work: JobWork, now: Timestamp) -> Self {
        Self {
            account,
            id,
            work,
            status: JobStatus::Running,
            total: None,
            done: 0,
            sent: 0,
            cursor: None,
            created_at: now,
            finished_at: None,
            error: None,
            version: 1,
        }
    }

    /// Whether it goes on.
    pub fn is_running(&self) -> bool {
        self.status == JobStatus::Running
    }

    /// The same, with what there is to do.
    #[must_use]
    pub fn counted(&self, total: u64) -> Self {
        Self {
            total: Some(total),
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same after one more page.
    #[must_use]
    pub fn advanced(&self, page: JobPage) -> Self {
        let done = self.done + page.done;
        Self {
            // More may have come than was counted.
            total: self.total.map(|total| total.max(done)),
            done,
            sent: self.sent + page.sent,
            cursor: page.cursor.or(self.cursor),
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same at its end. What was counted and had gone when its turn came is not missing.
    #[must_use]
    pub fn finished(&self, now: Timestamp) -> Self {
        Self {
            status: JobStatus::Done,
            total: Some(self.done),
            finished_at: Some(now),
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// The same, not able to go on for `reason`.
    #[must_use]
    pub fn failed(&self, reason: impl Into<String>, now: Timestamp) -> Self {
        Self {
            status: JobStatus::Failed,
            finished_at: Some(now),
            error: Some(reason.into()),
            version: self.version + 1,
            ..self.clone()
        }
    }

    /// When its next page may be done; `None` for at once. A scenario pauses between its steps.
    pub fn next_at(&self) -> Option<Timestamp> {
        let JobWork::Scenario { pause_ms, .. } = self.work else {
            return None;
        };
        let last = i64::try_from(self.cursor?).ok()?;
        Some(Timestamp::from_millis(last) + Duration::from_millis(pause_ms))
    }

    /// A job that an account begins beside the `running` ones.
    ///
    /// # Errors
    ///
    /// When it has as many as it may have.
    pub fn begin(
        account: AccountId,
        id: JobId,
        work: JobWork,
        running: usize,
        now: Timestamp,
    ) -> Result<Self, TooManyJobs> {
        if u32::try_from(running).is_ok_and(|running| running < JOBS_RUNNING_MAX) {
            return Ok(Self::begun(account, id, work, now));
        }
        Err(TooManyJobs)
    }

    /// Stops it after the page that it is at. One that has ended stays as it is.
    pub fn cancel(&self, now: Timestamp) -> Change {
        Change::of(JobWrite::Cancel {
            account: self.account,
            job: self.id,
            at: now,
        })
    }

    /// Stores it as it is now.
    pub fn put(&self) -> JobWrite {
        JobWrite::Put(Arc::new(self.clone()))
    }

    /// The guard that it has not changed.
    pub fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.id, self.version)
    }
}

/// What is written of jobs.
#[derive(Debug, Clone)]
pub enum JobWrite {
    /// The job as it is now. Its guard keeps two from going on from the same page.
    Put(Arc<Job>),
    /// Stops a job that is running; does nothing to others.
    Cancel {
        account: AccountId,
        job: JobId,
        at: Timestamp,
    },
    /// Forgets jobs that ended before a moment.
    Purge { before: Timestamp },
}

/// Reads of jobs.
#[async_trait]
pub trait Jobs: Send + Sync {
    async fn job(&self, account: AccountId, job: JobId) -> Result<Option<Job>, StoreError>;
    /// Jobs, newest first.
    async fn jobs(&self, query: JobQuery) -> Result<Vec<Job>, StoreError>;
    /// The jobs of all accounts that go on, oldest first: where a restart continues.
    async fn running_jobs(&self) -> Result<Vec<Job>, StoreError>;
}

/// Which jobs to list. Absent parts mean any.
#[derive(Debug, Clone)]
pub struct JobQuery {
    pub account: AccountId,
    pub status: Option<JobStatus>,
    pub kind: Option<String>,
    pub endpoint: Option<SubscriptionId>,
    /// Only those with a smaller id.
    pub before: Option<JobId>,
    pub limit: u32,
}

/// An account has [`JOBS_RUNNING_MAX`] jobs running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{JOBS_RUNNING_MAX} jobs are running")]
pub struct TooManyJobs;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::PersonId;

    const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

    fn works() -> [JobWork; 6] {
        let endpoint = SubscriptionId::from_random([7; 16]);
        [
            JobWork::Resend {
                selection: DeliverySelection {
                    subscription: Some(endpoint),
                    state: Some(StateQuery::Abandoned),
                    answer: Some(AnswerQuery::StatusClass(5)),
                    types: Some(TypePattern::parse("invoice.*").unwrap()),
                    since: Some(NOW),
                    ..DeliverySelection::default()
                },
            },
            JobWork::Recover {
                endpoint,
                since: NOW,
            },
            JobWork::Replay {
                endpoint,
                since: NOW,
                until: NOW,
                types: vec![TypePattern::parse("*").unwrap()],
            },
            JobWork::Scenario {
                name: "team".into(),
                endpoint: Some(endpoint),
                pause_ms: 1_000,
            },
            JobWork::Erase {
                subject: ErasureSubject::Endpoint(endpoint),
            },
            JobWork::Erase {
                subject: ErasureSubject::Person(PersonId(7)),
            },
        ]
    }

    #[test]
    fn every_kind_is_listed() {
        for work in works() {
            assert!(JOB_KINDS.contains(&work.kind()), "{}", work.kind());
        }
    }

    #[test]
    fn each_page_adds_to_the_last_and_makes_former_guards_stale() {
        let [work, ..] = works();
        let begun = Job::begun(AccountId(1), JobId(2), work, NOW).counted(5);
        let page = |done, cursor| JobPage {
            done,
            sent: done - 1,
            cursor,
        };
        let job = begun.advanced(page(3, Some(30))).advanced(page(4, None));
        assert_eq!((job.done, job.sent, job.cursor), (7, 5, Some(30)));
        assert_eq!(
            job.total,
            Some(7),
            "a total is never less than what was done"
        );
        assert_ne!(begun.unchanged(), job.unchanged());
        let finished = begun.advanced(page(3, Some(30))).finished(NOW);
        assert_eq!((finished.total, finished.is_running()), (Some(3), false));
    }

    #[test]
    fn only_a_scenario_pauses_between_its_pages() {
        for work in works() {
            let pauses = matches!(work, JobWork::Scenario { .. });
            let begun = Job::begun(AccountId(1), JobId(2), work, NOW).counted(5);
            assert_eq!(begun.next_at(), None, "it begins at once");
            let taken = begun.advanced(JobPage {
                done: 1,
                sent: 1,
                cursor: Some(1_790_000_000_500),
            });
            let due = Timestamp::from_millis(1_790_000_001_500);
            assert_eq!(taken.next_at(), pauses.then_some(due));
        }
    }

    #[test]
    fn statuses_are_read_by_their_names() {
        for status in JobStatus::ALL {
            assert_eq!(JobStatus::from_name(status.name()), Some(status));
        }
    }

    #[test]
    fn an_account_has_a_bounded_number_of_running_jobs() {
        let most = usize::try_from(JOBS_RUNNING_MAX).unwrap();
        for (running, expect) in [(most - 1, true), (most, false)] {
            let [work, ..] = works();
            let begun = Job::begin(AccountId(1), JobId(2), work, running, NOW);
            assert_eq!(begun.is_ok(), expect, "{running}");
        }
    }
}
