//! What a caller may say of an endpoint, and what becomes of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::endpoints::endpoint::{
    Authorization, CustomHeader, HandshakeKind, PayloadFormat, RateLimit, policy_default,
};
use hookyard_domain::endpoints::settings::{Setting, Settings as Asked, Settled};
use hookyard_domain::kernel::limits::{BATCH_EVENTS_DEFAULT, FAILURE_THRESHOLD_DEFAULT};
use hookyard_domain::{DeliveryMode, Endpoint, Problem, RetryPolicy, Secret, Subscription};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::endpoints::retries::RetrySettings;
use crate::endpoints::{fault, tagged};
use crate::kernel::body::of_value;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::operations::shapes::{
    AuthorizationShape, HandshakeName, PayloadFormatName, RateLimitShape,
};

/// What stands for a secret where it is shown, and where it is left as it is.
pub(super) const MASK: &str = "••••";

/// Every setting, as it is written and, without its secrets, as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "EndpointSettings")]
pub(super) struct Settings {
    /// Where requests go; https in production.
    #[schemars(example = &"https://example.com/hooks")]
    pub url: String,
    /// What it is for, in the words of who made it.
    #[serde(default)]
    pub description: String,
    /// Names such as `invoice.paid`, and patterns: a `*` stands for one part, at the end for one or
    /// more.
    #[serde(default)]
    #[schemars(example = vec!["invoice.*"])]
    pub event_types: Vec<String>,
    /// Which events of these types, by what is in them.
    #[serde(default)]
    pub content_filter: Option<Value>,
    /// Further headers of every request; at most 40.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(
        default,
        deserialize_with = "tagged::authorization",
        serialize_with = "tagged::show_authorization"
    )]
    #[schemars(with = "AuthorizationShape")]
    pub authorization: Authorization,
    /// Sent as `Verification-Token`.
    #[serde(default)]
    pub verification_token: Option<String>,
    /// How the address shows that it wants events.
    #[serde(default)]
    #[schemars(with = "HandshakeName")]
    pub handshake: HandshakeKind,
    /// Whether requests carry the signature of Standard Webhooks.
    #[serde(default)]
    pub signing: Signing,
    /// Written when an endpoint is made; changed by a rotation.
    #[serde(default, skip_serializing)]
    pub secret: Option<String>,
    /// What the body looks like.
    #[serde(default)]
    #[schemars(with = "PayloadFormatName")]
    pub payload_format: PayloadFormat,
    /// How long an answer may take, in milliseconds: 500 to 60,000.
    #[serde(default = "timeout_default", deserialize_with = "tagged::whole")]
    pub timeout_ms: u64,
    /// When, how often and how long what failed is tried again.
    #[serde(default)]
    pub retry_policy: RetrySettings,
    /// Failed attempts of one delivery, while nothing else gets through, after which the endpoint is
    /// `Errored`; 0 for never.
    #[serde(
        default = "failure_threshold_default",
        deserialize_with = "tagged::count"
    )]
    pub failure_threshold: u32,
    /// Minutes whose events are sent together, as an array; 0 for each by itself.
    #[serde(default, deserialize_with = "tagged::whole")]
    pub batching_interval_minutes: u64,
    /// Events in one request, at most 500.
    #[serde(default = "batch_max_default", deserialize_with = "tagged::count")]
    pub batch_max: u32,
    /// In no stretch of that time more requests than that.
    #[serde(default, deserialize_with = "tagged::rate_limit")]
    #[schemars(with = "Option<RateLimitShape>")]
    pub rate_limit: Option<RateLimit>,
    /// Requests in flight at once, at most 256.
    #[serde(default = "concurrency_default", deserialize_with = "tagged::count")]
    pub concurrency: u32,
    /// Whether events go one after the other, in the order in which they were published.
    #[serde(default)]
    pub ordered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "EndpointSigning")]
pub(super) enum Signing {
    #[default]
    Standard,
    None,
}

fn timeout_default() -> u64 {
    policy_default().timeout_ms
}

fn concurrency_default() -> u32 {
    policy_default().concurrency_max
}

const fn failure_threshold_default() -> u32 {
    FAILURE_THRESHOLD_DEFAULT
}

const fn batch_max_default() -> u32 {
    BATCH_EVENTS_DEFAULT
}

impl Settings {
    /// The settings in a body, under the names of the webhook builder or our own.
    pub(super) fn read(body: Value) -> ApiResult<Self> {
        let mut members = with_own_names(body)?;
        unmask(&mut members, &Value::Null)?;
        of_value(&Value::Object(members))
    }

    /// Those of an endpoint.
    pub(super) fn of(subscription: &Subscription, endpoint: &Endpoint) -> Self {
        let (url, verification_token) = match &subscription.mode {
            DeliveryMode::WebHook {
                address,
                verification_token,
            } => (address.clone(), verification_token.as_ref()),
            _ => (String::new(), None),
        };
        let policy = &subscription.policy;
        let content = endpoint.content.as_ref();
        Self {
            url,
            description: endpoint.description.clone(),
            event_types: endpoint.types.iter().map(ToString::to_string).collect(),
            content_filter: content.and_then(|filter| serde_json::from_str(filter.as_json()).ok()),
            headers: endpoint
                .headers
                .iter()
                .map(|header| (header.name.clone(), header.value.reveal().to_owned()))
                .collect(),
            authorization: endpoint.authorization.clone(),
            verification_token: verification_token.map(|token| token.reveal().to_owned()),
            handshake: endpoint.handshake,
            signing: if endpoint.secrets.is_empty() {
                Signing::None
            } else {
                Signing::Standard
            },
            secret: None,
            payload_format: endpoint.format,
            timeout_ms: policy.timeout_ms,
            retry_policy: RetrySettings {
                schedule: policy.schedule.clone(),
                attempts_max: policy.attempts_max,
                age_max_ms: policy.age_max_ms,
            },
            failure_threshold: endpoint.failure_threshold,
            batching_interval_minutes: endpoint
                .batching
                .map_or(0, |batching| batching.interval_ms / 60_000),
            batch_max: endpoint
                .batching
                .map(|batching| batching.events_max)
                .or(endpoint.batch_max_kept)
                .unwrap_or(BATCH_EVENTS_DEFAULT),
            rate_limit: endpoint.rate,
            concurrency: policy.concurrency_max,
            ordered: endpoint.ordered,
        }
    }

    /// Those in `body` in place of these. Secrets that show the mask stay.
    pub(super) fn replaced(&self, body: Value) -> ApiResult<Self> {
        of_value(&Value::Object(self.settable(body)?))
    }

    /// What can be set of `body`: what was told beside it is left out, and masks give way to what
    /// is behind them.
    fn settable(&self, body: Value) -> ApiResult<Map<String, Value>> {
        let mut members = with_own_names(body)?;
        members.retain(|name, _| !TOLD_ALONE.contains(&name.as_str()));
        if members.contains_key("secret") {
            let reason = "is changed by POST …/secret/rotate";
            return Err(because(Problem::invalid("secret"), reason).into());
        }
        let current = serde_json::to_value(self).expect("settings are plain data");
        unmask(&mut members, &current)?;
        Ok(members)
    }

    /// These settings with `patch` merged into them (RFC 7396). Secrets that show the mask stay.
    pub(super) fn merged(&self, patch: Value) -> ApiResult<Self> {
        let mut patch = self.settable(patch)?;
        if let Some(Value::Object(headers)) = patch.get_mut("headers") {
            *headers = std::mem::take(headers)
                .into_iter()
                .map(|(name, value)| (self.header_named(&name), value))
                .collect();
        }
        let mut all = serde_json::to_value(self).expect("settings are plain data");
        let whole = patch.get("authorization").and_then(|said| said.get("type"));
        if whole.is_some_and(|kind| all["authorization"]["type"] != *kind) {
            // Another kind has other members.
            all["authorization"] = Value::Null;
        }
        merge(&mut all, Value::Object(patch));
        of_value(&all)
    }

    /// The name of a header as it is written here already, in whatever case.
    fn header_named(&self, name: &str) -> String {
        let mut names = self.headers.keys();
        let ours = names.find(|own| own.eq_ignore_ascii_case(name));
        ours.map_or_else(|| name.to_owned(), Clone::clone)
    }

    /// The same without what must not be shown.
    pub(super) fn masked(mut self) -> Self {
        for value in self.headers.values_mut() {
            MASK.clone_into(value);
        }
        let hide = |secret: &mut Secret| *secret = Secret::new(MASK);
        match &mut self.authorization {
            Authorization::None => {}
            Authorization::Basic { password, .. } => hide(password),
            Authorization::Bearer { token } => hide(token),
            Authorization::OAuth2 { client_secret, .. } => hide(client_secret),
        }
        if let Some(token) = &mut self.verification_token {
            MASK.clone_into(token);
        }
        self
    }

    /// What they ask for, within its bounds.
    pub(super) fn settled(self) -> ApiResult<Settled> {
        let (url, types) = (self.url.clone(), self.event_types.clone());
        let asked = Asked {
            address: self.url,
            description: self.description,
            types: self.event_types,
            content: self.content_filter.map(|filter| filter.to_string()),
            headers: self
                .headers
                .into_iter()
                .map(|(name, value)| CustomHeader {
                    name,
                    value: Secret::new(value),
                })
                .collect(),
            authorization: self.authorization,
            verification_token: self.verification_token,
            handshake: self.handshake,
            signed: self.signing == Signing::Standard,
            secret: self.secret,
            format: self.payload_format,
            policy: RetryPolicy {
                schedule: self.retry_policy.schedule,
                attempts_max: self.retry_policy.attempts_max,
                age_max_ms: self.retry_policy.age_max_ms,
                timeout_ms: self.timeout_ms,
                concurrency_max: self.concurrency,
            },
            failure_threshold: self.failure_threshold,
            batching_interval_minutes: self.batching_interval_minutes,
            batch_max: self.batch_max,
            rate: self.rate_limit,
            ordered: self.ordered,
        };
        asked.settle().map_err(|error| {
            let value = match &error.setting {
                Setting::Address => Some(url),
                Setting::Type(index) => types.get(*index).cloned(),
                _ => None,
            };
            let problem = fault::problem_of(error);
            value.into_iter().fold(problem, Problem::value).into()
        })
    }
}

/// A body's members under our own names.
fn with_own_names(body: Value) -> ApiResult<Map<String, Value>> {
    let Value::Object(mut members) = body else {
        return Err(hookyard_domain::Code::UnparsableRequest.into());
    };
    for (foreign, own) in [
        ("callbackUrl", "url"),
        ("Headers", "headers"),
        ("batchingIntervalInMinutes", "batchingIntervalMinutes"),
    ] {
        if let Some(value) = members.remove(foreign)
            && members.insert(own.to_owned(), value).is_some()
        {
            let reason = format!("and `{own}` are two names of one setting");
            return Err(refuse(foreign, &reason));
        }
    }
    let Some(Value::Object(headers)) = members.get_mut("headers") else {
        return Ok(members);
    };
    let mut seen: Vec<String> = Vec::new();
    for name in headers.keys() {
        let lower = name.to_ascii_lowercase();
        if seen.contains(&lower) {
            let reason = "is there twice: the case of a header's name makes no difference";
            return Err(refuse(format!("headers.{name}"), reason));
        }
        seen.push(lower);
    }
    let named = |headers: &Map<String, Value>, wanted: &str| {
        let name = headers
            .keys()
            .find(|name| name.eq_ignore_ascii_case(wanted));
        name.cloned()
    };
    if let Some(name) = named(headers, "content-type") {
        let kind = headers.remove(&name).unwrap_or_default();
        let kind = kind.as_str().unwrap_or_default();
        if !kind.to_ascii_lowercase().starts_with("application/json") {
            let reason = "is application/json; `payloadFormat` chooses another";
            return Err(refuse(format!("headers.{name}"), reason));
        }
    }
    if let Some(name) = named(headers, "authorization") {
        let text = headers.remove(&name).unwrap_or_default();
        let proof = read_proof(text.as_str().unwrap_or_default()).ok_or_else(|| {
            let reason = "begins with `Basic ` or `Bearer `; use `authorization` for others";
            refuse(format!("headers.{name}"), reason)
        })?;
        let proof = tagged::show_authorization(&proof, serde_json::value::Serializer)
            .expect("it is plain data");
        if members.insert("authorization".into(), proof).is_some() {
            let reason = "and `authorization` are two names of one setting";
            return Err(refuse(format!("headers.{name}"), reason));
        }
    }
    Ok(members)
}

/// An `Authorization` header as a setting.
fn read_proof(text: &str) -> Option<Authorization> {
    let (scheme, rest) = text.trim().split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        let token = Secret::new(rest);
        return Some(Authorization::Bearer { token });
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let both = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (username, password) = both.split_once(':')?;
    Some(Authorization::Basic {
        username: username.to_owned(),
        password: Secret::new(password),
    })
}

/// What an endpoint is told with and nobody can set: it is there when somebody sends back what they
/// read.
const TOLD_ALONE: [&str; 12] = [
    "id",
    "status",
    "statusReason",
    "statusTime",
    "failingSince",
    "secrets",
    "ownerId",
    "creationTime",
    "lastModifiedTime",
    "version",
    "handshakeResult",
    "stats",
];

/// Puts the secrets of `current` where `members` show the mask: whoever sends back what they read
/// changes no secret.
fn unmask(members: &mut Map<String, Value>, current: &Value) -> ApiResult<()> {
    let put = |place: &mut Value, secret: Option<&Value>, path: String| -> ApiResult<()> {
        if *place != MASK {
            return Ok(());
        }
        let Some(secret) = secret.filter(|secret| secret.is_string()) else {
            let reason = "shows the mask, and there is no such secret to keep: say it";
            return Err(refuse(path, reason));
        };
        place.clone_from(secret);
        Ok(())
    };
    if let Some(token) = members.get_mut("verificationToken") {
        let path = "verificationToken".to_owned();
        put(token, current.get("verificationToken"), path)?;
    }
    if let Some(Value::Object(headers)) = members.get_mut("headers") {
        let own = current.get("headers").and_then(Value::as_object);
        for (name, value) in headers {
            let mut all = own.into_iter().flatten();
            let same = all.find(|(own, _)| own.eq_ignore_ascii_case(name));
            put(
                value,
                same.map(|(_, value)| value),
                format!("headers.{name}"),
            )?;
        }
    }
    if let Some(Value::Object(said)) = members.get_mut("authorization") {
        let own = current.get("authorization");
        let kind = said.get("type").cloned();
        let own = own.filter(|own| kind.is_none_or(|kind| own["type"] == kind));
        for (name, value) in said {
            let secret = own.and_then(|own| own.get(name));
            put(value, secret, format!("authorization.{name}"))?;
        }
    }
    Ok(())
}

/// RFC 7396. A schedule is replaced as a whole: its kinds have other members.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        let whole = matches!(name.as_str(), "schedule" | "contentFilter");
        if value.is_null() {
            target.remove(&name);
        } else if whole {
            target.insert(name, value);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

fn refuse(path: impl Into<Cow<'static, str>>, reason: &str) -> ApiError {
    because(Problem::invalid(path), reason).into()
}

/// The settings of a subscription that is an endpoint.
pub(super) fn endpoint_of(subscription: &Subscription) -> ApiResult<&Arc<Endpoint>> {
    let endpoint = subscription.endpoint.as_ref();
    endpoint.ok_or_else(|| Problem::not_found("endpointId").into())
}
