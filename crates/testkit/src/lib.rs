//! What tests share. Nothing here is linked into the server.

pub mod chance;
pub mod clock;
pub mod mail_server;
pub mod ownership;
pub mod ports;
pub mod receiver;
pub mod sample;

pub use chance::SeededChance;
pub use clock::VirtualClock;
pub use mail_server::{MailFault, MailSecurity, MailServer, ReceivedLetter};
pub use ownership::ScriptedOwnership;
pub use ports::ports;
pub use receiver::{Received, Receiver, Reply};
