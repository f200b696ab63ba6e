//! Live transports: committed events on their way to those who listen now.
//!
//! Nothing here is a record. A listener that is away, or too slow, reads from the store what it
//! missed.

mod live;
mod pubnub;
mod sockets;

pub use live::LiveGateway;
pub use pubnub::{Poll, PubNub, PubNubAnswer, Request as PubNubRequest};
pub use sockets::{
    Backstage, Frame, Malformed, RecoveryToken, Refusal, ReplyTooLarge, SocketGateway,
    SocketSettings, Sockets, Unparsable,
};
