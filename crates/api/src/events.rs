//! Publishing: an app tells what happened in a system outside, and subscribers hear of it. And what
//! was published or happened, for administrators to look at.
//!
//! An event is about an extension (`event` and `body`), or of a type that the account registered:
//! then it comes as `type` and `data`, or as a CloudEvent, alone or with others.

mod about_extension;
pub(crate) mod event_types;
pub(crate) mod feed;
pub(crate) mod json_schema;
pub(crate) mod live;
mod log;
mod publication;
pub(crate) mod scenarios;
mod schema_cache;
pub(crate) mod stream;
mod submission;

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::kernel::limits::PUBLISHED_BATCH_BYTES_MAX;

use self::log::{list_events, read_event};
use self::publication::Publishing;
use self::submission::{Sent, Submission};
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::read_bytes;
use crate::kernel::platform::lacks;
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Query;
use crate::operations::inputs::Whole;
use crate::operations::wire::shapes;

crate::operations! {
    tag Events, under ROOT, as Administrator(SubscriptionWebhook);

    /// Events of the account, newest first.
    list_events: GET "/api/v1/events";
    /// One event, with its data.
    ///
    /// The id may begin as receivers know it, with `evt_`.
    read_event: GET "/api/v1/events/{eventId}";
    /// Publishes what happened elsewhere.
    ///
    /// `type` and `data`, or a list of such; a CloudEvent in any of its modes; or `event` and `body`
    /// for an event about an extension.
    publish_events: POST "/api/v1/events", as App(PublishEvents),
        fails [PermissionMissing, Conflict, PublishedDifferently, LimitReached, ResourceNotFound],
        repeats RECOGNISED;
}

shapes! {
    struct PublishQuery {
        /// Registers types that are not known yet; for administrators.
        auto_register: Option<bool>,
    }
}

async fn publish_events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<PublishQuery>,
    Whole(request, _): Whole<Submission>,
) -> ApiResult<Publishing> {
    // The console has every permission, for everybody who signs in there.
    if caller.client_id().is_console() && !api.calling_person(&caller).await?.admin {
        return Err(lacks("AccountAdmin"));
    }
    let auto_register = query.flag("autoRegister")?.unwrap_or(false);
    let (parts, body) = request.into_parts();
    let bytes = read_bytes(&parts.headers, body, PUBLISHED_BATCH_BYTES_MAX, &api).await?;
    match Sent::read(&parts.headers, bytes)? {
        Sent::AboutExtension(bytes) => {
            let told = about_extension::publish(&api, &caller, &bytes).await?;
            Ok(Publishing::AboutExtension(told))
        }
        Sent::One(draft) => {
            let only = std::slice::from_ref(&*draft);
            let told = publication::publish(&api, &caller, only, false, auto_register);
            Ok(told.await?.one())
        }
        Sent::Batch(drafts) => {
            let told = publication::publish(&api, &caller, &drafts, true, auto_register);
            Ok(told.await?.batch())
        }
    }
}
