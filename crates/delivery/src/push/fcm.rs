//! Google's push service, FCM v1: `POST /v1/projects/{project}/messages:send`, with an access token
//! that a service account's key gets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hookyard_domain::limits::PUSH_PAYLOAD_BYTES_MAX;
use hookyard_domain::ports::Clock;
use hookyard_domain::{AttemptOutcome, Timestamp};
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::jwt::SigningKey;
use super::link::{Answer, Link, LinkError, Trip};
use super::{Message, refused};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// An access token is no longer used so long before it ends.
const TOKEN_MARGIN: Duration = Duration::from_secs(120);

/// What a service account's file holds, as far as we need it.
#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    pub(super) project_id: String,
    pub(super) client_email: String,
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
    pub(super) token: Mutex<Option<(Timestamp, HeaderValue)>>,
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
            // No token, no message: the reason is what the token's source said.
            Err(answer) => return Ok((refused(answer.status, answer.retry_after), answer)),
        };
        let path = format!("/v1/projects/{}/messages:send", self.account.project_id);
        let request = Request::builder()
            .method(Method::POST)
            .uri(self.link.uri(&path))
            .header(header::AUTHORIZATION, authorization)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(payload(device, message)))
            .map_err(|_| LinkError::Broken)?;
        let answer = self.link.ask(request, trip).await?;
        let outcome = match answer.status {
            200 => AttemptOutcome::Accepted { status: 200 },
            404 if is_unregistered(&answer.body) => refused(410, None),
            status => {
                if status == 401 {
                    *self.token.lock().await = None;
                }
                refused(status, answer.retry_after)
            }
        };
        Ok((outcome, answer))
    }

    /// An access token, got anew when it grows old; or the answer that has none.
    async fn authorization(
        &self,
        trip: &mut Trip<'_>,
    ) -> Result<Result<HeaderValue, Answer>, LinkError> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            expires_in: u64,
        }
        let now = self.clock.now();
        // Held while asking, so that many senders ask once.
        let mut token = self.token.lock().await;
        if let Some((until, value)) = &*token
            && now < *until
        {
            return Ok(Ok(value.clone()));
        }
        let request = self.token_request(now).ok_or(LinkError::Broken)?;
        let answer = self.token_link.ask(request, trip).await?;
        let granted: Option<Granted> = serde_json::from_str(&answer.body).ok();
        let granted = granted.filter(|_| answer.status == 200);
        let bearer = granted.as_ref().and_then(|granted| {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {}", granted.access_token)).ok()?;
            value.set_sensitive(true);
            Some(value)
        });
        let (Some(granted), Some(bearer)) = (granted, bearer) else {
            let status = if answer.status == 200 {
                502
            } else {
                answer.status
            };
            return Ok(Err(Answer { status, ..answer }));
        };
        let life = Duration::from_secs(granted.expires_in).saturating_sub(TOKEN_MARGIN);
        *token = Some((now + life, bearer.clone()));
        Ok(Ok(bearer))
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
        let assertion = self.key.sign(json!({ "typ": "JWT" }), &claims)?;
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
}

/// A data message: texts only, by Google's rule.
fn payload(device: &str, message: &Message) -> Bytes {
    let data = |envelope: String, omitted: bool| {
        let mut data = json!({ "event": envelope });
        if omitted {
            data["bodyOmitted"] = "true".into();
        }
        json!({ "message": { "token": device, "data": data } })
    };
    let whole = message.whole();
    // What counts is the data, keys and values, before it is written as JSON.
    if "event".len() + whole.len() <= PUSH_PAYLOAD_BYTES_MAX {
        return data(whole.to_owned(), false).to_string().into();
    }
    data(message.without_body(), true).to_string().into()
}

/// Whether the device is gone; 404 alone may be a wrong project.
fn is_unregistered(body: &str) -> bool {
    let Ok(told) = serde_json::from_str::<Value>(body) else {
        return false;
    };
    let details = told["error"]["details"].as_array();
    details.is_some_and(|details| {
        details
            .iter()
            .any(|detail| detail["errorCode"] == "UNREGISTERED")
    })
}
