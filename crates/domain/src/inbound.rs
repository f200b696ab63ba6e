//! Hooks in: incoming webhooks, the cards that they take, the requests that hit them, and bins.

pub mod bin;
pub mod card;
pub mod hook;
pub mod request;
pub mod webhook;
