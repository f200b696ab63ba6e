//! Deliveries and the jobs that send many of them again.

pub(crate) mod deliveries;
pub(crate) mod jobs;
