//! Who wants which events, how, and until when.

pub mod address;
pub mod filter;
pub mod history;
pub mod index;
pub mod ports;
pub mod subscription;
