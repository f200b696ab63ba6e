//! Signing in and out (contract section 1).

mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::identity::session::RefreshDecision;
use hookyard_domain::kernel::limits::{
    ACCESS_TOKEN_TTL_MAX, ACCESS_TOKEN_TTL_MIN, REFRESH_TOKEN_TTL_DEFAULT, REFRESH_TOKEN_TTL_MAX,
    SESSIONS_MAX, SIGN_IN_BODY_BYTES_MAX,
};
use hookyard_domain::{
    App, Change, ClientId, Code, Guard, Person, Secret, Session, SessionId, SessionWrite,
    Timestamp, Token, TokenHash, TokenKind,
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

use self::wire::{RevocationForm, TokenForm, TokenView};
use crate::Api;
use crate::identity::password::verify_password;
use crate::kernel::body::read_body;
use crate::kernel::problem::{ApiError, Told, json_with};
use crate::kernel::rate_limits::{Counted, Meter};
use crate::operations::answers::{Answer, Empty};
use crate::operations::inputs::Whole;

crate::operations! {
    tag SigningIn, under ROOT, as Client, counted Auth;

    /// Gives tokens for a password, an assertion, a code or a refresh token.
    create_token: POST "/restapi/oauth/token", fails [
        ClientInvalid, AssertionUnparsable, GrantInvalid, CredentialsInvalid, PersonDisabled,
        GrantUnsupported, OAuthRequestInvalid, Conflict,
    ];
    /// Ends a session.
    revoke: POST "/restapi/oauth/revoke" named revoke_token,
        fails [ClientInvalid, OAuthRequestInvalid, Conflict];
}

/// Why no token is given: the member of RFC 6749, our code, and prose.
#[derive(Debug)]
pub(crate) enum OAuthError {
    Refused {
        error: &'static str,
        code: Code,
        description: String,
    },
    Api(ApiError),
}

impl OAuthError {
    fn new(error: &'static str, code: Code, description: impl Into<String>) -> Self {
        Self::Refused {
            error,
            code,
            description: description.into(),
        }
    }

    fn missing(parameter: &str) -> Self {
        let description = format!("Parameter [{parameter}] is missing or invalid");
        Self::new("invalid_request", Code::OAuthRequestInvalid, description)
    }

    fn invalid_client() -> Self {
        Self::new(
            "invalid_client",
            Code::ClientInvalid,
            Code::ClientInvalid.summary(),
        )
    }

    fn invalid_grant() -> Self {
        Self::new(
            "invalid_grant",
            Code::GrantInvalid,
            Code::GrantInvalid.summary(),
        )
    }
}

impl<E: Into<ApiError>> From<E> for OAuthError {
    fn from(error: E) -> Self {
        Self::Api(error.into())
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OAuthProblem")]
struct OAuthEnvelope<'a> {
    error: &'static str,
    error_description: &'a str,
    errors: [OAuthDetail<'a>; 1],
    #[serde(rename = "errorCode")]
    error_code: &'static str,
    message: &'a str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OAuthProblemDetail")]
struct OAuthDetail<'a> {
    error_code: &'static str,
    message: &'a str,
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let (error, code, description) = match self {
            Self::Api(error) => return error.into_response(),
            Self::Refused {
                error,
                code,
                description,
            } => (error, code, description),
        };
        let status = StatusCode::from_u16(code.status()).expect("catalogue statuses are valid");
        let envelope = OAuthEnvelope {
            error,
            error_description: &description,
            errors: [OAuthDetail {
                error_code: code.name(),
                message: &description,
            }],
            error_code: code.name(),
            message: &description,
        };
        let mut response = json_with(status, &envelope);
        response.extensions_mut().insert(Told(code));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"Hookyard\"");
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A form, read once; empty values are absent (contract 1.2).
struct Form(Vec<(String, String)>);

impl Form {
    async fn read(request: Request, api: &Api) -> Result<(HeaderMap, Self), OAuthError> {
        let (parts, body) = request.into_parts();
        let kind = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let is_form = kind.is_some_and(|kind| {
            kind.split(';')
                .next()
                .unwrap_or_default()
                .trim()
                .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        let body = read_body(body, SIGN_IN_BODY_BYTES_MAX, api.settings.body_read_timeout)
            .await
            .map_err(ApiError::from)?;
        if !is_form && !body.is_empty() {
            return Err(ApiError::from(Code::UnsupportedMediaType).into());
        }
        let in_query = parts.uri.query().unwrap_or_default().as_bytes();
        let fields = url::form_urlencoded::parse(&body)
            .chain(url::form_urlencoded::parse(in_query))
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Ok((parts.headers, Self(fields)))
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::missing(name))
    }
}

/// The app that asks, by Basic authentication or, for public apps, by its id alone.
async fn client(api: &Api, headers: &HeaderMap, form: &Form) -> Result<App, OAuthError> {
    let (id, secret) = if let Some((id, secret)) = basic(headers)? {
        (id, Some(secret))
    } else {
        let id = form
            .get("client_id")
            .ok_or_else(OAuthError::invalid_client)?;
        (id.to_owned(), form.get("client_secret").map(Secret::new))
    };
    let app = api
        .store
        .app(&ClientId(id))
        .await?
        .ok_or_else(OAuthError::invalid_client)?;
    let given = secret.map(|secret| TokenHash::of(secret.reveal()));
    if app.secret.is_some() && app.secret != given {
        return Err(OAuthError::invalid_client());
    }
    Ok(app)
}

fn basic(headers: &HeaderMap) -> Result<Option<(String, Secret)>, OAuthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let decoded = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok())
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(OAuthError::invalid_client)?;
    let (id, secret) = decoded
        .split_once(':')
        .ok_or_else(OAuthError::invalid_client)?;
    Ok(Some((id.to_owned(), Secret::new(secret))))
}

/// How long new tokens live.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    access: Duration,
    refresh: Duration,
}

impl Lifetimes {
    pub(crate) const DEFAULT: Self = Self {
        access: ACCESS_TOKEN_TTL_MAX,
        refresh: REFRESH_TOKEN_TTL_DEFAULT,
    };

    /// What was asked for, clamped. Clients also send `-1` and `NaN`, which mean the default.
    fn asked(form: &Form) -> Self {
        let seconds = |name| {
            let asked = form.get(name).and_then(|text| text.parse::<i64>().ok());
            asked
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs)
        };
        let access = seconds("access_token_ttl").filter(|ttl| *ttl <= ACCESS_TOKEN_TTL_MAX);
        let refresh = seconds("refresh_token_ttl")
            .filter(|ttl| !ttl.is_zero() && *ttl <= REFRESH_TOKEN_TTL_MAX);
        Self {
            access: access
                .unwrap_or(ACCESS_TOKEN_TTL_MAX)
                .max(ACCESS_TOKEN_TTL_MIN),
            refresh: refresh.unwrap_or(REFRESH_TOKEN_TTL_DEFAULT),
        }
    }
}

/// Tokens of one generation, as they are handed out.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) session: Session,
    pub(crate) access: Secret,
    pub(crate) access_expires_in: u64,
    pub(crate) refresh: Secret,
    pub(crate) refresh_expires_in: u64,
}

impl Grant {
    fn answer(&self) -> Answer<TokenView<'static>> {
        let view = TokenView {
            access_token: self.access.reveal(),
            token_type: "bearer",
            expires_in: self.access_expires_in,
            refresh_token: self.refresh.reveal(),
            refresh_token_expires_in: self.refresh_expires_in,
            scope: self.session.scopes.to_string(),
            owner_id: self.session.person,
            endpoint_id: &self.session.endpoint_id,
            session_id: self.session.id,
        };
        Answer::of(&view)
    }
}

async fn create_token(
    State(api): State<Arc<Api>>,
    Whole(request, _): Whole<TokenForm>,
) -> Result<Answer<TokenView<'static>>, OAuthError> {
    let meter = request.extensions().get::<Meter>().cloned();
    let (headers, form) = Form::read(request, &api).await?;
    let app = client(&api, &headers, &form).await?;
    if let Some(meter) = meter {
        let name = form.get("username").unwrap_or_default();
        meter.count_as(&api, Counted::Name(format!("{} {name}", app.client_id)))?;
    }
    let lifetimes = Lifetimes::asked(&form);
    let grant = match form.require("grant_type")? {
        "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
            let person = jwt_bearer(&api, &app, form.require("assertion")?).await?;
            sign_in(
                &api,
                &app,
                &person,
                form.get("endpoint_id"),
                lifetimes,
                Change::default(),
            )
            .await?
        }
        "refresh_token" => {
            refresh(
                &api,
                &app.client_id,
                form.require("refresh_token")?,
                lifetimes,
            )
            .await?
        }
        "password" if app.client_id.is_console() => {
            let person =
                password(&api, form.require("username")?, form.require("password")?).await?;
            sign_in(
                &api,
                &app,
                &person,
                form.get("endpoint_id"),
                lifetimes,
                Change::default(),
            )
            .await?
        }
        "password" => {
            let description = "The password grant is for the console only; use a JWT credential";
            return Err(OAuthError::new(
                "unauthorized_client",
                Code::GrantUnsupported,
                description,
            ));
        }
        other => {
            let description = format!("Unsupported grant type [{other}]");
            return Err(OAuthError::new(
                "unsupported_grant_type",
                Code::GrantUnsupported,
                description,
            ));
        }
    };
    Ok(grant.answer())
}

async fn jwt_bearer(api: &Api, app: &App, assertion: &str) -> Result<Person, OAuthError> {
    let refused = || {
        let code = Code::AssertionUnparsable;
        OAuthError::new("invalid_grant", code, code.summary())
    };
    let credential = api
        .store
        .jwt_credential(TokenHash::of(assertion))
        .await?
        .ok_or_else(refused)?;
    let for_this_app = credential
        .client_id
        .as_ref()
        .is_none_or(|id| *id == app.client_id);
    if credential.revoked_at.is_some() || !for_this_app || credential.account != app.account {
        return Err(refused());
    }
    api.store
        .person(credential.account, credential.person)
        .await?
        .ok_or_else(refused)
}

/// Checks a name and a password; it takes as long when the name is nobody's.
pub(crate) async fn password(api: &Api, name: &str, password: &str) -> Result<Person, OAuthError> {
    let (person, hash) = api.store.password_of(name.trim()).await?.unzip();
    let right = verify_password(Secret::new(password), hash).await;
    person.filter(|_| right).ok_or_else(|| {
        let code = Code::CredentialsInvalid;
        OAuthError::new("invalid_grant", code, code.summary())
    })
}

/// Opens a session, unless the person is disabled. One more than a person and app may have ends the oldest. What `with` holds is
/// committed together with it.
pub(crate) async fn sign_in(
    api: &Api,
    app: &App,
    person: &Person,
    endpoint_id: Option<&str>,
    lifetimes: Lifetimes,
    with: Change,
) -> Result<Grant, OAuthError> {
    if !person.is_enabled() {
        let code = Code::PersonDisabled;
        return Err(OAuthError::new("invalid_grant", code, code.summary()));
    }
    // Who is disabled this very moment must not get a session that nothing ends.
    let with = with.given(Guard::PersonEnabled {
        account: person.account,
        person: person.id,
    });
    let now = api.now();
    let session = Session {
        account: person.account,
        id: SessionId(api.next_id(now)),
        person: person.id,
        client_id: app.client_id.clone(),
        scopes: app.scopes,
        endpoint_id: match endpoint_id {
            Some(given) if given.len() <= 64 && given.is_ascii() => given.to_owned(),
            _ => token_from(api.random()).reveal()[..22].to_owned(),
        },
        created_at: now,
        generation: 1,
    };
    let others = api
        .store
        .sessions(person.account, person.id, &app.client_id)
        .await?;
    let excess = (others.len() + 1).saturating_sub(SESSIONS_MAX);
    let change = others.iter().take(excess).fold(with, |change, oldest| {
        change.and(SessionWrite::End {
            account: oldest.account,
            session: oldest.id,
        })
    });
    let (change, grant) = issue(api, session, lifetimes, now, change);
    api.store.commit(change).await?;
    Ok(grant)
}

/// Adds the tokens of the session's generation to `change`.
fn issue(
    api: &Api,
    session: Session,
    lifetimes: Lifetimes,
    now: Timestamp,
    change: Change,
) -> (Change, Grant) {
    let access = api
        .tokens
        .token(TokenKind::Access, session.id, session.generation);
    let refresh = api
        .tokens
        .token(TokenKind::Refresh, session.id, session.generation);
    let token = |kind, text: &Secret, ttl| Token {
        account: session.account,
        session: session.id,
        kind,
        hash: TokenHash::of(text.reveal()),
        generation: session.generation,
        expires_at: now + ttl,
        used_at: None,
    };
    let change = change
        .and(SessionWrite::Put(session.clone()))
        .and(SessionWrite::PutToken(token(
            TokenKind::Access,
            &access,
            lifetimes.access,
        )))
        .and(SessionWrite::PutToken(token(
            TokenKind::Refresh,
            &refresh,
            lifetimes.refresh,
        )));
    let grant = Grant {
        session,
        access,
        access_expires_in: lifetimes.access.as_secs(),
        refresh,
        refresh_expires_in: lifetimes.refresh.as_secs(),
    };
    (change, grant)
}

/// Exchanges a refresh token: single use, with grace (contract 1.4). Of two that race, the second
/// finds the work of the first, and gets the same tokens.
pub(crate) async fn refresh(
    api: &Api,
    client_id: &ClientId,
    token: &str,
    lifetimes: Lifetimes,
) -> Result<Grant, OAuthError> {
    let hash = TokenHash::of(token);
    let exchanged = api
        .commit_deciding(|| exchange(api, client_id, hash, lifetimes))
        .await?;
    exchanged.ok_or_else(OAuthError::invalid_grant)
}

/// What presenting a refresh token leads to; no grant for one that is no good.
async fn exchange(
    api: &Api,
    client_id: &ClientId,
    hash: TokenHash,
    lifetimes: Lifetimes,
) -> Result<(Change, Option<Grant>), ApiError> {
    let refused = (Change::default(), None);
    let Some(found) = api.store.token(hash).await? else {
        return Ok(refused);
    };
    let (session, token) = (&found.0, &found.1);
    if token.kind != TokenKind::Refresh || session.client_id != *client_id {
        return Ok(refused);
    }
    let now = api.now();
    let next = token.generation + 1;
    let of_next = |kind| {
        let (account, id) = (session.account, session.id);
        api.store.token_of_generation(account, id, kind, next)
    };
    let access = of_next(TokenKind::Access).await?;
    let used_at = access.as_ref().and_then(|access| access.used_at);
    match (token.refresh_at(used_at, now), access) {
        (RefreshDecision::Issue, _) => {
            let guard = Guard::version(session.account, session.id, token.generation);
            let exchanged = Token {
                used_at: Some(now),
                ..token.clone()
            };
            let change = Change::of(SessionWrite::PutToken(exchanged)).given(guard);
            let session = Session {
                generation: next,
                ..session.clone()
            };
            let (change, grant) = issue(api, session, lifetimes, now, change);
            Ok((change, Some(grant)))
        }
        (RefreshDecision::Repeat, Some(access)) if session.generation == next => {
            let refresh = of_next(TokenKind::Refresh).await?;
            let refresh = refresh.map_or(now, |refresh| refresh.expires_at);
            let grant = Grant {
                session: session.clone(),
                access: api.tokens.token(TokenKind::Access, session.id, next),
                access_expires_in: access.expires_at.since(now).as_secs(),
                refresh: api.tokens.token(TokenKind::Refresh, session.id, next),
                refresh_expires_in: refresh.since(now).as_secs(),
            };
            Ok((Change::default(), Some(grant)))
        }
        (RefreshDecision::Expired, _) => Ok(refused),
        // Somebody holds a token that its owner has left behind long ago: end what it belongs to.
        (RefreshDecision::Repeat | RefreshDecision::Replayed, _) => {
            let end = SessionWrite::End {
                account: session.account,
                session: session.id,
            };
            Ok((Change::of(end), None))
        }
    }
}

/// Ends a session with all of its tokens.
pub(crate) async fn end(api: &Api, session: &Session) -> Result<(), ApiError> {
    let write = SessionWrite::End {
        account: session.account,
        session: session.id,
    };
    Ok(api.store.commit(Change::of(write)).await?)
}

/// Ends the session of an access or refresh token. Unknown tokens are no error (RFC 7009).
async fn revoke(
    State(api): State<Arc<Api>>,
    Whole(request, _): Whole<RevocationForm>,
) -> Result<Empty, OAuthError> {
    let (headers, form) = Form::read(request, &api).await?;
    let app = client(&api, &headers, &form).await?;
    let token = form.require("token")?;
    if let Some(found) = api.store.token(TokenHash::of(token)).await?
        && found.0.client_id == app.client_id
    {
        end(&api, &found.0).await?;
    }
    Ok(Empty)
}
