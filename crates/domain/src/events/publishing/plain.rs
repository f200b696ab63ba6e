//! Events in our own form: `{type, data, id?, subject?, source?, timestamp?, schemaVersion?}`, one
//! or an array of them.

use serde_json::value::RawValue;

use super::draft::{
    Draft, DraftError, Findings, Payload, batch, check_attribute, is_batch, json_payload, one,
    read_string, read_time, read_type,
};
use crate::events::type_name::TypeName;
use crate::kernel::raw::members_of;
use crate::kernel::time::Timestamp;

/// Reads one event or an array of events. The bytes of `data` are kept as they are.
///
/// # Errors
///
/// Every mistake, in all events of a batch, up to
/// [`DRAFT_ERRORS_MAX`](crate::kernel::limits::DRAFT_ERRORS_MAX). An empty array has none.
pub fn read(body: &[u8]) -> Result<Vec<Draft>, Vec<DraftError>> {
    if is_batch(body) {
        return batch(body, |item, findings| {
            read_event(item.get().as_bytes(), findings)
        });
    }
    one(|findings| read_event(body, findings)).map(|draft| vec![draft])
}

#[derive(Default)]
struct Members {
    event_type: Option<TypeName>,
    data: Option<Payload>,
    id: Option<String>,
    subject: Option<String>,
    source: Option<String>,
    timestamp: Option<Timestamp>,
    schema_version: Option<u32>,
}

fn read_event(text: &[u8], findings: &mut Findings) -> Option<Draft> {
    let Some(named) = members_of(text) else {
        findings.add("", "expected a JSON object with `type` and `data`");
        return None;
    };
    if !findings.unrepeated(&named) {
        return None;
    }
    let before = findings.count();
    let mut members = Members::default();
    for (name, value) in &named {
        members.set(name, value, findings);
    }
    for required in ["type", "data"] {
        if !named.iter().any(|(name, _)| name == required) {
            findings.add(required, "it is missing");
        }
    }
    if findings.count() > before {
        return None;
    }
    Some(Draft {
        id: members.id,
        source: members.source,
        event_type: members.event_type?,
        subject: members.subject,
        time: members.timestamp,
        schema_version: members.schema_version,
        dataschema: None,
        content_type: None,
        data: members.data?,
        extensions: Vec::new(),
    })
}

impl Members {
    fn set(&mut self, name: &str, value: &RawValue, findings: &mut Findings) {
        let given = (value.get() != "null").then_some(value);
        let attribute = || given.map(read_attribute).transpose();
        match name {
            "type" => {
                let read = read_string(value).and_then(|text| read_type(&text));
                self.event_type = findings.take(name, read);
            }
            "data" => self.data = findings.take(name, json_payload(value.get())),
            "id" => self.id = findings.take(name, attribute()).flatten(),
            "subject" => self.subject = findings.take(name, attribute()).flatten(),
            "source" => self.source = findings.take(name, attribute()).flatten(),
            "timestamp" => {
                let read = given.map(|value| read_time(&read_string(value)?));
                self.timestamp = findings.take(name, read.transpose()).flatten();
            }
            "schemaVersion" => {
                let read = given.map(read_version);
                self.schema_version = findings.take(name, read.transpose()).flatten();
            }
            _ => findings.add(
                name,
                "there is no such member: use type, data, id, subject, source, timestamp and schemaVersion, and put the rest into data",
            ),
        }
    }
}

fn read_version(value: &RawValue) -> Result<u32, String> {
    let version = value.get().parse().ok().filter(|version| *version > 0);
    version.ok_or_else(|| "expected a whole number from 1".into())
}

fn read_attribute(value: &RawValue) -> Result<String, String> {
    let text = read_string(value)?;
    check_attribute(&text).map(|()| text)
}

#[cfg(test)]
mod tests;
