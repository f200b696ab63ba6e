//! Forms that ask for tokens, and what is told of them.

use hookyard_domain::{Code, PersonId, SessionId};
use schemars::JsonSchema;
use serde::Serialize;

use super::OAuthError;
use crate::kernel::problem::Detail;
use crate::operations::answers::{Refusal, shown};
use crate::operations::inputs::Content;
use crate::operations::sketch::Sketch;
use crate::operations::wire::Id;

shown!(TokenView<'_> as TokenView<'static>);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Token")]
pub(super) struct TokenView<'a> {
    pub(super) access_token: &'a str,
    pub(super) token_type: &'static str,
    pub(super) expires_in: u64,
    pub(super) refresh_token: &'a str,
    pub(super) refresh_token_expires_in: u64,
    pub(super) scope: String,
    #[schemars(with = "Id")]
    pub(super) owner_id: PersonId,
    pub(super) endpoint_id: &'a str,
    #[schemars(with = "Id")]
    pub(super) session_id: SessionId,
}

/// The fields of a form that asks for tokens.
pub(super) struct TokenForm;

impl Content for TokenForm {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<AskedToken>("application/x-www-form-urlencoded", true, None);
        sketch.fails_with(&FORM_FAULTS);
    }
}

/// The fields of a form that ends a session.
pub(super) struct RevocationForm;

impl Content for RevocationForm {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<AskedRevocation>("application/x-www-form-urlencoded", true, None);
        sketch.fails_with(&FORM_FAULTS);
    }
}

/// How reading a form may end.
const FORM_FAULTS: [Code; 4] = [
    Code::UnparsableRequest,
    Code::RequestTimeout,
    Code::BodyTooLarge,
    Code::UnsupportedMediaType,
];

/// What asks for tokens.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "CreateToken")]
#[expect(dead_code, reason = "it only stands for its shape")]
struct AskedToken {
    /// `urn:ietf:params:oauth:grant-type:jwt-bearer` or `refresh_token`.
    #[schemars(example = &"refresh_token")]
    grant_type: String,
    /// A JWT credential.
    assertion: Option<String>,
    #[schemars(example = &"the one that came with the last token")]
    refresh_token: Option<String>,
    /// For apps without a secret.
    client_id: Option<String>,
    client_secret: Option<String>,
    /// Seconds, at most an hour.
    access_token_ttl: Option<i64>,
    /// Seconds.
    refresh_token_ttl: Option<i64>,
    endpoint_id: Option<String>,
}

/// What ends a session.
#[derive(Debug, JsonSchema)]
#[schemars(rename = "RevokeToken")]
#[expect(dead_code, reason = "it only stands for its shape")]
struct AskedRevocation {
    /// An access token or a refresh token of the session.
    #[schemars(example = &"the access token")]
    token: String,
    /// For apps without a secret.
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// A refusal in either form.
#[derive(Debug, JsonSchema)]
#[schemars(rename_all = "camelCase")]
#[expect(dead_code, reason = "it only stands for its shape")]
struct TokenProblem {
    error_code: String,
    message: String,
    errors: Vec<Detail<'static>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(rename = "error")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(rename = "error_description")]
    error_description: Option<String>,
}

impl Refusal for OAuthError {
    fn sketch(sketch: &mut Sketch) {
        sketch.problems::<TokenProblem>();
    }
}
