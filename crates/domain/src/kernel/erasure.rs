//! Erasing what is kept of one person or one endpoint. What was said by or to a person goes, and
//! what told of it; what belongs to others as well stays, without their name.

use async_trait::async_trait;
use serde::Serialize;

use crate::kernel::change::Change;
use crate::kernel::ids::{AccountId, JobId, PersonId, SubscriptionId};
use crate::kernel::ports::StoreError;
use crate::messaging::message::{Correspondent, Message};
use crate::messaging::post::PostContent;

/// What stands where a name was.
pub const ERASED_FIRST_NAME: &str = "Erased";
pub const ERASED_LAST_NAME: &str = "person";
const ERASED_NAME: &str = "Erased person";

/// Whose data is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErasureSubject {
    Person(PersonId),
    Endpoint(SubscriptionId),
}

/// How much there is to erase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ErasureCounts {
    /// Events by them, about them or for them alone.
    pub events: u64,
    /// Deliveries of these events, and all to what they subscribed; each with its attempts.
    pub deliveries: u64,
    /// Posts whose text goes, or whose mention of them loses their name.
    pub posts: u64,
    /// Messages of theirs, and others' copies that lose their text or name.
    pub messages: u64,
}

impl ErasureCounts {
    /// All of it.
    pub const fn total(&self) -> u64 {
        self.events + self.deliveries + self.posts + self.messages
    }
}

impl ErasureSubject {
    /// The change that erases what has numbers above `after`, up to `last` or to the end; with the
    /// end goes what has no numbers.
    pub fn page(self, account: AccountId, after: u64, last: Option<u64>, job: JobId) -> Change {
        let erase = ErasureWrite::Erase {
            account,
            subject: self,
            after,
            last: last.unwrap_or(u64::MAX),
        };
        let change = Change::of(erase);
        if last.is_some() {
            return change;
        }
        change.and(ErasureWrite::Rest {
            account,
            subject: self,
            job,
        })
    }
}

impl PostContent {
    /// What is left of a post by `author` when `person` is erased; `None` when all of it is.
    pub fn without(&self, person: PersonId, author: PersonId) -> Option<Self> {
        let left = if author == person {
            // The place in the thread, and whom it was about.
            Self {
                person_ids: self.person_ids.clone(),
                parent: self.parent,
                ..Self::default()
            }
        } else {
            let mut left = self.clone();
            let id = person.to_string();
            for mention in &mut left.mentions {
                if mention.kind == "Person" && mention.id == id {
                    ERASED_NAME.clone_into(&mut mention.name);
                }
            }
            left
        };
        (left != *self).then_some(left)
    }
}

/// What becomes of a message when somebody is erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErasedMessage {
    /// It was in their own store.
    Gone,
    /// Another's copy, without what they wrote and without their name.
    Changed(Box<Message>),
}

impl Message {
    /// What becomes of it when `person` is erased; `None` when all of it stays.
    pub fn without(&self, person: PersonId) -> Option<ErasedMessage> {
        if self.owner == person {
            return Some(ErasedMessage::Gone);
        }
        let mut left = self.clone();
        if left.from.person == person {
            left.text.clear();
        }
        let concerned = std::iter::once(&mut left.from).chain(&mut left.to);
        for correspondent in concerned.filter(|known| known.person == person) {
            *correspondent = Correspondent {
                person,
                extension_number: None,
                name: ERASED_NAME.to_owned(),
            };
        }
        if left == *self {
            return None;
        }
        left.version += 1;
        Some(ErasedMessage::Changed(Box::new(left)))
    }
}

/// What erasing writes.
#[derive(Debug, Clone)]
pub enum ErasureWrite {
    /// Erases what is kept of somebody or of an endpoint under numbers above `after`, up to `last`.
    /// What waits to be sent goes as well.
    Erase {
        account: AccountId,
        subject: ErasureSubject,
        after: u64,
        last: u64,
    },
    /// Erases what has no numbers: history, and jobs other than `job` that are about it.
    Rest {
        account: AccountId,
        subject: ErasureSubject,
        job: JobId,
    },
}

/// Reads of what there is to erase.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// What is kept of somebody or of an endpoint under numbers above `after`, up to `last`.
    async fn erasable(
        &self,
        account: AccountId,
        subject: ErasureSubject,
        after: u64,
        last: u64,
    ) -> Result<ErasureCounts, StoreError>;
    /// The number up to which there are at most `limit` rows of each kind after `after`; `None` when
    /// that is all there is.
    async fn erasure_page(&self, after: u64, limit: u32) -> Result<Option<u64>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::change::Write;
    use crate::kernel::ids::{MessageId, PostId};
    use crate::kernel::time::Timestamp;
    use crate::messaging::message::{Availability, ConversationId, Direction, ReadStatus};
    use crate::messaging::post::Mention;

    const BOB: PersonId = PersonId(12);
    const CAROL: PersonId = PersonId(13);

    fn mention(person: PersonId) -> Mention {
        Mention {
            id: person.to_string(),
            kind: "Person".to_owned(),
            name: format!("Person {person}"),
        }
    }

    #[test]
    fn a_post_keeps_its_place_and_loses_what_it_says() {
        let content = PostContent {
            text: Some("secret".to_owned()),
            title: Some("secret".to_owned()),
            mentions: vec![mention(CAROL)],
            parent: Some(PostId(7)),
            ..PostContent::default()
        };
        let left = content.without(BOB, BOB).unwrap();
        let expect = PostContent {
            parent: Some(PostId(7)),
            ..PostContent::default()
        };
        assert_eq!(left, expect);
        assert_eq!(left.without(BOB, BOB), None, "once is enough");
    }

    #[test]
    fn who_is_mentioned_by_others_loses_the_name_alone() {
        let content = PostContent {
            text: Some("hello".to_owned()),
            mentions: vec![mention(BOB), mention(CAROL)],
            ..PostContent::default()
        };
        let left = content.without(BOB, CAROL).unwrap();
        assert_eq!(left.text, content.text);
        let names: Vec<_> = left.mentions.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["Erased person", "Person 13"]);
        assert_eq!(left.without(BOB, CAROL), None);
        assert_eq!(content.without(PersonId(14), CAROL), None);
    }

    fn message(owner: PersonId, from: PersonId, to: PersonId) -> Message {
        let correspondent = |person: PersonId| Correspondent {
            person,
            extension_number: Some("101".to_owned()),
            name: format!("Person {person}"),
        };
        Message {
            account: AccountId(1),
            owner,
            id: MessageId(5),
            direction: Direction::Inbound,
            from: correspondent(from),
            to: vec![correspondent(to)],
            text: "Lunch?".to_owned(),
            conversation: ConversationId(3),
            read_status: ReadStatus::Read,
            availability: Availability::Alive,
            created_at: Timestamp::from_millis(1),
            modified_at: Timestamp::from_millis(1),
            version: 1,
        }
    }

    #[test]
    fn messages_go_or_lose_what_was_theirs() {
        assert_eq!(
            message(BOB, CAROL, BOB).without(BOB),
            Some(ErasedMessage::Gone)
        );
        let theirs = message(CAROL, BOB, CAROL).without(BOB);
        let Some(ErasedMessage::Changed(theirs)) = theirs else {
            panic!("another's copy stays: {theirs:?}");
        };
        assert_eq!(
            (theirs.text.as_str(), theirs.from.name.as_str()),
            ("", "Erased person")
        );
        assert_eq!(theirs.from.extension_number, None);
        assert_eq!(theirs.to, message(CAROL, BOB, CAROL).to);
        assert_eq!(theirs.without(BOB), None);
        let to_them = message(CAROL, CAROL, BOB).without(BOB);
        let Some(ErasedMessage::Changed(to_them)) = to_them else {
            panic!("another's copy stays: {to_them:?}");
        };
        assert_eq!(
            (to_them.text.as_str(), to_them.to[0].name.as_str()),
            ("Lunch?", "Erased person")
        );
        assert_eq!(message(CAROL, CAROL, CAROL).without(BOB), None);
    }

    #[test]
    fn the_last_page_takes_the_rest_with_it() {
        let subject = ErasureSubject::Person(BOB);
        let page = subject.page(AccountId(1), 0, Some(9), JobId(4));
        assert_eq!(page.writes.len(), 1);
        let last = subject.page(AccountId(1), 9, None, JobId(4));
        assert!(matches!(
            last.writes[1],
            Write::Erasure(ErasureWrite::Rest { .. })
        ));
    }
}
