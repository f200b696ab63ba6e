//! The attributes of one event, from wherever they are read.

use url::Url;

use super::SPEC_VERSION;
use super::essence_of;
use crate::events::publishing::draft::{
    Draft, ExtensionValue, Findings, Payload, check_attribute, read_time, read_type,
};
use crate::events::type_name::TypeName;
use crate::kernel::limits::{EXTENSION_NAME_CHARS_MAX, EXTENSIONS_MAX, MEDIA_TYPE_CHARS_MAX};
use crate::kernel::time::Timestamp;

/// Attributes that the specification has.
const SPECIFIED_COUNT: usize = 8;
const TOO_MANY: &str = "the event has too many extension attributes: put some of them into data";

#[derive(Default)]
pub(super) struct Attributes {
    seen: Vec<String>,
    id: Option<String>,
    source: Option<String>,
    event_type: Option<TypeName>,
    subject: Option<String>,
    time: Option<Timestamp>,
    dataschema: Option<String>,
    content_type: Option<String>,
    extensions: Vec<(String, ExtensionValue)>,
}

impl Attributes {
    /// Takes one attribute, or notes what is wrong with it. `None` when there is no sense in
    /// looking at more.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: Result<ExtensionValue, String>,
        findings: &mut Findings,
    ) -> Option<()> {
        if self.seen.iter().any(|seen| seen == name) {
            findings.add(name, "it is there twice: name each attribute once");
            return None;
        }
        if self.seen.len() == SPECIFIED_COUNT + EXTENSIONS_MAX {
            findings.add("", TOO_MANY);
            return None;
        }
        self.seen.push(name.to_owned());
        let text = |value: Result<_, _>| value.and_then(text);
        match name {
            "specversion" => {
                let read = text(value).and_then(|text| check_version(&text));
                findings.take(name, read);
            }
            "id" => self.id = findings.take(name, text(value).and_then(attribute)),
            "source" => self.source = findings.take(name, text(value).and_then(attribute)),
            "subject" => self.subject = findings.take(name, text(value).and_then(attribute)),
            "type" => {
                let read = text(value).and_then(|text| read_type(&text));
                self.event_type = findings.take(name, read);
            }
            "time" => {
                let read = text(value).and_then(|text| read_time(&text));
                self.time = findings.take(name, read);
            }
            "dataschema" => {
                let read = text(value).and_then(attribute).and_then(absolute);
                self.dataschema = findings.take(name, read);
            }
            "datacontenttype" => {
                let read = text(value).and_then(media_type);
                self.content_type = findings.take(name, read);
            }
            _ => {
                let read = check_name(name).and_then(|()| extension(value?));
                let read = findings.take(name, read);
                self.extensions
                    .extend(read.map(|value| (name.to_owned(), value)));
            }
        }
        if self.extensions.len() > EXTENSIONS_MAX {
            findings.add("", TOO_MANY);
            return None;
        }
        Some(())
    }

    /// The media type that the data is said to have.
    pub(super) fn content_type(&self) -> Option<&str> {
        self.content_type.as_deref()
    }

    /// The event with `data`; `None` when something that it needs is missing or wrong.
    pub(super) fn finish(self, data: Option<Payload>, findings: &mut Findings) -> Option<Draft> {
        let mut complete = true;
        for required in ["specversion", "id", "source", "type"] {
            if !self.seen.iter().any(|seen| seen == required) {
                findings.add(required, "it is missing");
                complete = false;
            }
        }
        let (event_type, data) = (self.event_type?, data?);
        let named = self.dataschema.as_deref();
        let schema_version = named.and_then(|schema| version_in(schema, &event_type));
        complete.then_some(Draft {
            id: Some(self.id?),
            source: Some(self.source?),
            event_type,
            subject: self.subject,
            time: self.time,
            schema_version,
            dataschema: self.dataschema,
            content_type: self.content_type,
            data,
            extensions: self.extensions,
        })
    }
}

fn text(value: ExtensionValue) -> Result<String, String> {
    match value {
        ExtensionValue::Text(text) => Ok(text),
        _ => Err("expected a string".into()),
    }
}

fn attribute(text: String) -> Result<String, String> {
    check_attribute(&text).map(|()| text)
}

fn check_name(name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let named = (1..=EXTENSION_NAME_CHARS_MAX).contains(&name.len());
    if named && name.chars().all(allowed) && name != "data" {
        return Ok(());
    }
    Err(format!(
        "not the name of an attribute: those have 1 to {EXTENSION_NAME_CHARS_MAX} of the characters a-z and 0-9"
    ))
}

/// Unlike others, an extension's text may be empty.
fn extension(value: ExtensionValue) -> Result<ExtensionValue, String> {
    match value {
        ExtensionValue::Text(text) if !text.is_empty() => attribute(text).map(ExtensionValue::Text),
        value => Ok(value),
    }
}

fn check_version(version: &str) -> Result<(), String> {
    if version == SPEC_VERSION {
        Ok(())
    } else {
        Err(format!(
            "only version `{SPEC_VERSION}` of CloudEvents is understood"
        ))
    }
}

fn absolute(text: String) -> Result<String, String> {
    match Url::parse(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err("not an absolute URI".into()),
    }
}

/// Checks what becomes the value of a header.
fn media_type(text: String) -> Result<String, String> {
    let essence = essence_of(&text);
    let token = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        !part.is_empty() && part.chars().all(allowed)
    };
    let typed = essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    let visible = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if typed && visible && text.len() <= MEDIA_TYPE_CHARS_MAX {
        Ok(text)
    } else {
        Err("not a media type such as application/json".into())
    }
}

/// The version in `…/event-types/{name}/versions/{version}`, when the name is that of the type.
fn version_in(dataschema: &str, event_type: &TypeName) -> Option<u32> {
    let (place, version) = dataschema.rsplit_once("/versions/")?;
    let (_, name) = place.rsplit_once("/event-types/")?;
    let version = version.parse().ok().filter(|version| *version > 0);
    version.filter(|_| name == event_type.as_str())
}
