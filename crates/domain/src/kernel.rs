//! What every noun stands on: changes, ids, time, limits, problems, and the ports.

pub mod change;
pub mod component;
pub mod erasure;
pub mod feed;
pub mod figures;
pub mod first_request;
#[cfg(test)]
pub(crate) mod golden;
pub mod ids;
pub mod limits;
pub mod member;
pub mod news;
pub mod ownership;
pub mod ports;
pub mod problem;
pub(crate) mod raw;
pub mod retention;
pub mod time;
