//! Rows of webhooks, requests and bins.

pub(super) mod bins;
pub(super) mod requests;
pub(super) mod webhooks;
