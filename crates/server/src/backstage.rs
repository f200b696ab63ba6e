//! The WebSocket gateway's view of the API: who is let in, and requests without HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hookyard_api::Api;
#[cfg(test)]
use hookyard_api::SOCKET_PATH;
use hookyard_api::operations::{NoBody, Outcome, Resources, Sketch, Whole};
use hookyard_domain::kernel::limits::SOCKET_REPLY_BYTES_MAX;
use hookyard_domain::{Change, HistoryEntry, HistoryWrite, Problem, Session};
use hookyard_gateway::{Backstage, ReplyTooLarge, SocketGateway, SocketSettings, Sockets};
use http::{HeaderMap, StatusCode};
use tower::ServiceExt as _;

/// Answers from the same router as the listener does, without the pages.
#[derive(Debug)]
struct ApiBackstage {
    api: Arc<Api>,
    router: Router,
}

#[async_trait]
impl Backstage for ApiBackstage {
    async fn admit(&self, token: &str, headers: &HeaderMap) -> Result<Arc<Session>, Problem> {
        self.api.admit_socket(token, headers).await.map(Arc::new)
    }

    async fn is_signed_in(&self, session: &Session) -> bool {
        let found = self.api.store.session(session.account, session.id).await;
        // A store that fails says nothing about anybody.
        found.is_ok_and(|found| found.is_some())
    }

    async fn call(
        &self,
        session: &Arc<Session>,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, ReplyTooLarge> {
        let mut request = request.map(Body::from);
        request.extensions_mut().insert(Arc::clone(session));
        let answered = self.router.clone().oneshot(request).await;
        let (parts, body) = answered.expect("a router always answers").into_parts();
        let body = to_bytes(body, SOCKET_REPLY_BYTES_MAX)
            .await
            .map_err(|_| ReplyTooLarge)?;
        Ok(http::Response::from_parts(parts, body))
    }

    async fn note(&self, entry: HistoryEntry) {
        let subscription = entry.subscription;
        let change = Change::of(HistoryWrite::Note(entry));
        if let Err(error) = self.api.store.commit(change).await {
            tracing::warn!(
                %error,
                subscription.id = %subscription,
                "The end of subscription {subscription} could not be noted"
            );
        }
    }
}

/// The gateway to `sockets`, which `api` knows too.
pub fn socket_gateway(api: &Arc<Api>, sockets: Sockets, settings: SocketSettings) -> SocketGateway {
    let backstage = ApiBackstage {
        api: Arc::clone(api),
        router: hookyard_api::router(Arc::clone(api), Router::new()),
    };
    let clock = Arc::clone(&api.clock);
    let chance = Arc::clone(&api.chance);
    SocketGateway::start(sockets, Arc::new(backstage), settings, clock, chance)
}

hookyard_api::operations! {
    state SocketGateway;
    tag WebSocket, under BARE, as Secret;

    /// Connects with a token of `createSocketToken`, in `access_token` of the query.
    ///
    /// What is wrong with the token is told in the first message.
    connect: GET "/ws" named connect_socket;
}

/// The route by which clients connect to `gateway`.
pub fn socket_routes<S: Clone + Send + Sync + 'static>(gateway: SocketGateway) -> Router<S> {
    let resources = Resources::default().with(operations());
    resources.router(|_| true).with_state(gateway)
}

/// A connection that is one of frames from now on, or a refusal.
struct Upgraded(Response);

impl IntoResponse for Upgraded {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Outcome for Upgraded {
    fn sketch(sketch: &mut Sketch) {
        sketch.has_own_errors();
        let status = StatusCode::SWITCHING_PROTOCOLS;
        sketch.empty(status, "Frames follow.");
        sketch.problem(StatusCode::BAD_REQUEST, "This asks for no WebSocket.");
        let full = "There are as many connections as there may be.";
        sketch.problem(StatusCode::SERVICE_UNAVAILABLE, full);
    }
}

async fn connect(
    State(gateway): State<SocketGateway>,
    Whole(request, _): Whole<NoBody>,
) -> Upgraded {
    Upgraded(match gateway.accept(request) {
        Ok(response) => response.map(|()| Body::empty()),
        Err(refusal) => refusal.response().into_response(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_told_the_path_that_is_served() {
        let paths: Vec<_> = Resources::default()
            .with(operations())
            .described()
            .iter()
            .flat_map(|operation| operation.paths().collect::<Vec<_>>())
            .collect();
        assert_eq!(paths, [SOCKET_PATH]);
    }
}
