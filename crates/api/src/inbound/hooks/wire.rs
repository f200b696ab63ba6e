//! What senders post, and what they are told, as it is described.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use http::StatusCode;

use crate::operations::answers::Outcome;
use crate::operations::inputs::Content;
use crate::operations::sketch::Sketch;
use crate::operations::wire::{Anything, shapes};

/// A card or a text, in any generation of the format.
pub(super) struct Payload;

impl Content for Payload {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<PayloadShape>("application/json", false, None);
    }
}

shapes! {
    /// What senders post: a text, or cards. More is read than is named here.
    #[schemars(rename = "HookPayload", extend("additionalProperties" = true))]
    struct PayloadShape {
        /// What people read; mini-markdown.
        #[schemars(example = &"Build 7 is green")]
        text: Option<String>,
        title: Option<String>,
        /// The name of the sender, beside the post.
        activity: Option<String>,
        icon: Option<String>,
        attachments: Option<Vec<BTreeMap<String, Anything>>>,
    }

    /// What senders are told.
    #[schemars(rename = "HookAnswer")]
    struct AnswerShape {
        #[schemars(extend("enum" = ["OK", "error"]))]
        status: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        validation: Option<Vec<String>>,
    }
}

/// What a sender is told: a status of its own, and never a problem of the catalogue.
pub(super) struct Answered(pub(super) Response);

impl IntoResponse for Answered {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Outcome for Answered {
    fn sketch(sketch: &mut Sketch) {
        sketch.has_own_errors();
        let about = "A post, or the reason why there is none.";
        sketch.json::<AnswerShape>(StatusCode::OK, about);
        for status in [
            StatusCode::BAD_REQUEST,
            StatusCode::METHOD_NOT_ALLOWED,
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::SERVICE_UNAVAILABLE,
        ] {
            sketch.json::<AnswerShape>(status, "No post.");
        }
    }
}
