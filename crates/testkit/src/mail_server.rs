//! A mail server on a real port: it speaks as much SMTP as a client needs to hand a letter over,
//! keeps what it gets, and fails as it is told to.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// How connections to a mail server are secured.
#[derive(Clone, Default)]
pub enum MailSecurity {
    #[default]
    None,
    /// TLS from the first byte on.
    Implicit(TlsAcceptor),
    /// TLS when it is asked for.
    StartTls(TlsAcceptor),
}

impl fmt::Debug for MailSecurity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Implicit(_) => "Implicit",
            Self::StartTls(_) => "StartTls",
        })
    }
}

/// How a mail server fails one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFault {
    /// It closes at once.
    Close,
    /// It never says anything.
    Hang,
    /// It answers the first command that begins with the first text with the second.
    Answer(&'static str, &'static str),
}

/// A letter as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedLetter {
    /// Who sends and who receives, as the protocol says.
    pub from: String,
    pub to: Vec<String>,
    /// Head and body, with `\r\n` between lines.
    pub text: String,
    /// Whether it came over TLS.
    pub secure: bool,
    /// Who signed in.
    pub login: Option<(String, String)>,
}

impl ReceivedLetter {
    /// The lines of its head, unfolded.
    pub fn headers(&self) -> Vec<String> {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default();
        let mut lines: Vec<String> = Vec::new();
        for line in head.split("\r\n") {
            match lines.last_mut() {
                Some(last) if line.starts_with([' ', '\t']) => last.push_str(line),
                _ => lines.push(line.to_owned()),
            }
        }
        lines
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<String> {
        let headers = self.headers();
        headers.iter().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known
                .eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

#[derive(Default)]
struct Shared {
    letters: Mutex<Vec<ReceivedLetter>>,
    faults: Mutex<VecDeque<MailFault>>,
    connections: Mutex<usize>,
    login: Mutex<Option<(String, String)>>,
    security: MailSecurity,
    changed: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A mail server on a port of its own. Dropping it closes everything.
pub struct MailServer {
    peer: SocketAddr,
    shared: Arc<Shared>,
    closing: CancellationToken,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.closing.cancel();
    }
}

impl MailServer {
    /// Starts listening on a free port of this machine.
    pub async fn start(security: MailSecurity) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let peer = listener
            .local_addr()
            .expect("a bound listener has an address");
        let shared = Arc::new(Shared {
            security,
            ..Shared::default()
        });
        let closing = CancellationToken::new();
        let serving = serve(listener, Arc::clone(&shared), closing.clone());
        tokio::spawn(closing.clone().run_until_cancelled_owned(serving));
        Self {
            peer,
            shared,
            closing,
        }
    }

    /// Where it listens.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// From now on takes letters only from who signs in like this.
    pub fn require_login(&self, name: &str, password: &str) {
        *lock(&self.shared.login) = Some((name.to_owned(), password.to_owned()));
    }

    /// Fails the next connection that no other fault is for.
    pub fn fail(&self, fault: MailFault) {
        lock(&self.shared.faults).push_back(fault);
    }

    /// All letters so far.
    pub fn letters(&self) -> Vec<ReceivedLetter> {
        lock(&self.shared.letters).clone()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        *lock(&self.shared.connections)
    }

    /// Waits until there were `count` letters, and returns them all.
    pub async fn received(&self, count: usize) -> Vec<ReceivedLetter> {
        let waiting = async {
            loop {
                let changed = self.shared.changed.notified();
                let letters = self.letters();
                if letters.len() >= count {
                    return letters;
                }
                changed.await;
            }
        };
        timeout(PATIENCE, waiting)
            .await
            .unwrap_or_else(|_| panic!("{} of {count} letters arrived", self.letters().len()))
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>, closing: CancellationToken) {
    while let Ok((stream, _)) = listener.accept().await {
        *lock(&shared.connections) += 1;
        let talking = talk(stream, Arc::clone(&shared));
        tokio::spawn(closing.clone().run_until_cancelled_owned(talking));
    }
}

trait Line: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// One connection. An error is the other side going away.
async fn talk(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    let fault = lock(&shared.faults).pop_front();
    match fault {
        Some(MailFault::Close) => return Ok(()),
        Some(MailFault::Hang) => std::future::pending().await,
        _ => {}
    }
    let mut secure = false;
    let line: Box<dyn Line> = match &shared.security {
        MailSecurity::Implicit(acceptor) => {
            secure = true;
            Box::new(acceptor.accept(stream).await?)
        }
        _ => Box::new(stream),
    };
    let mut session = Session {
        line: BufReader::new(line),
        fault,
        secure,
        login: None,
        from: None,
        to: Vec::new(),
        shared,
    };
    session.say("220 mail.example.com ready").await?;
    while session.step().await? {}
    Ok(())
}

struct Session {
    line: BufReader<Box<dyn Line>>,
    fault: Option<MailFault>,
    secure: bool,
    login: Option<(String, String)>,
    from: Option<String>,
    to: Vec<String>,
    shared: Arc<Shared>,
}

impl Session {
    async fn say(&mut self, text: &str) -> io::Result<()> {
        self.line.write_all(text.as_bytes()).await?;
        self.line.write_all(b"\r\n").await?;
        self.line.flush().await
    }

    async fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.line.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        assert!(line.ends_with("\r\n"), "lines end properly: {line:?}");
        line.truncate(line.len() - 2);
        Ok(line)
    }

    /// Answers one command. False at the end.
    async fn step(&mut self) -> io::Result<bool> {
        let command = self.hear().await?;
        if let Some(MailFault::Answer(begin, answer)) = self.fault
            && command.starts_with(begin)
        {
            self.fault = None;
            self.say(answer).await?;
            return Ok(true);
        }
        let upper = command.to_ascii_uppercase();
        let starts_tls = match &self.shared.security {
            MailSecurity::StartTls(acceptor) if !self.secure => Some(acceptor.clone()),
            _ => None,
        };
        let may_send = *lock(&self.shared.login) == self.login;
        match upper.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => {
                self.say("250-mail.example.com").await?;
                if starts_tls.is_some() {
                    self.say("250-STARTTLS").await?;
                }
                self.say("250-AUTH PLAIN LOGIN").await?;
                self.say("250 8BITMIME").await?;
            }
            "STARTTLS" => {
                let Some(acceptor) = starts_tls else {
                    self.say("502 no TLS here").await?;
                    return Ok(true);
                };
                self.say("220 go ahead").await?;
                let (gone, _) = tokio::io::duplex(1);
                let plain = std::mem::replace(&mut self.line, BufReader::new(Box::new(gone)));
                let secured = acceptor.accept(plain.into_inner()).await?;
                self.line = BufReader::new(Box::new(secured));
                self.secure = true;
                self.login = None;
            }
            "AUTH" => {
                self.login = command.strip_prefix("AUTH PLAIN ").and_then(read_plain);
                if *lock(&self.shared.login) == self.login {
                    self.say("235 welcome").await?;
                } else {
                    self.say("535 5.7.8 not you").await?;
                }
            }
            "MAIL" | "RCPT" if !may_send => self.say("530 5.7.0 sign in first").await?,
            "MAIL" => {
                self.from = Some(address(&command));
                self.say("250 ok").await?;
            }
            "RCPT" => {
                self.to.push(address(&command));
                self.say("250 ok").await?;
            }
            "DATA" => {
                self.say("354 go on").await?;
                self.take_letter().await?;
                self.say("250 taken").await?;
            }
            "QUIT" => {
                self.say("221 bye").await?;
                return Ok(false);
            }
            _ => self.say("500 what?").await?,
        }
        Ok(true)
    }

    async fn take_letter(&mut self) -> io::Result<()> {
        let mut lines = Vec::new();
        loop {
            let line = self.hear().await?;
            if line == "." {
                break;
            }
            lines.push(line.strip_prefix('.').unwrap_or(&line).to_owned());
        }
        let letter = ReceivedLetter {
            from: self.from.take().unwrap_or_default(),
            to: std::mem::take(&mut self.to),
            text: lines.join("\r\n"),
            secure: self.secure,
            login: self.login.clone(),
        };
        lock(&self.shared.letters).push(letter);
        self.shared.changed.notify_waiters();
        Ok(())
    }
}

/// What is between `<` and `>`.
fn address(command: &str) -> String {
    let inner = command.split_once('<').and_then(|(_, rest)| {
        let (inner, _) = rest.split_once('>')?;
        Some(inner)
    });
    inner.unwrap_or(command).to_owned()
}

/// Name and password of `AUTH PLAIN`.
fn read_plain(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let mut parts = text.split('\0').skip(1);
    Some((parts.next()?.to_owned(), parts.next()?.to_owned()))
}
