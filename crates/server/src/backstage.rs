//! The WebSocket gateway's view of the API: who is let in, and requests without HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use hookyard_api::{Api, SOCKET_PATH};
use hookyard_domain::kernel::limits::SOCKET_REPLY_BYTES_MAX;
use hookyard_domain::{Change, HistoryEntry, HistoryWrite, Problem, Session};
use hookyard_gateway::{Backstage, ReplyTooLarge, SocketGateway, SocketSettings, Sockets};
use http::HeaderMap;
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
    SocketGateway::new(sockets, Arc::new(backstage), settings, clock, chance)
}

/// The route by which clients connect to `gateway`.
pub fn socket_routes<S: Clone + Send + Sync + 'static>(gateway: SocketGateway) -> Router<S> {
    Router::new()
        .route(SOCKET_PATH, get(connect))
        .with_state(gateway)
}

async fn connect(State(gateway): State<SocketGateway>, request: Request) -> Response {
    match gateway.accept(request) {
        Ok(response) => response.map(|()| Body::empty()),
        Err(refusal) => refusal.response().into_response(),
    }
}
