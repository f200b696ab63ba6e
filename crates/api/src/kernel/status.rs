//! How the whole server stands, for operators: sums over all accounts, and every component. What is
//! not known is null.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::Timestamp;
use hookyard_domain::kernel::component::{self, Status};
use hookyard_domain::kernel::ports::StoreFigures;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::ApiResult;
use crate::operations::answers::{Answer, shown};
use crate::operations::wire::Time;

crate::operations! {
    tag Operating, under ROOT, as Operator(ReadAccounts);

    /// How the server stands, with figures that all accounts move.
    read_status: GET "/api/v1/status" named read_server_status;
}

shown!(StatusView);

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ServerStatus")]
struct StatusView {
    version: &'static str,
    #[schemars(with = "Option<Time>")]
    start_time: Option<Timestamp>,
    uptime_seconds: Option<u64>,
    store: StoreView,
    lanes: LanesView,
    backlog: BacklogView,
    jobs: JobsView,
    life_cycle: LifeCycleView,
    retention: RetentionView,
    components: Vec<ComponentView>,
    /// Panics of all components since they began. Each is a bug.
    panics: u64,
    /// What last went wrong in each component, newest first.
    last_errors: Vec<ErrorView>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "StoreStatus")]
struct StoreView {
    kind: &'static str,
    /// The database's file.
    bytes: Option<u64>,
    /// The log beside it.
    log_bytes: Option<u64>,
    disk_free_bytes: Option<u64>,
    schema_version: u64,
    #[schemars(with = "Option<Time>")]
    last_commit_time: Option<Timestamp>,
    /// Batches of changes that were made durable since the start.
    commits: Option<u64>,
    /// Changes that wait for the writer.
    queue: Option<u64>,
}

/// A lane takes deliveries to one receiver.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LanesStatus")]
struct LanesView {
    /// Lanes in memory: subscriptions with work.
    count: Option<u64>,
    /// Those whose receiver does not seem to be down.
    active: Option<u64>,
    /// Those that have more in the store than in memory.
    behind: Option<u64>,
    down: Option<u64>,
    /// Attempts under way.
    in_flight: Option<u64>,
    /// Deliveries in memory: what all windows hold.
    window: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BacklogStatus")]
struct BacklogView {
    /// Deliveries that were not sent yet, or will be sent again.
    waiting: u64,
    /// When the oldest of them was made.
    #[schemars(with = "Option<Time>")]
    oldest_time: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "JobsStatus")]
struct JobsView {
    /// Jobs that are being worked on at this moment.
    running: Option<u64>,
    /// Jobs that have begun, and wait for their turn or their time.
    waiting: Option<u64>,
    /// Jobs that could not go on, as long as they are kept.
    failed: u64,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "LifeCycleStatus")]
struct LifeCycleView {
    /// Subscriptions that something is due for.
    subscriptions: Option<u64>,
    #[schemars(with = "Option<Time>")]
    last_run_time: Option<Timestamp>,
    #[schemars(with = "Option<Time>")]
    next_run_time: Option<Timestamp>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RetentionStatus")]
struct RetentionView {
    #[schemars(with = "Option<Time>")]
    last_run_time: Option<Timestamp>,
    #[schemars(with = "Option<Time>")]
    next_run_time: Option<Timestamp>,
    /// Rows that were removed since the start.
    removed: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ComponentStatus")]
struct ComponentView {
    name: &'static str,
    /// `running`, `standby` (another node has its duty), `failing`, `stopping` or `stopped`.
    state: &'static str,
    #[schemars(with = "Time")]
    since: Timestamp,
    /// How often its tasks began again after a panic.
    restarts: u64,
    last_error: Option<String>,
    #[schemars(with = "Option<Time>")]
    last_run_time: Option<Timestamp>,
    #[schemars(with = "Option<Time>")]
    next_run_time: Option<Timestamp>,
    /// What there is at this moment.
    present: BTreeMap<&'static str, u64>,
    /// What was done since it began.
    done: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ComponentError")]
struct ErrorView {
    #[schemars(with = "Time")]
    time: Timestamp,
    /// The component.
    #[serde(rename = "where")]
    place: &'static str,
    what: String,
}

fn figures(figures: &[component::Figure]) -> BTreeMap<&'static str, u64> {
    let pairs = figures.iter().map(|figure| (figure.name, figure.value));
    pairs.collect()
}

impl From<&Status> for ComponentView {
    fn from(status: &Status) -> Self {
        let error = status.last_error.as_ref();
        Self {
            name: status.name,
            state: status.state.name(),
            since: status.since,
            restarts: status.panics,
            last_error: error.map(|failure| failure.message.clone()),
            last_run_time: status.last_run,
            next_run_time: status.next_run,
            present: figures(&status.present),
            done: figures(&status.done),
        }
    }
}

/// The statuses of all components, to look into.
struct Statuses(Vec<Status>);

impl Statuses {
    fn of(&self, name: &str) -> Option<&Status> {
        self.0.iter().find(|status| status.name == name)
    }

    fn figure(&self, of: &str, name: &str) -> Option<u64> {
        self.of(of)?.figure(name)
    }

    fn store(&self, read: &StoreFigures) -> StoreView {
        StoreView {
            kind: read.kind,
            bytes: self.figure("store", "database_bytes"),
            log_bytes: self.figure("store", "log_bytes"),
            disk_free_bytes: self.figure("store", "disk_free_bytes"),
            schema_version: read.schema_version,
            last_commit_time: self.of("store").and_then(|store| store.last_run),
            commits: self.figure("store", "commits"),
            queue: self.figure("store", "queue"),
        }
    }

    fn lanes(&self) -> LanesView {
        let figure = |name| self.figure("dispatcher", name);
        let (count, down) = (figure("lanes"), figure("lanes_down"));
        LanesView {
            count,
            active: count
                .zip(down)
                .map(|(count, down)| count.saturating_sub(down)),
            behind: figure("lanes_behind"),
            down,
            in_flight: figure("in_flight"),
            window: figure("in_memory"),
        }
    }

    fn jobs(&self, read: &StoreFigures) -> JobsView {
        let (begun, waiting) = (
            self.figure("jobs", "running"),
            self.figure("jobs", "waiting"),
        );
        JobsView {
            running: begun
                .zip(waiting)
                .map(|(all, waiting)| all.saturating_sub(waiting)),
            waiting,
            failed: read.jobs_failed,
        }
    }

    fn life_cycle(&self) -> LifeCycleView {
        let status = self.of("lifecycle");
        LifeCycleView {
            subscriptions: status.and_then(|status| status.figure("subscriptions")),
            last_run_time: status.and_then(|status| status.last_run),
            next_run_time: status.and_then(|status| status.next_run),
        }
    }

    fn retention(&self) -> RetentionView {
        let status = self.of("retention");
        RetentionView {
            last_run_time: status.and_then(|status| status.last_run),
            next_run_time: status.and_then(|status| status.next_run),
            removed: status.and_then(|status| status.figure("removed")),
        }
    }

    fn errors(&self) -> Vec<ErrorView> {
        let failed = self.0.iter().filter_map(|status| {
            let failure = status.last_error.as_ref()?;
            Some(ErrorView {
                time: failure.at,
                place: status.name,
                what: failure.message.clone(),
            })
        });
        let mut errors: Vec<_> = failed.collect();
        errors.sort_by_key(|error| std::cmp::Reverse(error.time));
        errors
    }
}

async fn read_status(
    State(api): State<Arc<Api>>,
    _caller: Caller,
) -> ApiResult<Answer<StatusView>> {
    let read = api.store.figures().await?;
    let statuses = Statuses(api.components.statuses());
    let start = statuses.0.iter().map(|status| status.since).min();
    Ok(Answer::of(&StatusView {
        version: api.settings.version,
        start_time: start,
        uptime_seconds: start.map(|start| api.now().since(start).as_secs()),
        store: statuses.store(&read),
        lanes: statuses.lanes(),
        backlog: BacklogView {
            waiting: read.waiting,
            oldest_time: read.oldest_waiting,
        },
        jobs: statuses.jobs(&read),
        life_cycle: statuses.life_cycle(),
        retention: statuses.retention(),
        components: statuses.0.iter().map(ComponentView::from).collect(),
        panics: statuses.0.iter().map(|status| status.panics).sum(),
        last_errors: statuses.errors(),
    }))
}
