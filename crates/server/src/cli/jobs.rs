//! Long work that the server does: watched until it is done.

use std::time::Duration;

use anyhow::bail;
use serde::Deserialize;
use serde_json::Value;

use super::screen::{Screen, plain};
use super::session::{Session, segment};

/// Between two looks at a job.
const LOOK_PERIOD: Duration = Duration::from_millis(250);

/// A job as the server tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Job {
    id: String,
    kind: String,
    status: String,
    total: Option<u64>,
    /// Deliveries or events that were looked at.
    done: u64,
    /// Deliveries that were sent.
    sent: u64,
    error: Option<String>,
}

/// Watches a job that was begun until it has ended, or, without `wait`, says how to.
///
/// # Errors
///
/// When it failed or was cancelled, or the server cannot be asked.
pub(crate) async fn follow(
    session: &Session,
    screen: Screen,
    begun: Value,
    wait: bool,
) -> anyhow::Result<()> {
    let mut told = begun;
    let mut job: Job = serde_json::from_value(told.clone())?;
    if wait {
        let bar = screen.bar(job.total.unwrap_or(0), "Working");
        while job.status == "running" {
            show(&bar, &job);
            tokio::time::sleep(LOOK_PERIOD).await;
            told = session
                .get(&format!("/api/v1/jobs/{}", segment(&job.id)))
                .await?;
            job = serde_json::from_value(told.clone())?;
        }
        bar.finish_and_clear();
    }
    if screen.json {
        screen.line(&told.to_string())?;
    } else {
        screen.line(&sentence(&job))?;
    }
    match job.status.as_str() {
        "running" | "done" => Ok(()),
        status => bail!("the job {} is {status}", plain(&job.id)),
    }
}

fn show(bar: &indicatif::ProgressBar, job: &Job) {
    if let Some(total) = job.total {
        bar.set_length(total);
    }
    bar.set_position(job.done);
}

fn sentence(job: &Job) -> String {
    let id = plain(&job.id);
    let kind = plain(&job.kind);
    let deliveries = match job.sent {
        1 => "1 delivery".to_owned(),
        count => format!("{count} deliveries"),
    };
    match job.status.as_str() {
        "done" => format!("Done: {kind}, {deliveries} sent"),
        "running" => format!("Job {id} has begun: {kind}"),
        status => {
            let why = job
                .error
                .as_deref()
                .map(|error| format!(": {}", plain(error)));
            let status = plain(status);
            let why = why.unwrap_or_default();
            format!("Job {id}, {kind}, is {status} after {deliveries}{why}")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_is_told_in_a_sentence() {
        let told = |value| sentence(&serde_json::from_value::<Job>(value).unwrap());
        let job = json!({"id": "9", "kind": "resend", "status": "done", "total": 5, "sent": 3});
        assert_eq!(told(job), "Done: resend, 3 deliveries sent");
        let job = json!({"id": "9", "kind": "replay", "status": "running", "total": null});
        assert_eq!(told(job), "Job 9 has begun: replay");
        let job =
            json!({"id": "9", "kind": "replay", "status": "failed", "sent": 1, "error": "gone"});
        assert_eq!(told(job), "Job 9, replay, is failed after 1 delivery: gone");
    }
}
