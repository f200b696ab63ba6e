//! Signing in, sessions, persons and the account.

pub(crate) mod apps;
pub(crate) mod caller;
pub(crate) mod console_session;
pub(crate) mod credentials;
pub(crate) mod directory;
pub(crate) mod extensions;
pub(crate) mod me;
pub(crate) mod oauth;
pub(crate) mod operators;
pub(crate) mod password;
pub(crate) mod persons;
pub(crate) mod socket_tokens;
pub(crate) mod tokens;
