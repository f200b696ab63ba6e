//! What senders are told, word by word (contract section 3.3).
//!
//! Failures have status 200 too, as senders expect. What is about a passing trouble never has an
//! `error` member: some senders remove themselves when they see one.

use serde::Serialize;

use super::Refusal;
use crate::inbound::card::RejectionCause;
use crate::inbound::request::{Finding, HookAnswer};

/// Body of the answer, with status 503, when the store fails or nothing can be decided in time.
pub const UNAVAILABLE: &str =
    r#"{"status":"error","message":"Service is temporarily unavailable"}"#;

/// Members in the order in which the platform writes them.
#[derive(Serialize)]
struct Failure<'a> {
    status: &'static str,
    message: &'static str,
    error: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    validation: &'a [String],
}

impl HookAnswer {
    /// The post was made.
    pub(super) fn accepted() -> Self {
        Self {
            status: 200,
            body: r#"{"status":"OK"}"#.to_owned(),
        }
    }

    /// No webhook has the URL, or it was deleted.
    pub fn not_found() -> Self {
        Self::failed(200, "Webhook not found!", &[])
    }

    fn failed(status: u16, error: &str, validation: &[String]) -> Self {
        let failure = Failure {
            status: "error",
            message: if status == 200 {
                "Your request was accepted, however a post was not generated"
            } else {
                "A post was not generated"
            },
            error,
            validation,
        };
        Self {
            status,
            body: serde_json::to_string(&failure).expect("a failure has only text keys"),
        }
    }

    /// What the next try may not meet. It has no `error`: senders take that for the end of the
    /// webhook.
    fn passing(status: u16, message: &str) -> Self {
        let body = serde_json::json!({ "status": "error", "message": message });
        Self {
            status,
            body: body.to_string(),
        }
    }
}

impl Refusal {
    /// What its sender is told.
    pub fn answer(&self) -> HookAnswer {
        let failed = |status, error: &str| HookAnswer::failed(status, error, &[]);
        match self {
            Self::Method => failed(405, "Only POST makes a post"),
            Self::TooLarge => failed(413, "Request body is too large"),
            Self::TooSlow => HookAnswer::passing(408, "Request body did not arrive in time"),
            Self::Broken => HookAnswer::passing(400, "Request body is incomplete"),
            Self::Deleted => HookAnswer::not_found(),
            Self::Suspended => failed(200, "Webhook is suspended!"),
            Self::Archived => failed(200, "Team is archived!"),
            Self::Payload(rejection) => {
                let cause = &rejection.cause;
                let status = if cause.is_unreadable() { 400 } else { 200 };
                let validation = match cause {
                    RejectionCause::InvalidAdaptiveCard { validation } => validation.as_slice(),
                    _ => &[],
                };
                HookAnswer::failed(status, &cause.to_string(), validation)
            }
        }
    }

    /// What the conversion noticed before it gave up.
    pub(super) fn findings(&self) -> &[Finding] {
        match self {
            Self::Payload(rejection) => &rejection.findings,
            _ => &[],
        }
    }
}
