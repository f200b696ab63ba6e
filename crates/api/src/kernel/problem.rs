//! Problems as responses (contract section 8.1).

use axum::response::{IntoResponse, Response};
use hookyard_domain::kernel::member::MemberError;
use hookyard_domain::kernel::ports::{CommitError, StoreError};
use hookyard_domain::{Code, Problem};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub(crate) enum ApiError {
    Problem(Problem),
    /// A problem, and how a handshake came to it.
    Explained(Problem, Value),
    /// The store failed; logged once, here, when it becomes a problem.
    Store(StoreError),
}

impl ApiError {
    /// What is told of it where nothing makes it a response. A failure of the store is logged.
    pub(crate) fn into_problem(self) -> Problem {
        match self {
            Self::Problem(problem) | Self::Explained(problem, _) => problem,
            Self::Store(error) => {
                tracing::error!(error = %Chain(&error), "A request failed because of the store");
                Problem::of(Code::StoreUnavailable)
            }
        }
    }
}

pub(crate) type ApiResult<T> = Result<T, ApiError>;

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<Code> for ApiError {
    fn from(code: Code) -> Self {
        Self::Problem(Problem::of(code))
    }
}

impl From<MemberError> for ApiError {
    fn from(error: MemberError) -> Self {
        because(Problem::invalid(error.member), &error.reason).into()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<CommitError> for ApiError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Code::Conflict.into(),
            CommitError::Store(error) => Self::Store(error),
        }
    }
}

/// Why a request was not answered as asked, at both levels that clients read.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Problem")]
pub(crate) struct Envelope<'a> {
    /// The code, which stays the same; the message may change.
    error_code: &'static str,
    message: &'a str,
    errors: Vec<Detail<'a>>,
    /// The parameter that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_name: Option<&'a str>,
    /// How an address answered when it was asked for its consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    handshake: Option<&'a Value>,
}

/// One thing that was the matter.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ProblemDetail")]
pub(crate) struct Detail<'a> {
    error_code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_value: Option<&'a str>,
}

impl<'a> From<&'a Problem> for Detail<'a> {
    fn from(problem: &'a Problem) -> Self {
        Self {
            error_code: problem.code.name(),
            message: &problem.message,
            parameter_name: problem.parameter_name.as_deref(),
            parameter_value: problem.parameter_value.as_deref(),
        }
    }
}

/// What is told of `problem`: both levels of the envelope, for clients read either.
fn problem_body<'a>(problem: &'a Problem, handshake: Option<&'a Value>) -> impl Serialize + 'a {
    let name = problem.parameter_name.as_deref();
    Envelope {
        error_code: problem.code.name(),
        message: &problem.message,
        errors: problem.all().map(Detail::from).collect(),
        parameter_name: name,
        handshake,
    }
}

/// `problem` with more than its code says: what is the matter, and what to do.
pub(crate) fn because(mut problem: Problem, reason: &str) -> Problem {
    problem.message = format!("{}: {reason}", problem.message);
    problem
}

/// The code that a response tells, for those who look at responses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told(pub(crate) Code);

/// The response that tells `problem`.
pub(crate) fn problem_response(problem: &Problem) -> Response {
    explained_response(problem, None)
}

fn explained_response(problem: &Problem, handshake: Option<&Value>) -> Response {
    let status = StatusCode::from_u16(problem.code.status()).expect("catalogue statuses are valid");
    let mut response = json_with(status, &problem_body(problem, handshake));
    response.extensions_mut().insert(Told(problem.code));
    let (name, value) = match status {
        StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer realm=\"Hookyard\""),
        StatusCode::TOO_MANY_REQUESTS => (header::RETRY_AFTER, "60"),
        StatusCode::SERVICE_UNAVAILABLE => (header::RETRY_AFTER, "1"),
        // The same request can succeed; what other conflicts are about stays as it is.
        StatusCode::CONFLICT
            if matches!(problem.code, Code::Conflict | Code::FirstStillRunning) =>
        {
            (header::RETRY_AFTER, "1")
        }
        // The rest of the body is still on its way, and nobody reads it.
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT => {
            (header::CONNECTION, "close")
        }
        _ => return response,
    };
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
    response
}

/// `value` as a JSON body, in the content type that every response has.
pub(crate) fn json_body<T: Serialize>(value: &T) -> Response {
    let bytes = serde_json::to_vec(value).expect("our views are plain data");
    (
        [(header::CONTENT_TYPE, "application/json; charset=UTF-8")],
        bytes,
    )
        .into_response()
}

/// `value` with a status of its own.
pub(crate) fn json_with<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let mut response = json_body(value);
    *response.status_mut() = status;
    response
}

/// An empty JSON object: clients that always parse the answer must find something to parse.
pub(crate) fn empty_object() -> Response {
    (
        [(header::CONTENT_TYPE, "application/json; charset=UTF-8")],
        "{}",
    )
        .into_response()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Self::Explained(problem, handshake) = &self {
            return explained_response(problem, Some(handshake));
        }
        problem_response(&self.into_problem())
    }
}

/// An error with all of its sources, for one line of the log.
pub(crate) struct Chain<'a>(pub(crate) &'a dyn std::error::Error);

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_store_is_a_503_that_says_when_to_come_back() {
        let error = StoreError {
            context: "the disk is full".to_owned(),
            source: None,
        };
        let response = ApiError::from(error).into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
    }

    #[tokio::test]
    async fn both_levels_of_the_envelope_are_there() {
        let problem = Problem::invalid("expiresIn").value("0");
        let response = problem_response(&problem);
        assert_eq!(response.status(), 400);
        let body = axum::body::to_bytes(response.into_body(), 4_096)
            .await
            .unwrap();
        insta::assert_snapshot!(std::str::from_utf8(&body).unwrap(), @r#"{"errorCode":"CMN-101","message":"Parameter [expiresIn] value is invalid","errors":[{"errorCode":"CMN-101","message":"Parameter [expiresIn] value is invalid","parameterName":"expiresIn","parameterValue":"0"}],"parameterName":"expiresIn"}"#);
    }
}
