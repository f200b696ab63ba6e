//! Public URLs: those of incoming webhooks, with the resource and the requests to them, and those
//! of bins, over a real router and a store in memory.

mod bins;
mod faulty_commits;
mod requests;
mod take;
mod webhooks;
mod world;
