//! Which problems an operation may tell.

use hookyard_domain::Code;
use http::StatusCode;

use crate::kernel::middleware::is_platform;
use crate::operations::{Access, Operation, Repeats};

/// What may be told of an `Idempotency-Key`, and of reading a body to know a repeat by.
const PROBLEMS_OF_KEYS: [Code; 8] = [
    Code::InvalidParameter,
    Code::UnparsableRequest,
    Code::BodyTooLarge,
    Code::RequestTimeout,
    Code::Conflict,
    Code::KeyUsedDifferently,
    Code::FirstStillRunning,
    Code::FirstAnswerGone,
];

impl Operation {
    /// Every code that it may answer with: its own, and those of its parts.
    pub fn codes(&self) -> Vec<Code> {
        let mut codes = self.fails.clone();
        if self.sketch.own_errors {
            return codes;
        }
        codes.extend(&self.sketch.fails);
        match self.access() {
            Access::App(_) | Access::Depends(_) => codes.push(Code::AppPermissionMissing),
            Access::Administrator(_) | Access::Operator(_) => {
                codes.extend([Code::AppPermissionMissing, Code::PermissionMissing]);
            }
            Access::Anybody
            | Access::SignedIn
            | Access::Client
            | Access::Cookie
            | Access::Secret => {}
        }
        if self.group.is_some() {
            codes.push(Code::RequestRateExceeded);
        }
        if self.repeats() == Repeats::Answered {
            codes.extend(PROBLEMS_OF_KEYS);
        }
        // A method in a header and another in the query.
        if self.paths().any(|path| is_platform(&path)) {
            codes.push(Code::UnparsableRequest);
        }
        codes.extend([Code::InternalError, Code::StoreUnavailable]);
        codes.sort_by_key(|code| (code.status(), code.name()));
        codes.dedup();
        codes
    }

    /// Whether an answer is one that the declaration names.
    pub(super) fn declares(&self, status: StatusCode, code: Option<Code>) -> bool {
        match code {
            Some(code) => self.codes().contains(&code),
            None => self.sketch.statuses().any(|known| known == status),
        }
    }
}
