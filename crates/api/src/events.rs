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

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use hookyard_domain::Scope;
use hookyard_domain::kernel::limits::PUBLISHED_BATCH_BYTES_MAX;

use self::submission::Sent;
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::read_bytes;
use crate::kernel::platform::lacks;
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Query;

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/api/v1/events", get(log::list_events).post(publish_events))
        .route("/api/v1/events/{eventId}", get(log::read_event))
}

async fn publish_events(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
    request: Request,
) -> ApiResult<Response> {
    caller.require(Scope::PublishEvents)?;
    // The console has every permission, for everybody who signs in there.
    if caller.client_id().is_console() && !api.calling_person(&caller).await?.admin {
        return Err(lacks("AccountAdmin"));
    }
    let auto_register = query.flag("autoRegister")?.unwrap_or(false);
    let (parts, body) = request.into_parts();
    let bytes = read_bytes(&parts.headers, body, PUBLISHED_BATCH_BYTES_MAX, &api).await?;
    match Sent::read(&parts.headers, bytes)? {
        Sent::AboutExtension(bytes) => about_extension::publish(&api, &caller, &bytes).await,
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
