//! Rows of how endpoints fare.

pub(super) mod statistics;
