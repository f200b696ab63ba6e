//! What a request to publish holds, in whichever form it comes.

use std::collections::HashMap;

use bytes::Bytes;
use hookyard_domain::events::publishing::cloud_events::{self, Mode};
use hookyard_domain::events::publishing::draft::{
    Draft, DraftError, Payload, check_attribute, is_batch,
};
use hookyard_domain::events::publishing::plain;
use hookyard_domain::{Code, Problem};
use http::{HeaderMap, header};
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::kernel::body::is_json;
use crate::kernel::json_guard::{self, JsonFault};
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::operations::inputs::Content;
use crate::operations::sketch::Sketch;
use crate::operations::wire::{AnyObject, Anything, Time, shapes};

/// The header that has a plain event's id.
const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
/// The header that every `CloudEvent` in binary mode has.
const SPEC_VERSION: &str = "ce-specversion";

/// What may be sent.
pub(super) struct Submission;

impl Content for Submission {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<PublishedJson>("application/json", true, Some(PublishedJson::read));
        sketch.request::<CloudEvent>("application/cloudevents+json", true, Some(CloudEvent::read));
        sketch.request::<Vec<CloudEvent>>("application/cloudevents-batch+json", true, None);
        sketch.fails_with(&[
            Code::InvalidParameter,
            Code::UnparsableJson,
            Code::UnparsableRequest,
            Code::RequestTimeout,
            Code::BodyTooLarge,
            Code::UnsupportedMediaType,
        ]);
        sketch.header(
            "Idempotency-Key",
            "The id of a plain event, when it names none.",
        );
    }
}

/// Plain JSON: an event, a list of them, or one about an extension.
#[derive(Debug, JsonSchema)]
#[schemars(untagged, rename = "PublishEvents")]
#[expect(dead_code, reason = "it only stands for its shape")]
enum PublishedJson {
    One(PlainEvent),
    Batch(Vec<PlainEvent>),
    AboutExtension(EventAboutExtension),
}

impl PublishedJson {
    fn read(value: &Value) -> Result<(), String> {
        let sent = Sent::plain(value.to_string().into_bytes().into());
        sent.map(|_| ()).map_err(|error| format!("{error:?}"))
    }
}

impl CloudEvent {
    fn read(value: &Value) -> Result<(), String> {
        let read = cloud_events::read_structured(value.to_string().as_bytes());
        read.map(|_| ()).map_err(|error| format!("{error:?}"))
    }
}

shapes! {
    /// An event of a type that the account registered.
    #[schemars(rename = "PublishEvent")]
    struct PlainEvent {
        #[schemars(rename = "type", example = &"invoice.paid")]
        kind: String,
        /// Repeats with the same id are recognised.
        id: Option<String>,
        source: Option<String>,
        subject: Option<String>,
        #[schemars(with = "Option<Time>")]
        timestamp: Option<String>,
        data: Anything,
    }

    /// An event about an extension, which an app knows of.
    #[schemars(rename = "PublishEventAboutExtension")]
    struct EventAboutExtension {
        /// The path of its filter.
        event: String,
        body: AnyObject,
    }

    /// A `CloudEvent` 1.0 in structured mode; more attributes may stand beside these.
    struct CloudEvent {
        #[schemars(rename = "specversion", extend("const" = "1.0"))]
        spec_version: String,
        #[schemars(example = &"b1e2")]
        id: String,
        #[schemars(example = &"/billing")]
        source: String,
        #[schemars(rename = "type", example = &"invoice.paid")]
        kind: String,
        #[schemars(with = "Option<Time>")]
        time: Option<String>,
        subject: Option<String>,
        #[schemars(rename = "datacontenttype")]
        data_content_type: Option<String>,
        data: Option<Anything>,
    }
}

/// What was sent.
#[derive(Debug)]
pub(super) enum Sent {
    /// `event` and `body`, still to be read.
    AboutExtension(Bytes),
    One(Box<Draft>),
    Batch(Vec<Draft>),
}

impl Sent {
    /// Reads a request.
    pub(super) fn read(headers: &HeaderMap, body: Bytes) -> ApiResult<Self> {
        let kind = headers.get(header::CONTENT_TYPE);
        let kind_text = kind.map(|kind| kind.to_str().unwrap_or("unreadable"));
        let mode = Mode::of(kind_text, headers.contains_key(SPEC_VERSION));
        let sent = match mode.ok_or(Code::UnsupportedMediaType)? {
            Mode::Plain if kind.is_some_and(|kind| !is_json(kind)) => {
                return Err(Code::UnsupportedMediaType.into());
            }
            Mode::Plain => Self::plain(body)?,
            Mode::Structured => {
                check_syntax(&body)?;
                let draft = cloud_events::read_structured(&body);
                Self::One(Box::new(draft.map_err(|errors| refused(&errors, false))?))
            }
            Mode::Batched => {
                check_syntax(&body)?;
                let drafts = cloud_events::read_batch(&body);
                Self::Batch(drafts.map_err(|errors| refused(&errors, true))?)
            }
            Mode::Binary => {
                let headers = headers
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_bytes()));
                let draft = cloud_events::read_binary(headers, &body);
                Self::One(Box::new(draft.map_err(|errors| refused(&errors, false))?))
            }
        };
        sent.named_by(headers)?.checked()
    }

    fn plain(body: Bytes) -> ApiResult<Self> {
        if is_batch(&body) {
            check_syntax(&body)?;
            let drafts = plain::read(&body);
            return Ok(Self::Batch(
                drafts.map_err(|errors| refused(&errors, true))?,
            ));
        }
        let members: HashMap<String, &RawValue> =
            serde_json::from_slice(&body).map_err(|error| {
                if error.is_data() {
                    Code::UnparsableRequest
                } else {
                    Code::UnparsableJson
                }
            })?;
        let about_extension = members.contains_key("event") && !members.contains_key("type");
        if about_extension {
            return Ok(Self::AboutExtension(body));
        }
        let drafts = plain::read(&body).map_err(|errors| refused(&errors, false))?;
        let one = drafts.into_iter().next();
        let one = one.expect("an object is one event");
        Ok(Self::One(Box::new(one)))
    }

    /// Gives a single event the id that the header has.
    fn named_by(mut self, headers: &HeaderMap) -> ApiResult<Self> {
        let Some(key) = headers.get(IDEMPOTENCY_KEY) else {
            return Ok(self);
        };
        let refuse = |reason: &str| {
            let problem = because(Problem::invalid(IDEMPOTENCY_KEY), reason);
            Err(ApiError::from(problem))
        };
        let Ok(key) = key.to_str() else {
            return refuse("it is not visible ASCII");
        };
        let quoted = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
        let key = quoted.unwrap_or(key);
        if let Err(reason) = check_attribute(key) {
            return refuse(&reason);
        }
        match &mut self {
            Self::AboutExtension(_) => refuse("events about extensions get their ids here"),
            Self::Batch(_) => refuse("it names one event: give each of a batch an `id` of its own"),
            Self::One(draft) if draft.id.as_deref().is_some_and(|id| id != key) => {
                refuse("the event has another `id`: leave one of them out")
            }
            Self::One(draft) => {
                draft.id = Some(key.to_owned());
                Ok(self)
            }
        }
    }

    /// Refuses data that no JSON of the API may be like.
    fn checked(self) -> ApiResult<Self> {
        let (drafts, batch) = match &self {
            Self::AboutExtension(_) => return Ok(self),
            Self::One(draft) => (std::slice::from_ref(&**draft), false),
            Self::Batch(drafts) => (drafts.as_slice(), true),
        };
        let wrong = drafts.iter().enumerate().filter_map(|(index, draft)| {
            let Payload::Json(data) = &draft.data else {
                return None;
            };
            let reason = match json_guard::check(data).err()? {
                JsonFault::TooDeep => "it nests too deep",
                JsonFault::Nul => "it holds the character U+0000",
            };
            let place = place(batch.then_some(index), "data");
            Some(because(Problem::invalid(place), reason))
        });
        match Problem::first_of(wrong.collect()) {
            Some(problem) => Err(problem.into()),
            None => Ok(self),
        }
    }
}

/// Tells bytes that are no JSON from JSON that is no event.
fn check_syntax(body: &[u8]) -> ApiResult<()> {
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Ok(()),
        Err(_) => Err(Code::UnparsableJson.into()),
    }
}

/// The name of a parameter: a member of the event, or of one of a batch.
pub(super) fn place(index: Option<usize>, member: &str) -> String {
    match index {
        None => member.to_owned(),
        Some(index) if member.is_empty() => format!("[{index}]"),
        Some(index) => format!("[{index}].{member}"),
    }
}

fn refused(errors: &[DraftError], batch: bool) -> ApiError {
    let problems = errors.iter().map(|error| {
        let mut steps = error.pointer.split('/').skip(1);
        let index = batch.then(|| steps.next()?.parse().ok()).flatten();
        let member = steps.next().unwrap_or_default();
        let member = member.replace("~1", "/").replace("~0", "~");
        let place = place(index, &member);
        let problem = if place.is_empty() {
            Problem::of(Code::UnparsableRequest)
        } else {
            Problem::invalid(place)
        };
        because(problem, &error.message)
    });
    let problem = Problem::first_of(problems.collect());
    problem.expect("what is refused has a reason").into()
}
