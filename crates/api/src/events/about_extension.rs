//! Events about an extension, in the form that the platform's own events have: `event`, the path of
//! a filter, and `body`.

use hookyard_domain::events::publishing::{Publication, PublishError};
use hookyard_domain::events::schema::Violation;
use hookyard_domain::kernel::limits::PUBLISHED_BODY_BYTES_MAX;
use hookyard_domain::{Change, Code, EventId, Problem, Scope, Timestamp};
use schemars::JsonSchema;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::Api;
use crate::events::json_schema::JsonSchemas;
use crate::identity::caller::Caller;
use crate::kernel::body;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::operations::answers::{Created, shown};
use crate::operations::wire::{Id, Ignored, Time};

shown!(PublishedView<'_> as PublishedView<'static>);

impl From<PublishError> for ApiError {
    fn from(error: PublishError) -> Self {
        match error {
            PublishError::UnknownEvent | PublishError::NotPublishable(_) => {
                let reason = error.to_string();
                because(Problem::invalid("event"), &reason).into()
            }
            PublishError::OtherAccount => Problem::not_found("accountId").into(),
            PublishError::OtherExtension => Problem::of(Code::PermissionMissing)
                .with("permission", Scope::EditExtensions.name())
                .into(),
            PublishError::BodyTooLarge => Problem::of(Code::BodyTooLarge)
                .with("limit", PUBLISHED_BODY_BYTES_MAX.to_string())
                .into(),
            PublishError::BodyInvalid(Violation { pointer, message }) => {
                because(Problem::invalid(format!("body{pointer}")), &message).into()
            }
        }
    }
}

/// What is asked, as far as it is ours to read; the body's own bytes are in [`Carried`].
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "PublishAboutExtension")]
struct PublishEvent {
    event: String,
    #[serde(default)]
    #[schemars(with = "Option<Ignored>")]
    id: Option<IgnoredAny>,
}

/// The body as it came.
#[derive(Deserialize)]
struct Carried<'a> {
    #[serde(borrow)]
    body: Option<&'a RawValue>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PublishedAboutExtension")]
pub(super) struct PublishedView<'a> {
    /// `uuid` of the envelopes that carry it.
    #[schemars(with = "Id")]
    id: EventId,
    event: &'a str,
    event_type: &'static str,
    #[schemars(with = "Time")]
    timestamp: Timestamp,
}

/// What is told of an event about an extension.
pub(super) type AboutExtension = PublishedView<'static>;

/// Publishes what the body of a request holds.
pub(super) async fn publish(
    api: &Api,
    caller: &Caller,
    bytes: &[u8],
) -> ApiResult<Created<AboutExtension>> {
    let asked: PublishEvent = body::parse(bytes)?;
    if asked.id.is_some() {
        // Taken in silence, it would promise that a repeat is recognised.
        return Err(because(Problem::invalid("id"), "events get their ids here").into());
    }
    // What parses a moment ago can still name a member twice.
    let carried: Carried<'_> =
        serde_json::from_slice(bytes).map_err(|_| Code::UnparsableRequest)?;
    let body = carried.body.ok_or_else(|| Problem::invalid("body"))?;
    let publication = api.publication(caller, &asked.event).await?;
    let now = api.now();
    let event = publication.announce(body, &JsonSchemas, now)?;
    let ids = api
        .commit_numbering(Change::default().announcing(event))
        .await?;
    let id = *ids.first().expect("a committed event has an id");
    Ok(Created::of(&PublishedView {
        id,
        event: publication.event(),
        event_type: publication.event_type().name,
        timestamp: now,
    }))
}

impl Api {
    /// What the caller is about to publish, about an extension that exists.
    async fn publication(&self, caller: &Caller, event: &str) -> ApiResult<Publication> {
        let publisher = self.store.person(caller.account, caller.person).await?;
        let publisher = publisher.ok_or(Code::TokenInvalid)?;
        let publication = Publication::read(event, &publisher)?;
        let extension = publication.extension();
        if extension != publisher.id {
            let found = self.store.person(caller.account, extension).await?;
            found.ok_or_else(|| Problem::not_found("extensionId"))?;
        }
        Ok(publication)
    }
}
