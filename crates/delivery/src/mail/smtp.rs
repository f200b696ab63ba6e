//! Letters over SMTP, to the server that the operator has named. Connections are made by `egress`
//! and secured with its configuration; `lettre` writes the letters and speaks the protocol.
//!
//! A connection carries one letter: there are few.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use hookyard_domain::Secret;
use hookyard_domain::kernel::limits::{MAIL_TIMEOUT, SMTP_REPLY_BYTES_MAX};
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use url::{Host, Url};

use super::stream::SmtpStream;
use super::{Letter, Mail, MailError};
use crate::egress::Egress;

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte on.
    Implicit,
    /// TLS before anything is said that matters. A server that has none is not spoken to.
    StartTls,
    /// Everything can be read on the way.
    None,
}

/// Which server to hand letters to, and how.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub security: SmtpSecurity,
    /// User name and password, where the server asks for them.
    pub credentials: Option<(String, Secret)>,
    /// Whom letters come from, such as `Hookyard <hooks@example.com>`.
    pub from: String,
    /// What this server is called.
    pub public_url: String,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SmtpSettingsError {
    #[error("`smtp.host` must be a host name or an IP address")]
    Host,
    #[error("`smtp.from` must be an e-mail address, such as `Hookyard <hooks@example.com>`")]
    From,
}

/// Sends letters over SMTP.
#[derive(Debug)]
pub struct SmtpMail {
    egress: Arc<Egress>,
    host: Host,
    port: u16,
    security: SmtpSecurity,
    credentials: Option<(String, Secret)>,
    from: Mailbox,
    /// How we introduce ourselves.
    hello: ClientId,
}

impl SmtpMail {
    /// Connects through `egress` when there is something to send.
    ///
    /// # Errors
    ///
    /// When the settings make no sense.
    pub fn new(egress: Arc<Egress>, settings: SmtpSettings) -> Result<Self, SmtpSettingsError> {
        let host = Host::parse(&settings.host).map_err(|_| SmtpSettingsError::Host)?;
        let from: Mailbox = settings.from.parse().map_err(|_| SmtpSettingsError::From)?;
        let public = Url::parse(&settings.public_url).ok();
        let hello = match public.as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
            Some(Host::Ipv4(address)) => ClientId::Ipv4(address),
            Some(Host::Ipv6(address)) => ClientId::Ipv6(address),
            None => ClientId::default(),
        };
        Ok(Self {
            egress,
            host,
            port: settings.port,
            security: settings.security,
            credentials: settings.credentials,
            from,
            hello,
        })
    }

    /// The letter in the form that is sent.
    fn message(&self, letter: &Letter) -> Result<Message, MailError> {
        let to = letter.to.parse();
        let to = to.map_err(|_| MailError::Never("the address cannot be written to".into()))?;
        let millis = u64::try_from(letter.at.as_millis()).unwrap_or_default();
        let domain = self.from.email.domain();
        // Programs that answer letters do not answer these.
        let automatic = HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        );
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .date(SystemTime::UNIX_EPOCH + Duration::from_millis(millis))
            .message_id(Some(format!("<{}@{domain}>", letter.id)))
            .raw_header(automatic)
            .singlepart(SinglePart::plain(letter.body.clone()))
            .map_err(|error| MailError::Never(shown(&error)))
    }

    async fn hand_over(&self, message: &Message, deadline: Instant) -> Result<(), MailError> {
        let stream = self.open(deadline).await?;
        let opened =
            AsyncSmtpConnection::connect_with_transport(Box::new(stream), &self.hello).await;
        let mut connection = opened.map_err(|error| MailError::Later(shown(&error)))?;
        let sent = self.converse(&mut connection, message).await;
        connection.abort().await;
        sent
    }

    async fn converse(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<(), MailError> {
        if let Some((name, password)) = &self.credentials {
            let credentials = Credentials::new(name.clone(), password.reveal().to_owned());
            let let_in = connection
                .auth(&[Mechanism::Plain, Mechanism::Login], &credentials)
                .await;
            let_in.map_err(|error| {
                MailError::Later(format!("it does not let us in: {}", shown(&error)))
            })?;
        }
        let sent = connection
            .send(message.envelope(), &message.formatted())
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Never(shown(&error))),
            Err(error) => Err(MailError::Later(shown(&error))),
        }
    }

    /// A stream on which the server is about to greet, secured as the settings say.
    async fn open(&self, deadline: Instant) -> Result<SmtpStream, MailError> {
        let later = |error: &dyn std::error::Error| MailError::Later(shown(error));
        let dialled = self
            .egress
            .dial_named(&self.host, self.port, deadline)
            .await;
        let (mut stream, peer): (TcpStream, SocketAddr) = dialled.map_err(|error| later(&error))?;
        if self.security == SmtpSecurity::None {
            return Ok(SmtpStream::plain(stream, peer));
        }
        let starts = self.security == SmtpSecurity::StartTls;
        if starts {
            self.start_tls(&mut stream)
                .await
                .map_err(|error| later(&error))?;
        }
        let secured = self.egress.secure(&self.host, stream, deadline).await;
        let stream = SmtpStream::secure(secured.map_err(|error| later(&error))?, peer);
        Ok(if starts { stream.greeted() } else { stream })
    }

    /// Asks for TLS. Nothing that comes before it is believed, and nothing is read ahead: what
    /// somebody slips in behind the last answer breaks the TLS handshake.
    async fn start_tls(&self, stream: &mut TcpStream) -> io::Result<()> {
        expect(stream, "220").await?;
        let hello = format!("EHLO {}\r\n", self.hello);
        stream.write_all(hello.as_bytes()).await?;
        expect(stream, "250").await?;
        stream.write_all(b"STARTTLS\r\n").await?;
        expect(stream, "220").await
    }
}

#[async_trait]
impl Mail for SmtpMail {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let message = self.message(letter)?;
        let deadline = Instant::now() + MAIL_TIMEOUT;
        let handed = timeout_at(deadline, self.hand_over(&message, deadline)).await;
        handed.unwrap_or_else(|_| Err(MailError::Later("it does not answer in time".into())))
    }
}

/// Reads one reply, byte by byte, and sees that it has this code.
async fn expect(stream: &mut TcpStream, code: &str) -> io::Result<()> {
    let mut line = Vec::new();
    for _ in 0..SMTP_REPLY_BYTES_MAX {
        let byte = stream.read_u8().await?;
        if byte != b'\n' {
            line.push(byte);
            continue;
        }
        // `250-` has more lines behind it.
        if line.get(3) != Some(&b'-') {
            if line.starts_with(code.as_bytes()) {
                return Ok(());
            }
            let said = String::from_utf8_lossy(&line);
            let said = said.trim_end();
            return Err(io::Error::other(format!("it answered `{said}`")));
        }
        line.clear();
    }
    Err(io::Error::other("its answer has no end"))
}

/// An error with its causes, on one line.
fn shown(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.replace(|c: char| c.is_control(), " ")
}
