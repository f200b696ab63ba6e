//! The bounds of an endpoint's settings: headers, credentials, retries, and pace.

use std::time::Duration;

use super::{Fault, Setting, SettingError, is_visible, read_address};
use crate::delivery::retry::{RetryPolicy, RetrySchedule};
use crate::endpoints::endpoint::{Authorization, Endpoint, PayloadFormat};
use crate::kernel::limits::{
    BATCH_EVENTS_MAX, BATCHING_INTERVAL_MAX, ENDPOINT_AGE_MAX, ENDPOINT_ATTEMPTS_MAX,
    ENDPOINT_CONCURRENCY_MAX, ENDPOINT_DELAY_MAX, ENDPOINT_DELAYS_MAX, ENDPOINT_HEADERS_MAX,
    ENDPOINT_TIMEOUT_MAX, ENDPOINT_TIMEOUT_MIN, HEADER_NAME_CHARS_MAX, HEADER_VALUE_CHARS_MAX,
    RATE_COUNT_MAX, RATE_PERIOD_MAX, RATE_PERIOD_MIN,
};

/// Headers that an endpoint cannot set: they are ours, or the connection's.
const RESERVED: [&str; 17] = [
    "host",
    "content-length",
    "content-type",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "keep-alive",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "user-agent",
    "accept-encoding",
    "authorization",
    "validation-token",
    "verification-token",
    "set-cookie",
];
const RESERVED_BEGINNINGS: [&str; 5] =
    ["proxy-", "webhook-", "ce-", "hookyard-", "access-control-"];

/// Checks one custom header.
///
/// # Errors
///
/// When its name is no token or is reserved, or its value would break the line.
pub fn check_header(name: &str, value: &str) -> Result<(), SettingError> {
    let refuse = |fault| Err(SettingError::new(Setting::Header(name.to_owned()), fault));
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.len() > HEADER_NAME_CHARS_MAX {
        let shown = name.chars().take(HEADER_NAME_CHARS_MAX).collect();
        return Err(SettingError::new(Setting::Header(shown), Fault::LongName));
    }
    if name.is_empty() || !name.bytes().all(token) {
        return refuse(Fault::NotAHeaderName);
    }
    let lower = name.to_ascii_lowercase();
    if lower == "authorization" {
        return refuse(Fault::ProofHeader);
    }
    if RESERVED.contains(&lower.as_str())
        || RESERVED_BEGINNINGS
            .iter()
            .any(|reserved| lower.starts_with(reserved))
    {
        return refuse(Fault::Reserved);
    }
    let plain = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte);
    if value.len() > HEADER_VALUE_CHARS_MAX {
        return refuse(TOO_LONG);
    }
    if !value.bytes().all(plain) {
        return refuse(Fault::NotOneLine);
    }
    Ok(())
}

pub(super) const TOO_LONG: Fault = Fault::TooLong(HEADER_VALUE_CHARS_MAX);

fn within(
    setting: Setting,
    value: impl Into<u64>,
    least: u64,
    most: impl Into<u64>,
) -> Result<(), SettingError> {
    let (value, most) = (value.into(), most.into());
    if value < least || value > most {
        return Err(SettingError::new(
            setting,
            Fault::OutOfRange { least, most },
        ));
    }
    Ok(())
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(super) fn check(endpoint: &Endpoint) -> Result<(), SettingError> {
    if endpoint.types.is_empty() {
        return Err(SettingError::new(Setting::Types, Fault::NoTypes));
    }
    if endpoint.headers.len() > ENDPOINT_HEADERS_MAX {
        let fault = Fault::TooMany(ENDPOINT_HEADERS_MAX);
        return Err(SettingError::new(Setting::Headers, fault));
    }
    for header in &endpoint.headers {
        check_header(&header.name, header.value.reveal())?;
    }
    check_authorization(&endpoint.authorization)
}

/// The bounds of how fast, how many together, and until which failure.
pub(super) fn check_pace(endpoint: &Endpoint) -> Result<(), SettingError> {
    let threshold = endpoint.failure_threshold;
    within(
        Setting::FailureThreshold,
        threshold,
        0,
        ENDPOINT_ATTEMPTS_MAX,
    )?;
    if let Some(batching) = endpoint.batching {
        let minutes = batching.interval_ms / 60_000;
        let most = millis(BATCHING_INTERVAL_MAX) / 60_000;
        within(Setting::BatchingInterval, minutes, 1, most)?;
        if endpoint.format == PayloadFormat::CloudEventsBinary {
            let fault = Fault::BinaryTogether;
            return Err(SettingError::new(Setting::BatchingInterval, fault));
        }
    }
    let together = endpoint.batching.map(|batching| batching.events_max);
    if let Some(events_max) = together.or(endpoint.batch_max_kept) {
        within(Setting::BatchMax, events_max, 1, BATCH_EVENTS_MAX)?;
    }
    if let Some(rate) = endpoint.rate {
        within(Setting::RateCount, rate.count, 1, RATE_COUNT_MAX)?;
        let (least, most) = (millis(RATE_PERIOD_MIN), millis(RATE_PERIOD_MAX));
        within(Setting::RatePeriod, rate.per_ms, least, most)?;
    }
    Ok(())
}

pub(super) fn check_policy(policy: &RetryPolicy) -> Result<(), SettingError> {
    let (least, most) = (millis(ENDPOINT_TIMEOUT_MIN), millis(ENDPOINT_TIMEOUT_MAX));
    within(Setting::Timeout, policy.timeout_ms, least, most)?;
    let concurrency = policy.concurrency_max;
    within(
        Setting::Concurrency,
        concurrency,
        1,
        ENDPOINT_CONCURRENCY_MAX,
    )?;
    within(
        Setting::AttemptsMax,
        policy.attempts_max,
        1,
        ENDPOINT_ATTEMPTS_MAX,
    )?;
    within(
        Setting::AgeMax,
        policy.age_max_ms,
        1_000,
        millis(ENDPOINT_AGE_MAX),
    )?;
    let longest = millis(ENDPOINT_DELAY_MAX);
    match &policy.schedule {
        RetrySchedule::List { delays_ms } => {
            if delays_ms.is_empty() || delays_ms.len() > ENDPOINT_DELAYS_MAX {
                return Err(SettingError::new(Setting::Delays, Fault::DelayCount));
            }
            for (index, delay) in delays_ms.iter().enumerate() {
                within(Setting::Delay(index), *delay, 100, longest)?;
            }
            Ok(())
        }
        RetrySchedule::Exponential {
            first_ms,
            longest_ms,
        } => {
            within(Setting::FirstDelay, *first_ms, 100, longest)?;
            within(Setting::LongestDelay, *longest_ms, *first_ms, longest)
        }
    }
}

pub(super) fn check_authorization(authorization: &Authorization) -> Result<(), SettingError> {
    match authorization {
        Authorization::None => Ok(()),
        Authorization::Basic { username, password } => {
            let setting = Setting::Username;
            if username.contains(':') || username.contains(char::is_control) {
                return Err(SettingError::new(setting, Fault::NotAUsername));
            }
            if username.len() > HEADER_VALUE_CHARS_MAX {
                return Err(SettingError::new(setting, TOO_LONG));
            }
            check_said(Setting::Password, password.reveal())
        }
        Authorization::Bearer { token } => check_line(Setting::BearerToken, token.reveal()),
        Authorization::OAuth2 {
            token_url,
            client_id,
            client_secret,
            scope,
        } => {
            read_address(token_url, Setting::TokenUrl)?;
            check_said(Setting::ClientId, client_id)?;
            check_said(Setting::ClientSecret, client_secret.reveal())?;
            let scope = scope.as_deref();
            scope.map_or(Ok(()), |scope| check_line(Setting::TokenScope, scope))
        }
    }
}

/// Checks a text that must be there and may hold any letters.
fn check_said(setting: Setting, text: &str) -> Result<(), SettingError> {
    let fault = match text {
        "" => Fault::Missing,
        _ if text.len() > HEADER_VALUE_CHARS_MAX => TOO_LONG,
        _ if text.contains(char::is_control) => Fault::ControlCharacter,
        _ => return Ok(()),
    };
    Err(SettingError::new(setting, fault))
}

/// Checks a text that goes into a header as it is.
fn check_line(setting: Setting, text: &str) -> Result<(), SettingError> {
    check_said(setting.clone(), text)?;
    if is_visible(text) {
        return Ok(());
    }
    Err(SettingError::new(setting, Fault::NotOneLine))
}
