//! The description of all operations, as a document that programs read.

use std::sync::{Arc, OnceLock};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{StatusCode, header};

use crate::Api;
use crate::kernel::router::described;
use crate::operations::answers::Outcome;
use crate::operations::document;
use crate::operations::sketch::Sketch;
use crate::operations::wire::AnyObject;

crate::operations! {
    tag Description, under ROOT, as Anybody;

    /// This document: `OpenAPI` 3.1.
    read_document: GET "/api/v1/openapi.json" named read_openapi_document;
}

/// The document's own bytes.
struct Document(Bytes);

impl IntoResponse for Document {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

impl Outcome for Document {
    fn sketch(sketch: &mut Sketch) {
        sketch.json::<AnyObject>(StatusCode::OK, "The document.");
    }
}

async fn read_document(State(api): State<Arc<Api>>) -> Document {
    static WRITTEN: OnceLock<Bytes> = OnceLock::new();
    let written = WRITTEN.get_or_init(|| {
        let document = document(&described(&api.settings.beside), api.settings.version);
        serde_json::to_vec(&document)
            .expect("a document is plain data")
            .into()
    });
    Document(written.clone())
}
