//! Scenarios: journeys of events that belong together, so that who builds a receiver sees all that
//! happens to one invoice, or in one team, in its order and with the same ids, amounts and times.
//!
//! What a step tells follows from its run alone: a run that goes on after a restart goes on with
//! the same invoice.

mod invoice_paid;
mod team;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::events::catalogue::EventType;
use crate::events::event::{Attributes, Audience, Event, EventKind};
use crate::kernel::ids::{AccountId, EventId};
use crate::kernel::time::Timestamp;

/// Every scenario.
pub static SCENARIOS: [Scenario; 2] = [invoice_paid::SCENARIO, team::SCENARIO];

/// A journey.
#[derive(Debug)]
pub struct Scenario {
    /// By which it is run.
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// In their order; never empty.
    pub steps: &'static [Step],
}

/// One event of a journey.
#[derive(Debug)]
pub struct Step {
    /// The full name of its type: built in, or one that an account registers.
    pub type_name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    /// The JSON that it tells.
    data: fn(&Run) -> Bytes,
}

/// One time that a scenario is played: what makes its ids and times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// No other run has it.
    pub number: u64,
    pub begun_at: Timestamp,
    /// Between two steps.
    pub pause: Duration,
}

impl Run {
    /// What the reference and lists show.
    pub const EXAMPLE: Self = Self {
        number: 7_331_840_000_000_042,
        begun_at: Timestamp::from_millis(1_790_000_000_000),
        pause: Duration::from_secs(1),
    };

    /// When a step is due, counted from 0, if nothing holds the run up. It is the time that the
    /// data of this step and of those after it tell.
    fn time_of(&self, step: u32) -> Timestamp {
        self.begun_at + self.pause * step
    }
}

impl Step {
    /// The JSON that this step tells in a run.
    pub fn data(&self, run: &Run) -> Bytes {
        (self.data)(run)
    }

    /// Its type, if that is built in.
    pub fn built_in(&self) -> Option<&'static EventType> {
        EventType::named(self.type_name)
    }
}

impl Scenario {
    /// The scenario with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|known| known.name == name)
    }

    /// How many steps it has.
    pub fn len(&self) -> u64 {
        u64::try_from(self.steps.len()).unwrap_or(u64::MAX)
    }

    /// Whether it has none, which no scenario does.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// The event of a step, counted from 0, for `audience`. `None` past the last step.
    pub fn event(
        &self,
        step: u64,
        run: &Run,
        (account, audience, now): (AccountId, Audience, Timestamp),
    ) -> Option<Event> {
        let step = self.steps.get(usize::try_from(step).ok()?)?;
        let (kind, event_type) = match step.built_in() {
            Some(known) => (known.kind, known.event_type()),
            None => (EventKind::Custom, step.type_name),
        };
        Some(Event {
            account,
            id: EventId::PENDING,
            kind,
            event_type: event_type.into(),
            audience,
            chat: None,
            post: None,
            request: None,
            occurred_at: now,
            body: step.data(run),
            confidential: false,
            attributes: Some(Arc::new(Attributes {
                source: Some(format!("/hookyard/scenarios/{}", self.name)),
                subject: Some(run.number.to_string()),
                ..Attributes::default()
            })),
        })
    }
}

#[cfg(test)]
mod tests;
