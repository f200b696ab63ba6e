//! The whole surface: every operation, by resource, and what stands around them.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use hookyard_domain::{Code, Problem};
use tower::Layer as _;

use crate::Api;
use crate::delivery::deliveries;
use crate::delivery::jobs;
use crate::endpoints;
use crate::endpoints::actions;
use crate::events;
use crate::events::event_types;
use crate::events::feed;
use crate::events::live;
use crate::events::scenarios;
use crate::identity::apps;
use crate::identity::console_session;
use crate::identity::credentials;
use crate::identity::directory;
use crate::identity::extensions;
use crate::identity::me;
use crate::identity::oauth;
use crate::identity::operators;
use crate::identity::persons;
use crate::identity::socket_tokens;
use crate::inbound::bins;
use crate::inbound::hooks;
use crate::inbound::requests;
use crate::inbound::webhooks;
use crate::kernel::description;
use crate::kernel::erasure;
use crate::kernel::middleware;
use crate::kernel::platform;
use crate::kernel::problem::problem_response;
use crate::kernel::status;
use crate::messaging::chats;
use crate::messaging::conversations;
use crate::messaging::everyone;
use crate::messaging::messages;
use crate::messaging::posts;
use crate::messaging::presence;
use crate::messaging::recent_chats;
use crate::messaging::teams;
use crate::operations::{Operation, Resources};
use crate::subscriptions;
use crate::subscriptions::life;

/// Every operation of the API. A new resource is added here, and nowhere else.
fn resources() -> Resources<Arc<Api>> {
    Resources::default()
        .with(oauth::operations())
        .with(socket_tokens::operations())
        .with(platform::operations())
        .with(directory::operations())
        .with(extensions::operations())
        .with(messages::operations())
        .with(presence::operations())
        .with(apps::operations())
        .with(credentials::operations())
        .with(me::operations())
        .with(chats::operations())
        .with(conversations::operations())
        .with(everyone::operations())
        .with(persons::operations())
        .with(posts::operations())
        .with(recent_chats::operations())
        .with(teams::operations())
        .with(webhooks::operations())
        .with(hooks::operations())
        .with(requests::operations())
        .with(live::operations())
        .with(subscriptions::operations())
        .with(life::operations())
        .with(deliveries::operations())
        .with(endpoints::operations())
        .with(actions::operations())
        .with(feed::operations())
        .with(events::operations())
        .with(event_types::operations())
        .with(scenarios::operations())
        .with(bins::operations())
        .with(bins::public_operations())
        .with(operators::operations())
        .with(status::operations())
        .with(jobs::operations())
        .with(erasure::operations())
        .with(console_session::operations())
        .with(description::operations())
}

/// What every operation of the API is; `more` are those that stand beside it.
pub fn described(more: &[Operation]) -> Vec<Operation> {
    let mut operations = resources().described();
    operations.extend_from_slice(more);
    operations
}

/// The whole HTTP surface but the console's files. `page` answers what only a browser asks for.
pub fn router(api: Arc<Api>, page: Router<Arc<Api>>) -> Router {
    let conversations = resources()
        .router(|mount| !mount.bare)
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(&api));
    // Around the router and not inside it: what these change decides which route is taken.
    let converse = from_fn_with_state(Arc::clone(&api), middleware::converse);
    let conversations = converse.layer(conversations);
    resources()
        .router(|mount| mount.bare)
        .merge(page)
        .fallback_service(conversations)
        .layer(from_fn_with_state(Arc::clone(&api), middleware::guard))
        .with_state(api)
}

async fn unknown_path() -> Response {
    problem_response(&Problem::of(Code::InvalidUri))
}

async fn wrong_method(request: Request) -> Response {
    problem_response(&Problem::of(Code::MethodNotAllowed).with("method", request.method().as_str()))
}
