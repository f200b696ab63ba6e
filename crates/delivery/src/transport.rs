//! How an attempt leaves the dispatcher. A port, so that the simulation can stand in for the
//! network: the dispatcher that it drives is the one that production runs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use hookyard_domain::kernel::news::CommittedDelivery;
use hookyard_domain::{
    AttemptOutcome, Subscription, Timestamp, Timings, Transcript, UnreachableReason,
};

/// Makes connections for workers.
pub trait Transport: Send + Sync + fmt::Debug {
    /// A connection that is not open yet. Each worker of a lane keeps its own.
    fn connection(&self) -> Box<dyn Connection>;
}

/// One worker's way to its receiver: opened when needed, kept alive between attempts.
#[async_trait]
pub trait Connection: Send + fmt::Debug {
    /// Makes one attempt. Whatever happens is an outcome, never an error; `None` when the sending
    /// was called off before anything was written.
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted>;
}

/// What one attempt sends.
#[derive(Debug)]
pub struct Sending<'a> {
    pub committed: &'a CommittedDelivery,
    /// What goes in the same request.
    pub others: &'a [&'a CommittedDelivery],
    /// When the attempt begins, by the wall clock.
    pub at: Timestamp,
    /// The subscription as it is now; the one in `committed` may be older.
    pub subscription: &'a Arc<Subscription>,
    /// The first is 1.
    pub attempt: u32,
    pub halt: &'a Halt,
}

/// Calls off attempts that have not written anything yet: their subscription has ended.
#[derive(Debug, Clone, Default)]
pub struct Halt(Arc<AtomicBool>);

impl Halt {
    /// From now on nothing may start.
    pub fn call_off(&self) {
        self.0.store(true, Ordering::Release);
    }

    /// Whether nothing may start.
    pub fn is_called_off(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    pub outcome: AttemptOutcome,
    pub timings: Timings,
    /// The address that was dialled, if it came so far.
    pub peer: Option<String>,
    /// Beginning of the answer's body, if it has one and somebody may want to see it.
    pub answer_excerpt: Option<String>,
    pub transcript: Option<Arc<Transcript>>,
}

impl Attempted {
    /// No HTTP answer came.
    pub const fn unreachable(reason: UnreachableReason, timings: Timings) -> Self {
        Self {
            outcome: AttemptOutcome::Unreachable { reason },
            timings,
            peer: None,
            answer_excerpt: None,
            transcript: None,
        }
    }
}
