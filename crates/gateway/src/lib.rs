//! Live transports: committed events on their way to those who listen now.
//!
//! Nothing here is a record. A listener that is away, or too slow, reads from the store what it
//! missed.

mod live;
mod pubnub;
mod sockets;

pub use live::LiveGateway;
pub use pubnub::{PubNub, PubNubAnswer};
pub use sockets::{Backstage, Refusal, ReplyTooLarge, SocketGateway, SocketSettings, Sockets};
