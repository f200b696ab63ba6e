//! `subscriptions.endpoint_sealed`, before it is sealed: secrets stand in it as they are.

use std::borrow::Cow;

use hookyard_domain::endpoints::endpoint::{
    Authorization, Batching, CustomHeader, EndpointSecret, HandshakeKind, PayloadFormat, RateLimit,
};
use hookyard_domain::{ContentFilter, Endpoint, Secret, SigningSecret, Timestamp, TypePattern};
use serde::{Deserialize, Serialize};

use super::{borrowed, owned};

/// What makes a subscription an endpoint.
#[derive(Serialize, Deserialize)]
pub(crate) struct EndpointRecord<'a> {
    description: Cow<'a, str>,
    types: Cow<'a, [TypePattern]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Cow<'a, ContentFilter>>,
    headers: Vec<HeaderRecord<'a>>,
    authorization: AuthorizationRecord<'a>,
    handshake: HandshakeRecord,
    format: FormatRecord,
    secrets: Vec<SecretRecord<'a>>,
    failure_threshold: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    batching: Option<BatchingRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch_max_kept: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<RateRecord>,
    ordered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_origin: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Endpoint> for EndpointRecord<'a> {
    fn from(endpoint: &'a Endpoint) -> Self {
        Self {
            description: Cow::Borrowed(&endpoint.description),
            types: Cow::Borrowed(&endpoint.types),
            content: endpoint.content.as_ref().map(Cow::Borrowed),
            headers: endpoint.headers.iter().map(HeaderRecord::from).collect(),
            authorization: AuthorizationRecord::from(&endpoint.authorization),
            handshake: endpoint.handshake.into(),
            format: endpoint.format.into(),
            secrets: endpoint.secrets.iter().map(SecretRecord::from).collect(),
            failure_threshold: endpoint.failure_threshold,
            batching: endpoint.batching.map(BatchingRecord::from),
            batch_max_kept: endpoint.batch_max_kept,
            rate: endpoint.rate.map(RateRecord::from),
            ordered: endpoint.ordered,
            request_origin: borrowed(endpoint.request_origin.as_ref()),
            error: borrowed(endpoint.error.as_ref()),
        }
    }
}

impl From<EndpointRecord<'_>> for Endpoint {
    fn from(record: EndpointRecord<'_>) -> Self {
        Self {
            description: record.description.into_owned(),
            types: record.types.into_owned(),
            content: record.content.map(Cow::into_owned),
            headers: record.headers.into_iter().map(CustomHeader::from).collect(),
            authorization: record.authorization.into(),
            handshake: record.handshake.into(),
            format: record.format.into(),
            secrets: record
                .secrets
                .into_iter()
                .map(EndpointSecret::from)
                .collect(),
            failure_threshold: record.failure_threshold,
            batching: record.batching.map(Batching::from),
            batch_max_kept: record.batch_max_kept,
            rate: record.rate.map(RateLimit::from),
            ordered: record.ordered,
            request_origin: owned(record.request_origin),
            error: owned(record.error),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct HeaderRecord<'a> {
    name: Cow<'a, str>,
    #[serde(with = "revealed")]
    value: Cow<'a, Secret>,
}

impl<'a> From<&'a CustomHeader> for HeaderRecord<'a> {
    fn from(header: &'a CustomHeader) -> Self {
        Self {
            name: Cow::Borrowed(&header.name),
            value: Cow::Borrowed(&header.value),
        }
    }
}

impl From<HeaderRecord<'_>> for CustomHeader {
    fn from(record: HeaderRecord<'_>) -> Self {
        Self {
            name: record.name.into_owned(),
            value: record.value.into_owned(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum AuthorizationRecord<'a> {
    None,
    Basic {
        username: Cow<'a, str>,
        #[serde(with = "revealed")]
        password: Cow<'a, Secret>,
    },
    Bearer {
        #[serde(with = "revealed")]
        token: Cow<'a, Secret>,
    },
    #[serde(rename_all = "camelCase")]
    OAuth2 {
        token_url: Cow<'a, str>,
        client_id: Cow<'a, str>,
        #[serde(with = "revealed")]
        client_secret: Cow<'a, Secret>,
        #[serde(skip_serializing_if = "Option::is_none")]
        scope: Option<Cow<'a, str>>,
    },
}

impl<'a> From<&'a Authorization> for AuthorizationRecord<'a> {
    fn from(authorization: &'a Authorization) -> Self {
        match authorization {
            Authorization::None => Self::None,
            Authorization::Basic { username, password } => Self::Basic {
                username: Cow::Borrowed(username),
                password: Cow::Borrowed(password),
            },
            Authorization::Bearer { token } => Self::Bearer {
                token: Cow::Borrowed(token),
            },
            Authorization::OAuth2 {
                token_url,
                client_id,
                client_secret,
                scope,
            } => Self::OAuth2 {
                token_url: Cow::Borrowed(token_url),
                client_id: Cow::Borrowed(client_id),
                client_secret: Cow::Borrowed(client_secret),
                scope: borrowed(scope.as_ref()),
            },
        }
    }
}

impl From<AuthorizationRecord<'_>> for Authorization {
    fn from(record: AuthorizationRecord<'_>) -> Self {
        match record {
            AuthorizationRecord::None => Self::None,
            AuthorizationRecord::Basic { username, password } => Self::Basic {
                username: username.into_owned(),
                password: password.into_owned(),
            },
            AuthorizationRecord::Bearer { token } => Self::Bearer {
                token: token.into_owned(),
            },
            AuthorizationRecord::OAuth2 {
                token_url,
                client_id,
                client_secret,
                scope,
            } => Self::OAuth2 {
                token_url: token_url.into_owned(),
                client_id: client_id.into_owned(),
                client_secret: client_secret.into_owned(),
                scope: owned(scope),
            },
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum HandshakeRecord {
    None,
    Echo,
    Options,
}

impl From<HandshakeKind> for HandshakeRecord {
    fn from(kind: HandshakeKind) -> Self {
        match kind {
            HandshakeKind::None => Self::None,
            HandshakeKind::Echo => Self::Echo,
            HandshakeKind::Options => Self::Options,
        }
    }
}

impl From<HandshakeRecord> for HandshakeKind {
    fn from(record: HandshakeRecord) -> Self {
        match record {
            HandshakeRecord::None => Self::None,
            HandshakeRecord::Echo => Self::Echo,
            HandshakeRecord::Options => Self::Options,
        }
    }
}

#[derive(Serialize, Deserialize)]
enum FormatRecord {
    #[serde(rename = "standard")]
    Standard,
    #[serde(rename = "cloudevents")]
    CloudEvents,
    #[serde(rename = "cloudevents-binary")]
    CloudEventsBinary,
    #[serde(rename = "ringcentral")]
    RingCentral,
}

impl From<PayloadFormat> for FormatRecord {
    fn from(format: PayloadFormat) -> Self {
        match format {
            PayloadFormat::Standard => Self::Standard,
            PayloadFormat::CloudEvents => Self::CloudEvents,
            PayloadFormat::CloudEventsBinary => Self::CloudEventsBinary,
            PayloadFormat::RingCentral => Self::RingCentral,
        }
    }
}

impl From<FormatRecord> for PayloadFormat {
    fn from(record: FormatRecord) -> Self {
        match record {
            FormatRecord::Standard => Self::Standard,
            FormatRecord::CloudEvents => Self::CloudEvents,
            FormatRecord::CloudEventsBinary => Self::CloudEventsBinary,
            FormatRecord::RingCentral => Self::RingCentral,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct SecretRecord<'a> {
    id: Cow<'a, str>,
    #[serde(with = "as_text")]
    secret: Cow<'a, SigningSecret>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
}

impl<'a> From<&'a EndpointSecret> for SecretRecord<'a> {
    fn from(secret: &'a EndpointSecret) -> Self {
        Self {
            id: Cow::Borrowed(&secret.id),
            secret: Cow::Borrowed(&secret.secret),
            created_at: secret.created_at,
            expires_at: secret.expires_at,
        }
    }
}

impl From<SecretRecord<'_>> for EndpointSecret {
    fn from(record: SecretRecord<'_>) -> Self {
        Self {
            id: record.id.into_owned(),
            secret: record.secret.into_owned(),
            created_at: record.created_at,
            expires_at: record.expires_at,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct BatchingRecord {
    interval_ms: u64,
    events_max: u32,
}

impl From<Batching> for BatchingRecord {
    fn from(batching: Batching) -> Self {
        Self {
            interval_ms: batching.interval_ms,
            events_max: batching.events_max,
        }
    }
}

impl From<BatchingRecord> for Batching {
    fn from(record: BatchingRecord) -> Self {
        Self {
            interval_ms: record.interval_ms,
            events_max: record.events_max,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RateRecord {
    count: u32,
    per_ms: u64,
}

impl From<RateLimit> for RateRecord {
    fn from(rate: RateLimit) -> Self {
        Self {
            count: rate.count,
            per_ms: rate.per_ms,
        }
    }
}

impl From<RateRecord> for RateLimit {
    fn from(record: RateRecord) -> Self {
        Self {
            count: record.count,
            per_ms: record.per_ms,
        }
    }
}

/// Secrets as they are.
mod revealed {
    use std::borrow::Cow;

    use hookyard_domain::Secret;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::ptr_arg, reason = "it is what serde passes")]
    pub(super) fn serialize<S: Serializer>(
        secret: &Cow<'_, Secret>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Cow<'static, Secret>, D::Error> {
        String::deserialize(from).map(|text| Cow::Owned(Secret::new(text)))
    }
}

/// Signing secrets as their owners are shown them.
mod as_text {
    use std::borrow::Cow;

    use hookyard_domain::SigningSecret;
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    #[expect(clippy::ptr_arg, reason = "it is what serde passes")]
    pub(super) fn serialize<S: Serializer>(
        secret: &Cow<'_, SigningSecret>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_str(secret.text().reveal())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Cow<'static, SigningSecret>, D::Error> {
        let secret = SigningSecret::parse(&String::deserialize(from)?);
        secret.map(Cow::Owned).map_err(de::Error::custom)
    }
}
