//! The routes of the PubNub-style transport. They exist only when it is turned on.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hookyard_gateway::PubNub;
use http::{StatusCode, Uri, header};

/// The headers of every answer (contract section 7.2).
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/javascript; charset=\"UTF-8\""),
    (header::CACHE_CONTROL, "no-cache"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
];

/// Routes that `pubnub` answers.
pub fn routes<S: Clone + Send + Sync + 'static>(pubnub: Arc<PubNub>) -> Router<S> {
    Router::new()
        .route("/time/0", get(answer))
        .route("/v2/subscribe/{*call}", get(answer))
        .route("/v2/presence/{*call}", get(answer))
        .route("/subscribe/{*call}", get(answer))
        .with_state(pubnub)
}

async fn answer(State(pubnub): State<Arc<PubNub>>, uri: Uri) -> Response {
    let answer = pubnub
        .answer(uri.path(), uri.query().unwrap_or_default())
        .await;
    let status = StatusCode::from_u16(answer.status).expect("answers have real statuses");
    (status, HEADERS, answer.body).into_response()
}
