//! What apps publish, checked with the schemas of its types.

use bytes::Bytes;
use hookyard_api::JsonSchemas;
use hookyard_domain::events::custom_type::Effort;
use hookyard_domain::events::publishing::draft::{Draft, Payload};
use hookyard_domain::events::publishing::{Publication, PublishError, plain};
use hookyard_domain::{
    AccountId, CustomType, DataSchema, Event, Person, PersonId, PersonKind, PersonStatus,
    Timestamp, TypeName, TypeVersion,
};
use serde_json::value::RawValue;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn person() -> Person {
    Person {
        account: AccountId(1),
        id: PersonId(11),
        kind: PersonKind::User,
        first_name: String::new(),
        last_name: String::new(),
        email: None,
        extension_number: None,
        admin: false,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: NOW,
        modified_at: NOW,
        version: 1,
    }
}

fn publish(path: &str, body: &str) -> Result<Event, PublishError> {
    let event = format!("/restapi/v1.0/account/~/extension/~/{path}");
    let body = RawValue::from_string(body.to_owned()).unwrap();
    Publication::read(&event, &person())?.announce(&body, &JsonSchemas, NOW)
}

#[test]
fn a_body_that_breaks_its_schema_is_refused() {
    let pointer = |path: &str, body: &str| match publish(path, body) {
        Err(PublishError::BodyInvalid(violation)) => violation.pointer,
        other => panic!("{other:?}"),
    };
    assert_eq!(pointer("presence", "null"), "");
    assert_eq!(pointer("presence", "{}"), "");
    assert_eq!(
        pointer("presence", r#"{"extensionId":"~"}"#),
        "/extensionId"
    );
    let body = r#"{ "extensionId" : "11",  "note":"é", "sequence": 1.0 }"#;
    assert_eq!(publish("presence", body).unwrap().body, body);
    let store = r#"{"accountId":1,"extensionId":11,"lastUpdated":"2026-01-01T00:00:00Z","changes":[{"type":"SMS"}]}"#;
    assert!(publish("message-store", store).is_ok());
}

fn plain(text: &str) -> Draft {
    plain::read(text.as_bytes()).unwrap().remove(0)
}

fn compiled(text: &str) -> DataSchema {
    DataSchema::compile(text, &JsonSchemas).unwrap()
}

#[test]
fn data_is_checked_with_the_version_that_is_named() {
    let version = |schema: &str| TypeVersion::read(Some(&compiled(schema)), None, NOW).unwrap();
    let name = TypeName::parse("a.b").unwrap();
    let first = version(r#"{"properties":{"x":{"type":"string"}}}"#);
    let known = CustomType::new(AccountId(1), name, String::new(), first).unwrap();
    let second = version(r#"{"properties":{"x":{"type":"integer"}}}"#);
    let (_, known) = known.add_version(second).unwrap();
    for (rest, expect) in [
        (r#""data":{"x":1}"#, "2 ok"),
        (r#""data":{"x":"1"}"#, "2 /x"),
        (r#""data":{"x":"1"},"schemaVersion":1"#, "1 ok"),
        (r#""data":{"x":1},"schemaVersion":1"#, "1 /x"),
        (r#""data":1,"schemaVersion":3"#, "none"),
    ] {
        let draft = plain(&format!(r#"{{"type":"a.b",{rest}}}"#));
        let told = match draft.version_of(&known) {
            None => "none".to_owned(),
            Some((number, version)) => {
                let schema = compiled(version.schema.as_deref().unwrap());
                match draft.check_data(&schema, &mut Effort::default()) {
                    Ok(()) => format!("{number} ok"),
                    Err(violation) => format!("{number} {}", violation.pointer),
                }
            }
        };
        assert_eq!(told, expect, "{rest}");
    }
}

#[test]
fn data_that_is_not_json_satisfies_no_schema() {
    let effort = &mut Effort::default();
    let anything = compiled("true");
    let mut draft = plain(r#"{"type":"a.b","data":1}"#);
    assert!(draft.check_data(&anything, effort).is_ok());
    draft.data = Payload::Other(Bytes::from_static(b"1"));
    assert_eq!(draft.check_data(&anything, effort).unwrap_err().pointer, "");
    draft.data = Payload::Empty;
    assert!(draft.check_data(&anything, effort).is_ok());
    let object = compiled(r#"{"type":"object"}"#);
    assert!(
        draft.check_data(&object, effort).is_err(),
        "nothing is null"
    );
}
