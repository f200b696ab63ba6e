//! Deliveries and jobs.

mod deliveries;
mod jobs;
