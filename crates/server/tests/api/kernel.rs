//! What holds for all resources.

mod bad_input;
mod components;
mod conventions;
mod erasure;
mod error_pages;
mod idempotency;
mod pages;
pub(crate) mod production;
mod rate_limits;
mod status;
