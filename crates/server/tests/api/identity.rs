//! Signing in, persons and the account.

mod account;
mod apps;
mod console_session;
mod credentials;
mod extensions;
mod oauth;
mod operators;
mod persons;
