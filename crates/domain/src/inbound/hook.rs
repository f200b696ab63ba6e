//! Posting through a hook: what a call to the URL of an incoming webhook becomes, and what its
//! sender is told (contract section 3).
//!
//! A call is kept as a request whatever becomes of it. It makes a post when it could be read, its
//! body says something, and its webhook and chat take posts.

mod answer;
mod headers;

use bytes::Bytes;

pub use self::answer::UNAVAILABLE;
pub use self::headers::kept_headers;
use crate::inbound::card::{Conversion, Rejection, convert};
use crate::inbound::request::{Finding, HookAnswer, HookRequest, RequestWrite};
use crate::inbound::webhook::WebhookStatus;
use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::{IdSequence, PostId, RequestId};
use crate::kernel::limits::{REQUEST_BODY_KEPT_BYTES_MAX, REQUEST_HEADER_CHARS_MAX};
use crate::kernel::ports::HookTarget;
use crate::kernel::time::Timestamp;
use crate::messaging::chat::ChatStatus;
use crate::messaging::post::{Post, PostContent, PostEventType, PostKind, PostWrite};
use crate::messaging::post_event;

/// One HTTP call to a hook's URL, read as far as its bounds allow.
#[derive(Debug, Clone)]
pub struct Call {
    pub received_at: Timestamp,
    pub method: String,
    pub content_type: Option<String>,
    /// What [`kept_headers`] leaves of them.
    pub headers: Vec<(String, String)>,
    /// What arrived, up to the limit.
    pub body: Bytes,
    /// How much arrived, or was announced, if that is more.
    pub body_length: u64,
    pub end: BodyEnd,
    /// Forwarding headers are the sender's to invent, so this is the peer of the connection.
    pub remote_address: String,
}

/// How reading a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEnd {
    Complete,
    TooLarge,
    TooSlow,
    Broken,
}

/// Why a call did not become a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    Method,
    TooLarge,
    TooSlow,
    Broken,
    Payload(Rejection),
    Suspended,
    Deleted,
    Archived,
}

impl Call {
    /// What the body says, if it may say anything at all. It does not depend on the webhook, so it
    /// is found out once, however often the decision is made.
    ///
    /// # Errors
    ///
    /// Why the call makes no post, whatever its webhook is.
    pub fn convert(&self, ids: &IdSequence) -> Result<Conversion, Refusal> {
        if self.method != "POST" {
            return Err(Refusal::Method);
        }
        match self.end {
            BodyEnd::Complete => {}
            BodyEnd::TooLarge => return Err(Refusal::TooLarge),
            BodyEnd::TooSlow => return Err(Refusal::TooSlow),
            BodyEnd::Broken => return Err(Refusal::Broken),
        }
        let mut next_id = || ids.next(self.received_at);
        convert(&self.body, self.content_type.as_deref(), &mut next_id).map_err(Refusal::Payload)
    }
}

/// Decides what a call to `target` does and how it is answered. `conversion` is what
/// [`Call::convert`] told of its body.
pub fn accept(
    call: &Call,
    target: &HookTarget,
    conversion: &Result<Conversion, Refusal>,
    ids: &IdSequence,
) -> (Change, HookAnswer) {
    let webhook = &target.webhook;
    let unchanged = Guard::version(webhook.account, webhook.id, webhook.version);
    let mut change = Change::default().given(unchanged);
    let request = RequestId(ids.next(call.received_at));
    let (answer, findings, post) = match permit(target, conversion) {
        Ok(conversion) => {
            let id = PostId(ids.next(call.received_at));
            let content = conversion.content.clone();
            change.append(posting(target, post(call, target, (request, id), content)));
            (HookAnswer::accepted(), &*conversion.findings, Some(id))
        }
        Err(refusal) => (refusal.answer(), refusal.findings(), None),
    };
    let kept = kept(call, target, request, &answer, (findings, post));
    (change.and(RequestWrite::Put(Box::new(kept))), answer)
}

/// What `target` is as it is now comes before what the body says.
fn permit<'c>(
    target: &HookTarget,
    conversion: &'c Result<Conversion, Refusal>,
) -> Result<&'c Conversion, &'c Refusal> {
    match (target.webhook.status, target.chat.status) {
        (WebhookStatus::Active, ChatStatus::Active) => conversion.as_ref(),
        (WebhookStatus::Active, ChatStatus::Archived) => Err(&Refusal::Archived),
        (WebhookStatus::Suspended, _) => Err(&Refusal::Suspended),
        (WebhookStatus::Deleted, _) => Err(&Refusal::Deleted),
    }
}

fn post(
    call: &Call,
    target: &HookTarget,
    (request, id): (RequestId, PostId),
    content: PostContent,
) -> Post {
    Post {
        account: target.webhook.account,
        chat: target.chat.id,
        id,
        kind: PostKind::TextMessage,
        creator: target.author,
        content,
        request: Some(request),
        created_at: call.received_at,
        modified_at: call.received_at,
        version: 1,
    }
}

fn posting(target: &HookTarget, post: Post) -> Change {
    let event = post_event(&post, PostEventType::PostAdded, post.created_at);
    let unchanged = Guard::version(post.account, post.chat, target.chat.version);
    Change::of(PostWrite::Put(post))
        .given(unchanged)
        .announcing(event)
}

fn kept(
    call: &Call,
    target: &HookTarget,
    id: RequestId,
    answer: &HookAnswer,
    (findings, post): (&[Finding], Option<PostId>),
) -> HookRequest {
    let body_kept = call.body.len().min(REQUEST_BODY_KEPT_BYTES_MAX);
    HookRequest {
        account: target.webhook.account,
        id,
        webhook: target.webhook.id,
        received_at: call.received_at,
        method: shortened(&call.method),
        content_type: call.content_type.as_deref().map(shortened),
        headers: call.headers.clone(),
        body: call.body.slice(..body_kept),
        body_bytes: call.body_length,
        remote_address: call.remote_address.clone(),
        answer: answer.clone(),
        findings: findings.to_vec(),
        post,
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(REQUEST_HEADER_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
