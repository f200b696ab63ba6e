//! The program as a person uses it: `hookyard` against a server of its own, over real sockets.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod admin;
mod apps;
mod deliveries;
mod listen;
mod publish;
mod refusals;
mod yard;
