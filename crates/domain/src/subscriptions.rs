//! Who wants which events, how, and until when.

pub mod address;
pub mod filter;
pub mod health;
pub mod history;
pub mod index;
pub mod life;
pub mod life_cycle;
pub mod mode;
pub mod ports;
pub mod proposal;
pub mod subscription;

#[cfg(test)]
pub(crate) mod sample;
