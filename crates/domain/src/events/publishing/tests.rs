use super::*;
use crate::events::event::EventKind;
use crate::events::schema::fakes::Anything;
use crate::identity::person::{PersonKind, PersonStatus};

const OWN: &str = "/restapi/v1.0/account/~/extension/~";
const NOW: Timestamp = Timestamp::from_millis(1_616_750_321_460);

fn person(admin: bool) -> Person {
    Person {
        account: AccountId(1),
        id: PersonId(11),
        kind: PersonKind::User,
        first_name: String::new(),
        last_name: String::new(),
        email: None,
        extension_number: None,
        admin,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: NOW,
        modified_at: NOW,
        version: 1,
    }
}

fn raw(body: &str) -> Box<RawValue> {
    RawValue::from_string(body.to_owned()).unwrap()
}

fn publish(path: &str, body: &str) -> Result<Event, PublishError> {
    let event = format!("{OWN}/{path}");
    Publication::read(&event, &person(false))?.announce(&raw(body), &Anything, NOW)
}

#[test]
fn what_is_published_is_told_to_whom_it_is_about_in_its_own_bytes() {
    let body = r#"{ "extensionId" : "11",  "note":"é", "sequence": 1.0 }"#;
    let event = publish("presence", body).unwrap();
    assert_eq!(event.body, body);
    assert_eq!(event.audience, Audience::Persons(Arc::from([PersonId(11)])));
    assert_eq!(
        (event.kind, event.id),
        (EventKind::Presence, EventId::PENDING)
    );
    assert_eq!((&*event.event_type, event.occurred_at), ("presence", NOW));
    assert_eq!(EventType::of(&event).unwrap().name, "presence");
}

#[test]
fn the_path_says_what_and_whose_event_it_is() {
    use PublishError::{NotPublishable, OtherAccount, OtherExtension, UnknownEvent};
    let read = |event: &str, admin| {
        let read = Publication::read(event, &person(admin));
        read.map(|known| (known.extension().0, known.event_type().name))
    };
    for (event, expect) in [
        (
            "/restapi/v1.0/account/~/extension/~/presence",
            Ok((11, "presence")),
        ),
        ("/restapi/v1.0/account/1/extension/11/fax", Ok((11, "fax"))),
        (
            "https://example.com/restapi/v1.0/account/~/extension/~/message-store/instant",
            Ok((11, "instant-message")),
        ),
        (
            "/restapi/v1.0/account/~/extension/12/presence",
            Err(OtherExtension),
        ),
        (
            "/restapi/v1.0/account/2/extension/~/presence",
            Err(OtherAccount),
        ),
        ("/restapi/v1.0/account/~/presence", Err(UnknownEvent)),
        (
            "/restapi/v1.0/account/~/telephony/sessions",
            Err(UnknownEvent),
        ),
        (
            "/restapi/v1.0/account/~/extension/~/presence?sipData=true",
            Err(UnknownEvent),
        ),
        (
            "/restapi/v1.0/account/~/extension/~/message-store/instant?type=SMS",
            Err(UnknownEvent),
        ),
        (
            "/restapi/v1.0/account/~/extension/~/nowhere",
            Err(UnknownEvent),
        ),
        ("", Err(UnknownEvent)),
        ("/team-messaging/v1/posts", Err(NotPublishable("post"))),
        ("/restapi/v1.0/glip/groups", Err(NotPublishable("chat"))),
        (
            "/restapi/v1.0/glip/webhooks",
            Err(NotPublishable("webhook")),
        ),
        (
            "/restapi/v1.0/account/~/extension/~",
            Err(NotPublishable("extension")),
        ),
        ("/restapi/v1.0/subscription/~", Err(UnknownEvent)),
        (
            "/restapi/v1.0/subscription/~?threshold=60&interval=15",
            Err(NotPublishable("reminder")),
        ),
    ] {
        assert_eq!(read(event, false), expect, "{event}");
    }
    let other = "/restapi/v1.0/account/~/extension/12/presence";
    assert_eq!(read(other, true), Ok((12, "presence")));
    let shown = Publication::read(other, &person(true)).unwrap();
    assert_eq!(
        shown.event(),
        "/restapi/v1.0/account/1/extension/12/presence"
    );
}

#[test]
fn a_body_that_is_about_somebody_else_is_refused() {
    let pointer = |path: &str, body: &str| match publish(path, body) {
        Err(PublishError::BodyInvalid(violation)) => violation.pointer,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        pointer("presence", r#"{"extensionId":"12"}"#),
        "/extensionId"
    );
    assert_eq!(pointer("presence", r#"{"extensionId":12}"#), "/extensionId");
    assert_eq!(
        pointer("presence", r#"{"extensionId":11.5}"#),
        "/extensionId"
    );
    assert_eq!(pointer("presence", "{\"extensionId\":\"\\ud800\"}"), "");
    assert_eq!(
        pointer("presence", r#"{"extensionId":"12","extensionId":"11"}"#),
        ""
    );
    let store = |account: &str| {
        format!(
            r#"{{"accountId":{account},"extensionId":11,"lastUpdated":"2026-01-01T00:00:00Z","changes":[{{"type":"SMS"}}]}}"#
        )
    };
    assert_eq!(pointer("message-store", &store("2")), "/accountId");
    assert!(publish("message-store", &store("1")).is_ok());
}

#[test]
fn a_body_has_its_limit() {
    let body = |length: usize| {
        let rest = r#"{"extensionId":"11","note":""}"#.len();
        format!(
            r#"{{"extensionId":"11","note":"{}"}}"#,
            "x".repeat(length - rest)
        )
    };
    assert!(publish("presence", &body(PUBLISHED_BODY_BYTES_MAX)).is_ok());
    let over = publish("presence", &body(PUBLISHED_BODY_BYTES_MAX + 1));
    assert_eq!(over, Err(PublishError::BodyTooLarge));
}
