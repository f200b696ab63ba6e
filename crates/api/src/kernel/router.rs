//! Every route, by resource.

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
use crate::identity::persons;
use crate::identity::socket_tokens;
use crate::inbound::bins;
use crate::inbound::hooks;
use crate::inbound::requests;
use crate::inbound::webhooks;
use crate::kernel::erasure;
use crate::kernel::middleware;
use crate::kernel::platform;
use crate::kernel::problem::problem_response;
use crate::messaging::chats;
use crate::messaging::conversations;
use crate::messaging::everyone;
use crate::messaging::messages;
use crate::messaging::posts;
use crate::messaging::presence;
use crate::messaging::recent_chats;
use crate::messaging::teams;
use crate::subscriptions;
use crate::subscriptions::life;

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
        .merge(apps::routes())
        .merge(credentials::routes())
        .merge(me::routes())
        .merge(live::routes())
        .merge(subscriptions::routes())
        .merge(life::routes())
        .merge(deliveries::routes())
        .merge(endpoints::routes())
        .merge(feed::routes())
        .merge(actions::routes())
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
