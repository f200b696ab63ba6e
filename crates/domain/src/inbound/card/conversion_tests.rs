//! What a conversion promises, as tables, snapshots and properties.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::sanitise::{clean_image, clean_link, is_refused};
use super::*;
use crate::kernel::golden::assert_golden;
use crate::kernel::limits::{
    ADAPTIVE_ELEMENTS_MAX, ADAPTIVE_IMAGES_MAX, ATTACHMENTS_MAX, CARD_FIELD_CHARS_MAX,
    CARD_FIELDS_MAX, CARD_TEXT_CHARS_MAX, FINDINGS_MAX, JSON_DEPTH_MAX, POST_TEXT_CHARS_MAX,
};
use crate::messaging::post::PostContent;

fn convert_bytes(payload: &[u8], content_type: Option<&str>) -> Result<Conversion, Rejection> {
    let mut last = 0;
    convert(payload, content_type, &mut || {
        last += 1;
        last
    })
}

fn convert_value(payload: &Value) -> Result<Conversion, Rejection> {
    convert_bytes(payload.to_string().as_bytes(), None)
}

fn converted(payload: &Value) -> Conversion {
    convert_value(payload).expect("a payload that becomes a post")
}

fn cause(payload: &[u8]) -> RejectionCause {
    convert_bytes(payload, None)
        .expect_err("nothing to post")
        .cause
}

fn only_card(payload: &Value) -> Card {
    match converted(payload).content.attachments.as_slice() {
        [Attachment::Card(card)] => card.clone(),
        other => panic!("not one card: {other:?}"),
    }
}

fn pointers(conversion: &Conversion) -> Vec<&str> {
    let findings = conversion.findings.iter();
    findings.map(|finding| finding.pointer.as_str()).collect()
}

/// Content in the words of the wire, without what it does not have.
fn wire(content: &PostContent) -> Value {
    let mut wire = json!({
        "text": content.text,
        "activity": content.activity,
        "title": content.title,
        "iconUri": content.icon_uri,
        "iconEmoji": content.icon_emoji,
        "attachments": content.attachments,
        "mentions": content.mentions,
        "personIds": content.person_ids,
        "parent": content.parent,
    });
    let members = wire.as_object_mut().expect("it is an object");
    members.retain(|_, value| !value.is_null() && *value != json!([]));
    wire
}

macro_rules! snapshot_samples {
    ($($name:ident = $file:literal;)*) => {$(
        #[test]
        fn $name() {
            let payload = include_bytes!(concat!("../../../fixtures/cards/", $file, ".json"));
            let conversion = convert_bytes(payload, None).expect("a sample that becomes a post");
            let told = json!({
                "content": wire(&conversion.content),
                "findings": conversion.findings,
            });
            let told = serde_json::to_string_pretty(&told).unwrap();
            assert_golden(concat!("src/inbound/card/golden/", $file, ".json"), &told);
        }
    )*};
}

snapshot_samples! {
    the_first_generation_is_read = "v1-card";
    the_second_generation_is_read = "v2-card";
    a_plain_text_is_read = "plain-text";
    events_and_notes_are_read = "event-and-note";
    adaptive_cards_are_made_safe = "adaptive-card";
    an_unknown_format_becomes_a_generic_card = "unknown-format";
    a_careless_sender_is_told_what_was_done = "careless";
}

#[test]
fn what_cannot_be_read_is_refused_with_its_reason() {
    use RejectionCause as Cause;
    assert_eq!(cause(b""), Cause::Empty);
    assert_eq!(cause(b"  \n"), Cause::Empty);
    assert_eq!(cause(b"hello"), Cause::NotJson { line: 1, column: 1 });
    assert_eq!(cause(b"{\"text\":"), Cause::NotJson { line: 1, column: 8 });
    assert_eq!(cause(b"{\"text\":\"\xff\"}"), Cause::NotUtf8);
    assert_eq!(cause(b"[{\"text\":\"x\"}]"), Cause::NotAnObject);
    assert_eq!(cause(b"\"text\""), Cause::NotAnObject);
    assert_eq!(cause(b"null"), Cause::NotAnObject);
    let deep = format!(
        "{{\"a\":{}1{}}}",
        "[".repeat(JSON_DEPTH_MAX),
        "]".repeat(JSON_DEPTH_MAX)
    );
    assert_eq!(cause(deep.as_bytes()), Cause::TooDeep);
    assert_eq!(cause("[".repeat(100_000).as_bytes()), Cause::TooDeep);
}

#[test]
fn what_holds_nothing_to_post_is_refused() {
    for payload in [
        json!({}),
        json!({"text": ""}),
        json!({"text": null}),
        json!({"text": "\u{0}\u{202e}"}),
        json!({"attachments": []}),
        json!({"attachments": null, "a": {"b": [null, "", {}]}}),
    ] {
        let rejection = convert_value(&payload).expect_err("nothing to post");
        assert_eq!(rejection.cause, RejectionCause::Empty, "{payload}");
    }
}

#[test]
fn any_content_type_and_a_byte_order_mark_are_accepted() {
    let plain = |content_type| convert_bytes(b"{\"text\":\"a\"}", content_type).unwrap();
    let expected = plain(None);
    for content_type in [
        "application/json",
        "text/plain",
        "",
        "application/x-www-form-urlencoded",
        ";;",
    ] {
        assert_eq!(plain(Some(content_type)), expected, "{content_type}");
    }
    let marked = convert_bytes("\u{feff}{\"text\":\"a\"}".as_bytes(), None).unwrap();
    assert_eq!(marked, expected);
}

#[test]
fn forms_are_unwrapped() {
    let form = Some("application/x-www-form-urlencoded");
    let text = |body: &[u8]| convert_bytes(body, form).unwrap().content.text;
    assert_eq!(
        text(b"payload=%7B%22text%22%3A%22a+b%22%7D").as_deref(),
        Some("a b")
    );
    assert_eq!(text(b"text=a+b").as_deref(), Some("a b"));
    let multipart = "--B\r\nContent-Disposition: form-data; name=\"payload\"\r\n\r\n{\"text\":\"a\"}\r\n--B--\r\n";
    let conversion = convert_bytes(
        multipart.as_bytes(),
        Some("multipart/form-data; boundary=B"),
    );
    assert_eq!(conversion.unwrap().content.text.as_deref(), Some("a"));
    let broken = convert_bytes(b"payload=%7B", form).expect_err("half an object");
    assert!(broken.cause.is_unreadable());
}

#[test]
fn of_repeated_keys_the_last_counts() {
    let conversion = convert_bytes(br#"{"text":"a","text":"b"}"#, None).unwrap();
    assert_eq!(conversion.content.text.as_deref(), Some("b"));
}

#[test]
fn nul_never_reaches_a_post() {
    let conversion = converted(&json!({
        "text": "a\u{0}b", "un\u{0}known": 1,
        "attachments": [{"type": "AdaptiveCard", "body": [{"type": "TextBlock", "te\u{0}xt": "x", "text": "c\u{0}d"}]}],
    }));
    let wire = wire(&conversion.content).to_string();
    assert!(wire.contains("\"ab\"") && wire.contains("\"cd\""));
    let found = serde_json::to_string(&conversion.findings).unwrap();
    assert!(
        !wire.contains("\\u0000") && !found.contains("\\u0000"),
        "{wire} {found}"
    );
    assert_eq!(conversion.findings.len(), 4);
}

#[test]
fn each_limit_holds_at_its_edge() {
    let text = |count: usize| "é".repeat(count);
    let conversion = converted(&json!({
        "text": text(POST_TEXT_CHARS_MAX), "title": text(CARD_FIELD_CHARS_MAX),
        "attachments": [{"text": text(CARD_TEXT_CHARS_MAX)}],
    }));
    assert_eq!(conversion.findings, []);
    let conversion = converted(&json!({
        "text": text(POST_TEXT_CHARS_MAX + 1), "title": text(CARD_FIELD_CHARS_MAX + 1),
        "attachments": [{"text": text(CARD_TEXT_CHARS_MAX + 1)}],
    }));
    assert_eq!(
        pointers(&conversion),
        ["/text", "/title", "/attachments/0/text"]
    );
    assert_within_limits(&conversion);

    let attachments = |count: usize| json!({"attachments": vec![json!({"text": "x"}); count]});
    assert_eq!(converted(&attachments(ATTACHMENTS_MAX)).findings, []);
    let conversion = converted(&attachments(ATTACHMENTS_MAX + 1));
    assert_eq!(conversion.content.attachments.len(), ATTACHMENTS_MAX);
    assert_eq!(pointers(&conversion), ["/attachments"]);

    let fields =
        |count: usize| json!({"attachments": [{"fields": vec![json!({"title": "x"}); count]}]});
    assert_eq!(converted(&fields(CARD_FIELDS_MAX)).findings, []);
    let payload = fields(CARD_FIELDS_MAX + 1);
    assert_eq!(only_card(&payload).fields.len(), CARD_FIELDS_MAX);
    assert_eq!(pointers(&converted(&payload)), ["/attachments/0/fields"]);

    let body = |element: Value, count: usize| json!({"attachments": [{"type": "AdaptiveCard", "body": vec![element; count]}]});
    let block = json!({"type": "TextBlock", "text": "x"});
    assert_eq!(
        converted(&body(block.clone(), ADAPTIVE_ELEMENTS_MAX - 1)).findings,
        []
    );
    assert_eq!(
        converted(&body(block, ADAPTIVE_ELEMENTS_MAX))
            .findings
            .len(),
        1
    );
    let image = json!({"type": "Image", "url": "https://e.com/i.png"});
    assert_eq!(
        converted(&body(image.clone(), ADAPTIVE_IMAGES_MAX)).findings,
        []
    );
    assert_eq!(
        converted(&body(image, ADAPTIVE_IMAGES_MAX + 1))
            .findings
            .len(),
        1
    );

    let noise: Map<_, _> = (0..500).map(|n| (format!("k{n}"), json!(n))).collect();
    let mut payload = Value::Object(noise);
    payload["text"] = json!("x");
    assert_eq!(converted(&payload).findings.len(), FINDINGS_MAX);
}

#[test]
fn a_card_that_is_no_adaptive_card_gets_the_platforms_words() {
    let check = |card: Value, pointer: &str| {
        let payload = json!({"text": "x", "attachments": [{"text": "fine"}, card]});
        let rejection = convert_value(&payload).expect_err("no card");
        let validation = vec!["payload.attachments[1] does not match any schema".to_owned()];
        assert_eq!(
            rejection.cause,
            RejectionCause::InvalidAdaptiveCard { validation }
        );
        assert_eq!(rejection.cause.to_string(), "Invalid AdaptiveCard payload");
        assert_eq!(rejection.findings[0].pointer, pointer);
    };
    check(json!({"type": "AdaptiveCard"}), "/attachments/1");
    check(
        json!({"type": "AdaptiveCard", "body": {}}),
        "/attachments/1/body",
    );
    check(
        json!({"type": "AdaptiveCard", "body": "x"}),
        "/attachments/1/body",
    );
    check(
        json!({"type": "AdaptiveCard", "body": [1]}),
        "/attachments/1/body/0",
    );
    check(
        json!({"type": "AdaptiveCard", "body": [{"text": "x"}]}),
        "/attachments/1/body/0",
    );
    check(
        json!({"type": "AdaptiveCard", "body": [{"type": 1}]}),
        "/attachments/1/body/0",
    );
    check(
        json!({"type": "AdaptiveCard", "body": [], "actions": [[]]}),
        "/attachments/1/actions/0",
    );
}

#[test]
fn a_bare_adaptive_card_is_a_message() {
    let conversion = converted(&json!({"type": "AdaptiveCard", "version": "9.9", "body": []}));
    let [Attachment::AdaptiveCard(card)] = conversion.content.attachments.as_slice() else {
        panic!("not one adaptive card");
    };
    assert_eq!(card.content["version"], "9.9");
    let bad = convert_value(&json!({"type": "AdaptiveCard"})).expect_err("no card");
    let validation = vec!["payload does not match any schema".to_owned()];
    assert_eq!(
        bad.cause,
        RejectionCause::InvalidAdaptiveCard { validation }
    );
}

/// Fails unless every text of `conversion` is within its limit, without refused characters, and
/// every address has a safe scheme.
fn assert_within_limits(conversion: &Conversion) {
    let content = &conversion.content;
    let check = |text: &Option<String>, chars_max: usize| {
        if let Some(text) = text {
            assert!(!text.is_empty() && text.chars().count() <= chars_max);
            assert!(!text.chars().any(is_refused));
        }
    };
    let image = |address: &Option<String>| {
        assert!(
            address
                .as_deref()
                .is_none_or(|a| clean_image(a).as_deref() == Ok(a))
        );
    };
    let link = |address: &Option<String>| {
        assert!(
            address
                .as_deref()
                .is_none_or(|a| clean_link(a).as_deref() == Ok(a))
        );
    };
    check(&content.text, POST_TEXT_CHARS_MAX);
    check(&content.title, CARD_FIELD_CHARS_MAX);
    check(&content.activity, CARD_FIELD_CHARS_MAX);
    check(&content.icon_emoji, CARD_FIELD_CHARS_MAX);
    image(&content.icon_uri);
    assert!(content.attachments.len() <= ATTACHMENTS_MAX);
    for attachment in &content.attachments {
        match attachment {
            Attachment::Card(card) => {
                check(&card.text, CARD_TEXT_CHARS_MAX);
                for text in [&card.fallback, &card.color, &card.intro, &card.title] {
                    check(text, CARD_FIELD_CHARS_MAX);
                }
                link(&card.title_uri);
                image(&card.image_uri);
                image(&card.thumbnail_uri);
                if let Some(author) = &card.author {
                    assert!(author.name.chars().count() <= CARD_FIELD_CHARS_MAX);
                    link(&author.uri);
                    image(&author.icon_uri);
                }
                if let Some(footnote) = &card.footnote {
                    assert!(footnote.text.chars().count() <= CARD_FIELD_CHARS_MAX);
                    image(&footnote.icon_uri);
                }
                assert!(card.fields.len() <= CARD_FIELDS_MAX);
                for field in &card.fields {
                    assert!(field.title.chars().count() <= CARD_FIELD_CHARS_MAX);
                    assert!(field.value.chars().count() <= CARD_FIELD_CHARS_MAX);
                }
            }
            Attachment::AdaptiveCard(card) => assert_safe(&Value::Object(card.content.clone())),
            Attachment::Event(event) => {
                assert!(event.end_time >= event.start_time);
                check(&event.location, CARD_FIELD_CHARS_MAX);
                check(&event.description, CARD_TEXT_CHARS_MAX);
            }
            Attachment::Note(note) => check(&note.text, CARD_TEXT_CHARS_MAX),
        }
    }
    assert!(conversion.findings.len() <= FINDINGS_MAX);
}

fn assert_safe(value: &Value) {
    match value {
        Value::Object(object) => {
            let kind = object.get("type").and_then(Value::as_str).unwrap_or("");
            for (key, value) in object {
                assert!(!matches!(&**key, "__proto__" | "constructor" | "prototype"));
                assert!(!key.chars().any(is_refused));
                assert!(key != "regex" || !kind.starts_with("Input."));
                if matches!(&**key, "url" | "iconUrl" | "poster" | "backgroundImage")
                    && kind != "AdaptiveCard"
                    && let Some(address) = value.as_str()
                {
                    let embedded = address.starts_with("data:image/") && !address.contains("svg");
                    assert!(embedded || clean_link(address).is_ok(), "{address}");
                }
                if key != "data" || !kind.starts_with("Action.") {
                    assert_safe(value);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(assert_safe),
        Value::String(text) => assert!(!text.chars().any(is_refused)),
        _ => {}
    }
}

/// The same content again, through its own wire form, with the same ids.
fn again(conversion: &Conversion) -> Conversion {
    let mut ids = conversion.content.attachments.iter().map(|attachment| {
        let id = match attachment {
            Attachment::Card(card) => &card.id,
            Attachment::AdaptiveCard(card) => &card.id,
            Attachment::Event(event) => &event.id,
            Attachment::Note(note) => &note.id,
        };
        id.parse().expect("our ids are numbers")
    });
    let wire = wire(&conversion.content).to_string();
    convert(wire.as_bytes(), None, &mut || ids.next().unwrap_or(0)).expect("its own wire form")
}

fn names() -> impl Strategy<Value = String> {
    let known = aliases::POST.iter().chain(aliases::CARD.iter());
    let known: Vec<_> = known.flat_map(|names| names.iter().copied()).collect();
    prop_oneof![
        4 => proptest::sample::select(known).prop_map(str::to_owned),
        2 => proptest::sample::select(vec![
            "type", "url", "items", "body", "actions", "selectAction", "images", "regex", "data",
            "title", "value", "short", "style", "name", "uri", "startTime", "endTime", "recurrence",
            "__proto__", "constructor", "backgroundImage", "id", "version", "card",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,6}",
    ]
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        proptest::sample::select(vec![
            "Card",
            "AdaptiveCard",
            "Event",
            "Note",
            "Image",
            "TextBlock",
            "Input.Text",
            "Action.OpenUrl",
            "Action.Submit",
            "https://example.com/a.png",
            "http://example.com/",
            "javascript:alert(1)",
            "data:image/png;base64,AA==",
            "vbscript:x",
            "#abc",
            "red",
            "1503723350",
            "2026-01-01T00:00:00Z",
            "2026-01-02",
            "Short",
            "true",
            "",
        ])
        .prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        (1_usize..12_000).prop_map(|count| Value::from("x".repeat(count))),
    ]
}

fn payloads() -> impl Strategy<Value = Value> {
    scalars().prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            3 => prop::collection::btree_map(names(), inner, 0..8)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// A card in words that both generations have.
#[derive(Debug, Clone)]
struct Spoken {
    texts: Vec<String>,
    short: bool,
    seconds: i64,
}

fn spoken() -> impl Strategy<Value = Spoken> {
    (
        prop::collection::vec("[a-zA-Z0-9 *_é]{1,20}", 9),
        any::<bool>(),
        0_i64..4_000_000_000,
    )
        .prop_map(|(texts, short, seconds)| Spoken {
            texts,
            short,
            seconds,
        })
}

proptest! {
    #[test]
    fn any_bytes_are_converted_or_refused(payload: Vec<u8>, content_type in proptest::option::of("\\PC{0,40}")) {
        let _ = convert_bytes(&payload, content_type.as_deref());
    }

    #[test]
    fn any_json_is_safe_within_limits_and_stable(payload in payloads()) {
        if let Ok(conversion) = convert_value(&payload) {
            assert_within_limits(&conversion);
            let again = again(&conversion);
            prop_assert_eq!(&again.content, &conversion.content);
        }
    }

    #[test]
    fn no_attachment_makes_the_rest_fail(attachment in payloads()) {
        let result = convert_value(&json!({"text": "kept", "attachments": [attachment]}));
        match result {
            Ok(conversion) => prop_assert_eq!(conversion.content.text.as_deref(), Some("kept")),
            Err(rejection) => prop_assert!(
                matches!(rejection.cause, RejectionCause::InvalidAdaptiveCard { .. }),
                "{:?}", rejection
            ),
        }
    }

    #[test]
    fn both_generations_say_the_same(spoken in spoken()) {
        let Spoken { texts: t, short, seconds } = spoken;
        let time = Timestamp::from_millis(seconds * 1_000);
        let link = "https://example.com/x";
        let image = "https://example.com/x.png";
        let first = json!({
            "icon": image, "title": t[0], "body": t[1],
            "attachments": [{
                "type": "Card", "color": "#00ff2a", "fallback": t[2], "pretext": t[3], "author_name": t[4],
                "author_link": link, "author_icon": image, "title": t[5], "title_link": link, "text": t[6],
                "fields": [{"title": t[7], "value": t[8], "short": short}],
                "image_url": image, "thumb_url": image, "footer": t[0], "footer_icon": image, "ts": seconds,
            }],
        });
        let second = json!({
            "iconUri": image, "title": t[0], "text": t[1],
            "attachments": [{
                "color": "#00FF2A", "fallback": t[2], "intro": t[3],
                "author": {"name": t[4], "uri": link, "iconUri": image}, "title": t[5], "titleUri": link, "body": t[6],
                "fields": [{"title": t[7], "value": t[8], "style": if short { "Short" } else { "Long" }}],
                "imageUri": image, "thumbnailUri": image,
                "footnote": {"text": t[0], "iconUri": image, "time": time.to_string()},
            }],
        });
        let (first, second) = (converted(&first), converted(&second));
        prop_assert_eq!(&first.content, &second.content);
        prop_assert_eq!(first.findings, vec![]);
        prop_assert_eq!(second.findings, vec![]);
    }
}

/// Microsoft's published element samples, where they lie beside the workspace. The samples in
/// `fixtures/cards` cover the same rules where they do not.
#[test]
fn published_adaptive_cards_convert() {
    let corpus = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/corpus/adaptive-cards"
    );
    let Ok(versions) = std::fs::read_dir(corpus) else {
        eprintln!(
            "published_adaptive_cards_convert: no corpus beside the workspace; only fixtures/cards was tested"
        );
        return;
    };
    let mut count = 0;
    for version in versions.map(|entry| entry.expect("a readable corpus").path()) {
        if !version.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&version).expect("a readable corpus") {
            let path = file.expect("a readable corpus").path();
            let text = std::fs::read_to_string(&path).expect("a readable sample");
            let text = text.trim_start_matches('\u{feff}');
            let card: Value = serde_json::from_str(text).expect("samples are JSON");
            let conversion = convert_value(&json!({"attachments": [card]}))
                .unwrap_or_else(|rejection| panic!("{}: {rejection:?}", path.display()));
            assert!(matches!(
                conversion.content.attachments[..],
                [Attachment::AdaptiveCard(_)]
            ));
            assert_within_limits(&conversion);
            assert_eq!(
                again(&conversion).content,
                conversion.content,
                "{}",
                path.display()
            );
            count += 1;
        }
    }
    assert!(count > 50, "only {count} samples were found");
}
