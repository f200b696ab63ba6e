//! Chats, teams, posts, messages and presence.

mod chats;
mod conversations;
mod everyone;
mod messages;
mod posts;
mod presence;
mod recent_chats;
mod teams;
