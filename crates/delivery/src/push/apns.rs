//! Apple's push service with token authentication: HTTP/2, `POST /3/device/{token}`.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use hookyard_domain::kernel::limits::{
    APNS_TOKEN_AGE_MAX, APNS_TOKEN_AGE_MIN, PUSH_PAYLOAD_BYTES_MAX,
};
use hookyard_domain::kernel::ports::Clock;
use hookyard_domain::{AttemptOutcome, Timestamp};
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::Message;
use super::jwt::SigningKey;
use super::link::{Answer, Link, LinkError, Trip};
use super::refused;

/// One app at Apple's service.
pub(super) struct Apns {
    pub(super) link: Link,
    pub(super) key: SigningKey,
    pub(super) key_id: String,
    pub(super) team_id: String,
    pub(super) topic: HeaderValue,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) token: Mutex<Option<(Timestamp, HeaderValue)>>,
}

impl Apns {
    /// Sends one message, and says what became of it.
    pub(super) async fn send(
        &self,
        device: &str,
        message: &Message,
        trip: &mut Trip<'_>,
    ) -> Result<(AttemptOutcome, Answer), LinkError> {
        let request = self.request(device, message).ok_or(LinkError::Broken)?;
        let answer = self.link.ask(request, trip).await?;
        let reason = reason_of(&answer.body);
        let outcome = match (answer.status, reason.as_deref()) {
            (200, _) => AttemptOutcome::Accepted { status: 200 },
            // The device's token is not one, or no longer: it will not become one.
            (400, Some("BadDeviceToken" | "DeviceTokenNotForTopic")) => refused(410, None),
            (status, reason) => {
                if status == 403 && reason == Some("ExpiredProviderToken") {
                    self.renew();
                }
                refused(status, answer.retry_after)
            }
        };
        Ok((outcome, answer))
    }

    fn request(&self, device: &str, message: &Message) -> Option<Request<Full<Bytes>>> {
        // A device that is off gets it later, as long as we would have tried ourselves.
        let expires = message.until.as_millis() / 1_000;
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.link.uri(&format!("/3/device/{device}")))
            .header(header::AUTHORIZATION, self.authorization()?)
            .header("apns-topic", &self.topic)
            .header("apns-push-type", "background")
            .header("apns-priority", "5")
            .header("apns-expiration", expires)
            .body(Full::new(payload(message)))
            .ok()?;
        let headers = request.headers_mut();
        if let Some(value) = headers.get_mut(header::AUTHORIZATION) {
            value.set_sensitive(true);
        }
        Some(request)
    }

    /// Uses the token no more, unless it is so young that Apple would refuse a new one, too.
    fn renew(&self) {
        let now = self.clock.now();
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        token.take_if(|(made_at, _)| now.since(*made_at) >= APNS_TOKEN_AGE_MIN);
    }

    /// The provider token, made anew when it grows old, or when it is from the future: somebody
    /// has set the clock back.
    fn authorization(&self) -> Option<HeaderValue> {
        let now = self.clock.now();
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((made_at, value)) = &*token
            && *made_at <= now
            && now.since(*made_at) < APNS_TOKEN_AGE_MAX
        {
            return Some(value.clone());
        }
        let claims = json!({ "iss": self.team_id, "iat": now.as_millis() / 1_000 });
        let made = self.key.sign(json!({ "kid": self.key_id }), &claims)?;
        let value = HeaderValue::from_str(&format!("bearer {made}")).ok()?;
        *token = Some((now, value.clone()));
        Some(value)
    }
}

/// A background notification with the event in it; without its body when that is too large.
fn payload(message: &Message) -> Bytes {
    const APS: &str = r#""aps":{"content-available":1}"#;
    let whole = format!(r#"{{{APS},"event":{}}}"#, message.whole());
    if whole.len() <= PUSH_PAYLOAD_BYTES_MAX {
        return whole.into();
    }
    let event = message.without_body();
    format!(r#"{{{APS},"event":{event},"bodyOmitted":true}}"#).into()
}

/// Why Apple refused.
fn reason_of(body: &str) -> Option<String> {
    let told: Value = serde_json::from_str(body).ok()?;
    told["reason"].as_str().map(str::to_owned)
}
