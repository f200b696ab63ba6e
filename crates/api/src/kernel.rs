//! What every resource is served with: the router, reading requests, pages, problems, limits.

pub(crate) mod batch;
pub(crate) mod body;
pub(crate) mod decision;
pub(crate) mod description;
pub(crate) mod erasure;
pub(crate) mod idempotency;
pub(crate) mod json_guard;
pub(crate) mod listener;
pub(crate) mod middleware;
pub(crate) mod paging;
pub(crate) mod path;
pub(crate) mod platform;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod rate_limits;
pub(crate) mod router;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod strict;
pub(crate) mod version_check;
