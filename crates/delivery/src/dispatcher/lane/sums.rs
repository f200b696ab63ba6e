//! What there is of lanes, for whoever asks how the dispatcher stands.

use super::LaneState;

/// What lanes come to together.
#[derive(Debug, Default)]
pub(in crate::dispatcher) struct Sums {
    pub(in crate::dispatcher) behind: usize,
    pub(in crate::dispatcher) down: usize,
    pub(in crate::dispatcher) in_memory: usize,
    pub(in crate::dispatcher) in_flight: usize,
    pub(in crate::dispatcher) unrecorded: usize,
}

impl Sums {
    pub(in crate::dispatcher) fn add(&mut self, lane: &LaneState) {
        self.behind += usize::from(lane.behind);
        self.down += usize::from(lane.breaker.is_open());
        self.in_memory += lane.waiting.len();
        self.in_flight += lane.in_flight;
        self.unrecorded += lane.unrecorded;
    }
}
