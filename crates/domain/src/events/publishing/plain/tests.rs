use super::*;
use crate::kernel::limits::{
    ATTRIBUTE_CHARS_MAX, DRAFT_ERRORS_MAX, EVENTS_PER_BATCH_MAX, PUBLISHED_BODY_BYTES_MAX,
};
use proptest::prelude::*;

fn read_one(text: &str) -> Draft {
    let drafts = read(text.as_bytes()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"));
    let [draft] = <[Draft; 1]>::try_from(drafts).unwrap();
    draft
}

fn pointers(text: &str) -> Vec<String> {
    let errors = read(text.as_bytes()).expect_err(text);
    errors.into_iter().map(|error| error.pointer).collect()
}

#[test]
fn all_members_are_read_and_data_keeps_its_bytes() {
    let draft = read_one(
        r#"{"id":"in_7","type":"invoice.paid","source":"/shop","subject":"invoice 7",
            "timestamp":"2026-03-26T10:18:41.460+01:00","schemaVersion":2,
            "data": { "total" : 1.50, "note":"\u00e9"  }}"#,
    );
    assert_eq!(draft.event_type.as_str(), "invoice.paid");
    assert_eq!(draft.identity(), Some(("/shop", "in_7")));
    assert_eq!(draft.subject.as_deref(), Some("invoice 7"));
    assert_eq!(draft.time.unwrap().to_string(), "2026-03-26T09:18:41.460Z");
    assert_eq!(draft.schema_version, Some(2));
    let data = r#"{ "total" : 1.50, "note":"\u00e9"  }"#;
    assert_eq!(draft.data, Payload::Json(data.into()));
    assert!(draft.extensions.is_empty());
}

#[test]
fn type_and_data_are_enough_and_null_is_missing() {
    let short = read_one(r#"{"type":"a.b","data":null}"#);
    assert_eq!(short.data, Payload::Json("null".into()));
    assert_eq!(short.identity(), None);
    let nulls = r#"{"type":"a.b","data":null,"id":null,"subject":null,"source":null,"timestamp":null,"schemaVersion":null}"#;
    assert_eq!(read_one(nulls), short);
    let anonymous = read_one(r#"{"type":"a.b","data":1,"id":"7"}"#);
    assert_eq!(anonymous.identity(), Some(("", "7")));
}

#[test]
fn a_batch_keeps_its_order() {
    let drafts = read(br#" [{"type":"a","data":1},{"type":"b","data":2}] "#).unwrap();
    let types: Vec<&str> = drafts
        .iter()
        .map(|draft| draft.event_type.as_str())
        .collect();
    assert_eq!(types, ["a", "b"]);
    assert_eq!(read(b"[]"), Ok(Vec::new()));
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (text, expect) in [
        ("", ""),
        ("null", ""),
        ("{", ""),
        (r#"{"type":"a","data":1} x"#, ""),
        (r#"{"data":1}"#, "/type"),
        (r#"{"type":"a"}"#, "/data"),
        (r#"{"type":null,"data":1}"#, "/type"),
        (r#"{"type":"a b","data":1}"#, "/type"),
        (r#"{"type":"hookyard.test","data":1}"#, "/type"),
        (r#"{"type":"a","type":"b","data":1}"#, "/type"),
        (r#"{"type":"a","data":1,"dat\u0061":2}"#, "/data"),
        (r#"{"type":"a","data":{"x":1,"x":2}}"#, "/data"),
        (r#"{"type":"a","data":1e999}"#, "/data"),
        (r#"{"type":"a","data":"\ud800"}"#, "/data"),
        (r#"{"type":"a","data":1,"id":""}"#, "/id"),
        (r#"{"type":"a","data":1,"id":7}"#, "/id"),
        (r#"{"type":"a","data":1,"source":"a\nb"}"#, "/source"),
        (r#"{"type":"a","data":1,"subject":{}}"#, "/subject"),
        (r#"{"type":"a","data":1,"timestamp":"today"}"#, "/timestamp"),
        (r#"{"type":"a","data":1,"timestamp":5}"#, "/timestamp"),
        (
            r#"{"type":"a","data":1,"schemaVersion":0}"#,
            "/schemaVersion",
        ),
        (
            r#"{"type":"a","data":1,"schemaVersion":"1"}"#,
            "/schemaVersion",
        ),
        (
            r#"{"type":"a","data":1,"schemaVersion":1.0}"#,
            "/schemaVersion",
        ),
        (r#"{"type":"a","data":1,"a/b":null}"#, "/a~1b"),
        ("[1]", "/0"),
        (r#"[{"type":"a","data":1},{"type":"a"}]"#, "/1/data"),
        ("[", ""),
    ] {
        assert_eq!(pointers(text), [expect], "{text}");
    }
}

#[test]
fn all_mistakes_of_a_batch_are_told_up_to_100() {
    let text = r#"[{"type":"a b"},{"type":"a","data":1},7,{"data":1,"id":""}]"#;
    let expect = ["/0/type", "/0/data", "/2", "/3/id", "/3/type"];
    assert_eq!(pointers(text), expect);
    let many = format!("[{}]", vec!["{}"; EVENTS_PER_BATCH_MAX].join(","));
    assert_eq!(pointers(&many).len(), DRAFT_ERRORS_MAX);
}

#[test]
fn a_batch_may_have_1000_events_and_not_one_more() {
    let batch = |count: usize| format!("[{}]", vec![r#"{"type":"a","data":1}"#; count].join(","));
    let drafts = read(batch(EVENTS_PER_BATCH_MAX).as_bytes()).unwrap();
    assert_eq!(drafts.len(), EVENTS_PER_BATCH_MAX);
    assert_eq!(pointers(&batch(EVENTS_PER_BATCH_MAX + 1)), [""]);
}

#[test]
fn data_may_have_256_kib_and_an_id_512_characters_and_not_one_more() {
    let with = |data: usize, id: usize| {
        let (data, id) = ("x".repeat(data - 2), "ü".repeat(id));
        format!(r#"{{"type":"a","id":"{id}","data":"{data}"}}"#)
    };
    let largest = with(PUBLISHED_BODY_BYTES_MAX, ATTRIBUTE_CHARS_MAX);
    assert_eq!(
        read_one(&largest).data.bytes().len(),
        PUBLISHED_BODY_BYTES_MAX
    );
    let larger = with(PUBLISHED_BODY_BYTES_MAX + 1, ATTRIBUTE_CHARS_MAX + 1);
    assert_eq!(pointers(&larger), ["/id", "/data"]);
}

proptest! {
    #[test]
    fn no_body_makes_reading_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        text in "[\\[\\]{}\":,a0 \\\\-]{0,60}",
        value in "(\"a\"|null|[0-9]|\\{\\}|\\[\\]|\"\"|true)",
        name in "(type|data|id|subject|source|timestamp|schemaVersion|x)",
    ) {
        let _ = read(&bytes);
        let _ = read(text.as_bytes());
        let event = format!(r#"{{"{name}":{value},"type":"a.b","data":{value}}}"#);
        if let Err(errors) = read(event.as_bytes()) {
            prop_assert!(!errors.is_empty());
        }
    }

    #[test]
    fn data_is_kept_byte_by_byte(
        number in "-?[1-9][0-9]{0,30}(\\.[0-9]{1,20})?",
        space in "[ \t\r\n]{0,3}",
        text in any::<String>(),
    ) {
        let string = serde_json::to_string(&text).unwrap();
        let data = format!("{{{space}\"n\"{space}:{space}{number}{space},\"s\":{string}}}");
        let body = format!(r#"{{"type":"a.b","data":{space}{data}{space}}}"#);
        prop_assert_eq!(read_one(&body).data, Payload::Json(data.into()));
    }
}
