//! What can be set of an endpoint, and the bounds of it.

mod bounds;

pub use self::bounds::check_header;

use std::time::Duration;

use self::bounds::{check, check_pace, check_policy};
use crate::delivery::retry::RetryPolicy;
use crate::endpoints::endpoint::{
    Authorization, Batching, CustomHeader, Endpoint, HandshakeKind, PayloadFormat, RateLimit,
};
use crate::endpoints::signing::{SigningSecret, SigningSecretError};
use crate::events::content_filter::ContentFilter;
use crate::events::type_name::{TypePattern, TypePatternError};
use crate::identity::secret::Secret;
use crate::kernel::limits::{
    BATCH_EVENTS_DEFAULT, DESCRIPTION_CHARS_MAX, ENDPOINT_DELAYS_MAX, ENDPOINT_TYPES_MAX,
    HEADER_NAME_CHARS_MAX, SECRET_OVERLAP_MAX, VERIFICATION_TOKEN_CHARS_MAX,
};
use crate::subscriptions::address::Address;
use crate::subscriptions::mode::DeliveryMode;

/// One thing that can be set of an endpoint. What it is called is for others to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    Address,
    Description,
    VerificationToken,
    Secret,
    /// How long a former secret stays good, in seconds.
    SecretOverlap,
    Types,
    /// One of them, counted from 0.
    Type(usize),
    /// The place in the content filter, as a JSON Pointer (RFC 6901).
    Content(String),
    Headers,
    /// The one of this name.
    Header(String),
    Username,
    Password,
    BearerToken,
    TokenUrl,
    ClientId,
    ClientSecret,
    TokenScope,
    /// In milliseconds, as are the pauses and ages.
    Timeout,
    Concurrency,
    AttemptsMax,
    AgeMax,
    Delays,
    /// One of them, counted from 0.
    Delay(usize),
    FirstDelay,
    LongestDelay,
    FailureThreshold,
    /// In minutes.
    BatchingInterval,
    BatchMax,
    RateCount,
    /// In milliseconds.
    RatePeriod,
}

/// What is wrong with a setting. `Display` is the end of a sentence that begins with the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("must be from {least} to {most}")]
    OutOfRange { least: u64, most: u64 },
    #[error("is at most {0}")]
    TooMuch(u64),
    #[error("has at most {0} characters")]
    TooLong(usize),
    #[error("are at most {0}")]
    TooMany(usize),
    #[error("is missing")]
    Missing,
    #[error("must be visible ASCII")]
    NotAscii,
    #[error("must be visible ASCII in one line")]
    NotOneLine,
    #[error("holds no control characters")]
    ControlCharacter,
    #[error("holds no colon and no control characters")]
    NotAUsername,
    #[error("has a name of at most {HEADER_NAME_CHARS_MAX} characters")]
    LongName,
    #[error("is not the name of a header: letters, digits and dashes")]
    NotAHeaderName,
    /// The header that proves who sends: a setting of its own.
    #[error("is set in another place")]
    ProofHeader,
    #[error("is reserved")]
    Reserved,
    #[error("name at least one type, such as `invoice.paid`, `invoice.*` or `*`")]
    NoTypes,
    #[error(transparent)]
    NotAType(#[from] TypePatternError),
    #[error("{0}")]
    NotAFilter(String),
    /// The complaint about it.
    #[error("{0}")]
    NotAnAddress(String),
    #[error(transparent)]
    NotASecret(#[from] SigningSecretError),
    #[error("a CloudEvent in binary mode cannot be sent with others")]
    BinaryTogether,
    #[error("holds from 1 to {ENDPOINT_DELAYS_MAX} pauses")]
    DelayCount,
}

/// A setting that is not within its bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting:?} {fault}")]
pub struct SettingError {
    pub setting: Setting,
    pub fault: Fault,
}

impl SettingError {
    fn new(setting: Setting, fault: Fault) -> Self {
        Self { setting, fault }
    }
}

/// Every setting, as somebody asks for it.
#[derive(Debug, Clone)]
pub struct Settings {
    pub address: String,
    pub description: String,
    pub types: Vec<String>,
    /// JSON of a content filter.
    pub content: Option<String>,
    pub headers: Vec<CustomHeader>,
    pub authorization: Authorization,
    pub verification_token: Option<String>,
    pub handshake: HandshakeKind,
    /// Whether requests are signed.
    pub signed: bool,
    /// A signing secret of the owner's own, for a new endpoint.
    pub secret: Option<String>,
    pub format: PayloadFormat,
    pub policy: RetryPolicy,
    pub failure_threshold: u32,
    /// 0 for one event in each request.
    pub batching_interval_minutes: u64,
    pub batch_max: u32,
    pub rate: Option<RateLimit>,
    pub ordered: bool,
}

/// Settings that are within their bounds.
#[derive(Debug, Clone)]
pub struct Settled {
    pub mode: DeliveryMode,
    pub policy: RetryPolicy,
    /// Without secrets, and without what its address grants.
    pub endpoint: Endpoint,
    pub signed: bool,
    pub secret: Option<SigningSecret>,
}

impl Settings {
    /// Reads them within their bounds.
    ///
    /// # Errors
    ///
    /// Names the first that is out of them.
    pub fn settle(self) -> Result<Settled, SettingError> {
        let address = read_address(&self.address, Setting::Address)?;
        if self.description.chars().count() > DESCRIPTION_CHARS_MAX {
            let fault = Fault::TooLong(DESCRIPTION_CHARS_MAX);
            return Err(SettingError::new(Setting::Description, fault));
        }
        let token = read_verification_token(self.verification_token)?;
        let secret = self.secret.as_deref().map(read_secret).transpose()?;
        let together = self.batching_interval_minutes > 0;
        let endpoint = Endpoint {
            description: self.description,
            types: read_types(&self.types)?,
            content: read_content(self.content.as_deref())?,
            headers: self.headers,
            authorization: self.authorization,
            handshake: self.handshake,
            format: self.format,
            secrets: Vec::new(),
            failure_threshold: self.failure_threshold,
            batching: together.then(|| Batching {
                interval_ms: self.batching_interval_minutes.saturating_mul(60_000),
                events_max: self.batch_max,
            }),
            batch_max_kept: (!together && self.batch_max != BATCH_EVENTS_DEFAULT)
                .then_some(self.batch_max),
            rate: self.rate,
            ordered: self.ordered,
            request_origin: None,
            error: None,
        };
        check(&endpoint)?;
        check_policy(&self.policy)?;
        check_pace(&endpoint)?;
        Ok(Settled {
            mode: DeliveryMode::WebHook {
                address,
                verification_token: token.map(Secret::new),
            },
            policy: self.policy,
            endpoint,
            signed: self.signed,
            secret,
        })
    }
}

fn read_address(text: &str, setting: Setting) -> Result<String, SettingError> {
    if let Ok(address) = Address::parse(text) {
        return Ok(address.as_str().to_owned());
    }
    let fault = Fault::NotAnAddress(Address::complaint(text));
    Err(SettingError::new(setting, fault))
}

fn read_verification_token(token: Option<String>) -> Result<Option<String>, SettingError> {
    let token = token.filter(|token| !token.is_empty());
    let fault = match &token {
        Some(token) if token.len() > VERIFICATION_TOKEN_CHARS_MAX => {
            Fault::TooLong(VERIFICATION_TOKEN_CHARS_MAX)
        }
        Some(token) if !is_visible(token) => Fault::NotAscii,
        _ => return Ok(token),
    };
    Err(SettingError::new(Setting::VerificationToken, fault))
}

fn read_types(texts: &[String]) -> Result<Vec<TypePattern>, SettingError> {
    if texts.len() > ENDPOINT_TYPES_MAX {
        let fault = Fault::TooMany(ENDPOINT_TYPES_MAX);
        return Err(SettingError::new(Setting::Types, fault));
    }
    let mut types: Vec<TypePattern> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let pattern = TypePattern::parse(text)
            .map_err(|error| SettingError::new(Setting::Type(index), error.into()))?;
        if !types.contains(&pattern) {
            types.push(pattern);
        }
    }
    Ok(types)
}

fn read_content(json: Option<&str>) -> Result<Option<ContentFilter>, SettingError> {
    let Some(json) = json else {
        return Ok(None);
    };
    ContentFilter::parse(json).map(Some).map_err(|error| {
        let fault = Fault::NotAFilter(error.message);
        SettingError::new(Setting::Content(error.pointer), fault)
    })
}

/// A signing secret as its owner writes it.
///
/// # Errors
///
/// When it is not one.
pub fn read_secret(text: &str) -> Result<SigningSecret, SettingError> {
    SigningSecret::parse(text).map_err(|error| SettingError::new(Setting::Secret, error.into()))
}

/// Checks how long a former secret stays good beside its successor.
///
/// # Errors
///
/// When that is too long.
pub fn check_overlap(overlap: Duration) -> Result<(), SettingError> {
    if overlap > SECRET_OVERLAP_MAX {
        let fault = Fault::TooMuch(SECRET_OVERLAP_MAX.as_secs());
        return Err(SettingError::new(Setting::SecretOverlap, fault));
    }
    Ok(())
}

fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

#[cfg(test)]
mod tests;
