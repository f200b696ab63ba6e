//! Posts: what people read in a chat.

use async_trait::async_trait;
use serde::Serialize;

use crate::inbound::card::Attachment;
use crate::kernel::ids::{AccountId, ChatId, PersonId, PostId, RequestId};
use crate::kernel::ports::{Page, StoreError};
use crate::kernel::time::Timestamp;

/// Why a post exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PostKind {
    TextMessage,
    PersonJoined,
    PersonsAdded,
    PersonLeft,
    PersonsRemoved,
}

/// What a mention points at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mention {
    pub id: String,
    /// `Person` or `Team`.
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
}

/// What a post says; texts are mini-markdown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PostContent {
    pub text: Option<String>,
    /// Label beside the author's name, such as the sending system.
    pub activity: Option<String>,
    pub title: Option<String>,
    pub icon_uri: Option<String>,
    pub icon_emoji: Option<String>,
    pub attachments: Vec<Attachment>,
    pub mentions: Vec<Mention>,
    /// The persons that a `PersonsAdded` or `PersonsRemoved` post is about.
    pub person_ids: Vec<PersonId>,
    /// The post that this one replies to.
    pub parent: Option<PostId>,
}

/// A post.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    pub account: AccountId,
    pub chat: ChatId,
    pub id: PostId,
    pub kind: PostKind,
    pub creator: PersonId,
    pub content: PostContent,
    /// The call to an incoming webhook that it came from.
    pub request: Option<RequestId>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// Grows by one with every change; what guards compare.
    pub version: u64,
}

/// What happened to a post, in the words of the event body (contract section 5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PostEventType {
    PostAdded,
    PostChanged,
    PostRemoved,
}

/// `TMPostInfo` (contract section 2.3): every absent value is an explicit null. With `event_type`
/// it is the body of a post event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostView<'a> {
    pub id: PostId,
    pub group_id: ChatId,
    #[serde(rename = "type")]
    pub kind: PostKind,
    pub text: Option<&'a str>,
    pub creator_id: PersonId,
    pub added_person_ids: Option<&'a [PersonId]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_person_ids: Option<&'a [PersonId]>,
    pub creation_time: Timestamp,
    pub last_modified_time: Timestamp,
    pub attachments: Option<&'a [Attachment]>,
    pub activity: Option<&'a str>,
    pub title: Option<&'a str>,
    pub icon_uri: Option<&'a str>,
    pub icon_emoji: Option<&'a str>,
    pub mentions: Option<&'a [Mention]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_post_id: Option<PostId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<PostId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<PostEventType>,
}

fn non_empty<T>(items: &[T]) -> Option<&[T]> {
    (!items.is_empty()).then_some(items)
}

impl<'a> PostView<'a> {
    /// The post as REST and events show it. A post without text shows `""`: clients that are alive
    /// want a string there (contract section 10, row 33).
    pub fn new(post: &'a Post, event_type: Option<PostEventType>) -> Self {
        let content = &post.content;
        let removed = post.kind == PostKind::PersonsRemoved;
        let persons = non_empty(&content.person_ids);
        Self {
            id: post.id,
            group_id: post.chat,
            kind: post.kind,
            text: Some(content.text.as_deref().unwrap_or("")),
            creator_id: post.creator,
            added_person_ids: persons.filter(|_| !removed),
            removed_person_ids: persons.filter(|_| removed),
            creation_time: post.created_at,
            last_modified_time: post.modified_at,
            attachments: non_empty(&content.attachments),
            activity: content.activity.as_deref(),
            title: content.title.as_deref(),
            icon_uri: content.icon_uri.as_deref(),
            icon_emoji: content.icon_emoji.as_deref(),
            mentions: non_empty(&content.mentions),
            parent_post_id: content.parent,
            thread_id: content.parent,
            event_type,
        }
    }
}

/// Body of the event that tells of a removed post.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PostRemovedBody {
    pub id: PostId,
    pub group_id: ChatId,
    pub event_type: PostEventType,
}

/// What is written of posts.
#[derive(Debug, Clone)]
pub enum PostWrite {
    Put(Post),
    Delete {
        account: AccountId,
        chat: ChatId,
        post: PostId,
    },
}

/// Reads of posts.
#[async_trait]
pub trait Posts: Send + Sync {
    async fn post(
        &self,
        account: AccountId,
        chat: ChatId,
        post: PostId,
    ) -> Result<Option<Post>, StoreError>;
    /// Posts of a chat: newest first from `First` and `Before`; oldest first from `After`.
    async fn posts(
        &self,
        account: AccountId,
        chat: ChatId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<Post>, StoreError>;
}
