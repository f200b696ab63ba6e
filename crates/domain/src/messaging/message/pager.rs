//! Sending a message to persons of the same account.

use serde::Serialize;

use super::{
    Availability, ConversationId, Correspondent, Counts, Direction, Message, PAGER, ReadStatus,
    event, store_event,
};
use crate::events::event::{Event, EventKind};
use crate::identity::person::Person;
use crate::kernel::change::Change;
use crate::kernel::ids::MessageId;
use crate::kernel::limits::{PAGER_RECEIVERS_MAX, PAGER_TEXT_UNITS_MAX};
use crate::kernel::time::Timestamp;
use crate::messaging::message::MessageWrite;
use crate::messaging::{Act, json};

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PagerError {
    #[error("the text is empty or too long")]
    BadText,
    #[error("there is nobody to send it to, or too many")]
    BadReceivers,
    /// The receiver at this place of the list cannot have messages.
    #[error("receiver {0} takes no messages")]
    TakesNone(usize),
}

impl From<&Person> for Correspondent {
    fn from(person: &Person) -> Self {
        Self {
            person: person.id,
            extension_number: person.extension_number.clone(),
            name: person.name(),
        }
    }
}

/// Sends `text` from one person to others; returns the sender's copy. A receiver that is named
/// twice gets it once.
pub fn send(
    act: &Act<'_>,
    from: &Person,
    to: &[Person],
    text: String,
) -> Result<(Change, Message), PagerError> {
    let units = text.encode_utf16().count();
    if text.trim().is_empty() || units > PAGER_TEXT_UNITS_MAX {
        return Err(PagerError::BadText);
    }
    if to.is_empty() || to.len() > PAGER_RECEIVERS_MAX {
        return Err(PagerError::BadReceivers);
    }
    if let Some(place) = to.iter().position(|person| !person.takes_messages()) {
        return Err(PagerError::TakesNone(place));
    }
    let mut receivers: Vec<Correspondent> = Vec::with_capacity(to.len());
    for person in to {
        if receivers.iter().all(|known| known.person != person.id) {
            receivers.push(person.into());
        }
    }
    let everyone = receivers.iter().map(|receiver| receiver.person);
    let sent = Message {
        account: act.account,
        owner: from.id,
        id: MessageId(act.next_id()),
        direction: Direction::Outbound,
        from: from.into(),
        conversation: ConversationId::between(everyone.chain([from.id])),
        to: receivers,
        text,
        read_status: ReadStatus::Read,
        availability: Availability::Alive,
        created_at: act.now,
        modified_at: act.now,
        version: 1,
    };
    let mut change = Change::of(MessageWrite::Put(Box::new(sent.clone())));
    // Who writes to themselves has two new messages, and is told once.
    let mut told = vec![(from.id, vec![sent.id])];
    for receiver in &sent.to {
        let copy = Message {
            owner: receiver.person,
            id: MessageId(act.next_id()),
            direction: Direction::Inbound,
            read_status: ReadStatus::Unread,
            ..sent.clone()
        };
        match told.iter_mut().find(|(person, _)| *person == copy.owner) {
            Some((_, ids)) => ids.push(copy.id),
            None => told.push((copy.owner, vec![copy.id])),
        }
        change = change
            .announcing(received(&copy, act.now))
            .and(MessageWrite::Put(Box::new(copy)));
    }
    for (person, ids) in told {
        let counts = Counts {
            kind: PAGER,
            new_count: ids.len(),
            updated_count: 0,
            new_message_ids: ids.into_iter().map(|id| id.0).collect(),
        };
        change = change.announcing(store_event(act.account, person, counts, act.now));
    }
    Ok((change, sent))
}

/// The body of an instant-message event: the message itself. Here ids are texts.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ReceivedBody<'a> {
    id: MessageId,
    to: &'a [Correspondent],
    from: &'a Correspondent,
    #[serde(rename = "type")]
    kind: &'static str,
    creation_time: Timestamp,
    last_modified_time: Timestamp,
    read_status: ReadStatus,
    priority: &'static str,
    attachments: [TextAttachment; 1],
    direction: Direction,
    availability: Availability,
    subject: &'a str,
    message_status: &'static str,
    conversation_id: String,
    conversation: ConversationRef,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TextAttachment {
    id: MessageId,
    #[serde(rename = "type")]
    kind: &'static str,
    content_type: &'static str,
}

#[derive(Serialize)]
struct ConversationRef {
    id: String,
}

fn received(copy: &Message, now: Timestamp) -> Event {
    let conversation = copy.conversation.0.to_string();
    let body = json(&ReceivedBody {
        id: copy.id,
        to: &copy.to,
        from: &copy.from,
        kind: PAGER,
        creation_time: copy.created_at,
        last_modified_time: copy.modified_at,
        read_status: copy.read_status,
        priority: "Normal",
        attachments: [TextAttachment {
            id: copy.id,
            kind: "Text",
            content_type: "text/plain",
        }],
        direction: copy.direction,
        availability: copy.availability,
        subject: &copy.text,
        message_status: copy.status(),
        conversation_id: conversation.clone(),
        conversation: ConversationRef { id: conversation },
    });
    event(
        copy.account,
        copy.owner,
        EventKind::InstantMessage,
        now,
        body,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event::Audience;
    use crate::identity::person::{PersonKind, PersonStatus};
    use crate::kernel::change::Write;
    use crate::kernel::ids::{AccountId, IdSequence, PersonId};
    use crate::messaging::message::MessagePatch;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn person(id: u64, name: &str) -> Person {
        Person {
            account: AccountId(9),
            id: PersonId(id),
            kind: PersonKind::User,
            first_name: name.to_owned(),
            last_name: String::new(),
            email: None,
            extension_number: Some(format!("1{id}")),
            admin: false,
            operator: false,
            status: PersonStatus::Enabled,
            created_at: NOW,
            modified_at: NOW,
            version: 1,
        }
    }

    fn send_to(to: &[Person], text: &str) -> Result<(Change, Message), PagerError> {
        let ids = IdSequence::starting_after(1 << 52);
        let act = Act {
            account: AccountId(9),
            person: PersonId(1),
            now: NOW,
            ids: &ids,
        };
        send(&act, &person(1, "Alice"), to, text.to_owned())
    }

    /// Kind, audience and body of each event, generated ids hidden.
    fn told(change: &Change) -> String {
        let line = |event: &Event| {
            let Audience::Persons(persons) = &event.audience else {
                panic!("messages are private")
            };
            let body = std::str::from_utf8(&event.body).unwrap();
            format!("{:?} {} {body}", persons, event.kind.name())
        };
        change
            .events
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn everyone_concerned_gets_a_copy_and_is_told() {
        let bob = person(2, "Bob");
        let to = [bob.clone(), person(3, "Carol"), bob];
        let (change, sent) = send_to(&to, "Lunch?").unwrap();
        assert_eq!(sent.to.len(), 2, "Bob gets it once");
        assert_eq!(change.writes.len(), 3);
        let expect = [
            r#"[PersonId(2)] instant-message {"id":"4503599627370498","to":[{"extensionId":"2","extensionNumber":"12","name":"Bob"},{"extensionId":"3","extensionNumber":"13","name":"Carol"}],"from":{"extensionId":"1","extensionNumber":"11","name":"Alice"},"type":"Pager","creationTime":"2027-01-15T08:00:00.000Z","lastModifiedTime":"2027-01-15T08:00:00.000Z","readStatus":"Unread","priority":"Normal","attachments":[{"id":"4503599627370498","type":"Text","contentType":"text/plain"}],"direction":"Inbound","availability":"Alive","subject":"Lunch?","messageStatus":"Received","conversationId":"5477895153647563","conversation":{"id":"5477895153647563"}}"#,
            r#"[PersonId(3)] instant-message {"id":"4503599627370499","to":[{"extensionId":"2","extensionNumber":"12","name":"Bob"},{"extensionId":"3","extensionNumber":"13","name":"Carol"}],"from":{"extensionId":"1","extensionNumber":"11","name":"Alice"},"type":"Pager","creationTime":"2027-01-15T08:00:00.000Z","lastModifiedTime":"2027-01-15T08:00:00.000Z","readStatus":"Unread","priority":"Normal","attachments":[{"id":"4503599627370499","type":"Text","contentType":"text/plain"}],"direction":"Inbound","availability":"Alive","subject":"Lunch?","messageStatus":"Received","conversationId":"5477895153647563","conversation":{"id":"5477895153647563"}}"#,
            r#"[PersonId(1)] message-store {"accountId":9,"extensionId":1,"lastUpdated":"2027-01-15T08:00:00.000Z","changes":[{"type":"Pager","newCount":1,"updatedCount":0,"newMessageIds":[4503599627370497]}]}"#,
            r#"[PersonId(2)] message-store {"accountId":9,"extensionId":2,"lastUpdated":"2027-01-15T08:00:00.000Z","changes":[{"type":"Pager","newCount":1,"updatedCount":0,"newMessageIds":[4503599627370498]}]}"#,
            r#"[PersonId(3)] message-store {"accountId":9,"extensionId":3,"lastUpdated":"2027-01-15T08:00:00.000Z","changes":[{"type":"Pager","newCount":1,"updatedCount":0,"newMessageIds":[4503599627370499]}]}"#,
        ];
        assert_eq!(told(&change), expect.join("\n"));
    }

    #[test]
    fn who_writes_to_themselves_is_told_once() {
        let (change, _) = send_to(&[person(1, "Alice")], "Remember").unwrap();
        let store = change
            .events
            .iter()
            .filter(|event| event.kind == EventKind::MessageStore);
        let bodies: Vec<_> = store.map(|event| event.body.clone()).collect();
        assert_eq!(bodies.len(), 1);
        let body = std::str::from_utf8(&bodies[0]).unwrap();
        assert!(body.contains(r#""newCount":2"#), "{body}");
    }

    #[test]
    fn texts_and_receivers_have_limits() {
        let bob = [person(2, "Bob")];
        let check = |text: &str, expect| assert_eq!(send_to(&bob, text).err(), expect, "{text:.9}");
        check(&"x".repeat(PAGER_TEXT_UNITS_MAX), None);
        check(
            &"x".repeat(PAGER_TEXT_UNITS_MAX + 1),
            Some(PagerError::BadText),
        );
        check(
            &"😀".repeat(PAGER_TEXT_UNITS_MAX / 2 + 1),
            Some(PagerError::BadText),
        );
        check("  ", Some(PagerError::BadText));
        let many = |count: usize| vec![person(2, "Bob"); count];
        assert_eq!(
            send_to(&many(0), "hi").err(),
            Some(PagerError::BadReceivers)
        );
        assert!(send_to(&many(PAGER_RECEIVERS_MAX), "hi").is_ok());
        assert_eq!(
            send_to(&many(PAGER_RECEIVERS_MAX + 1), "hi").err(),
            Some(PagerError::BadReceivers)
        );
    }

    #[test]
    fn an_integration_and_who_is_disabled_take_no_messages() {
        let hook = Person {
            kind: PersonKind::Integration,
            ..person(3, "Hook")
        };
        let gone = Person {
            status: PersonStatus::Disabled,
            ..person(4, "Dave")
        };
        for nobody in [hook, gone] {
            let refused = send_to(&[person(2, "Bob"), nobody], "hi");
            assert_eq!(refused.err(), Some(PagerError::TakesNone(1)));
        }
    }

    #[test]
    fn a_conversation_is_the_same_from_every_side() {
        let of = |ids: [u64; 3]| ConversationId::between(ids.map(PersonId));
        assert_eq!(of([1, 2, 3]), of([3, 1, 2]));
        assert_eq!(of([1, 2, 2]), of([2, 1, 1]));
        assert_ne!(of([1, 2, 3]), of([1, 2, 4]));
    }

    #[test]
    fn a_message_goes_to_the_bin_first_and_then_away() {
        let (_, message) = send_to(&[person(2, "Bob")], "hi").unwrap();
        let read = MessagePatch {
            read_status: Some(ReadStatus::Read),
            ..MessagePatch::default()
        };
        assert!(message.patch(read, NOW).0.is_empty(), "it is read already");
        let change = message.delete(NOW);
        let Write::Message(MessageWrite::Put(binned)) = &change.writes[0] else {
            panic!("it is still there")
        };
        assert_eq!(binned.availability, Availability::Deleted);
        assert_eq!(binned.version, 2);
        assert!(matches!(
            binned.delete(NOW).writes[..],
            [Write::Message(MessageWrite::Delete { .. })]
        ));
        assert_eq!(
            told(&change),
            r#"[PersonId(1)] message-store {"accountId":9,"extensionId":1,"lastUpdated":"2027-01-15T08:00:00.000Z","changes":[{"type":"Pager","newCount":0,"updatedCount":1}]}"#
        );
    }
}
