//! CloudEvents 1.0.2 over HTTP, in both directions: structured and batched in JSON, and binary,
//! where the attributes are headers and the body is the data.

mod attributes;
mod binary;
mod composition;
mod structured;

pub use binary::read_binary;
pub use composition::{CloudEvent, batch};
pub use structured::{read_batch, read_structured};

/// The media type of one event in JSON.
pub const STRUCTURED_TYPE: &str = "application/cloudevents+json";
/// The media type of a batch of them.
pub const BATCH_TYPE: &str = "application/cloudevents-batch+json";
/// How the names of headers begin that are attributes.
pub const HEADER_PREFIX: &str = "ce-";
/// The only version that there is.
const SPEC_VERSION: &str = "1.0";

/// How a request carries events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Not as CloudEvents.
    Plain,
    Structured,
    Batched,
    Binary,
}

impl Mode {
    /// The mode of a request by its `Content-Type`, and by whether it has the header
    /// `ce-specversion`. `None` when it has CloudEvents in another format than JSON.
    pub fn of(content_type: Option<&str>, has_spec_version: bool) -> Option<Self> {
        let essence = content_type.map(essence_of).unwrap_or_default();
        if essence == STRUCTURED_TYPE {
            Some(Self::Structured)
        } else if essence == BATCH_TYPE {
            Some(Self::Batched)
        } else if essence.starts_with("application/cloudevents") {
            None
        } else if has_spec_version {
            Some(Self::Binary)
        } else {
            Some(Self::Plain)
        }
    }
}

/// A media type without parameters, in small letters.
pub(crate) fn essence_of(media_type: &str) -> String {
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

/// Whether a media type declares JSON: `*/json` or `*/*+json`.
pub(crate) fn declares_json(media_type: &str) -> bool {
    let essence = essence_of(media_type);
    let subtype = essence.split_once('/').map(|(_, subtype)| subtype);
    subtype.is_some_and(|subtype| subtype == "json" || subtype.ends_with("+json"))
}

#[cfg(test)]
mod tests;
