//! The API over real HTTP: the real router, store and live gateway behind the real listener.
//! One file for each resource, one binary for all of them.

mod client;
mod world;

mod account;
mod bad_input;
mod chats;
mod console_session;
mod conventions;
mod conversations;
mod deliveries;
mod error_pages;
mod event_types;
mod everyone;
mod extensions;
mod incoming_webhooks;
mod live;
mod messages;
mod oauth;
mod persons;
mod posts;
mod presence;
mod publishing;
mod pubnub;
mod push;
mod rate_limits;
mod recent_chats;
mod sockets;
mod subscription_life;
mod subscriptions;
mod teams;
