//! Conversations: chats without a name, one for each set of members.

use crate::kernel::change::{Change, Claim, Guard};
use crate::kernel::ids::{ChatId, PersonId};
use crate::kernel::limits::CONVERSATION_OTHERS_MAX;
use crate::messaging::chat::{Chat, ChatEventType, ChatKind, ChatStatus, ChatWrite};
use crate::messaging::{Act, chat_event, persons, sorted};

/// Why a conversation cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a conversation has at most {CONVERSATION_OTHERS_MAX} others")]
pub struct TooManyMembers;

/// Everyone in a conversation between `person` and `others`, ascending.
pub fn members_of(
    person: PersonId,
    others: Vec<PersonId>,
) -> Result<Vec<PersonId>, TooManyMembers> {
    let mut members = others;
    members.push(person);
    let members = sorted(members);
    if members.len() > CONVERSATION_OTHERS_MAX + 1 {
        return Err(TooManyMembers);
    }
    Ok(members)
}

impl Chat {
    /// Begins the conversation of `members` (ascending, the one who begins it among them). The
    /// store refuses a second one of the same members.
    pub fn begin_conversation(act: &Act<'_>, members: Vec<PersonId>) -> (Change, Self) {
        let kind = match members.len() {
            0 | 1 => ChatKind::Personal,
            2 => ChatKind::Direct,
            _ => ChatKind::Group,
        };
        let chat = Self {
            account: act.account,
            id: ChatId(act.next_id()),
            kind,
            name: None,
            description: None,
            public: false,
            status: ChatStatus::Active,
            members,
            admins: Vec::new(),
            created_at: act.now,
            modified_at: act.now,
            version: 1,
        };
        let joined = chat_event(
            act,
            &chat,
            ChatEventType::GroupJoined,
            persons(&chat.members),
        );
        let only = Guard::Free(Claim::Conversation {
            account: chat.account,
            members: chat.members.clone(),
        });
        let change = Change::of(ChatWrite::Put(chat.clone()))
            .given(only)
            .announcing(joined);
        (change, chat)
    }
}
