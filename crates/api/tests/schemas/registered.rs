//! Schemas that accounts register, and data that is checked with them.

use hookyard_api::JsonSchemas;
use hookyard_domain::events::custom_type::{CustomTypeError, Effort};
use hookyard_domain::events::schema::Violation;
use hookyard_domain::kernel::limits::{DATA_SCHEMA_BYTES_MAX, DATA_SCHEMA_DEPTH_MAX};
use hookyard_domain::{DataSchema, Timestamp, TypeVersion};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn refused(text: &str) -> Violation {
    DataSchema::compile(text, &JsonSchemas).expect_err(text)
}

#[test]
fn a_mistake_is_told_with_its_place_in_the_schema() {
    for (text, expect) in [
        (r#"{"type":"objekt"}"#, "/type"),
        (
            r#"{"properties":{"amount":{"type":"objekt"}}}"#,
            "/properties/amount/type",
        ),
        (
            r#"{"properties":{"a":{"required":"x"}}}"#,
            "/properties/a/required",
        ),
        (
            r#"{"properties":{"a/b":{"minimum":"3"}}}"#,
            "/properties/a~1b/minimum",
        ),
        (
            r#"{"properties":{"a":{"pattern":"("}}}"#,
            "/properties/a/pattern",
        ),
        (r#"{"pattern":"(?=x)y"}"#, "/pattern"),
        (r#"{"pattern":"\\w{100000}"}"#, "/pattern"),
        (
            r#"{"properties":{"a":{"$ref":"https://example.com/x.json"}}}"#,
            "/properties/a/$ref",
        ),
        (
            r#"{"properties":{"a":{"$ref":"file:///etc/passwd"}}}"#,
            "/properties/a/$ref",
        ),
        (
            r##"{"$defs":{"yes":{}},"anyOf":[{"$ref":"#/$defs/yes"},{"$ref":"#/$defs/no"}]}"##,
            "/anyOf/1/$ref",
        ),
        (r#"{"$schema":"https://example.com/mine"}"#, "/$schema"),
        (r#"{"$schema":7}"#, "/$schema"),
        (r#"{"$id":"foo bar:"}"#, "/$id"),
        ("7", ""),
        ("[]", ""),
        ("null", ""),
        ("{", ""),
        (r#"{"type":"object","type":"string"}"#, ""),
    ] {
        let violation = refused(text);
        assert_eq!(violation.pointer, expect, "{text}: {violation}");
        assert!(!violation.message.is_empty());
    }
}

#[test]
fn schemas_are_bounded_in_size_and_depth() {
    let sized = |bytes: usize| {
        let rest = r#"{"description":""}"#.len();
        format!(r#"{{"description":"{}"}}"#, "x".repeat(bytes - rest))
    };
    assert!(DataSchema::compile(&sized(DATA_SCHEMA_BYTES_MAX), &JsonSchemas).is_ok());
    assert_eq!(refused(&sized(DATA_SCHEMA_BYTES_MAX + 1)).pointer, "");
    let nested = |depth: usize| {
        format!(
            "{}{{}}{}",
            "{\"not\":".repeat(depth - 1),
            "}".repeat(depth - 1)
        )
    };
    assert!(DataSchema::compile(&nested(DATA_SCHEMA_DEPTH_MAX), &JsonSchemas).is_ok());
    assert_eq!(refused(&nested(DATA_SCHEMA_DEPTH_MAX + 1)).pointer, "");
}

#[test]
fn data_is_checked_with_formats_and_references() {
    let text = r##"{"type":"object","required":["at"],"properties":{
        "at":{"type":"string","format":"date-time"},
        "lines":{"type":"array","items":{"$ref":"#/$defs/line"}}},
        "$defs":{"line":{"properties":{"sku":{"pattern":"^[A-Z]{3}$"}}}}}"##;
    let schema = DataSchema::compile(text, &JsonSchemas).unwrap();
    let check = |value: Value| match schema.check(&value, &mut Effort::default()) {
        Ok(()) => "ok".to_owned(),
        Err(violation) => violation.pointer,
    };
    let at = "2026-03-26T09:18:41Z";
    assert_eq!(check(json!({"at": at, "lines": [{"sku": "ABC"}]})), "ok");
    assert_eq!(check(json!({"at": "today"})), "/at");
    assert_eq!(
        check(json!({"at": at, "lines": [{}, {"sku": "x"}]})),
        "/lines/1/sku"
    );
    assert_eq!(check(json!({})), "");
    assert_eq!(check(json!(7)), "");
}

fn pointer(schema: &str, value: &Value) -> String {
    let schema = DataSchema::compile(schema, &JsonSchemas).unwrap();
    let checked = schema.check(value, &mut Effort::default());
    checked.expect_err("it is wrong").pointer
}

#[test]
fn a_schema_may_refer_to_itself_further_inside() {
    let tree = r##"{"$id":"https://x.test/tree","properties":{"left":{"$ref":"#"},
        "right":{"$ref":"https://x.test/tree#"},"n":{"$ref":"#n"}},
        "$defs":{"n":{"$anchor":"n","type":"integer"}},"default":{"$ref":"none"}}"##;
    let value = json!({"left": {"right": {"n": "x"}}});
    assert_eq!(pointer(tree, &value), "/left/right/n");
}

#[test]
fn a_schema_without_end_is_refused() {
    for text in [
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#"}]}"##,
        r##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"anyOf":[{"$ref":"#/$defs/a"}]}},"$ref":"#/$defs/a"}"##,
        r##"{"$dynamicRef":"#x","$dynamicAnchor":"x"}"##,
    ] {
        assert_eq!(refused(text).pointer, "", "{text}");
    }
    let inner = r#"{"$defs":{"a":{"$id":"https://x.test/a"}},"$ref":"https://x.test/a"}"#;
    assert_eq!(refused(inner).pointer, "/$ref");
    let inner = r#"{"$defs":{"a":{"$id":"https://x.test/a"}}}"#;
    assert_eq!(refused(inner).pointer, "/$defs/a/$id");
}

#[test]
fn values_that_take_too_long_are_refused_and_all_share_one_effort() {
    let schema = DataSchema::compile(r#"{"items":{"type":"integer"}}"#, &JsonSchemas).unwrap();
    let value = json!(vec![1; 5_000]);
    let mut effort = Effort::of(100_000);
    let mut checked = 0;
    while schema.check(&value, &mut effort).is_ok() {
        checked += 1;
    }
    assert!((2..20).contains(&checked), "{checked}");
    assert!(schema.check(&value, &mut Effort::default()).is_ok());
}

#[test]
fn older_drafts_are_understood_where_they_are_named() {
    let text = r#"{"$schema":"http://json-schema.org/draft-07/schema#",
        "items":[{"type":"string"}]}"#;
    assert_eq!(pointer(text, &json!([7])), "/0");
}

#[test]
fn an_example_satisfies_its_schema() {
    let schema = r#"{ "properties": {"amount": {"type": "number"}} }"#;
    let schema = DataSchema::compile(schema, &JsonSchemas).unwrap();
    let read = |example: &str| TypeVersion::read(Some(&schema), Some(example), NOW);
    let version = read(r#"{"amount": 1.50}"#).unwrap();
    assert_eq!(version.schema.as_deref(), Some(&**schema.text()));
    assert_eq!(version.example.as_deref(), Some(r#"{"amount": 1.50}"#));
    for (example, expect) in [
        (r#"{"amount": "1"}"#, "/amount"),
        (r#"{"amount": 1, "amount": 2}"#, ""),
    ] {
        match read(example) {
            Err(CustomTypeError::Example(violation)) => {
                assert_eq!(violation.pointer, expect, "{example}");
            }
            other => panic!("{example}: {other:?}"),
        }
    }
}
