//! The WebSocket gateway (contract section 6): a real client on a real connection.

mod connect;
mod frames;
mod recover;
mod socket;
mod subscribe;
