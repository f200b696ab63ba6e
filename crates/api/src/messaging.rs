//! Chats, teams, posts, messages and presence, as the platform serves them.

pub(crate) mod chats;
pub(crate) mod conversations;
pub(crate) mod everyone;
pub(crate) mod members;
pub(crate) mod messages;
pub(crate) mod posts;
pub(crate) mod presence;
pub(crate) mod recent_chats;
pub(crate) mod teams;
