//! Events that apps publish, and the schemas that they bring.

use bytes::Bytes;
use hookyard_api::JsonSchemas;
use hookyard_domain::DataSchema;
use hookyard_domain::events::custom_type::Effort;
use hookyard_domain::events::publishing::cloud_events::{
    self, CloudEvent, read_batch, read_binary, read_structured,
};
use hookyard_domain::events::publishing::draft::{Draft, DraftError, Payload};
use hookyard_domain::events::publishing::plain as plain_events;
use hookyard_domain::kernel::limits::{DRAFT_ERRORS_MAX, EVENTS_PER_BATCH_MAX};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::{head_and_body, text_of};

/// Our own form, one event or several.
pub(crate) fn plain(data: &[u8]) {
    check_all(plain_events::read(data));
}

/// One `CloudEvent` in JSON.
pub(crate) fn structured(data: &[u8]) {
    if let Some(draft) = check(read_structured(data)) {
        check_writing(&draft);
    }
}

/// A batch of `CloudEvents` in JSON.
pub(crate) fn batch(data: &[u8]) {
    check_all(read_batch(data));
}

/// A `CloudEvent` in binary mode: headers in lines, an empty line, the body.
pub(crate) fn binary(data: &[u8]) {
    let mut headers: Vec<(&str, &[u8])> = Vec::new();
    let mut rest = data;
    loop {
        let (line, body) = head_and_body(rest);
        rest = body;
        if line.is_empty() {
            break;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        headers.push((text_of(name), value.get(1..).unwrap_or_default()));
    }
    let read = read_binary(headers.iter().copied(), &Bytes::copy_from_slice(rest));
    if let Some(draft) = check(read) {
        check_writing(&draft);
    }
}

fn check_all(read: Result<Vec<Draft>, Vec<DraftError>>) {
    match read {
        Ok(drafts) => {
            assert!(drafts.len() <= EVENTS_PER_BATCH_MAX);
            drafts.iter().for_each(check_draft);
        }
        Err(errors) => check_errors(&errors),
    }
}

fn check(read: Result<Draft, Vec<DraftError>>) -> Option<Draft> {
    match read {
        Ok(draft) => {
            check_draft(&draft);
            Some(draft)
        }
        Err(errors) => {
            check_errors(&errors);
            None
        }
    }
}

fn check_errors(errors: &[DraftError]) {
    assert!((1..=DRAFT_ERRORS_MAX).contains(&errors.len()));
    assert!(errors.iter().all(|error| !error.message.is_empty()));
}

fn check_draft(draft: &Draft) {
    let json = draft.data.to_json();
    let json = str::from_utf8(&json).expect("JSON is text");
    serde_json::from_str::<&RawValue>(json).expect("data stands as JSON in an envelope");
}

/// An event that was read is written in both modes, and read as the same.
fn check_writing(draft: &Draft) {
    let event = CloudEvent {
        id: draft.id.as_deref().expect("CloudEvents have ids"),
        source: draft.source.as_deref().expect("CloudEvents have sources"),
        event_type: draft.event_type.as_str(),
        subject: draft.subject.as_deref(),
        time: draft.time,
        dataschema: draft.dataschema.as_deref(),
        content_type: draft.content_type.as_deref(),
        data: &draft.data,
        extensions: &draft.extensions,
    };
    let again = read_structured(&event.structured()).expect("what was written is read");
    assert_eq!(again.identity(), draft.identity());
    // JSON stands between other members there, without the white space around it.
    let trimmed = |draft: &Draft| match &draft.data {
        Payload::Json(bytes) => bytes.trim_ascii().to_vec(),
        other => other.bytes().to_vec(),
    };
    assert_eq!(trimmed(&again), trimmed(draft));
    assert_eq!(again.extensions, draft.extensions);
    if event.content_type.is_none() && matches!(draft.data, Payload::Base64(_)) {
        // Nothing in the headers says that the body is not JSON.
        return;
    }
    let headers = event.headers();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()));
    let again = read_binary(headers, draft.data.bytes()).expect("what was written is read");
    assert_eq!(again.identity(), draft.identity());
    assert_eq!(again.data.bytes(), draft.data.bytes());
    let batch = cloud_events::batch([event.structured().as_ref(), event.structured().as_ref()]);
    serde_json::from_slice::<&RawValue>(&batch).expect("a batch is JSON");
}

/// A schema in the first line, a value that is checked with it in the rest.
pub(crate) fn data_schema(data: &[u8]) {
    let (schema, value) = head_and_body(data);
    let Ok(schema) = DataSchema::compile(text_of(schema), &JsonSchemas) else {
        return;
    };
    DataSchema::compile(schema.text(), &JsonSchemas).expect("what compiled once compiles again");
    let value: Value = serde_json::from_slice(value).unwrap_or_default();
    let first = schema.check(&value, &mut Effort::default());
    let second = schema.check(&value, &mut Effort::default());
    assert_eq!(first.is_ok(), second.is_ok());
}
