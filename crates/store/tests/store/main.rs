//! The store from outside: the contract of the port on every backend, and what survives a restart.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod contract;
mod people;
mod restart;
mod world;
