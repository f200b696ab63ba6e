use super::*;
use crate::events::event::Audience;
use crate::kernel::ids::EventId;
use crate::kernel::time::Timestamp;
use bytes::Bytes;
use proptest::prelude::*;
use std::sync::Arc;

const ACCOUNT: AccountId = AccountId(400_131_426_008);
const OWNER: PersonId = PersonId(62_534_323);
const EXTENSION: &str = "/restapi/v1.0/account/~/extension/~";

fn parse(text: &str) -> Result<EventFilter, FilterError> {
    EventFilter::parse(text, ACCOUNT, OWNER)
}

fn event(kind: EventKind, body: &str) -> Event {
    Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind,
        event_type: kind.name().into(),
        audience: Audience::Persons(Arc::from([OWNER])),
        chat: None,
        post: None,
        request: None,
        occurred_at: Timestamp::default(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        confidential: false,
        attributes: None,
    }
}

/// A text of the form, with its parameters where it cannot do without.
fn subscribed(form: &FilterForm) -> String {
    let text = form
        .path
        .replace("{accountId}", "~")
        .replace("{extensionId}", "~");
    match form.kind {
        EventKind::Reminder => format!("{text}?threshold=60&interval=15"),
        _ => text,
    }
}

#[test]
fn every_form_is_read_and_asks_for_its_kind_only() {
    for form in &FILTER_FORMS {
        let filter = parse(&subscribed(form)).unwrap();
        assert_eq!(filter.form(), form);
        let kinds = EventKind::ALL
            .into_iter()
            .filter(|kind| filter.matches(&event(*kind, "{}")));
        assert_eq!(kinds.collect::<Vec<_>>(), [form.kind], "{filter}");
    }
}

#[test]
fn a_tilde_stands_for_the_owners_ids_in_paths_of_accounts() {
    let presence = parse(&format!("{EXTENSION}/presence?sipData=true")).unwrap();
    assert_eq!(
        presence.as_str(),
        "/restapi/v1.0/account/400131426008/extension/62534323/presence?sipData=true"
    );
    assert_eq!(presence.place(), Place::Extension(OWNER));
    let reminder = "/restapi/v1.0/subscription/~?threshold=60&interval=15";
    assert_eq!(parse(reminder).unwrap().as_str(), reminder);
    let other = parse("/restapi/v1.0/account/~/extension/7/presence").unwrap();
    assert_eq!(other.place(), Place::Extension(PersonId(7)));
}

#[test]
fn a_full_url_loses_its_origin() {
    let filter = parse("https://platform.example.com/restapi/v1.0/glip/posts").unwrap();
    assert_eq!(filter.as_str(), "/restapi/v1.0/glip/posts");
}

#[test]
fn what_is_no_filter_is_refused() {
    use FilterError::{BadReminder, OtherAccount, Unknown};
    let long = format!(
        "{EXTENSION}/presence?{}",
        "x".repeat(EVENT_FILTER_CHARS_MAX)
    );
    for (text, error) in [
        ("", Unknown),
        ("posts", Unknown),
        ("https://example.com", Unknown),
        ("!/team-messaging/v1/posts", Unknown),
        ("/team-messaging/v1/posts/", Unknown),
        ("/team-messaging/v1/posts?chatId=7", Unknown),
        (
            "/restapi/v1.0/account/~/extension/~/presence?sipData=maybe",
            Unknown,
        ),
        (
            "/restapi/v1.0/account/~/extension/~/presence?sipData=true&sipData=true",
            Unknown,
        ),
        (
            "/restapi/v1.0/account/~/extension/~/presence?colour=red",
            Unknown,
        ),
        (
            "/restapi/v1.0/account/~/extension/~/message-store/instant?type=Carrier",
            Unknown,
        ),
        ("/restapi/v1.0/account/~/extension/me/presence", Unknown),
        ("/restapi/v1.0/account//extension/~/presence", Unknown),
        ("/restapi/v1.0/account/{accountId}/extension", Unknown),
        ("/restapi/v1.0/account/7/extension/~/presence", OtherAccount),
        ("/restapi/v1.0/subscription/~", BadReminder),
        ("/restapi/v1.0/subscription/~?threshold=60", BadReminder),
        (
            "/restapi/v1.0/subscription/~?threshold=60&interval=-1",
            BadReminder,
        ),
        (
            "/restapi/v1.0/subscription/7?threshold=60&interval=15",
            Unknown,
        ),
        (&long, Unknown),
    ] {
        assert_eq!(parse(text).err(), Some(error), "{text}");
    }
}

#[test]
fn a_condition_narrows_by_the_body() {
    let sms = parse(&format!("{EXTENSION}/message-store/instant?type=SMS")).unwrap();
    let every = parse(&format!("{EXTENSION}/message-store/instant")).unwrap();
    for (body, wanted) in [
        (r#"{"type":"SMS"}"#, true),
        (r#"{ "id": 7, "type" : "S\u004dS" }"#, true),
        (r#"{"type":"Pager"}"#, false),
        (r#"{"type":7}"#, false),
        ("{}", false),
        ("[]", false),
    ] {
        let event = event(EventKind::InstantMessage, body);
        assert_eq!(sms.matches(&event), wanted, "{body}");
        assert!(every.matches(&event));
    }
}

#[test]
fn presence_shows_as_much_as_was_asked_for() {
    let body = r#"{"extensionId": "7","activeCalls":[{"id":"1","sipData":{"callId":"x"},"from":"+1"},{"id":"2"}],"sequence":3}"#;
    let shown = |query: &str| {
        let filter = parse(&format!("{EXTENSION}/presence{query}")).unwrap();
        String::from_utf8(filter.project(body.as_bytes()).into_owned()).unwrap()
    };
    assert_eq!(shown(""), r#"{"extensionId":"7","sequence":3}"#);
    assert_eq!(
        shown("?sipData=true"),
        shown(""),
        "calls are asked for first"
    );
    assert_eq!(
        shown("?detailedTelephonyState=true"),
        r#"{"extensionId":"7","activeCalls":[{"id":"1","from":"+1"},{"id":"2"}],"sequence":3}"#
    );
    assert_eq!(shown("?detailedTelephonyState=true&sipData=true"), body);
}

#[test]
fn reminders_come_at_their_times() {
    let at = |seconds: u64| Timestamp::default() + Duration::from_secs(seconds);
    let reminder = Reminder {
        threshold: Duration::from_secs(60),
        interval: Duration::from_secs(25),
    };
    let end = at(1_000);
    for (now, next) in [
        (0, Some(940)),
        (939, Some(940)),
        (940, Some(965)),
        (964, Some(965)),
        (965, Some(990)),
        (990, None),
        (2_000, None),
    ] {
        assert_eq!(reminder.next_after(at(now), end), next.map(at), "{now}");
    }
    for (threshold, interval, ttl, fits) in [
        (60, 15, 120, true),
        (60, 30, 120, true),
        (60, 31, 120, false),
        (61, 15, 120, false),
        (15, 5, 900, true),
        (15, 4, 900, false),
    ] {
        let reminder = Reminder {
            threshold: Duration::from_secs(threshold),
            interval: Duration::from_secs(interval),
        };
        assert_eq!(
            reminder.fits(Duration::from_secs(ttl)),
            fits,
            "{reminder:?}"
        );
    }
}

proptest! {
    #[test]
    fn reading_what_is_shown_gives_the_same_filter(
        index in 0..FILTER_FORMS.len(),
        origin in "(https?://[a-z.]{1,20}(:[0-9]{1,5})?)?",
    ) {
        let filter = parse(&format!("{origin}{}", subscribed(&FILTER_FORMS[index]))).unwrap();
        prop_assert_eq!(EventFilter::read(&filter.to_string()), Ok(filter.clone()));
        prop_assert_eq!(parse(filter.as_str()), Ok(filter));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "\\PC{0,60}") {
        let _ = parse(&text);
        let _ = EventFilter::read(&text);
    }

    #[test]
    fn any_body_is_projected_without_panic(body in "\\PC{0,60}") {
        let filter = parse(&format!("{EXTENSION}/presence")).unwrap();
        let _ = filter.project(body.as_bytes());
    }
}
