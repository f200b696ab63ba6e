//! Webhook endpoints: their settings and lives, the bodies and signatures of what they get, how they
//! fare.

pub mod consent;
pub mod endpoint;
pub mod life;
pub mod payload;
pub mod sample;
pub mod settings;
pub mod signing;
pub mod statistics;
