//! What happened in one run: what was promised, what the network saw, what the store says.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::{
    Attempt, AttemptOutcome, Delivery, DeliveryId, EventId, Subscription, SubscriptionId,
};

/// One attempt as the network saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) subscription: SubscriptionId,
    pub(crate) delivery: DeliveryId,
    pub(crate) number: u32,
    pub(crate) bytes: Bytes,
    /// Marked as a possible repeat.
    pub(crate) marked: bool,
    /// Which process sent it; the first is 1.
    pub(crate) process: u32,
    /// Since the run began, on the timer.
    pub(crate) began: Duration,
    /// `None` when the process died before it learned how the attempt ended.
    pub(crate) ended: Option<(Duration, AttemptOutcome)>,
    /// Others under way to the same subscriber in the same process, and the policy's bound.
    pub(crate) beside: usize,
    pub(crate) concurrency_max: usize,
}

/// A subscriber's life, as its owner directed it.
#[derive(Debug, Clone)]
pub(crate) struct Life {
    pub(crate) subscription: Subscription,
    /// From when to when nothing may be sent; the end is open for a deletion.
    pub(crate) silent: Vec<(Duration, Option<Duration>)>,
    pub(crate) deleted: bool,
    pub(crate) expired: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) lives: HashMap<SubscriptionId, Life>,
    /// Which subscribers each event was promised to.
    pub(crate) promised: Vec<(EventId, SubscriptionId)>,
    pub(crate) sent: Vec<Sent>,
    /// How each process ended; `true` when it stopped cleanly. The last is still running.
    pub(crate) ends: Vec<bool>,
    /// When the wall clock was set forward, on the timer.
    pub(crate) jumps: Vec<Duration>,
    pub(crate) deliveries: Vec<Delivery>,
    pub(crate) attempts: HashMap<DeliveryId, Vec<Attempt>>,
}
