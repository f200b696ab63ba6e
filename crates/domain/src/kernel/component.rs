//! The parts of a server that run in the background, as far as anybody else has to do with them:
//! each is asked how it stands, and stopped, in one way.
//!
//! A component begins in one step, with what it needs; there is nothing to wire afterwards. So the
//! order in which components begin is the order in which one needs the other.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use crate::kernel::feed::Feed;
use crate::kernel::ownership::Ownership;
use crate::kernel::ports::{Chance, Clock, Store};
use crate::kernel::time::Timestamp;

/// What every component is given at its beginning.
#[derive(Debug, Clone)]
pub struct Ports {
    pub store: Arc<dyn Store>,
    /// Tells of what `store` commits.
    pub feed: Arc<dyn Feed>,
    pub ownership: Arc<dyn Ownership>,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
}

/// Something that runs in the background.
#[async_trait]
pub trait Component: Send + Sync + fmt::Debug {
    /// How it stands at this moment. Reads memory, and waits for nothing.
    fn status(&self) -> Status;

    /// Begins nothing any more, and returns when what is under way has come to its end, or
    /// `deadline` has come.
    async fn stop(&self, deadline: Instant);

    /// Drops everything at once, as a crash would.
    fn abort(&self);
}

/// Components that stop together, and how long that may take.
#[derive(Debug, Clone)]
pub struct Stage {
    pub components: Vec<Arc<dyn Component>>,
    pub patience: Duration,
}

/// All components of a server, in the order in which they began. They stop in the opposite order, so
/// that each still has what it needs.
#[derive(Debug, Default)]
pub struct Components {
    stages: Mutex<Vec<Stage>>,
}

impl Components {
    fn lock(&self) -> MutexGuard<'_, Vec<Stage>> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what has just begun.
    pub fn add(&self, stage: Stage) {
        self.lock().push(stage);
    }

    /// Takes out the stage that began last.
    pub fn pop(&self) -> Option<Stage> {
        self.lock().pop()
    }

    /// How each component stands, in the order in which they began.
    pub fn statuses(&self) -> Vec<Status> {
        let stages = self.lock().clone();
        let components = stages.iter().flat_map(|stage| &stage.components);
        components.map(|component| component.status()).collect()
    }
}

/// How a component stands. Data, for whoever operates the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// One word, such as `dispatcher`.
    pub name: &'static str,
    pub state: State,
    /// When it began.
    pub since: Timestamp,
    /// When it last did something.
    pub last_run: Option<Timestamp>,
    /// When it will look for something to do by itself; `None` when it waits to be told.
    pub next_run: Option<Timestamp>,
    pub last_error: Option<Failure>,
    /// Panics of its tasks since it began. Each is a bug.
    pub panics: u64,
    /// What there is at this moment, such as lanes.
    pub present: Vec<Figure>,
    /// What was done since it began. Only grows.
    pub done: Vec<Figure>,
}

impl Status {
    /// A component that began at `since` and works.
    pub const fn running(name: &'static str, since: Timestamp) -> Self {
        Self {
            name,
            state: State::Running,
            since,
            last_run: None,
            next_run: None,
            last_error: None,
            panics: 0,
            present: Vec::new(),
            done: Vec::new(),
        }
    }

    /// Adds what there is of something.
    #[must_use]
    pub fn with(self, name: &'static str, count: usize) -> Self {
        self.holding(name, u64::try_from(count).unwrap_or(u64::MAX))
    }

    /// The same of something that is not counted, such as bytes.
    #[must_use]
    pub fn holding(mut self, name: &'static str, value: u64) -> Self {
        self.present.push(Figure { name, value });
        self
    }

    /// Adds what was done of something.
    #[must_use]
    pub fn having_done(mut self, name: &'static str, value: u64) -> Self {
        self.done.push(Figure { name, value });
        self
    }

    /// The value of a figure of either kind.
    pub fn figure(&self, name: &str) -> Option<u64> {
        let mut figures = self.present.iter().chain(&self.done);
        let found = figures.find(|figure| figure.name == name)?;
        Some(found.value)
    }
}

/// What a component is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It works, or would if there were something to do.
    Running,
    /// Another node has the duty.
    Standby,
    /// It owns the duty, and cannot take it up: the last error says why. It tries again.
    Failing,
    /// It begins nothing any more.
    Stopping,
    Stopped,
}

impl State {
    /// Name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Standby => "standby",
            Self::Failing => "failing",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

/// Something that went wrong, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub at: Timestamp,
    pub message: String,
}

/// A number with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// In lower case with underscores, such as `lanes_down`.
    pub name: &'static str,
    pub value: u64,
}
