//! What happens and how it is told: events, their catalogue and types, filters over their content,
//! publishing, scenarios.

pub mod catalogue;
pub mod content_filter;
pub mod custom_type;
pub mod event;
pub mod publication;
pub mod publishing;
pub mod scenario;
pub mod schema;
pub mod type_name;
