//! Rows of deliveries, attempts and jobs.

pub(super) mod attempts;
pub(super) mod deliveries;
pub(super) mod jobs;
