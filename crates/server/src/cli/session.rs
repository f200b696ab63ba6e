//! A signed-in caller of one server's API.

use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hookyard_delivery::{Answer, Call, CallError, Client, Egress, EgressRules, Target};
use hookyard_domain::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::form_urlencoded;

use super::access::{Access, Credentials};
use super::screen::plain;

/// Records of a page, the most that the server gives.
const PAGE_LIMIT: u32 = 250;
/// How long the server may take for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Signing out is a courtesy.
const SIGN_OUT_TIMEOUT: Duration = Duration::from_secs(2);
/// An answer of the API, the longest being a page of deliveries or one delivery with its attempts.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A token that is about to run out is not worth starting with.
const TOKEN_LEFT_MIN: Duration = Duration::from_secs(60);

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

/// Why the server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error(
        "`{server}` cannot be called: {cause}; see that the server runs (`hookyard serve`), or say where it is with --server"
    )]
    Unreachable { server: String, cause: CallError },
    #[error("{}", .0.told())]
    Refused(Refusal),
}

/// What the server answered instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    code: String,
    /// Each mistake with the place it is in.
    pub(crate) mistakes: Vec<(Option<String>, String)>,
}

impl Refusal {
    pub(crate) fn read(status: StatusCode, body: &[u8]) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Mistake {
            message: String,
            parameter_name: Option<String>,
        }
        #[derive(Default, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        struct Envelope {
            error_code: String,
            message: String,
            errors: Vec<Mistake>,
            #[serde(rename = "error_description")]
            description: String,
        }
        let envelope: Envelope = serde_json::from_slice(body).unwrap_or_default();
        let mut mistakes: Vec<_> = envelope
            .errors
            .into_iter()
            .map(|mistake| (mistake.parameter_name, mistake.message))
            .collect();
        if mistakes.is_empty() {
            let texts = [envelope.message, envelope.description];
            let text = texts.into_iter().find(|text| !text.is_empty());
            mistakes.push((None, text.unwrap_or_else(|| "it did not say why".into())));
        }
        Self {
            status,
            code: envelope.error_code,
            mistakes,
        }
    }

    fn told(&self) -> String {
        let mistakes: Vec<String> = self
            .mistakes
            .iter()
            .map(|(place, message)| match place {
                Some(place) if !message.contains(place.as_str()) => format!("{message} ({place})"),
                _ => message.clone(),
            })
            .collect();
        let code = if self.code.is_empty() {
            String::new()
        } else {
            format!(" {}", self.code)
        };
        let mut told = format!(
            "the server answered {}{}: {}",
            self.status.as_u16(),
            plain(&code),
            plain(&mistakes.join("; "))
        );
        if let Some(advice) = self.advice() {
            told.push_str("; ");
            told.push_str(advice);
        }
        told
    }

    fn advice(&self) -> Option<&'static str> {
        match (self.status.as_u16(), self.code.as_str()) {
            (401, _) | (400, "OAU-211" | "OAU-149") => Some(
                "the credentials are not this server's: take those that its first start wrote to credentials.env in its data directory",
            ),
            (403, "CMN-408") => {
                Some("sign in as an administrator of the account: RC_USER_JWT says who you are")
            }
            (403, "CMN-401") => Some("sign in with an app that may do this"),
            (404, "CMN-120") => Some("the server may be older than this program"),
            _ => None,
        }
    }

    /// Whether asking again later may help.
    pub(crate) fn is_passing(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }
}

impl Fault {
    /// Whether asking again later may help.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => refusal.is_passing(),
        }
    }
}

struct Token {
    text: Secret,
    good_until: Instant,
}

/// Calls the API in one person's name. Signs in when it first has to; the token stays in memory.
pub(crate) struct Session {
    client: Client,
    server: String,
    credentials: Credentials,
    token: Mutex<Option<Token>>,
}

/// Everything on this machine and beyond: whoever runs the program says what to call.
pub(crate) fn client() -> Client {
    Client::new(Egress::new(EgressRules::anywhere()))
}

/// A segment of a path.
pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A path with a query of what is there.
pub(crate) fn with_query(path: &str, parameters: &[(&str, Option<String>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    let query = query.finish();
    if query.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{query}")
    }
}

impl Session {
    /// Finds the server and the credentials; calls nobody yet.
    ///
    /// # Errors
    ///
    /// When either is missing or makes no sense.
    pub(crate) fn new(access: &Access) -> anyhow::Result<Self> {
        let (server, credentials) = access.resolve()?;
        Target::parse(&server)
            .with_context(|| format!("`{server}` is not the address of a server"))?;
        Ok(Self {
            client: client(),
            server,
            credentials,
            token: Mutex::new(None),
        })
    }

    /// Where the server is.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// Reads something.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Fault> {
        self.ask(Method::GET, path, Bytes::new(), JSON).await
    }

    /// Reads every record of a list, page by page. `path` may have a query.
    pub(crate) async fn all(&self, path: &str) -> Result<Vec<Value>, Fault> {
        let joint = if path.contains('?') { '&' } else { '?' };
        let first = format!("{path}{joint}limit={PAGE_LIMIT}");
        let mut records = Vec::new();
        let mut next = first.clone();
        loop {
            let mut page = self.get(&next).await?;
            if let Value::Array(more) = page["records"].take() {
                records.extend(more);
            }
            let Some(token) = page["nextPageToken"].as_str() else {
                return Ok(records);
            };
            next = format!("{first}&pageToken={}", segment(token));
        }
    }

    /// Does something that takes no saying how, or says it in `body`.
    pub(crate) async fn post(&self, path: &str, body: Option<&Value>) -> Result<Value, Fault> {
        let body = body.map(|body| body.to_string().into());
        self.ask(Method::POST, path, body.unwrap_or_default(), JSON)
            .await
    }

    /// Sends bytes as they are.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
        media_type: &'static str,
    ) -> Result<Value, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        let answer = self.open(method, path, headers, body).await?;
        let whole = self.whole(answer).await?;
        Ok(serde_json::from_slice(&whole).unwrap_or_default())
    }

    /// Reads something, as it is written.
    pub(crate) async fn read(&self, path: &str) -> Result<Bytes, Fault> {
        let answer = self.open(Method::GET, path, HeaderMap::new(), Bytes::new());
        self.whole(answer.await?).await
    }

    async fn whole(&self, answer: Answer<'_>) -> Result<Bytes, Fault> {
        let whole = answer.whole(ANSWER_BYTES_MAX, ANSWER_TIMEOUT).await;
        whole.map_err(|cause| self.unreachable(cause))
    }

    /// Sends a request and returns its answer when it is a good one, while its body still comes.
    pub(crate) async fn open(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer<'_>, Fault> {
        for again in [false, true] {
            let mut headers = headers.clone();
            headers.insert(AUTHORIZATION, self.bearer(again).await?);
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
            let sent = self.send(method.clone(), path, headers, body.clone());
            let answer = sent.await?;
            if answer.status.is_success() {
                return Ok(answer);
            }
            let refusal = self.refusal(answer).await?;
            // The token may have ended early: its session made room for another.
            if refusal.status != StatusCode::UNAUTHORIZED || again {
                return Err(Fault::Refused(refusal));
            }
        }
        unreachable!("the second answer is final")
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer<'_>, Fault> {
        let target = Target::parse(&format!("{}{path}", self.server));
        let target = target.map_err(|cause| self.unreachable(cause.into()))?;
        let called = self.client.call(Call {
            method,
            target,
            headers,
            body,
            timeout: ANSWER_TIMEOUT,
        });
        called.await.map_err(|cause| self.unreachable(cause))
    }

    async fn refusal(&self, answer: Answer<'_>) -> Result<Refusal, Fault> {
        let status = answer.status;
        let body = self.whole(answer).await?;
        Ok(Refusal::read(status, &body))
    }

    fn unreachable(&self, cause: CallError) -> Fault {
        Fault::Unreachable {
            server: self.server.clone(),
            cause,
        }
    }

    /// Whether the token has run out, so that the server ends what was opened with it.
    pub(crate) async fn has_run_out(&self) -> bool {
        let token = self.token.lock().await;
        let left = token
            .as_ref()
            .map(|token| token.good_until.saturating_duration_since(Instant::now()));
        left.is_none_or(|left| left < TOKEN_LEFT_MIN)
    }

    async fn bearer(&self, renewed: bool) -> Result<HeaderValue, Fault> {
        let mut token = self.token.lock().await;
        let good = token.as_ref().filter(|token| {
            token.good_until.saturating_duration_since(Instant::now()) >= TOKEN_LEFT_MIN
        });
        let text = match good {
            Some(token) if !renewed => token.text.clone(),
            _ => token.insert(self.sign_in().await?).text.clone(),
        };
        let mut value = HeaderValue::from_str(&format!("Bearer {}", text.reveal()))
            .map_err(|_| self.unreachable(CallError::BadHeader))?;
        value.set_sensitive(true);
        Ok(value)
    }

    async fn sign_in(&self) -> Result<Token, Fault> {
        #[derive(Deserialize)]
        struct Granted {
            access_token: String,
            expires_in: u64,
        }
        let fields = [
            ("grant_type", GRANT),
            ("assertion", self.credentials.jwt.reveal()),
        ];
        let answer = self.form("/restapi/oauth/token", &fields).await?;
        if !answer.status.is_success() {
            return Err(Fault::Refused(self.refusal(answer).await?));
        }
        let status = answer.status;
        let body = self.whole(answer).await?;
        let granted: Granted = serde_json::from_slice(&body)
            .map_err(|_| Fault::Refused(Refusal::read(status, &body)))?;
        Ok(Token {
            text: Secret::new(granted.access_token),
            good_until: Instant::now() + Duration::from_secs(granted.expires_in),
        })
    }

    /// Gives the token back: a person has few sessions, and one more would end the oldest.
    pub(crate) async fn end(&self) {
        if let Some(token) = self.token.lock().await.take() {
            let fields = [("token", token.text.reveal())];
            let told = self.form("/restapi/oauth/revoke", &fields);
            // It ends by itself otherwise.
            let _ = tokio::time::timeout(SIGN_OUT_TIMEOUT, told).await;
        }
    }

    async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Result<Answer<'_>, Fault> {
        let Credentials {
            client_id,
            client_secret,
            ..
        } = &self.credentials;
        let both = STANDARD.encode(format!("{client_id}:{}", client_secret.reveal()));
        let mut proof = HeaderValue::from_str(&format!("Basic {both}"))
            .map_err(|_| self.unreachable(CallError::BadHeader))?;
        proof.set_sensitive(true);
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, proof);
        let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(CONTENT_TYPE, kind);
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.send(Method::POST, path, headers, body.into()).await
    }
}

/// The media type of most of what is sent.
pub(crate) const JSON: &str = "application/json";

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> String {
        let status = StatusCode::from_u16(status).unwrap();
        Fault::Refused(Refusal::read(status, body.as_bytes())).to_string()
    }

    #[test]
    fn a_refusal_says_each_mistake_and_what_to_do() {
        let body = r#"{"errorCode":"CMN-101","message":"x","errors":[
            {"errorCode":"CMN-101","message":"it is missing","parameterName":"[3].data"},
            {"errorCode":"CMN-101","message":"Parameter [id] is bad","parameterName":"id"}]}"#;
        assert_eq!(
            told(400, body),
            "the server answered 400 CMN-101: it is missing ([3].data); Parameter [id] is bad"
        );
        let body = r#"{"errorCode":"CMN-408","message":"no"}"#;
        let text = told(403, body);
        assert!(!told(400, r#"{"message":"\u001b[31mred\u0007"}"#).contains(['\u{1b}', '\u{7}']));
        assert!(text.contains("administrator"), "{text}");
        let text = told(
            401,
            r#"{"error":"invalid_client","error_description":"Unknown app"}"#,
        );
        assert!(
            text.contains("Unknown app; the credentials are not"),
            "{text}"
        );
        assert_eq!(
            told(502, "<html>"),
            "the server answered 502: it did not say why"
        );
    }

    #[test]
    fn paths_and_queries_are_encoded() {
        assert_eq!(segment("invoice.paid/../ü"), "invoice.paid%2F..%2F%C3%BC");
        let query = [("types", Some("a.*,b".to_owned())), ("q", None)];
        assert_eq!(with_query("/x", &query), "/x?types=a.*%2Cb");
        assert_eq!(with_query("/x", &[("q", None)]), "/x");
    }
}
