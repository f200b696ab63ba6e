//! Incoming webhooks: their public URLs, the resource, and the requests to them, over a real
//! router and a store in memory.

mod faulty_store;
mod requests;
mod take;
mod webhooks;
mod world;
