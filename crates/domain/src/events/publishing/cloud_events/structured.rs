//! The JSON format, one event or a batch.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::value::RawValue;

use super::attributes::Attributes;
use super::declares_json;
use crate::events::publishing::draft::{
    Draft, DraftError, ExtensionValue, Findings, Payload, batch, check_size, json_payload, one,
    read_string,
};
use crate::kernel::raw::members_of;

/// Reads the body of a request in structured mode. The bytes of `data` are kept as they are.
///
/// # Errors
///
/// Every mistake, up to [`DRAFT_ERRORS_MAX`](crate::kernel::limits::DRAFT_ERRORS_MAX).
pub fn read_structured(body: &[u8]) -> Result<Draft, Vec<DraftError>> {
    one(|findings| read_event(body, findings))
}

/// Reads the body of a request in batched mode, which may have no events.
///
/// # Errors
///
/// Every mistake of all events, up to [`DRAFT_ERRORS_MAX`](crate::kernel::limits::DRAFT_ERRORS_MAX).
pub fn read_batch(body: &[u8]) -> Result<Vec<Draft>, Vec<DraftError>> {
    batch(body, |item, findings| {
        read_event(item.get().as_bytes(), findings)
    })
}

fn read_event(text: &[u8], findings: &mut Findings) -> Option<Draft> {
    let Some(members) = members_of(text) else {
        findings.add(
            "",
            "expected a JSON object with the attributes of a CloudEvent",
        );
        return None;
    };
    if !findings.unrepeated(&members) {
        return None;
    }
    let mut attributes = Attributes::default();
    let (mut json, mut base64) = (None, None);
    for (name, value) in &members {
        match &**name {
            "data" => json = Some(*value),
            "data_base64" => base64 = Some(*value),
            // Null is as good as missing.
            _ if value.get() == "null" => {}
            _ => attributes.set(name, read_value(value), findings)?,
        }
    }
    let base64 = base64.filter(|value| value.get() != "null");
    let data = match (json, base64) {
        (Some(_), Some(_)) => {
            findings.add(
                "data_base64",
                "an event has `data` or `data_base64`, not both",
            );
            None
        }
        (Some(value), None) => findings.take("data", read_data(value, attributes.content_type())),
        (None, Some(value)) => {
            findings.take("data_base64", read_bytes(value, attributes.content_type()))
        }
        (None, None) => Some(Payload::Empty),
    };
    attributes.finish(data, findings)
}

fn read_value(value: &RawValue) -> Result<ExtensionValue, String> {
    match value.get() {
        "true" => Ok(ExtensionValue::Boolean(true)),
        "false" => Ok(ExtensionValue::Boolean(false)),
        text if text.starts_with('"') => read_string(value).map(ExtensionValue::Text),
        text if text.starts_with(['{', '[']) => Err(
            "an attribute is a string, a number or a boolean: what the event tells is inside data"
                .into(),
        ),
        text => text
            .parse()
            .map(ExtensionValue::Integer)
            .map_err(|_| "expected a whole number of 32 bits".into()),
    }
}

fn read_data(value: &RawValue, content_type: Option<&str>) -> Result<Payload, String> {
    if content_type.is_none_or(declares_json) {
        return json_payload(value.get());
    }
    let text = read_string(value).map_err(|_| {
        "expected a string, because datacontenttype does not declare JSON".to_owned()
    })?;
    check_size(text.len())?;
    Ok(Payload::Other(text.into()))
}

/// Bytes that are said to be JSON are JSON: what looks at the data must not be passed by.
fn read_bytes(value: &RawValue, content_type: Option<&str>) -> Result<Payload, String> {
    let bytes = STANDARD
        .decode(read_string(value)?)
        .map(Bytes::from)
        .map_err(|_| "not Base64 with padding".to_owned())?;
    check_size(bytes.len())?;
    if content_type.is_some_and(declares_json) {
        let text = str::from_utf8(&bytes).map_err(|_| "the JSON is not UTF-8".to_owned())?;
        return json_payload(text);
    }
    Ok(Payload::Base64(bytes))
}
