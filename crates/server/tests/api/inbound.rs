//! Incoming webhooks and bins.

mod bins;
mod incoming_webhooks;
mod own_bins;
