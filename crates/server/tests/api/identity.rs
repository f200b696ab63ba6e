//! Signing in, persons and the account.

mod account;
mod console_session;
mod extensions;
mod oauth;
mod operators;
mod persons;
