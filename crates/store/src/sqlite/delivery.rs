//! Rows of deliveries and jobs.

pub(super) mod deliveries;
pub(super) mod jobs;
