//! Bins and what they received, in the words of the wire.

use crate::operations::answers::shown;
use crate::operations::shapes::BinAnswerShape;
use crate::operations::wire::{Id, Time, Uuid};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hookyard_domain::{
    Bin, BinAnswer, BinId, BinRequest, BinRequestId, Secret, SubscriptionId, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

shown!(BinView, RequestView);

/// Where a bin is on this server. As secret as its token.
pub(super) fn path_of(token: &Secret) -> String {
    format!("/bin/{}", token.reveal())
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Bin")]
pub(super) struct BinView {
    #[schemars(with = "Id")]
    id: BinId,
    name: String,
    url: String,
    #[schemars(with = "BinAnswerShape")]
    answer: BinAnswer,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    /// How many are kept.
    requests: u64,
}

impl BinView {
    /// `public_url` has no trailing slash.
    pub(super) fn new(bin: Bin, requests: u64, public_url: &str) -> Self {
        Self {
            id: bin.id,
            name: bin.name,
            url: format!("{public_url}{}", path_of(&bin.token)),
            answer: bin.answer,
            creation_time: bin.created_at,
            requests,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BinRequest")]
pub(super) struct RequestView {
    #[schemars(with = "Id")]
    id: BinRequestId,
    number: u64,
    /// Which of the answers it got; null for handshakes and for what could not be read.
    turn: Option<u64>,
    #[schemars(with = "Time")]
    received_time: Timestamp,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    /// As much of the body as is kept.
    body: String,
    body_encoding: &'static str,
    /// Size of the body as it came.
    body_bytes: u64,
    truncated: bool,
    remote_address: String,
    signature: SignatureView,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BinRequestSignature")]
struct SignatureView {
    verified: Option<bool>,
    #[schemars(with = "Option<Uuid>")]
    endpoint_id: Option<SubscriptionId>,
}

impl From<BinRequest> for RequestView {
    fn from(request: BinRequest) -> Self {
        let truncated = request.is_truncated();
        let (body, body_encoding) = match text(&request.body, truncated) {
            Some(text) => (text.to_owned(), "utf-8"),
            None => (STANDARD.encode(&request.body), "base64"),
        };
        Self {
            id: request.id,
            number: request.number,
            turn: request.turn,
            received_time: request.received_at,
            method: request.method,
            path: request.path,
            query: request.query,
            headers: request.headers,
            body,
            body_encoding,
            body_bytes: request.body_bytes,
            truncated,
            remote_address: request.remote_address,
            signature: SignatureView {
                verified: request.signature.verified,
                endpoint_id: request.signature.endpoint,
            },
        }
    }
}

/// The body as text. Where it was cut, it may end within a character, which is then left out.
fn text(body: &[u8], truncated: bool) -> Option<&str> {
    match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        Err(error) if truncated && error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

/// One event of a stream. Views are compact JSON, so they have no line breaks.
pub(super) fn frame(request: BinRequest) -> Bytes {
    let mut frame = format!("id: {}\nevent: request\ndata: ", request.number).into_bytes();
    let view = RequestView::from(request);
    serde_json::to_writer(&mut frame, &view).expect("our views are plain data");
    frame.extend_from_slice(b"\n\n");
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_within_a_character_is_still_text() {
        assert_eq!(text("a\u{e9}".as_bytes(), false), Some("a\u{e9}"));
        assert_eq!(text(b"a\xc3", true), Some("a"));
        assert_eq!(text(b"a\xc3", false), None);
        assert_eq!(text(b"\xff a", true), None);
    }
}
