//! One HTTP call to an incoming webhook: what came, what we answered, how it was converted.

use async_trait::async_trait;
use bytes::Bytes;
use serde::Serialize;

use crate::kernel::ids::{AccountId, PostId, RequestId, WebhookId};
use crate::kernel::ports::{Page, StoreError};
use crate::kernel::time::Timestamp;

/// Something the conversion noticed: where, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// JSON Pointer (RFC 6901) into the payload; empty for the whole of it.
    pub pointer: String,
    pub warning: String,
}

/// What the sender was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookAnswer {
    pub status: u16,
    /// The answer's body, exactly as sent.
    pub body: String,
}

/// One call, kept whether it became a post or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookRequest {
    pub account: AccountId,
    pub id: RequestId,
    pub webhook: WebhookId,
    pub received_at: Timestamp,
    pub method: String,
    pub content_type: Option<String>,
    /// Selected headers, lower-case names, without credentials.
    pub headers: Vec<(String, String)>,
    /// The body, cut at `limits::REQUEST_BODY_KEPT_BYTES_MAX`.
    pub body: Bytes,
    /// Size of the body before it was cut.
    pub body_bytes: u64,
    pub remote_address: String,
    pub answer: HookAnswer,
    pub findings: Vec<Finding>,
    /// The post it became.
    pub post: Option<PostId>,
}

/// What is written of calls to incoming webhooks.
#[derive(Debug, Clone)]
pub enum RequestWrite {
    Put(Box<HookRequest>),
}

/// Reads of calls to incoming webhooks.
#[async_trait]
pub trait Requests: Send + Sync {
    async fn request(
        &self,
        account: AccountId,
        request: RequestId,
    ) -> Result<Option<HookRequest>, StoreError>;
    /// Requests to one webhook or to all, newest first.
    async fn requests(
        &self,
        account: AccountId,
        webhook: Option<WebhookId>,
        page: Page,
        limit: u32,
    ) -> Result<Vec<HookRequest>, StoreError>;
}
