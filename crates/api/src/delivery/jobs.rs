//! Jobs: work in the background that somebody asked for, its progress, and stopping it. For
//! administrators.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::delivery::job::{JOB_KINDS, TooManyJobs};
use hookyard_domain::kernel::limits::JOBS_RUNNING_MAX;
use hookyard_domain::kernel::ports::{JobQuery, Page};
use hookyard_domain::{
    AccountId, Change, Code, Job, JobId, JobStatus, JobWork, Problem, SubscriptionId, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::delivery::deliveries::refused;
use crate::identity::caller::Caller;
use crate::kernel::paging::{BeforeQuery, ListQuery, Listing};
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiResult, because};
use crate::operations::answers::{Accepted, Answer, shown};
use crate::operations::wire::{Id, Time, Uuid, shapes};

const PATH: &str = "/api/v1/jobs";

crate::operations! {
    tag Jobs, under ROOT, as Administrator(SubscriptionWebhook);

    /// Jobs, newest first.
    list_jobs: GET "/api/v1/jobs";
    /// One job.
    read_job: GET "/api/v1/jobs/{jobId}";
    /// Stops a job after the page that it is at.
    ///
    /// What it has done stays done; one that has ended stays as it is.
    cancel_job: DELETE "/api/v1/jobs/{jobId}";
}

shapes! {
    struct JobsQuery {
        #[schemars(extend("enum" = ["running", "done", "failed", "cancelled"]))]
        status: Option<String>,
        #[schemars(extend("enum" = JOB_KINDS))]
        kind: Option<String>,
        #[schemars(with = "Option<Uuid>")]
        endpoint_id: Option<String>,
        #[schemars(flatten)]
        page: BeforeQuery,
    }
}

shown!(JobView<'_> as JobView<'static>);

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Job")]
pub(crate) struct JobView<'a> {
    #[schemars(with = "Id")]
    id: JobId,
    kind: &'static str,
    status: &'static str,
    /// What there is to look at; null until it is counted.
    total: Option<u64>,
    /// What was looked at.
    done: u64,
    /// Deliveries that were sent for it, or events of a scenario.
    sent: u64,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Time>")]
    finish_time: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Uuid>")]
    endpoint_id: Option<SubscriptionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> From<&'a Job> for JobView<'a> {
    fn from(job: &'a Job) -> Self {
        Self {
            id: job.id,
            kind: job.work.kind(),
            status: job.status.name(),
            total: job.total,
            done: job.done,
            sent: job.sent,
            creation_time: job.created_at,
            finish_time: job.finished_at,
            endpoint_id: job.work.endpoint(),
            error: job.error.as_deref(),
        }
    }
}

/// The answer to whoever asked for a job.
pub(crate) fn begun(job: &Job) -> Accepted<JobView<'static>> {
    Accepted::of(&JobView::from(job))
}

impl Api {
    /// A job that begins when it is committed.
    ///
    /// # Errors
    ///
    /// CMN-301 when the account has as many as it may have.
    pub(crate) async fn new_job(
        &self,
        account: AccountId,
        work: JobWork,
        now: Timestamp,
    ) -> ApiResult<Job> {
        let running = JobQuery {
            account,
            status: Some(JobStatus::Running),
            kind: None,
            endpoint: None,
            before: None,
            limit: JOBS_RUNNING_MAX,
        };
        let running = self.store.jobs(running).await?.len();
        let id = JobId(self.next_id(now));
        let job = Job::begin(account, id, work, running, now);
        Ok(job.map_err(|TooManyJobs| {
            let reason = format!(
                "{JOBS_RUNNING_MAX} jobs are running; wait for some, or stop some with DELETE \
                 {PATH}/{{id}}"
            );
            because(Problem::of(Code::RequestRateExceeded), &reason)
        })?)
    }

    /// Begins a job, and answers with it.
    pub(crate) async fn begin_job(
        &self,
        caller: &Caller,
        work: JobWork,
    ) -> ApiResult<Accepted<JobView<'static>>> {
        let job = self.new_job(caller.account, work, self.now()).await?;
        self.commit(Change::of(job.put())).await?;
        Ok(begun(&job))
    }

    async fn known_job(&self, caller: &Caller, path: &PathParams) -> ApiResult<Job> {
        let missing = || Problem::not_found("jobId");
        let id = path.text("jobId")?.parse().map_err(|_| missing())?;
        let found = self.store.job(caller.account, id).await?;
        Ok(found.ok_or_else(missing)?)
    }
}

async fn list_jobs(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<JobsQuery>,
) -> ApiResult<Answer<Listing<JobView<'static>>>> {
    let status = query.first("status").map(|text| {
        let should = "it is running, done, failed or cancelled";
        JobStatus::from_name(text).ok_or_else(|| refused("status", text, should))
    });
    let kind = query.first("kind").map(|text| {
        let should = format!("it is one of {}", JOB_KINDS.join(", "));
        let known = JOB_KINDS.contains(&text).then(|| text.to_owned());
        known.ok_or_else(|| refused("kind", text, &should))
    });
    let endpoint = query.first("endpointId").map(|text| {
        let should = "it is the id of an endpoint, a UUID";
        let read = text.parse::<SubscriptionId>();
        read.map_err(|_| refused("endpointId", text, should))
    });
    let asked = query.page_or_before(&api, &caller)?;
    let jobs = JobQuery {
        account: caller.account,
        status: status.transpose()?,
        kind: kind.transpose()?,
        endpoint: endpoint.transpose()?,
        before: match asked.page {
            Page::Before(id) => Some(JobId(id)),
            Page::First | Page::After(_) => None,
        },
        limit: asked.rows(),
    };
    let listing = asked.listing(api.store.jobs(jobs).await?, |job| job.id.0);
    let views = Listing {
        records: listing.records.iter().map(JobView::from).collect(),
        next_page_token: listing.next_page_token,
    };
    Ok(Answer::of(&views))
}

async fn read_job(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<JobView<'static>>> {
    let job = api.known_job(&caller, &path).await?;
    Ok(Answer::of(&JobView::from(&job)))
}

/// Stops a job after the page that it is at. What it has done stays done; one that has ended stays
/// as it is.
async fn cancel_job(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<JobView<'static>>> {
    let job = api.known_job(&caller, &path).await?;
    api.commit(job.cancel(api.now())).await?;
    let job = api.known_job(&caller, &path).await?;
    Ok(Answer::of(&JobView::from(&job)))
}
