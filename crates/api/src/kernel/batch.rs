//! Answers about several objects at once (contract section 2.2): `multipart/mixed`, or a JSON
//! array for clients that ask for it.

use std::fmt::Write;

use axum::response::{IntoResponse, Response};
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::limits::BATCH_IDS_MAX;
use hookyard_domain::{Code, Problem};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::kernel::problem::{ApiError, ApiResult};

/// The type of a list of parts.
pub(crate) const JSON_ARRAY: &str = "application/vnd.ringcentral.multipart+json";

/// What is said about one of the ids.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Part {
    resource_id: String,
    status: u16,
    /// The object, or the problem with it.
    body: Value,
}

impl Part {
    /// The object is there.
    pub(crate) fn found(id: &str, object: &impl Serialize) -> Self {
        Self {
            resource_id: id.to_owned(),
            status: StatusCode::OK.as_u16(),
            body: serde_json::to_value(object).expect("wire types have only text keys"),
        }
    }

    /// The object is not there, or not for the caller.
    ///
    /// # Errors
    ///
    /// What concerns not this object but the whole request.
    pub(crate) fn failed(id: &str, error: ApiError) -> ApiResult<Self> {
        let ApiError::Problem(problem) = error else {
            return Err(error);
        };
        let (code, message) = (problem.code.name(), &problem.message);
        let entry =
            json!({"errorCode": code, "message": message, "parameterName": problem.parameter_name});
        Ok(Self {
            resource_id: id.to_owned(),
            status: problem.code.status(),
            body: json!({"errorCode": code, "message": message, "errors": [entry]}),
        })
    }
}

/// The ids of a path such as `1,2,3`.
///
/// # Errors
///
/// 400 CMN-106 for more than [`BATCH_IDS_MAX`].
pub(crate) fn ids(path: &str) -> ApiResult<Vec<&str>> {
    let ids: Vec<_> = path.split(',').filter(|id| !id.is_empty()).collect();
    if ids.len() > BATCH_IDS_MAX {
        let problem = Problem::of(Code::BatchTooLarge);
        return Err(problem.with("limit", BATCH_IDS_MAX.to_string()).into());
    }
    Ok(ids)
}

/// The answer with status 207, in the form that `headers` ask for; `random` makes its boundary.
pub(crate) fn answer(headers: &HeaderMap, parts: &[Part], random: [u8; 32]) -> Response {
    let wants_array = headers
        .get_all(ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|text| text.contains(JSON_ARRAY)));
    let (content_type, body) = if wants_array {
        let body = serde_json::to_string(parts).expect("parts have only text keys");
        (JSON_ARRAY.to_owned(), body)
    } else {
        let boundary = format!("Boundary_{}", token_from(random).reveal());
        let body = multipart(parts, &boundary);
        (format!("multipart/mixed; boundary={boundary}"), body)
    };
    let content_type = HeaderValue::try_from(content_type).expect("boundaries are plain ASCII");
    (
        StatusCode::MULTI_STATUS,
        [(CONTENT_TYPE, content_type)],
        body,
    )
        .into_response()
}

/// The statuses first, then each body.
fn multipart(parts: &[Part], boundary: &str) -> String {
    let statuses = parts.iter().map(|part| json!({"status": part.status}));
    let statuses = json!({ "response": statuses.collect::<Vec<_>>() });
    let mut text = String::new();
    for body in std::iter::once(&statuses).chain(parts.iter().map(|part| &part.body)) {
        let body = body.to_string();
        let length = body.len();
        write!(
            text,
            "--{boundary}\r\nContent-type: application/json; charset=utf-8\r\n\
             Content-length: {length}\r\n\r\n{body}\r\n"
        )
        .expect("a text takes everything");
    }
    write!(text, "--{boundary}--\r\n").expect("a text takes everything");
    text
}
