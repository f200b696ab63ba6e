use super::*;
use crate::events::publishing::draft::{Draft, DraftError, ExtensionValue, Payload};
use crate::events::type_name::TypeName;
use crate::kernel::limits::{
    ATTRIBUTE_CHARS_MAX, EVENTS_PER_BATCH_MAX, EXTENSIONS_MAX, PUBLISHED_BODY_BYTES_MAX,
};
use crate::kernel::time::Timestamp;
use bytes::Bytes;
use proptest::prelude::*;

const REQUIRED: &str = r#""specversion":"1.0","id":"A234","source":"/shop","type":"invoice.paid""#;

/// An event in JSON: the required attributes, and `rest`.
fn event(rest: &str) -> String {
    format!("{{{REQUIRED}{rest}}}")
}

fn read(rest: &str) -> Draft {
    let text = event(rest);
    read_structured(text.as_bytes()).unwrap_or_else(|errors| panic!("{text}: {errors:?}"))
}

fn pointers(errors: Vec<DraftError>) -> Vec<String> {
    errors.into_iter().map(|error| error.pointer).collect()
}

fn binary(headers: &[(&str, &str)], body: &'static [u8]) -> Result<Draft, Vec<DraftError>> {
    let required = [
        ("Ce-SpecVersion", "1.0"),
        ("ce-id", "A234"),
        ("ce-source", "/shop"),
        ("ce-type", "invoice.paid"),
    ];
    let headers = required.iter().chain(headers);
    read_binary(
        headers.map(|(name, value)| (*name, value.as_bytes())),
        &Bytes::from_static(body),
    )
}

fn text(value: &str) -> ExtensionValue {
    ExtensionValue::Text(value.to_owned())
}

#[test]
fn the_content_type_and_one_header_tell_the_mode() {
    for (content_type, header, expect) in [
        (None, false, Some(Mode::Plain)),
        (None, true, Some(Mode::Binary)),
        (Some("application/json"), false, Some(Mode::Plain)),
        (Some("application/json"), true, Some(Mode::Binary)),
        (Some(STRUCTURED_TYPE), true, Some(Mode::Structured)),
        (
            Some("Application/CloudEvents+JSON; charset=UTF-8"),
            false,
            Some(Mode::Structured),
        ),
        (Some(BATCH_TYPE), false, Some(Mode::Batched)),
        (Some("application/cloudevents+avro"), true, None),
        (Some("application/cloudevents-batch+xml"), false, None),
    ] {
        assert_eq!(Mode::of(content_type, header), expect, "{content_type:?}");
    }
}

#[test]
fn attributes_and_extensions_are_read() {
    let draft = read(
        r#","subject":"invoice 7","time":"2018-04-05T17:31:00Z","datacontenttype":"application/json",
           "dataschema":"https://hooks.example.com/api/v1/event-types/invoice.paid/versions/3",
           "comexampleextension1":"value","comexampleothervalue":5,"flag":true,"unset":null,"data":{ "n": 1.0 }"#,
    );
    assert_eq!(draft.identity(), Some(("/shop", "A234")));
    assert_eq!(draft.event_type.as_str(), "invoice.paid");
    assert_eq!(draft.subject.as_deref(), Some("invoice 7"));
    assert_eq!(draft.time.unwrap().to_string(), "2018-04-05T17:31:00.000Z");
    assert_eq!(draft.schema_version, Some(3));
    assert_eq!(draft.data, Payload::Json(r#"{ "n": 1.0 }"#.into()));
    let expect = [
        ("comexampleextension1".to_owned(), text("value")),
        (
            "comexampleothervalue".to_owned(),
            ExtensionValue::Integer(5),
        ),
        ("flag".to_owned(), ExtensionValue::Boolean(true)),
    ];
    assert_eq!(draft.extensions, expect);
}

#[test]
fn a_schema_names_a_version_when_it_is_of_the_events_type() {
    for (schema, expect) in [
        (
            "https://h.test/api/v1/event-types/invoice.paid/versions/12",
            Some(12),
        ),
        (
            "https://h.test/api/v1/event-types/invoice.sent/versions/12",
            None,
        ),
        (
            "https://h.test/api/v1/event-types/invoice.paid/versions/0",
            None,
        ),
        (
            "https://h.test/api/v1/event-types/invoice.paid/versions/x",
            None,
        ),
        ("https://h.test/api/v1/event-types/invoice.paid", None),
        ("urn:schema:invoice", None),
    ] {
        let draft = read(&format!(r#","dataschema":"{schema}""#));
        assert_eq!(draft.schema_version, expect, "{schema}");
        assert_eq!(draft.dataschema.as_deref(), Some(schema));
    }
}

#[test]
fn the_data_is_what_its_media_type_says() {
    for (rest, expect) in [
        ("", Payload::Empty),
        (r#","data_base64":null"#, Payload::Empty),
        (r#","data":null"#, Payload::Json("null".into())),
        (
            r#","data":"I'm just a string""#,
            Payload::Json(r#""I'm just a string""#.into()),
        ),
        (
            r#","data":"{}","datacontenttype":"application/vnd.shop+json; v=1""#,
            Payload::Json(r#""{}""#.into()),
        ),
        (
            r#","data":"<much wow=\"xml\"/>","datacontenttype":"application/xml""#,
            Payload::Other(r#"<much wow="xml"/>"#.into()),
        ),
        (
            r#","data_base64":"//4=","datacontenttype":"application/octet-stream""#,
            Payload::Base64(Bytes::from_static(b"\xff\xfe")),
        ),
        (r#","data_base64":"e30=""#, Payload::Base64("{}".into())),
        (
            r#","data_base64":"eyAgfQ==","datacontenttype":"text/json""#,
            Payload::Json("{  }".into()),
        ),
    ] {
        assert_eq!(read(rest).data, expect, "{rest}");
    }
}

#[test]
fn a_mistake_is_told_with_its_place() {
    let long = "a".repeat(ATTRIBUTE_CHARS_MAX + 1);
    let long_id = format!(r#","subject":"{long}""#);
    let large = format!(r#","data":"{}""#, "a".repeat(PUBLISHED_BODY_BYTES_MAX - 1));
    for (rest, expect) in [
        (r#","id":"B""#, "/id"),
        (r#","subject":null,"subject":"a""#, "/subject"),
        (r#","subject":"""#, "/subject"),
        (r#","subject":7"#, "/subject"),
        (r#","subject":"\u0007""#, "/subject"),
        (r#","time":"yesterday""#, "/time"),
        (r#","dataschema":"/relative""#, "/dataschema"),
        (r#","datacontenttype":"json""#, "/datacontenttype"),
        (r#","datacontenttype":"a/b\r\nX: y""#, "/datacontenttype"),
        (r#","data":1,"datacontenttype":"text/plain""#, "/data"),
        (r#","data":1,"data_base64":"e30=""#, "/data_base64"),
        (r#","data":1,"data":2"#, "/data"),
        (r#","data":{"a":1,"a":1}"#, "/data"),
        (r#","data_base64":"e30""#, "/data_base64"),
        (r#","data_base64":{}"#, "/data_base64"),
        (
            r#","data_base64":"//4=","datacontenttype":"text/json""#,
            "/data_base64",
        ),
        (
            r#","data_base64":"YQ==","datacontenttype":"text/json""#,
            "/data_base64",
        ),
        (r#","Extension":"a""#, "/Extension"),
        (r#","my-extension":"a""#, "/my-extension"),
        (r#","abcdefghijklmnopqrstu":"a""#, "/abcdefghijklmnopqrstu"),
        (r#","extension":{}"#, "/extension"),
        (r#","extension":1.5"#, "/extension"),
        (r#","extension":2147483648"#, "/extension"),
        (&long_id, "/subject"),
        (&large, "/data"),
    ] {
        let errors = read_structured(event(rest).as_bytes()).expect_err(rest);
        assert_eq!(pointers(errors), [expect], "{rest:.60}");
    }
}

#[test]
fn what_is_required_is_required() {
    for (text, expect) in [
        ("{}", &["/specversion", "/id", "/source", "/type"][..]),
        ("[]", &[""]),
        ("7", &[""]),
        (
            r#"{"specversion":"0.3","id":"","source":null,"type":"hookyard.test"}"#,
            &["/specversion", "/id", "/type", "/source"],
        ),
        (
            r#"{"specversion":1.0,"id":1,"source":true,"type":[]}"#,
            &["/specversion", "/id", "/source", "/type"],
        ),
    ] {
        let errors = read_structured(text.as_bytes()).expect_err(text);
        assert_eq!(pointers(errors), expect, "{text}");
    }
}

#[test]
fn an_event_may_have_32_extensions_and_not_one_more() {
    let with = |count: usize| {
        let members: Vec<String> = (0..count).map(|n| format!(r#","x{n}":{n}"#)).collect();
        event(&members.concat())
    };
    assert!(read_structured(with(EXTENSIONS_MAX).as_bytes()).is_ok());
    for count in [EXTENSIONS_MAX + 1, 10_000] {
        let errors = read_structured(with(count).as_bytes()).unwrap_err();
        assert_eq!(pointers(errors), [""]);
    }
}

#[test]
fn a_batch_is_read_whole_or_its_mistakes_are_told() {
    let good = event("");
    let drafts = read_batch(format!("[{good},{good}]").as_bytes()).unwrap();
    assert_eq!(drafts, [read(""), read("")]);
    assert_eq!(read_batch(b"[]"), Ok(Vec::new()));
    let bad = event(r#","subject":"","data":{"a":1,"a":2}"#);
    let errors = read_batch(format!("[{good},{bad},null,{bad}]").as_bytes()).unwrap_err();
    let expect = ["/1/subject", "/1/data", "/2", "/3/subject", "/3/data"];
    assert_eq!(pointers(errors), expect);
    let full = format!("[{}]", vec![&*good; EVENTS_PER_BATCH_MAX].join(","));
    assert!(read_batch(full.as_bytes()).is_ok());
    let over = format!("[{}]", vec![&*good; EVENTS_PER_BATCH_MAX + 1].join(","));
    assert_eq!(pointers(read_batch(over.as_bytes()).unwrap_err()), [""]);
    assert_eq!(pointers(read_batch(good.as_bytes()).unwrap_err()), [""]);
}

#[test]
fn in_binary_mode_headers_are_attributes_and_the_body_is_the_data() {
    let draft = binary(
        &[
            ("Host", "hooks.example.com"),
            ("Content-Type", "application/json; charset=utf-8"),
            ("ce-subject", "Euro%20%E2%82%AC"),
            ("CE-Time", "2018-04-05T03:56:24Z"),
            ("ce-tenant", "\"a \\\"b\\\"\""),
            ("ce-count", "5"),
        ],
        b" { \"n\": 1.0 }\n",
    )
    .unwrap();
    assert_eq!(draft.identity(), Some(("/shop", "A234")));
    assert_eq!(draft.subject.as_deref(), Some("Euro €"));
    assert_eq!(draft.time.unwrap().to_string(), "2018-04-05T03:56:24.000Z");
    assert_eq!(draft.data, Payload::Json(" { \"n\": 1.0 }\n".into()));
    let expect = [
        ("tenant".to_owned(), text("a \"b\"")),
        ("count".to_owned(), text("5")),
    ];
    assert_eq!(draft.extensions, expect);
}

#[test]
fn in_binary_mode_the_content_type_tells_what_the_body_is() {
    let typed = |media_type, body| {
        let draft = binary(&[("content-type", media_type)], body);
        draft.map(|draft| draft.data).map_err(pointers)
    };
    let wrong = || Err(vec!["/data".to_owned()]);
    assert_eq!(
        typed("text/plain", b"\xff"),
        Ok(Payload::Other(Bytes::from_static(b"\xff")))
    );
    assert_eq!(typed("text/plain", b""), Ok(Payload::Other(Bytes::new())));
    assert_eq!(typed("application/json", b""), Ok(Payload::Empty));
    assert_eq!(typed("application/json", b"{} x"), wrong());
    assert_eq!(typed("application/json", b"\"\xff\""), wrong());
    assert_eq!(typed("application/json", b"{\"a\":1,\"a\":1}"), wrong());
    assert_eq!(binary(&[], b"7").unwrap().data, Payload::Json("7".into()));
    assert_eq!(binary(&[], b"").unwrap().data, Payload::Empty);
    assert_eq!(pointers(binary(&[], b"hello").unwrap_err()), ["/data"]);
}

#[test]
fn a_mistake_in_a_header_is_told_with_its_attribute() {
    let long = "a".repeat(ATTRIBUTE_CHARS_MAX + 1);
    for (name, value, expect) in [
        ("ce-id", "B", "/id"),
        ("ce-subject", "%C0%A0", "/subject"),
        ("ce-subject", "a%0Ab", "/subject"),
        ("ce-subject", "", "/subject"),
        ("ce-subject", &long, "/subject"),
        ("ce-time", "now", "/time"),
        ("ce-datacontenttype", "text/plain", "/datacontenttype"),
        ("content-type", "text", "/datacontenttype"),
        ("ce-data", "a", "/data"),
        ("ce-my_extension", "a", "/my_extension"),
        ("ce-", "a", ""),
    ] {
        let errors = binary(&[(name, value)], b"").expect_err(name);
        assert_eq!(pointers(errors), [expect], "{name}: {value:.20}");
    }
    let none = read_binary([], &Bytes::new()).unwrap_err();
    assert_eq!(pointers(none), ["/specversion", "/id", "/source", "/type"]);
}

fn written(draft: &Draft) -> CloudEvent<'_> {
    CloudEvent {
        id: draft.id.as_deref().unwrap(),
        source: draft.source.as_deref().unwrap(),
        event_type: draft.event_type.as_str(),
        subject: draft.subject.as_deref(),
        time: draft.time,
        dataschema: draft.dataschema.as_deref(),
        content_type: draft.content_type.as_deref(),
        data: &draft.data,
        extensions: &draft.extensions,
    }
}

#[test]
fn an_event_is_written_with_its_data_as_it_came() {
    let draft = read(r#","subject":"a \"b\"","n":5,"data":{ "n": 1.0 }"#);
    let event = written(&draft);
    let json = r#"{"specversion":"1.0","id":"A234","source":"/shop","type":"invoice.paid","subject":"a \"b\"","datacontenttype":"application/json","n":5,"data":{ "n": 1.0 }}"#;
    assert_eq!(event.structured(), json);
    let headers = event.headers();
    let lines: Vec<String> = headers.iter().map(|(n, v)| format!("{n}: {v}")).collect();
    let expect = [
        "ce-specversion: 1.0",
        "ce-id: A234",
        "ce-source: /shop",
        "ce-type: invoice.paid",
        "ce-subject: a%20%22b%22",
        "ce-n: 5",
        "content-type: application/json",
    ];
    assert_eq!(lines, expect);
    assert_eq!(batch([]), "[]");
    assert_eq!(batch([&b"{}"[..], b"{}"]), "[{},{}]");
}

fn attribute() -> impl Strategy<Value = String> {
    "\\PC{1,20}".prop_filter("no control characters", |text| {
        !text.chars().any(char::is_control)
    })
}

fn payload() -> impl Strategy<Value = (Option<String>, Payload)> {
    let json = any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap());
    let bytes = || prop::collection::vec(any::<u8>(), 0..40).prop_map(Bytes::from);
    let named = |name: &str| Some(name.to_owned());
    prop_oneof![
        Just((None, Payload::Empty)),
        json.prop_map(move |json| (named("application/json"), Payload::Json(json.into()))),
        any::<String>().prop_map(move |text| (named("text/plain"), Payload::Other(text.into()))),
        bytes().prop_map(move |bytes| (named("image/png"), Payload::Base64(bytes))),
    ]
}

prop_compose! {
    fn draft()(
        id in attribute(),
        source in attribute(),
        subject in prop::option::of(attribute()),
        millis in prop::option::of(0_i64..253_402_207_199_999),
        (content_type, data) in payload(),
        extensions in prop::collection::btree_map(
            "x[a-z0-9]{1,8}",
            prop_oneof![
                any::<bool>().prop_map(ExtensionValue::Boolean),
                any::<i32>().prop_map(ExtensionValue::Integer),
                attribute().prop_map(ExtensionValue::Text),
            ],
            0..4,
        ),
    ) -> Draft {
        Draft {
            id: Some(id),
            source: Some(source),
            event_type: TypeName::parse("invoice.paid").unwrap(),
            subject,
            time: millis.map(Timestamp::from_millis),
            schema_version: None,
            dataschema: None,
            content_type,
            data,
            extensions: extensions.into_iter().collect(),
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_in_json_is_read(draft in draft(), other in draft()) {
        let texts = [written(&draft).structured(), written(&other).structured()];
        prop_assert_eq!(read_structured(&texts[0]), Ok(draft.clone()));
        let batched = batch(texts.iter().map(|text| &**text));
        prop_assert_eq!(read_batch(&batched), Ok(vec![draft, other]));
    }

    #[test]
    fn what_is_written_in_headers_is_read(draft in draft()) {
        let headers = written(&draft).headers();
        let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let read = read_binary(named, draft.data.bytes()).unwrap();
        // A header does not tell what kind its value is of, nor that the body once was Base64.
        let mut expect = draft;
        for (_, value) in &mut expect.extensions {
            *value = ExtensionValue::Text(value.to_string());
        }
        if let Payload::Base64(bytes) = expect.data {
            expect.data = Payload::Other(bytes);
        }
        prop_assert_eq!(read, expect);
    }

    #[test]
    fn no_request_makes_reading_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        rest in "(,\"(data|data_base64|subject|time|datacontenttype|x)\":(\"[a-z/=]{0,6}\"|null|[0-9]|\\{\\})){0,4}",
        name in "[Cc][Ee]-[a-z0-9_-]{0,24}",
        value in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for text in [bytes.clone(), event(&rest).into_bytes()] {
            for read in [read_structured(&text).map(|_| ()), read_batch(&text).map(|_| ())] {
                prop_assert!(read.is_ok() || !read.unwrap_err().is_empty());
            }
        }
        let headers = [(name.as_str(), value.as_slice()), ("content-type", b"text/plain")];
        prop_assert!(read_binary(headers, &Bytes::from(bytes)).is_err());
    }
}
