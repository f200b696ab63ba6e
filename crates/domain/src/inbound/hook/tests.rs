use std::sync::Arc;

use super::*;
use crate::identity::secret::Secret;
use crate::inbound::card::RejectionCause;
use crate::inbound::webhook::IncomingWebhook;
use crate::kernel::change::Write;
use crate::kernel::ids::{AccountId, ChatId, PersonId};
use crate::messaging::chat::{Chat, ChatKind};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn call(body: &'static str) -> Call {
    Call {
        received_at: NOW,
        method: "POST".to_owned(),
        content_type: Some("application/json".to_owned()),
        headers: vec![("user-agent".to_owned(), "curl/8".to_owned())],
        body: Bytes::from_static(body.as_bytes()),
        body_length: 99,
        end: BodyEnd::Complete,
        remote_address: "203.0.113.7".to_owned(),
    }
}

fn target(webhook: WebhookStatus, chat: ChatStatus) -> HookTarget {
    HookTarget {
        webhook: IncomingWebhook {
            account: AccountId(9),
            id: "1a7fc5f1-38b7-4c3b-8251-c3f1de5e5c68".parse().unwrap(),
            chat: ChatId(7),
            creator: PersonId(1),
            token: Secret::new("TOKEN"),
            status: webhook,
            created_at: NOW,
            modified_at: NOW,
            version: 4,
        },
        chat: Arc::new(Chat {
            account: AccountId(9),
            id: ChatId(7),
            kind: ChatKind::Team,
            name: None,
            description: None,
            public: false,
            status: chat,
            members: vec![PersonId(1)],
            admins: Vec::new(),
            created_at: NOW,
            modified_at: NOW,
            version: 6,
        }),
        author: PersonId(3),
    }
}

fn open() -> HookTarget {
    target(WebhookStatus::Active, ChatStatus::Active)
}

fn accepted(call: &Call, target: &HookTarget) -> (Change, HookAnswer) {
    let ids = IdSequence::starting_after(0);
    accept(call, target, &call.convert(&ids), &ids)
}

fn kept_of(change: &Change) -> &HookRequest {
    let Some(Write::Request(RequestWrite::Put(kept))) = change.writes.last() else {
        panic!("a call is kept");
    };
    kept
}

#[test]
fn a_call_becomes_a_post_an_event_and_a_request_that_know_each_other() {
    let (change, answer) = accepted(&call(r#"{"text":"Hello"}"#), &open());
    assert_eq!((answer.status, &*answer.body), (200, r#"{"status":"OK"}"#));
    let [
        Write::Post(PostWrite::Put(post)),
        Write::Request(RequestWrite::Put(kept)),
    ] = change.writes.as_slice()
    else {
        panic!("a post and a request");
    };
    let [event] = change.events.as_slice() else {
        panic!("one event");
    };
    assert_eq!(post.content.text.as_deref(), Some("Hello"));
    assert_eq!((post.creator, post.created_at), (PersonId(3), NOW));
    assert_eq!((post.request, kept.post), (Some(kept.id), Some(post.id)));
    assert_eq!((event.post, event.request), (Some(post.id), Some(kept.id)));
    assert_eq!((&kept.answer, kept.body_bytes), (&answer, 99));
    let webhook = Guard::version(AccountId(9), kept.webhook, 4);
    let chat = Guard::version(AccountId(9), ChatId(7), 6);
    assert_eq!(change.guards, [webhook, chat]);
}

const OVER_200: &str = "Your request was accepted, however a post was not generated";

#[test]
fn what_a_webhook_is_comes_before_what_its_body_says() {
    use ChatStatus::Archived;
    use WebhookStatus::{Active, Deleted, Suspended};
    for (webhook, chat, error) in [
        (Suspended, ChatStatus::Active, "Webhook is suspended!"),
        (Suspended, Archived, "Webhook is suspended!"),
        (Deleted, ChatStatus::Active, "Webhook not found!"),
        (Active, Archived, "Team is archived!"),
    ] {
        for body in [r#"{"text":"Hello"}"#, "no JSON"] {
            let (change, answer) = accepted(&call(body), &target(webhook, chat));
            let expect =
                format!(r#"{{"status":"error","message":"{OVER_200}","error":"{error}"}}"#);
            assert_eq!((answer.status, answer.body), (200, expect));
            assert!(change.events.is_empty());
            assert_eq!(kept_of(&change).post, None);
        }
    }
}

/// The call that leads to a refusal, and the status and text of the answer.
fn refused(change: impl FnOnce(&mut Call)) -> (u16, String) {
    let mut call = call(r#"{"text":"Hello"}"#);
    change(&mut call);
    let (change, answer) = accepted(&call, &open());
    let [Write::Request(RequestWrite::Put(kept))] = change.writes.as_slice() else {
        panic!("the call alone is kept");
    };
    assert_eq!((&kept.answer, kept.post), (&answer, None));
    assert!(change.events.is_empty());
    (answer.status, answer.body)
}

#[test]
fn a_refusal_that_stands_has_an_error() {
    let over = |status: u16, error: &str| {
        let message = if status == 200 {
            OVER_200
        } else {
            "A post was not generated"
        };
        let body = format!(r#"{{"status":"error","message":"{message}","error":"{error}"}}"#);
        (status, body)
    };
    assert_eq!(
        refused(|call| call.method = "GET".to_owned()),
        over(405, "Only POST makes a post")
    );
    assert_eq!(
        refused(|call| call.end = BodyEnd::TooLarge),
        over(413, "Request body is too large")
    );
    for (body, status, error) in [
        ("\u{0}", 400, "Request body is not JSON: line 1, column 1"),
        ("[]", 400, "Request body must be a JSON object"),
        ("", 200, "Nothing to post"),
        ("{}", 200, "Nothing to post"),
    ] {
        let told = refused(|call| call.body = Bytes::from_static(body.as_bytes()));
        assert_eq!(told, over(status, error), "{body:?}");
    }
    assert_eq!(
        refused(|call| call.body = Bytes::from_static(b"\xff")),
        over(400, "Request body is not UTF-8")
    );
}

#[test]
fn a_refusal_that_passes_has_no_error_member() {
    for (end, status, message) in [
        (BodyEnd::TooSlow, 408, "Request body did not arrive in time"),
        (BodyEnd::Broken, 400, "Request body is incomplete"),
    ] {
        let (told, body) = refused(|call| call.end = end);
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        let expect = serde_json::json!({ "status": "error", "message": message });
        assert_eq!((told, body), (status, expect));
    }
    assert!(!UNAVAILABLE.contains("\"error\":"));
}

#[test]
fn cards_that_are_none_are_named() {
    let rejection = Rejection {
        cause: RejectionCause::InvalidAdaptiveCard {
            validation: vec!["payload.attachments[0] does not match any schema".to_owned()],
        },
        findings: Vec::new(),
    };
    let answer = Refusal::Payload(rejection).answer();
    let expect = format!(
        r#"{{"status":"error","message":"{OVER_200}","error":"Invalid AdaptiveCard payload","validation":["payload.attachments[0] does not match any schema"]}}"#
    );
    assert_eq!((answer.status, answer.body), (200, expect));
}

#[test]
fn a_long_body_is_kept_as_far_as_its_limit() {
    let text = "a".repeat(REQUEST_BODY_KEPT_BYTES_MAX + 1);
    let mut long = call("");
    long.body = Bytes::from(format!(r#"{{"text":"{text}"}}"#));
    let (change, _) = accepted(&long, &open());
    assert_eq!(kept_of(&change).body.len(), REQUEST_BODY_KEPT_BYTES_MAX);
}
