//! Webhook endpoints: their settings, the bodies and signatures of what they get, how they fare.

pub mod endpoint;
pub mod payload;
pub mod signing;
pub mod statistics;
