//! Google's push service, FCM v1: `POST /v1/projects/{project}/messages:send`, with an access token
//! that a service account's key gets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::kernel::limits::{
    FCM_REFUSAL_KEPT, FCM_TOKEN_MARGIN, FCM_TTL_MAX, PUSH_PAYLOAD_BYTES_MAX, RETRY_AFTER_MAX,
};
use hookyard_domain::kernel::ports::Clock;
use hookyard_domain::{AttemptOutcome, Timestamp};
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::Message;
use super::jwt::SigningKey;
use super::link::{Answer, Link, LinkError, Trip};
use super::refused;

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// What a service account's file holds, as far as we need it.
#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    pub(super) project_id: String,
    pub(super) client_email: String,
    pub(super) private_key_id: String,
    pub(super) private_key: String,
    #[serde(default = "default_token_uri")]
    pub(super) token_uri: String,
}

fn default_token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

/// One app at Google's service.
pub(super) struct Fcm {
    pub(super) link: Link,
    /// To where access tokens come from.
    pub(super) token_link: Link,
    pub(super) token_path: String,
    pub(super) account: ServiceAccount,
    pub(super) key: SigningKey,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) token: Mutex<Option<Granted>>,
}

/// What the source of access tokens said last.
pub(super) struct Granted {
    /// A token, or why there is none.
    grant: Result<HeaderValue, Answer>,
    /// It holds from then on ...
    from: Timestamp,
    /// ... and no longer from then on.
    until: Timestamp,
}

impl Granted {
    /// Whether it still holds. A clock that was set back ends it.
    fn holds(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
    }
}

impl Fcm {
    /// Sends one message, and says what became of it.
    pub(super) async fn send(
        &self,
        device: &str,
        message: &Message,
        trip: &mut Trip<'_>,
    ) -> Result<(AttemptOutcome, Answer), LinkError> {
        let authorization = match self.authorization(trip).await? {
            Ok(authorization) => authorization,
            Err(answer) => return Ok((refused(answer.status, answer.retry_after), answer)),
        };
        let path = format!("/v1/projects/{}/messages:send", self.account.project_id);
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.link.uri(&path))
            .header(header::AUTHORIZATION, &authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(self.payload(device, message)))
            .map_err(|_| LinkError::Broken)?;
        let answer = self.link.ask(request, trip).await?;
        let outcome = match answer.status {
            200 => AttemptOutcome::Accepted { status: 200 },
            404 if has_code(&answer.body, "UNREGISTERED") => refused(410, None),
            status => {
                // The other kind of 401 is about the app's accounts elsewhere.
                if status == 401 && !has_code(&answer.body, "THIRD_PARTY_AUTH_ERROR") {
                    self.forget(&authorization).await;
                }
                refused(status, answer.retry_after)
            }
        };
        Ok((outcome, answer))
    }

    /// Uses an access token no more, unless it has been replaced already.
    async fn forget(&self, authorization: &HeaderValue) {
        let is_it =
            |granted: &mut Granted| granted.grant.as_ref().is_ok_and(|it| it == authorization);
        self.token.lock().await.take_if(is_it);
    }

    /// An access token, got anew when it grows old; or the answer that has none, which stands for
    /// a while, too.
    async fn authorization(
        &self,
        trip: &mut Trip<'_>,
    ) -> Result<Result<HeaderValue, Answer>, LinkError> {
        let now = self.clock.now();
        // Held while asking, so that many senders ask once.
        let mut token = self.token.lock().await;
        if let Some(granted) = &*token
            && granted.holds(now)
        {
            return Ok(granted.grant.clone());
        }
        let request = self.token_request(now).ok_or(LinkError::Broken)?;
        let answer = self.token_link.ask(request, trip).await?;
        let granted = token.insert(read_grant(&answer, now));
        Ok(granted.grant.clone())
    }

    fn token_request(&self, now: Timestamp) -> Option<Request<Full<Bytes>>> {
        let issued = now.as_millis() / 1_000;
        let claims = json!({
            "iss": self.account.client_email,
            "scope": SCOPE,
            "aud": self.account.token_uri,
            "iat": issued,
            "exp": issued + 3_600,
        });
        let header = json!({ "typ": "JWT", "kid": self.account.private_key_id });
        let assertion = self.key.sign(header, &claims)?;
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", GRANT)
            .append_pair("assertion", &assertion)
            .finish();
        Request::builder()
            .method(Method::POST)
            .uri(self.token_link.uri(&self.token_path))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Full::new(form.into()))
            .ok()
    }

    /// A data message: texts only, by Google's rule. It wakes a sleeping device.
    fn payload(&self, device: &str, message: &Message) -> Bytes {
        let ttl = message.until.since(self.clock.now()).min(FCM_TTL_MAX);
        let android = json!({ "priority": "HIGH", "ttl": format!("{}s", ttl.as_secs()) });
        let whole = message.whole();
        // What counts is the data, keys and values, before it is written as JSON.
        let data = if "event".len() + whole.len() <= PUSH_PAYLOAD_BYTES_MAX {
            json!({ "event": whole })
        } else {
            json!({ "event": message.without_body(), "bodyOmitted": "true" })
        };
        json!({ "message": { "token": device, "data": data, "android": android } })
            .to_string()
            .into()
    }
}

/// Reads what the source of access tokens said. An answer that grants one in a way that we do not
/// understand is not shown to anybody.
fn read_grant(answer: &Answer, now: Timestamp) -> Granted {
    #[derive(Deserialize)]
    struct Body {
        access_token: String,
        expires_in: u64,
    }
    let lasting = |grant, life| Granted {
        grant,
        from: now,
        until: now + life,
    };
    if answer.status != 200 {
        let pause = answer.retry_after.unwrap_or_default();
        let pause = pause.clamp(FCM_REFUSAL_KEPT, RETRY_AFTER_MAX);
        return lasting(Err(no_grant(answer.status, &answer.body, answer)), pause);
    }
    let body: Option<Body> = serde_json::from_str(&answer.body).ok();
    let granted = body.and_then(|body| {
        let mut value = HeaderValue::from_str(&format!("Bearer {}", body.access_token)).ok()?;
        value.set_sensitive(true);
        Some((value, Duration::from_secs(body.expires_in)))
    });
    let Some((value, life)) = granted else {
        let said = "it holds no token that can be used";
        return lasting(Err(no_grant(502, said, answer)), FCM_REFUSAL_KEPT);
    };
    lasting(Ok(value), life.saturating_sub(FCM_TOKEN_MARGIN))
}

/// No token, no message. What may pass keeps its status; the rest is a 401, whatever its number:
/// from this source, a 410 does not say that a device is gone.
fn no_grant(status: u16, said: &str, answer: &Answer) -> Answer {
    let may_pass = status == 429 || status >= 500;
    let got = answer.status;
    Answer {
        status: if may_pass { status } else { 401 },
        retry_after: answer.retry_after,
        body: format!("The request for an access token got {got}: {said}"),
    }
}

/// Whether a refusal is of this kind. The status alone may be about something else, such as a
/// project that does not exist.
fn has_code(body: &str, code: &str) -> bool {
    let Ok(told) = serde_json::from_str::<Value>(body) else {
        return false;
    };
    let details = told["error"]["details"].as_array();
    details.is_some_and(|details| details.iter().any(|detail| detail["errorCode"] == code))
}
