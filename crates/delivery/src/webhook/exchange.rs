//! HTTP/1.1 on one connection, polled by whoever uses it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};

use bytes::Bytes;
use hookyard_domain::UnreachableReason;
use hookyard_domain::kernel::limits::{
    ANSWER_BODY_BYTES_MAX, ANSWER_BODY_TIMEOUT, ANSWER_EXCERPT_BYTES_MAX, ANSWER_HEAD_BYTES_MAX,
    ANSWER_HEADERS_MAX,
};
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Answered, Reply, outcome_of, reason_of_http};
use crate::egress::{DialError, Stream};

type Driver = http1::Connection<TokioIo<Box<dyn Stream>>, Full<Bytes>>;

/// One HTTP/1.1 client connection and the state machine that drives it.
pub(crate) struct Exchange {
    sender: http1::SendRequest<Full<Bytes>>,
    /// `None` once the connection has ended.
    driver: Option<Driver>,
}

impl Exchange {
    /// Speaks HTTP on `stream`.
    pub(crate) async fn open(stream: Box<dyn Stream>) -> Result<Self, DialError> {
        let (sender, driver) = http1::Builder::new()
            .title_case_headers(true)
            .max_buf_size(ANSWER_HEAD_BYTES_MAX)
            .max_headers(ANSWER_HEADERS_MAX)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|_| DialError::ConnectFailed)?;
        Ok(Self {
            sender,
            driver: Some(driver),
        })
    }

    /// Waits for `future` while the connection makes progress.
    pub(crate) async fn drive<F: Future>(driver: &mut Option<Driver>, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|cx| {
            if let Some(running) = driver
                && Pin::new(running).poll(cx).is_ready()
            {
                *driver = None;
            }
            future.as_mut().poll(cx)
        })
        .await
    }

    /// Sends `request` and waits for the head of the answer.
    pub(crate) async fn ask(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Option<hyper::Error>> {
        Self::drive(&mut self.driver, self.sender.ready())
            .await
            .map_err(|_| None)?;
        let answer = self.sender.try_send_request(request);
        Self::drive(&mut self.driver, answer)
            .await
            .map_err(|mut error| {
                if error.take_message().is_some() {
                    None
                } else {
                    Some(error.into_error())
                }
            })
    }

    /// Reads at most `bytes_max` bytes of a body into `kept`. True when it was read to its end.
    pub(crate) async fn read_body(
        &mut self,
        body: &mut Incoming,
        bytes_max: usize,
        mut keep: impl FnMut(&[u8]),
    ) -> Result<bool, hyper::Error> {
        let mut read = 0;
        while let Some(frame) = Self::drive(&mut self.driver, body.frame()).await {
            if let Ok(chunk) = frame?.into_data() {
                read += chunk.len();
                if read > bytes_max {
                    return Ok(false);
                }
                keep(&chunk);
            }
        }
        Ok(true)
    }

    /// Sends `request`, and reads as much of the answer as is kept.
    pub(super) async fn run(&mut self, request: Request<Full<Bytes>>, deadline: Instant) -> Reply {
        let begun = Instant::now();
        let (head, mut body) = match timeout_at(deadline, self.ask(request)).await {
            Ok(Ok(response)) => response.into_parts(),
            Ok(Err(None)) => return Reply::Unsent,
            Ok(Err(Some(error))) => return Reply::Failed(reason_of_http(&error)),
            Err(_) => return Reply::Failed(UnreachableReason::TimedOut),
        };
        let wait = begun.elapsed();
        let outcome = outcome_of(&head);
        let mut excerpt = Vec::new();
        let mut truncated = false;
        let ended = if hyper::body::Body::is_end_stream(&body) {
            true
        } else {
            let keep = |chunk: &[u8]| {
                let room = ANSWER_EXCERPT_BYTES_MAX - excerpt.len();
                truncated |= chunk.len() > room;
                excerpt.extend_from_slice(&chunk[..chunk.len().min(room)]);
            };
            let reading = self.read_body(&mut body, ANSWER_BODY_BYTES_MAX, keep);
            matches!(timeout(ANSWER_BODY_TIMEOUT, reading).await, Ok(Ok(true)))
        };
        Reply::Answered(Answered {
            outcome,
            headers: head.headers,
            excerpt,
            truncated: truncated || !ended,
            wait,
            reusable: ended && self.driver.is_some() && outcome.status() != Some(101),
        })
    }
}
