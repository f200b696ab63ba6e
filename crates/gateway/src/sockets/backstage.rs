//! What the gateway needs from the rest of the server.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::{HistoryEntry, Problem, Session};
use http::{HeaderMap, Request, Response};

/// A reply was larger than a frame may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the reply is too large for a frame")]
pub struct ReplyTooLarge;

/// Who is let in, what requests are answered with, and where ends are noted.
#[async_trait]
pub trait Backstage: Send + Sync + fmt::Debug {
    /// The OAuth session that a token for WebSocket connections stands for. `headers` are those of
    /// the request to connect.
    async fn admit(&self, token: &str, headers: &HeaderMap) -> Result<Arc<Session>, Problem>;

    /// Whether a session has not ended.
    async fn is_signed_in(&self, session: &Session) -> bool;

    /// Answers a request of a session as the HTTP surface would, without asking for a token.
    async fn call(
        &self,
        session: &Arc<Session>,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, ReplyTooLarge>;

    /// Adds a line to the history of a subscription.
    async fn note(&self, entry: HistoryEntry);
}
