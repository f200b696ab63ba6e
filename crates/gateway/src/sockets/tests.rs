//! Connections without a network, in time that only tests let pass.

mod client;
mod limits;
mod recovery;
mod requests;
mod timing;
