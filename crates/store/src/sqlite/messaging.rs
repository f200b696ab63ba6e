//! Rows of chats, posts, messages and presences.

pub(super) mod chats;
pub(super) mod messages;
pub(super) mod posts;
pub(super) mod presences;
