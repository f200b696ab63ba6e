//! Who is there and what they may: accounts, persons, apps, sessions, permissions, secrets.

pub mod account;
pub mod app;
pub mod credential;
pub mod grant;
pub mod permission;
pub mod person;
pub mod scope;
pub mod secret;
pub mod session;
