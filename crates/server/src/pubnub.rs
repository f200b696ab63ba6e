//! The operations of the PubNub-style transport. They are served only when it is turned on.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hookyard_api::operations::{Outcome, Resources, Sketch};
use hookyard_gateway::PubNub;
use http::{StatusCode, Uri, header};

/// The headers of every answer (contract section 7.2).
const HEADERS: [(header::HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/javascript; charset=\"UTF-8\""),
    (header::CACHE_CONTROL, "no-cache"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET"),
];

hookyard_api::operations! {
    state Arc<PubNub>;
    tag PubNub, under BARE, as Secret;

    /// The time, as clients of `PubNub` ask for it.
    answer: GET "/time/0" named read_pubnub_time;
    /// Waits for what is sent to a channel.
    answer: GET "/v2/subscribe/{*call}" named subscribe_to_pubnub;
    /// Says that somebody is still there, or leaves.
    answer: GET "/v2/presence/{*call}" named tell_pubnub_presence;
    /// Waits for what is sent to a channel, as the oldest clients ask for it.
    answer: GET "/subscribe/{*call}" named subscribe_to_pubnub_formerly;
}

/// Routes that `pubnub` answers.
pub fn routes<S: Clone + Send + Sync + 'static>(pubnub: Arc<PubNub>) -> Router<S> {
    let resources = Resources::default().with(operations());
    resources.router(|_| true).with_state(pubnub)
}

/// An answer in the words of `PubNub`.
struct Answered(Response);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Outcome for Answered {
    fn sketch(sketch: &mut Sketch) {
        sketch.has_own_errors();
        let kind = "text/javascript";
        sketch.text(StatusCode::OK, kind, "As `PubNub` answers.");
        sketch.text(StatusCode::BAD_REQUEST, kind, "The call cannot be read.");
        sketch.text(StatusCode::FORBIDDEN, kind, "Nobody may listen there.");
        let later = "Too many listen, or the store fails.";
        sketch.text(StatusCode::SERVICE_UNAVAILABLE, kind, later);
    }
}

async fn answer(State(pubnub): State<Arc<PubNub>>, uri: Uri) -> Answered {
    let answer = pubnub
        .answer(uri.path(), uri.query().unwrap_or_default())
        .await;
    let status = StatusCode::from_u16(answer.status).expect("answers have real statuses");
    Answered((status, HEADERS, answer.body).into_response())
}
