//! What is wrong with an endpoint's settings, told with the names that they have on the wire: the
//! one place that knows where each setting stands in a body.

use std::borrow::Cow;

use hookyard_domain::Problem;
use hookyard_domain::endpoints::settings::{Fault, Setting, SettingError};

use crate::kernel::problem::{ApiError, because};

impl From<SettingError> for ApiError {
    fn from(error: SettingError) -> Self {
        problem_of(error).into()
    }
}

/// The problem of a setting that is not within its bounds.
pub(super) fn problem_of(error: SettingError) -> Problem {
    let reason = match error.fault {
        Fault::ProofHeader => "is set by `authorization`".to_owned(),
        fault => fault.to_string(),
    };
    because(Problem::invalid(path_of(error.setting)), &reason)
}

/// Where a setting stands in a body.
fn path_of(setting: Setting) -> Cow<'static, str> {
    let path = match setting {
        Setting::Type(index) => return format!("eventTypes[{index}]").into(),
        Setting::Content(pointer) => return format!("contentFilter{pointer}").into(),
        Setting::Header(name) => return format!("headers.{name}").into(),
        Setting::Delay(index) => {
            return format!("retryPolicy.schedule.delaysMs[{index}]").into();
        }
        Setting::Address => "url",
        Setting::Description => "description",
        Setting::VerificationToken => "verificationToken",
        Setting::Secret => "secret",
        Setting::SecretOverlap => "overlapS",
        Setting::Types => "eventTypes",
        Setting::Headers => "headers",
        Setting::Username => "authorization.username",
        Setting::Password => "authorization.password",
        Setting::BearerToken => "authorization.token",
        Setting::TokenUrl => "authorization.tokenUrl",
        Setting::ClientId => "authorization.clientId",
        Setting::ClientSecret => "authorization.clientSecret",
        Setting::TokenScope => "authorization.scope",
        Setting::Timeout => "timeoutMs",
        Setting::Concurrency => "concurrency",
        Setting::AttemptsMax => "retryPolicy.attemptsMax",
        Setting::AgeMax => "retryPolicy.ageMaxMs",
        Setting::Delays => "retryPolicy.schedule.delaysMs",
        Setting::FirstDelay => "retryPolicy.schedule.firstMs",
        Setting::LongestDelay => "retryPolicy.schedule.longestMs",
        Setting::FailureThreshold => "failureThreshold",
        Setting::BatchingInterval => "batchingIntervalMinutes",
        Setting::BatchMax => "batchMax",
        Setting::RateCount => "rateLimit.count",
        Setting::RatePeriod => "rateLimit.perMs",
    };
    path.into()
}
