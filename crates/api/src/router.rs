//! Every route, by resource.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use hookyard_domain::{Code, Problem};
use tower::Layer as _;

use crate::problem::problem_response;
use crate::{
    Api, bins, chats, console_session, conversations, deliveries, directory, endpoint_actions,
    endpoints, erasure, event_feed, event_types, events, everyone, extensions, hooks, jobs, live,
    me, messages, middleware, oauth, persons, platform, posts, presence, recent_chats, requests,
    scenarios, socket_tokens, subscription_life, subscriptions, teams, webhooks,
};

/// The two prefixes of the team-messaging API: the same resources under both.
const MESSAGING_PREFIXES: [&str; 2] = ["/restapi/v1.0/glip", "/team-messaging/v1"];

/// The whole HTTP surface but the console's files. `page` answers what only a browser asks for.
pub fn router(api: Arc<Api>, page: Router<Arc<Api>>) -> Router {
    let conversations = Router::new()
        .merge(oauth::routes())
        .merge(socket_tokens::routes())
        .merge(platform::routes())
        .merge(directory::routes())
        .merge(extensions::routes())
        .merge(messages::routes())
        .merge(presence::routes())
        .merge(me::routes())
        .merge(live::routes())
        .merge(subscriptions::routes())
        .merge(subscription_life::routes())
        .merge(deliveries::routes())
        .merge(endpoints::routes())
        .merge(event_feed::routes())
        .merge(endpoint_actions::routes())
        .merge(erasure::routes())
        .merge(jobs::routes())
        .merge(scenarios::routes())
        .merge(event_types::routes())
        .merge(events::routes())
        .merge(requests::routes())
        .merge(bins::routes())
        .merge(messaging())
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .with_state(Arc::clone(&api));
    // Around the router and not inside it: what these change decides which route is taken.
    let converse = from_fn_with_state(Arc::clone(&api), middleware::converse);
    let conversations = converse.layer(conversations);
    Router::new()
        .merge(console_session::routes())
        .merge(hooks::routes())
        .merge(bins::public_routes())
        .merge(page)
        .fallback_service(conversations)
        .layer(from_fn_with_state(Arc::clone(&api), middleware::guard))
        .with_state(api)
}

/// The team-messaging resources under both prefixes.
fn messaging() -> Router<Arc<Api>> {
    MESSAGING_PREFIXES
        .into_iter()
        .fold(Router::new(), |router, prefix| {
            let resources = Router::new()
                .merge(chats::routes())
                .merge(conversations::routes())
                .merge(everyone::routes())
                .merge(persons::routes())
                .merge(posts::routes())
                .merge(recent_chats::routes())
                .merge(teams::routes())
                .merge(webhooks::routes());
            router.nest(prefix, resources)
        })
}

async fn unknown_path() -> Response {
    problem_response(&Problem::of(Code::InvalidUri))
}

async fn wrong_method(request: Request) -> Response {
    problem_response(&Problem::of(Code::MethodNotAllowed).with("method", request.method().as_str()))
}
