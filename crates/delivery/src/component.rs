//! What all components of this crate have in common.
//!
//! A [`Crew`] is a component's tasks: they end with it, their panics are counted, and what went
//! wrong last is remembered. A [`Station`] is for work that one node does at a time: it takes the
//! work up when this node has the duty, and lays it down when another has.

mod crew;
mod station;

pub(crate) use crew::Crew;
pub(crate) use station::{Station, Work, begin};
