//! Rows of accounts, persons, apps and sessions.

pub(super) mod accounts;
pub(super) mod apps;
pub(super) mod operators;
pub(super) mod sessions;
