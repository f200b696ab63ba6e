//! The API over real HTTP: the real router, store and live gateway behind the real listener.
//! One file for each resource, one binary for all of them.

mod client;
mod delivery;
mod described;
mod events;
mod identity;
mod inbound;
mod kernel;
mod messaging;
mod world;

mod endpoints;
mod subscriptions;
