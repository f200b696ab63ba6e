//! Events: what there is, publishing, listening, playing.

mod custom_events;
mod custom_types;
mod event_types;
mod live;
mod publishing;
mod scenarios;
