//! Decisions about chats and posts: each takes what was read, and returns what to write and to
//! announce, or why not.

pub mod chat;
pub mod conversations;
pub mod everyone;
pub mod markdown;
pub mod mentions;
pub mod message;
pub mod post;
pub mod posts;
pub mod presence;
pub mod teams;

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;

use crate::events::event::{Audience, Event, EventKind};
use crate::kernel::ids::{AccountId, EventId, IdSequence, PersonId};
use crate::kernel::time::Timestamp;
use crate::messaging::chat::{Chat, ChatEventBody, ChatEventType};
use crate::messaging::post::{Post, PostEventType, PostRemovedBody, PostView};

/// Who does something, when, and where numbers for new things come from.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    pub account: AccountId,
    pub person: PersonId,
    pub now: Timestamp,
    pub ids: &'a IdSequence,
}

impl Act<'_> {
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.next(self.now)
    }
}

pub(crate) fn json(body: &impl Serialize) -> Bytes {
    serde_json::to_vec(body)
        .expect("event bodies are plain data")
        .into()
}

const fn post_event_name(event_type: PostEventType) -> &'static str {
    match event_type {
        PostEventType::PostAdded => "PostAdded",
        PostEventType::PostChanged => "PostChanged",
        PostEventType::PostRemoved => "PostRemoved",
    }
}

const fn chat_event_name(event_type: ChatEventType) -> &'static str {
    match event_type {
        ChatEventType::GroupJoined => "GroupJoined",
        ChatEventType::GroupLeft => "GroupLeft",
        ChatEventType::GroupRenamed => "GroupRenamed",
        ChatEventType::GroupChanged => "GroupChanged",
    }
}

/// The event that tells the members of its chat what happened to a post (contract section 5.2).
pub fn post_event(post: &Post, event_type: PostEventType, now: Timestamp) -> Event {
    let body = match event_type {
        PostEventType::PostRemoved => json(&PostRemovedBody {
            id: post.id,
            group_id: post.chat,
            event_type,
        }),
        PostEventType::PostAdded | PostEventType::PostChanged => {
            json(&PostView::new(post, Some(event_type)))
        }
    };
    Event {
        account: post.account,
        id: EventId::PENDING,
        kind: EventKind::Post,
        event_type: post_event_name(event_type).into(),
        audience: Audience::ChatMembers(post.chat),
        chat: Some(post.chat),
        post: Some(post.id),
        request: post.request,
        occurred_at: now,
        body,
        confidential: false,
        attributes: None,
    }
}

/// The event that tells `audience` what happened to a chat (contract section 5.3).
pub(crate) fn chat_event(
    act: &Act<'_>,
    chat: &Chat,
    event_type: ChatEventType,
    audience: Audience,
) -> Event {
    Event {
        account: act.account,
        id: EventId::PENDING,
        kind: EventKind::Chat,
        event_type: chat_event_name(event_type).into(),
        audience,
        chat: Some(chat.id),
        post: None,
        request: None,
        occurred_at: act.now,
        body: json(&ChatEventBody::new(chat, event_type)),
        confidential: false,
        attributes: None,
    }
}

fn persons(persons: &[PersonId]) -> Audience {
    Audience::Persons(Arc::from(persons))
}

/// Ascending and without repeats, as chats keep their members.
fn sorted(mut persons: Vec<PersonId>) -> Vec<PersonId> {
    persons.sort_unstable();
    persons.dedup();
    persons
}

#[cfg(test)]
mod tests;
