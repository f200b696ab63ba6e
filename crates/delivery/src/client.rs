//! Plain HTTP/1.1 calls through [`Egress`], for programs that act for the person who runs them: the
//! command line. Connections are kept and used again; answers can be read while they come.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hookyard_domain::kernel::limits::IDLE_CONNECTIONS_MAX;
use http::header::{CONTENT_LENGTH, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use crate::egress::{DialError, Egress, Target};

const AGENT: &str = concat!("Hookyard/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer, or no whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the connection ended before the answer did")]
    Broken,
    #[error("no answer within {}", shown(*.0))]
    TimedOut(Duration),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("a header cannot be written")]
    BadHeader,
}

fn shown(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f32())
}

/// What to ask for.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub target: Target,
    /// `Host`, `User-Agent` and `Content-Length` are added.
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Until the head of the answer has come.
    pub timeout: Duration,
}

type Sender = http1::SendRequest<Full<Bytes>>;

/// Calls one host or several.
#[derive(Debug)]
pub struct Client {
    egress: Egress,
    idle: Mutex<Vec<(String, Sender)>>,
}

impl Client {
    /// Dials through `egress`.
    pub const fn new(egress: Egress) -> Self {
        Self {
            egress,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Sends a request and waits for the head of its answer. It is sent once: on another connection
    /// only when a kept one had ended before anything of it was written.
    ///
    /// # Errors
    ///
    /// When nobody answers in time.
    pub async fn call(&self, call: Call) -> Result<Answer<'_>, CallError> {
        let deadline = Instant::now() + call.timeout;
        let origin = call.target.origin().to_owned();
        let mut request = request(&call)?;
        let response = loop {
            let (mut sender, kept) = match self.take(&origin) {
                Some(sender) => (sender, true),
                None => (self.dial(&call.target, deadline).await?, false),
            };
            match timeout_at(deadline, sender.try_send_request(request)).await {
                Ok(Ok(response)) => break response.map(|body| (body, sender)),
                Ok(Err(mut error)) => match error.take_message() {
                    Some(unsent) if kept => request = unsent,
                    _ => return Err(CallError::Broken),
                },
                Err(_) => return Err(CallError::TimedOut(call.timeout)),
            }
        };
        let (head, (body, sender)) = response.into_parts();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            body,
            home: Some((self, origin, sender)),
        })
    }

    fn take(&self, origin: &str) -> Option<Sender> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, sender)| !sender.is_closed());
        let at = idle
            .iter()
            .rposition(|(known, sender)| known == origin && sender.is_ready())?;
        Some(idle.swap_remove(at).1)
    }

    fn give_back(&self, origin: String, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX && !sender.is_closed() {
            idle.push((origin, sender));
        }
    }

    async fn dial(&self, target: &Target, deadline: Instant) -> Result<Sender, CallError> {
        let dialled = self.egress.dial(target, deadline).await?;
        let opened = http1::handshake(TokioIo::new(dialled.stream)).await;
        let (sender, connection) = opened.map_err(|_| DialError::ConnectFailed)?;
        tokio::spawn(async move {
            // How it ended shows to whoever waits for an answer.
            let _ended = connection.await;
        });
        Ok(sender)
    }
}

fn request(call: &Call) -> Result<Request<Full<Bytes>>, CallError> {
    let mut request = Request::new(Full::new(call.body.clone()));
    *request.method_mut() = call.method.clone();
    let path = call.target.path_and_query().parse();
    *request.uri_mut() = path.map_err(|_| DialError::Invalid)?;
    let headers = request.headers_mut();
    headers.clone_from(&call.headers);
    let host = HeaderValue::from_str(call.target.authority());
    headers.insert(HOST, host.map_err(|_| CallError::BadHeader)?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(call.body.len()));
    Ok(request)
}

/// An answer whose body may still be coming.
#[derive(Debug)]
pub struct Answer<'a> {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: Incoming,
    /// Where its connection goes when the body has been read.
    home: Option<(&'a Client, String, Sender)>,
}

impl Answer<'_> {
    /// The next bytes of the body; `None` at its end.
    ///
    /// # Errors
    ///
    /// When the connection ends before the body does.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, CallError> {
        loop {
            let Some(frame) = self.body.frame().await else {
                if let Some((client, origin, sender)) = self.home.take() {
                    client.give_back(origin, sender);
                }
                return Ok(None);
            };
            if let Ok(data) = frame.map_err(|_| CallError::Broken)?.into_data() {
                return Ok(Some(data));
            }
        }
    }

    /// The whole body.
    ///
    /// # Errors
    ///
    /// When it is longer than `bytes_max`, takes longer than `timeout`, or does not end.
    pub async fn whole(mut self, bytes_max: usize, timeout: Duration) -> Result<Bytes, CallError> {
        let reading = async {
            let mut read = BytesMut::new();
            while let Some(data) = self.chunk().await? {
                if read.len() + data.len() > bytes_max {
                    return Err(CallError::TooLong(bytes_max));
                }
                read.extend_from_slice(&data);
            }
            Ok(read.freeze())
        };
        let read = tokio::time::timeout(timeout, reading).await;
        read.unwrap_or(Err(CallError::TimedOut(timeout)))
    }
}

#[cfg(test)]
mod tests {
    use hookyard_testkit::receiver::{Receiver, Reply};

    use super::*;
    use crate::egress::EgressRules;

    const TIMEOUT: Duration = Duration::from_secs(10);

    fn client() -> Client {
        Client::new(Egress::new(EgressRules::anywhere()))
    }

    fn call(address: &str, body: &'static str) -> Call {
        Call {
            method: Method::POST,
            target: Target::parse(address).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
            timeout: TIMEOUT,
        }
    }

    #[tokio::test]
    async fn a_connection_is_used_again_after_its_answer_was_read() {
        let receiver = Receiver::start().await;
        receiver.reply(Reply::from(201).body("hello"));
        let client = client();
        let answer = client.call(call(&receiver.address(), "one")).await.unwrap();
        assert_eq!(answer.status, 201);
        assert_eq!(&answer.whole(5, TIMEOUT).await.unwrap()[..], b"hello");
        let answer = client.call(call(&receiver.address(), "two")).await.unwrap();
        answer.whole(5, TIMEOUT).await.unwrap();
        assert_eq!(receiver.connections(), 1);
        assert_eq!(&receiver.events()[1].body[..], b"two");
    }

    #[tokio::test]
    async fn an_answer_without_an_end_or_beyond_a_bound_is_an_error() {
        let receiver = Receiver::start().await;
        receiver.reply(Reply::from(200).body("123456"));
        receiver.reply(Reply::Raw(
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123".into(),
        ));
        receiver.reply(Reply::Close);
        let client = client();
        let answer = client.call(call(&receiver.address(), "")).await.unwrap();
        let long = answer.whole(5, TIMEOUT).await;
        assert_eq!(long.err(), Some(CallError::TooLong(5)));
        let answer = client.call(call(&receiver.address(), "")).await.unwrap();
        let cut = answer.whole(9, TIMEOUT).await;
        assert_eq!(cut.err(), Some(CallError::Broken));
        let closed = client.call(call(&receiver.address(), "")).await;
        assert_eq!(closed.err(), Some(CallError::Broken));
        assert_eq!(receiver.events().len(), 3, "nothing is sent twice");
    }

    #[tokio::test]
    async fn who_does_not_answer_in_time_is_given_up() {
        let receiver = Receiver::start().await;
        receiver.reply(Reply::Hang);
        let mut call = call(&receiver.address(), "");
        call.timeout = Duration::from_millis(20);
        let client = client();
        let error = client.call(call).await.err();
        assert_eq!(error, Some(CallError::TimedOut(Duration::from_millis(20))));
    }
}
