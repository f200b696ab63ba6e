//! Hooks in: the public URLs, webhooks, what hit them, and bins.

pub(crate) mod bins;
pub(crate) mod hooks;
pub(crate) mod requests;
pub(crate) mod webhooks;
