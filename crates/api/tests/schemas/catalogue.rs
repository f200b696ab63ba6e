//! The catalogue's schemas, with what the product really makes.

use std::collections::HashSet;

use hookyard_api::JsonSchemas;
use hookyard_domain::events::catalogue::{EVENT_TYPES, EventType};
use hookyard_domain::events::scenario::{Run, SCENARIOS};
use hookyard_domain::inbound::webhook::Announcement;
use hookyard_domain::messaging::post::{Mention, PostEventType};
use hookyard_domain::messaging::teams::{NewTeam, TeamPatch};
use hookyard_domain::messaging::{Act, post_event};
use hookyard_domain::{
    AccountId, Attachment, Card, Change, Chat, Event, IdSequence, IncomingWebhook, PersonId, Post,
    PostKind, Scenario, Secret, Timestamp, WebhookStatus,
};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn every_example_satisfies_its_schema() {
    for known in &EVENT_TYPES {
        let example: Value = serde_json::from_str(known.example).unwrap();
        assert_eq!(
            known.schema.check(&example, &JsonSchemas),
            Ok(()),
            "{}",
            known.name
        );
        if known.name.contains('.') {
            assert_eq!(example["eventType"], known.event_type(), "{}", known.name);
        } else {
            assert_eq!(example.get("eventType"), None, "{}", known.name);
        }
    }
}

#[test]
fn built_in_steps_are_as_the_catalogue_says() {
    let mut built_in = 0;
    for scenario in &SCENARIOS {
        for step in scenario.steps {
            if let Some(known) = step.built_in() {
                let data = step.data(&Run::EXAMPLE);
                let data: Value = serde_json::from_slice(&data).unwrap();
                built_in += 1;
                known.schema.check(&data, &JsonSchemas).unwrap();
                if known.event_type() != known.name {
                    assert_eq!(data["eventType"], known.event_type());
                }
            }
        }
    }
    assert_eq!(built_in, Scenario::named("team").unwrap().steps.len());
}

#[test]
fn a_violation_says_what_is_wrong_and_where() {
    let check = |name: &str, at: &str, value: Value| {
        let known = EventType::named(name).unwrap();
        let mut body: Value = serde_json::from_str(known.example).unwrap();
        *body.pointer_mut(at).unwrap() = value;
        let violation = known.schema.check(&body, &JsonSchemas).unwrap_err();
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
    assert_eq!(known.schema.check(&body, &JsonSchemas), Ok(()), "{body:#}");
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
    let card = Attachment::Card(Card {
        id: "1".into(),
        title: Some("Build".into()),
        ..Card::default()
    });
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
        prop_assert!(known.schema.check(&Value::String(text), &JsonSchemas).is_err());
    }
}
