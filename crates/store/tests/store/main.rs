//! The store from outside: the contract of the port on every backend, and what survives a restart.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod apps;
mod bins;
mod contract;
mod deliveries;
mod erasure;
mod first_requests;
mod guards;
mod herald;
mod jobs;
mod people;
mod publications;
mod repeats;
mod restart;
mod upgrade;
mod world;
