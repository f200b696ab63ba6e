//! E-mail, as far as Hookyard sends any: short plain letters to one person each.

mod smtp;
mod stream;

use std::fmt;

use async_trait::async_trait;
use hookyard_domain::Timestamp;

pub use smtp::{SmtpMail, SmtpSecurity, SmtpSettings, SmtpSettingsError};

/// What is sent. Whatever the texts hold, they stay what they are: they cannot add headers or
/// recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The address of the one person that it goes to.
    pub to: String,
    pub subject: String,
    /// Plain text with `\n` between lines.
    pub body: String,
    /// When it was written.
    pub at: Timestamp,
    /// The same for every try to send the same letter, so that a repeat can be told; letters, digits
    /// and `-.`.
    pub id: String,
}

/// Why a letter was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Another time it may be.
    #[error("{0}")]
    Later(String),
    /// The mail server does not want it, or it goes to no address.
    #[error("{0}")]
    Never(String),
}

/// Sends letters.
#[async_trait]
pub trait Mail: Send + Sync + fmt::Debug {
    /// Hands a letter to whoever carries it on. Ends within `MAIL_TIMEOUT`.
    async fn send(&self, letter: &Letter) -> Result<(), MailError>;
}
