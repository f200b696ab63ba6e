//! Rows of accounts, persons, apps, credentials and sessions.

pub(super) mod accounts;
pub(super) mod apps;
pub(super) mod credentials;
pub(super) mod operators;
pub(super) mod sessions;
