//! Posts that people write.

use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::PostId;
use crate::kernel::limits::POST_TEXT_CHARS_MAX;
use crate::messaging::chat::{Chat, ChatStatus};
use crate::messaging::post::{Mention, Post, PostContent, PostEventType, PostKind, PostWrite};
use crate::messaging::{Act, post_event};

/// Why a post cannot be written or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    #[error("the person is not in the chat")]
    NotAMember,
    #[error("the chat is archived")]
    Archived,
    #[error("the text is empty or longer than {POST_TEXT_CHARS_MAX} characters")]
    BadText,
    #[error("only the author may change a post")]
    NotTheAuthor,
}

fn check_text(text: &str) -> Result<(), PostError> {
    let fits = !text.trim().is_empty() && text.chars().count() <= POST_TEXT_CHARS_MAX;
    fits.then_some(()).ok_or(PostError::BadText)
}

fn check_writable(chat: &Chat, act: &Act<'_>) -> Result<(), PostError> {
    if !chat.has_member(act.person) {
        return Err(PostError::NotAMember);
    }
    match chat.status {
        ChatStatus::Active => Ok(()),
        ChatStatus::Archived => Err(PostError::Archived),
    }
}

impl Post {
    /// Writes a post to `chat`. `mentions` are those of the text that exist, with their names;
    /// `parent` is a post of the same chat.
    pub fn create(
        act: &Act<'_>,
        chat: &Chat,
        text: String,
        mentions: Vec<Mention>,
        parent: Option<PostId>,
    ) -> Result<(Change, Self), PostError> {
        check_writable(chat, act)?;
        check_text(&text)?;
        let post = Self {
            account: act.account,
            chat: chat.id,
            id: PostId(act.next_id()),
            kind: PostKind::TextMessage,
            creator: act.person,
            content: PostContent {
                text: Some(text),
                mentions,
                parent,
                ..PostContent::default()
            },
            request: None,
            created_at: act.now,
            modified_at: act.now,
            version: 1,
        };
        // The right to write may end at any moment: the chat must still be what was read.
        let guard = Guard::version(chat.account, chat.id, chat.version);
        let event = post_event(&post, PostEventType::PostAdded, act.now);
        let change = Change::of(PostWrite::Put(post.clone()))
            .given(guard)
            .announcing(event);
        Ok((change, post))
    }

    /// Gives the post another text.
    pub fn edit(
        &self,
        act: &Act<'_>,
        chat: &Chat,
        text: String,
        mentions: Vec<Mention>,
    ) -> Result<(Change, Self), PostError> {
        check_writable(chat, act)?;
        if self.creator != act.person || self.kind != PostKind::TextMessage {
            return Err(PostError::NotTheAuthor);
        }
        check_text(&text)?;
        let mut next = self.clone();
        next.content.text = Some(text);
        next.content.mentions = mentions;
        next.modified_at = act.now;
        next.version += 1;
        let event = post_event(&next, PostEventType::PostChanged, act.now);
        let change = Change::of(PostWrite::Put(next.clone()))
            .given(self.guard())
            .announcing(event);
        Ok((change, next))
    }

    /// Deletes the post: its author may, and the admins of its team.
    pub fn delete(&self, act: &Act<'_>, chat: &Chat) -> Result<Change, PostError> {
        check_writable(chat, act)?;
        if self.creator != act.person && !chat.has_admin(act.person) {
            return Err(PostError::NotTheAuthor);
        }
        let event = post_event(self, PostEventType::PostRemoved, act.now);
        let delete = PostWrite::Delete {
            account: self.account,
            chat: self.chat,
            post: self.id,
        };
        Ok(Change::of(delete).given(self.guard()).announcing(event))
    }

    fn guard(&self) -> Guard {
        Guard::version(self.account, self.id, self.version)
    }
}
