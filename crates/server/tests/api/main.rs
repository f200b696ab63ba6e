//! The API over real HTTP: the real router, store and live gateway behind the real listener.
//! One file for each resource, one binary for all of them.

mod client;
mod production;
mod world;

mod account;
mod bad_input;
mod bins;
mod chats;
mod console_session;
mod conventions;
mod conversations;
mod custom_events;
mod custom_types;
mod deliveries;
mod endpoints;
mod erasure;
mod error_pages;
mod event_types;
mod everyone;
mod extensions;
mod incoming_webhooks;
mod jobs;
mod live;
mod messages;
mod notices;
mod oauth;
mod own_bins;
mod persons;
mod posts;
mod presence;
mod publishing;
mod pubnub;
mod push;
mod rate_limits;
mod recent_chats;
mod scenarios;
mod sockets;
mod subscription_life;
mod subscriptions;
mod teams;
