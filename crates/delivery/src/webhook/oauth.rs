//! Access tokens for endpoints that want OAuth 2.0 client credentials (RFC 6749, section 4.4).
//!
//! A token is asked for when it is first needed, by one attempt for all that wait for it, and kept
//! until shortly before it ends. An endpoint that answers 401 makes it forgotten.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hookyard_domain::Secret;
use hookyard_domain::endpoints::endpoint::Authorization;
use hookyard_domain::kernel::limits::{
    ACCESS_TOKENS_MAX, GRANT_BYTES_MAX, GRANT_ERROR_CHARS_MAX, GRANT_LEFT_MIN, GRANT_LIFE_DEFAULT,
};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST};
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use url::form_urlencoded;

use super::{Exchange, WebhookConnection};
use crate::egress::{DialError, Egress, Target};
use crate::transport::Sending;

/// A source that refused is not asked again so soon, however many deliveries wait.
const REFUSAL_KEPT: Duration = Duration::from_secs(5);

/// Why there is no token, for people: never what its source said in its own words, apart from the
/// code that the standard has for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NoToken(pub(super) String);

impl NoToken {
    fn because(what: impl std::fmt::Display) -> Self {
        Self(format!("The source of the access token {what}"))
    }

    fn unreached(error: DialError) -> Self {
        Self::because(format_args!("cannot be called: {error}"))
    }
}

/// Whom a token is for.
type Key = (String, String, String, Option<String>);

#[derive(Debug, Clone)]
enum Grant {
    Token { value: HeaderValue, until: Instant },
    Refused { until: Instant, why: NoToken },
}

type Slot = Arc<tokio::sync::Mutex<Option<Grant>>>;

/// The tokens of all endpoints.
#[derive(Debug, Default)]
pub(super) struct AccessTokens {
    slots: Mutex<HashMap<Key, Slot>>,
}

impl AccessTokens {
    /// The `Authorization` header for an endpoint, where that needs a token; by `deadline`.
    pub(super) async fn header(
        &self,
        egress: &Egress,
        authorization: &Authorization,
        deadline: Instant,
    ) -> Result<Option<HeaderValue>, NoToken> {
        let Authorization::OAuth2 {
            token_url,
            client_id,
            client_secret,
            scope,
        } = authorization
        else {
            return Ok(None);
        };
        let slot = self.slot(authorization);
        let asking = async {
            let mut kept = slot.lock().await;
            let now = Instant::now();
            match &*kept {
                Some(Grant::Token { value, until }) if *until > now => return Ok(value.clone()),
                Some(Grant::Refused { until, why }) if *until > now => return Err(why.clone()),
                _ => {}
            }
            let scope = scope.as_deref();
            match ask(egress, token_url, client_id, client_secret, scope, deadline).await {
                Ok((value, life)) => {
                    let until = Instant::now() + life.saturating_sub(GRANT_LEFT_MIN);
                    *kept = Some(Grant::Token {
                        value: value.clone(),
                        until,
                    });
                    Ok(value)
                }
                Err(why) => {
                    let until = Instant::now() + REFUSAL_KEPT;
                    *kept = Some(Grant::Refused {
                        until,
                        why: why.clone(),
                    });
                    Err(why)
                }
            }
        };
        match timeout_at(deadline, asking).await {
            Ok(asked) => asked.map(Some),
            Err(_) => Err(NoToken::because("does not answer in time")),
        }
    }

    /// Forgets the token of an endpoint that did not take it.
    pub(super) fn forget(&self, authorization: &Authorization) {
        if let Some(key) = key_of(authorization) {
            self.slots
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key);
        }
    }

    fn slot(&self, authorization: &Authorization) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= ACCESS_TOKENS_MAX {
            slots.clear();
        }
        let key = key_of(authorization).unwrap_or_default();
        Arc::clone(slots.entry(key).or_default())
    }
}

fn key_of(authorization: &Authorization) -> Option<Key> {
    match authorization {
        Authorization::OAuth2 {
            token_url,
            client_id,
            client_secret,
            scope,
        } => Some((
            token_url.clone(),
            client_id.clone(),
            client_secret.reveal().to_owned(),
            scope.clone(),
        )),
        _ => None,
    }
}

/// What a token's source answers.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

fn form_of(scope: Option<&str>) -> Bytes {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = scope {
        form.append_pair("scope", scope);
    }
    form.finish().into()
}

/// Asks for a token. The credentials go as Basic authentication, which every source must take.
async fn ask(
    egress: &Egress,
    token_url: &str,
    client_id: &str,
    client_secret: &Secret,
    scope: Option<&str>,
    deadline: Instant,
) -> Result<(HeaderValue, Duration), NoToken> {
    let unusable = || NoToken::because("has an address or credentials that cannot be sent");
    let broken = || NoToken::because("breaks the connection off, or does not speak HTTP");
    let target = Target::parse(token_url).map_err(NoToken::unreached)?;
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let both = format!("{}:{}", encode(client_id), encode(client_secret.reveal()));
    let body = form_of(scope);
    let header = |text: &str| HeaderValue::from_str(text).map_err(|_| unusable());
    let mut proof = header(&format!("Basic {}", STANDARD.encode(both)))?;
    proof.set_sensitive(true);
    let mut request = Request::new(Full::new(body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = target.path_and_query().parse().map_err(|_| unusable())?;
    let headers = request.headers_mut();
    headers.insert(HOST, header(target.authority())?);
    headers.insert(AUTHORIZATION, proof);
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    let dialled = egress.dial(&target, deadline).await;
    let opened = Exchange::open(dialled.map_err(NoToken::unreached)?.stream).await;
    let mut exchange = opened.map_err(|_| broken())?;
    let answer = exchange.ask(request).await.map_err(|_| broken())?;
    let status = answer.status();
    let mut read = Vec::new();
    let mut body = answer.into_body();
    let whole = exchange
        .read_body(&mut body, GRANT_BYTES_MAX, |chunk| {
            read.extend_from_slice(chunk);
        })
        .await;
    if !status.is_success() {
        let code = refusal_code(&read).map_or_else(String::new, |code| format!(" ({code})"));
        return Err(NoToken::because(format_args!("answered {status}{code}")));
    }
    if !matches!(whole, Ok(true)) {
        let what = "broke its answer off, or made it longer than a token is";
        return Err(NoToken::because(what));
    }
    let granted: Granted = serde_json::from_slice(&read).map_err(|_| {
        let what = format_args!("answered {status}, but not with JSON that has an `access_token`");
        NoToken::because(what)
    })?;
    let mut value = HeaderValue::from_str(&format!("Bearer {}", granted.access_token))
        .map_err(|_| NoToken::because("gives one that cannot be sent in a header"))?;
    value.set_sensitive(true);
    let life = granted
        .expires_in
        .map_or(GRANT_LIFE_DEFAULT, Duration::from_secs);
    Ok((value, life))
}

/// The code of a refusal (RFC 6749, section 5.2), where it looks like one.
fn refusal_code(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal: Refusal = serde_json::from_slice(answer).ok()?;
    let like_one = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    let known = refusal.error.len() <= GRANT_ERROR_CHARS_MAX && refusal.error.bytes().all(like_one);
    known.then_some(refusal.error)
}

impl WebhookConnection {
    /// Adds the access token that an endpoint wants, fetched by `deadline`.
    pub(super) async fn authorize(
        &mut self,
        sending: &Sending<'_>,
        request: &mut Request<Full<Bytes>>,
        deadline: Instant,
    ) -> Result<(), NoToken> {
        let Some(endpoint) = &sending.subscription.endpoint else {
            return Ok(());
        };
        let asked = self
            .tokens
            .header(&self.egress, &endpoint.authorization, deadline);
        if let Some(proof) = asked.await? {
            request.headers_mut().insert(AUTHORIZATION, proof);
        }
        Ok(())
    }

    /// The receiver does not take the token any more.
    pub(super) fn forget_token(&self, sending: &Sending<'_>) {
        if let Some(endpoint) = &sending.subscription.endpoint {
            self.tokens.forget(&endpoint.authorization);
        }
    }
}
