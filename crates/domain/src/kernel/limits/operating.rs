//! Bounds of looking after an installation: what is kept, jobs, and who is told.

use std::time::Duration;

/// Operators of an installation: each may look after all accounts.
pub const OPERATORS_MAX: u32 = 100;

/// How often what is too old is looked for.
pub const PURGE_PERIOD: Duration = Duration::from_secs(900);
/// Rows that are removed in one change: a commit must stay short.
pub const PURGE_ROWS_MAX: u32 = 500;
/// Between two of these, others come first.
pub const PURGE_PAUSE: Duration = Duration::from_millis(20);
/// Rows of one page of a job: a change that others can wait for.
pub const JOB_PAGE_MAX: u32 = 200;
/// Events that a job looks at before it commits how far it has come. They are read whole, so a page
/// of the largest takes some megabytes.
pub const JOB_EVENTS_PAGE_MAX: u32 = 100;
/// Jobs at work at a time. More would only wait for the writer, and readers are few.
pub const JOBS_AT_ONCE_MAX: usize = 2;
/// Jobs of one account that are not done.
pub const JOBS_RUNNING_MAX: u32 = 200;
/// How far back recovering goes when nothing says since when the endpoint failed.
pub const RECOVERED_DEFAULT: Duration = Duration::from_secs(86_400);
/// How long a job is told of after its end.
pub const JOBS_KEPT: Duration = Duration::from_secs(30 * 86_400);
/// Between two steps of a scenario, unless asked otherwise: an eye can follow.
pub const SCENARIO_PAUSE_DEFAULT: Duration = Duration::from_secs(1);
/// The longest pause: who waits longer has forgotten what they were waiting for.
pub const SCENARIO_PAUSE_MAX: Duration = Duration::from_secs(600);
/// Rows of each kind that one page of an erasure looks at. An event goes with all its deliveries.
pub const ERASE_ROWS_MAX: u32 = 200;
/// The finest time that statistics are kept for: a day has 288, a year of one endpoint some
/// megabytes.
pub const STATISTICS_PERIOD: Duration = Duration::from_secs(300);
/// How long they are kept.
pub const STATISTICS_KEPT: Duration = Duration::from_secs(90 * 86_400);
/// Buckets of one answer about statistics: a month by the hour.
pub const STATISTICS_BUCKETS_MAX: u64 = 1_000;
