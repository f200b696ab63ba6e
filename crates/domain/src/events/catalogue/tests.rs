//! The tables agree with each other, and the schemas with what the product really makes.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::events::event::Event;
use crate::identity::secret::Secret;
use crate::inbound::card::Attachment;
use crate::inbound::webhook::{Announcement, IncomingWebhook, WebhookStatus};
use crate::kernel::change::Change;
use crate::kernel::ids::{AccountId, IdSequence, PersonId};
use crate::kernel::time::Timestamp;
use crate::messaging::chat::Chat;
use crate::messaging::post::{Mention, Post, PostEventType, PostKind};
use crate::messaging::teams::{NewTeam, TeamPatch};
use crate::messaging::{Act, post_event};

#[test]
fn every_kind_has_types_with_names_of_their_own_and_every_type_has_filters() {
    for kind in EventKind::ALL {
        let types: Vec<_> = EVENT_TYPES.iter().filter(|t| t.kind == kind).collect();
        // Accounts register those of one kind; another is for endpoints, which ask by name.
        assert_eq!(types.is_empty(), kind == EventKind::Custom, "{kind:?}");
        let filtered = !matches!(kind, EventKind::Custom | EventKind::Hookyard);
        assert_eq!(
            FILTER_FORMS.iter().any(|form| form.kind == kind),
            filtered,
            "{kind:?}"
        );
        for known in types {
            let prefix = known.name.split('.').next();
            assert_eq!(prefix, Some(kind.name()));
            assert_eq!(EventType::named(known.name).unwrap().name, known.name);
            let scopes: HashSet<_> = known.filters().map(|form| form.scope).collect();
            assert!(scopes.len() <= 1, "{}", known.name);
        }
    }
    let names: HashSet<_> = EVENT_TYPES.iter().map(|known| known.name).collect();
    assert_eq!(names.len(), EVENT_TYPES.len());
    let unordered = EVENT_TYPES
        .windows(2)
        .find(|pair| pair[0].kind > pair[1].kind);
    assert!(unordered.is_none(), "{unordered:?}");
}

#[test]
fn what_apps_publish_is_about_extensions_and_is_the_only_type_of_its_kind() {
    let mut published = Vec::new();
    for kind in EventKind::ALL {
        let Some(known) = EventType::published_as(kind) else {
            continue;
        };
        published.push(known.name);
        assert_eq!(EVENT_TYPES.iter().filter(|t| t.kind == kind).count(), 1);
        assert!(known.filters().any(|form| form.reach == Reach::Extension));
    }
    assert_eq!(
        published,
        [
            "message-store",
            "instant-message",
            "voicemail",
            "fax",
            "presence",
            "presence-line",
            "telephony-session",
            "missed-call"
        ]
    );
}

#[test]
fn every_example_satisfies_its_schema() {
    for known in &EVENT_TYPES {
        let example: Value = serde_json::from_str(known.example).unwrap();
        assert_eq!(known.schema.check(&example), Ok(()), "{}", known.name);
        if known.name.contains('.') {
            assert_eq!(example["eventType"], known.event_type(), "{}", known.name);
        } else {
            assert_eq!(example.get("eventType"), None, "{}", known.name);
        }
    }
}

/// Every member that a schema names is described, so that the reference says what each one is.
fn undescribed(schema: &Value, at: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{at}/{name}");
                if name == "properties" {
                    for (property, inner) in member.as_object().unwrap() {
                        let shared = inner.get("$ref").is_some();
                        if inner.get("description").is_none() && !shared {
                            found.push(format!("{path}/{property}"));
                        }
                    }
                }
                undescribed(member, &path, found);
            }
        }
        Value::Array(items) => {
            for item in items {
                undescribed(item, at, found);
            }
        }
        _ => {}
    }
}

#[test]
fn schemas_describe_every_member_and_have_every_value_of_conditions() {
    let mut found = Vec::new();
    for known in &EVENT_TYPES {
        let schema: Value = serde_json::from_str(known.schema.text()).unwrap();
        undescribed(&schema, known.schema.name(), &mut found);
        for parameter in known.filters().flat_map(|form| form.parameters) {
            match parameter.effect {
                Effect::Equals => {
                    let values = &schema["properties"][parameter.name]["enum"];
                    assert_eq!(*values, json!(parameter.values), "{}", known.name);
                    let required = schema["required"].as_array().unwrap();
                    assert!(required.contains(&json!(parameter.name)), "{}", known.name);
                }
                Effect::Includes(member) => {
                    assert!(known.schema.text().contains(&format!("\"{member}\": {{")));
                }
                Effect::Seconds => {}
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_violation_says_what_is_wrong_and_where() {
    let check = |name: &str, at: &str, value: Value| {
        let known = EventType::named(name).unwrap();
        let mut body: Value = serde_json::from_str(known.example).unwrap();
        *body.pointer_mut(at).unwrap() = value;
        let violation = known.schema.check(&body).unwrap_err();
        format!("{}: {}", violation.pointer, violation.message)
    };
    let told = [
        check("presence", "/presenceStatus", json!("Asleep")),
        check("presence", "/activeCalls/0/startTime", json!("yesterday")),
        check("presence", "/activeCalls/0", json!({"id": "1"})),
        check("presence", "/sequence", json!(-1)),
        check("presence", "", json!(["a list"])),
        check("presence", "/extensionId", json!("~")),
        check("instant-message", "/to", json!([])),
        check("instant-message", "/type", json!("x".repeat(10_000))),
        check("telephony-session", "/parties/0/status/code", json!(7)),
        check("fax", "/type", json!("Voicemail")),
    ];
    insta::assert_snapshot!(told.join("\n"));
}

const ACT_AT: Timestamp = Timestamp::from_millis(1_616_750_321_460);
const ALICE: PersonId = PersonId(11);
const BOB: PersonId = PersonId(12);

fn assert_told_as_described(event: &Event) -> &'static str {
    let known = EventType::of(event).unwrap_or_else(|| panic!("{event:?}"));
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    assert_eq!(known.schema.check(&body), Ok(()), "{body:#}");
    assert_eq!(body["eventType"], known.event_type());
    known.name
}

fn assert_all_told(changes: &[&Change], expect: &[&str]) {
    let events = changes.iter().flat_map(|change| &change.events);
    let names: HashSet<_> = events.map(assert_told_as_described).collect();
    assert_eq!(names, expect.iter().copied().collect());
}

fn team(act: &Act<'_>) -> (Change, Chat) {
    let new = NewTeam {
        name: "Team #1".into(),
        description: None,
        members: vec![BOB],
        public: false,
    };
    Chat::create_team(act, new).unwrap()
}

#[test]
fn chats_and_posts_are_told_as_their_schemas_say() {
    let ids = IdSequence::starting_after(0);
    let act = Act {
        account: AccountId(1),
        person: ALICE,
        now: ACT_AT,
        ids: &ids,
    };
    let (created, chat) = team(&act);
    let patch = TeamPatch {
        name: Some("New".into()),
        description: Some("What for".into()),
        public: Some(true),
    };
    let (patched, _) = chat.patch_team(&act, patch).unwrap();
    let added = chat.add_to_team(&act, vec![PersonId(13)]).unwrap();
    let removed = chat.remove_from_team(&act, vec![BOB]).unwrap();
    let (begun, _) = Chat::begin_conversation(&act, vec![ALICE, BOB]);
    let (alone, _) = Chat::begin_conversation(&act, vec![ALICE]);
    let mention = Mention {
        id: "12".into(),
        kind: "Person".into(),
        name: "Bob".into(),
    };
    let (posted, post) = Post::create(&act, &chat, "Hello".into(), vec![mention], None).unwrap();
    let (edited, _) = post.edit(&act, &chat, "Bye".into(), Vec::new()).unwrap();
    let reply = Post::create(&act, &chat, "Yes".into(), Vec::new(), Some(post.id)).unwrap();
    let deleted = post.delete(&act, &chat).unwrap();
    assert_all_told(
        &[
            &created, &patched, &added, &removed, &begun, &alone, &posted, &edited, &reply.0,
            &deleted,
        ],
        &[
            "chat.GroupJoined",
            "chat.GroupLeft",
            "chat.GroupRenamed",
            "chat.GroupChanged",
            "post.PostAdded",
            "post.PostChanged",
            "post.PostRemoved",
        ],
    );
}

#[test]
fn posts_of_every_kind_and_with_cards_are_told_as_their_schema_says() {
    let ids = IdSequence::starting_after(0);
    let act = Act {
        account: AccountId(1),
        person: ALICE,
        now: ACT_AT,
        ids: &ids,
    };
    let (_, chat) = team(&act);
    let (_, mut post) = Post::create(&act, &chat, "Hello".into(), Vec::new(), None).unwrap();
    let card: Attachment = serde_json::from_value(json!({
        "type": "Card", "id": "1", "title": "Build", "fields": [],
    }))
    .unwrap();
    post.content.attachments = vec![card];
    post.content.text = None;
    post.content.activity = Some("CI".into());
    post.content.person_ids = vec![BOB];
    for kind in [
        PostKind::TextMessage,
        PostKind::PersonJoined,
        PostKind::PersonsAdded,
        PostKind::PersonLeft,
        PostKind::PersonsRemoved,
    ] {
        post.kind = kind;
        let event = post_event(&post, PostEventType::PostAdded, ACT_AT);
        assert_eq!(assert_told_as_described(&event), "post.PostAdded");
    }
}

#[test]
fn webhooks_are_told_as_their_schemas_say() {
    let ids = IdSequence::starting_after(0);
    let act = Act {
        account: AccountId(1),
        person: ALICE,
        now: ACT_AT,
        ids: &ids,
    };
    let (_, chat) = team(&act);
    let webhook = IncomingWebhook {
        account: AccountId(1),
        id: "1a7fc5f1-38b7-4c3b-8251-c3f1de5e5c68".parse().unwrap(),
        chat: chat.id,
        creator: ALICE,
        token: Secret::new("TOKEN"),
        status: WebhookStatus::Active,
        created_at: ACT_AT,
        modified_at: ACT_AT,
        version: 1,
    };
    let announcement = Announcement {
        public_url: "https://hooks.example.com",
        administrators: &[ALICE],
        now: ACT_AT,
    };
    let suspended = webhook.set_status(WebhookStatus::Suspended, &announcement);
    let suspended = suspended.unwrap();
    let deleted = webhook.delete(&announcement);
    let created = webhook.create(&chat, &announcement);
    assert_all_told(
        &[&created, &suspended, &deleted],
        &[
            "webhook.WebhookCreated",
            "webhook.WebhookUpdated",
            "webhook.WebhookDeleted",
        ],
    );
}

proptest! {
    #[test]
    fn any_text_is_checked_without_panic(text in "\\PC{0,40}", index in 0..EVENT_TYPES.len()) {
        let known = &EVENT_TYPES[index];
        prop_assert!(known.schema.check(&Value::String(text)).is_err());
    }
}
