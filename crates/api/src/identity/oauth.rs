//! Signing in and out (contract section 1).

mod wire;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hookyard_domain::identity::grant::refresh::Presented;
use hookyard_domain::identity::grant::{Grant, GrantError, GrantType, Lifetimes, SignIn};
use hookyard_domain::kernel::limits::SIGN_IN_BODY_BYTES_MAX;
use hookyard_domain::{
    App, Change, ClientId, Code, Credential, Person, Secret, Session, SessionId, SessionOrigin,
    TokenHash, TokenKind,
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

    /// What is told of a grant that is not given.
    fn refused(error: GrantError) -> Self {
        let grant = |code: Code| Self::new("invalid_grant", code, code.summary());
        match error {
            GrantError::BadClient => Self::invalid_client(),
            GrantError::NotForThisApp => Self::new(
                "unauthorized_client",
                Code::GrantUnsupported,
                "The password grant is for the console only; use a JWT credential",
            ),
            GrantError::BadAssertion => grant(Code::AssertionUnparsable),
            GrantError::BadCredentials => grant(Code::CredentialsInvalid),
            GrantError::PersonDisabled => grant(Code::PersonDisabled),
            GrantError::BadToken => grant(Code::GrantInvalid),
        }
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
    let used = app.admit(given, api.now());
    if let Some(change) = used.map_err(|_| OAuthError::invalid_client())? {
        api.commit(change).await?;
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

fn granted(grant: &Grant) -> Answer<TokenView<'static>> {
    let view = TokenView {
        access_token: grant.access.reveal(),
        token_type: "bearer",
        expires_in: grant.access_expires_in,
        refresh_token: grant.refresh.reveal(),
        refresh_token_expires_in: grant.refresh_expires_in,
        scope: grant.session.scopes.to_string(),
        owner_id: grant.session.person,
        endpoint_id: &grant.session.endpoint_id,
        session_id: grant.session.id,
    };
    Answer::of(&view)
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
    let asked = form.require("grant_type")?;
    let Some(kind) = GrantType::from_name(asked) else {
        let description = format!("Unsupported grant type [{asked}]");
        let code = Code::GrantUnsupported;
        return Err(OAuthError::new("unsupported_grant_type", code, description));
    };
    kind.permit(&app).map_err(OAuthError::refused)?;
    let lifetimes = Lifetimes::asked(
        form.get("access_token_ttl")
            .and_then(|text| text.parse().ok()),
        form.get("refresh_token_ttl")
            .and_then(|text| text.parse().ok()),
    );
    let mut opening = Opening {
        device: form.get("endpoint_id"),
        lifetimes,
        ..Opening::CONSOLE
    };
    let mut with = Change::default();
    let person = match kind {
        GrantType::JwtBearer => {
            let assertion = form.require("assertion")?;
            let (person, credential) = jwt_bearer(&api, &app, assertion).await?;
            opening.origin = SessionOrigin::Jwt(credential.id);
            with = credential.use_once(api.now());
            person
        }
        GrantType::Password => {
            password(&api, form.require("username")?, form.require("password")?).await?
        }
        GrantType::RefreshToken => {
            let token = form.require("refresh_token")?;
            let grant = refresh(&api, &app.client_id, token, lifetimes).await?;
            return Ok(granted(&grant));
        }
    };
    let grant = sign_in(&api, &app, &person, opening, with).await?;
    Ok(granted(&grant))
}

async fn jwt_bearer(
    api: &Api,
    app: &App,
    assertion: &str,
) -> Result<(Person, Credential), OAuthError> {
    let refused = || OAuthError::refused(GrantError::BadAssertion);
    let credential = api.store.credential_of(TokenHash::of(assertion)).await?;
    let credential = credential.ok_or_else(refused)?;
    let admitted = credential.admit(app, api.now());
    admitted.map_err(OAuthError::refused)?;
    let (account, person) = (credential.account, credential.person);
    let person = api.store.person(account, person).await?;
    Ok((person.ok_or_else(refused)?, credential))
}

/// Checks a name and a password; it takes as long when the name is nobody's.
pub(crate) async fn password(api: &Api, name: &str, password: &str) -> Result<Person, OAuthError> {
    let (person, hash) = api.store.password_of(name.trim()).await?.unzip();
    let right = verify_password(Secret::new(password), hash).await;
    let person = person.filter(|_| right);
    person.ok_or_else(|| OAuthError::refused(GrantError::BadCredentials))
}

/// How a session is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opening<'a> {
    pub(crate) origin: SessionOrigin,
    /// What the client calls its device.
    pub(crate) device: Option<&'a str>,
    pub(crate) lifetimes: Lifetimes,
}

impl Opening<'_> {
    /// By a person at the console.
    pub(crate) const CONSOLE: Self = Self {
        origin: SessionOrigin::SignIn,
        device: None,
        lifetimes: Lifetimes::DEFAULT,
    };
}

/// Opens a session. What `with` holds is committed together with it.
pub(crate) async fn sign_in(
    api: &Api,
    app: &App,
    person: &Person,
    opening: Opening<'_>,
    mut with: Change,
) -> Result<Grant, OAuthError> {
    let others = api
        .store
        .sessions(person.account, person.id, &app.client_id)
        .await?;
    let now = api.now();
    let sign_in = SignIn {
        app,
        person,
        others: &others,
        id: SessionId(api.next_id(now)),
        origin: opening.origin,
        device: opening.device,
        random: api.random(),
        lifetimes: opening.lifetimes,
    };
    let (change, grant) = sign_in
        .open(&api.tokens, now)
        .map_err(OAuthError::refused)?;
    with.append(change);
    api.commit(with).await?;
    Ok(grant)
}

/// Exchanges a refresh token. Of two that race, the second gets the same tokens.
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
    exchanged.ok_or_else(|| OAuthError::refused(GrantError::BadToken))
}

/// What presenting a refresh token leads to; no grant for one that is no good.
async fn exchange(
    api: &Api,
    client_id: &ClientId,
    hash: TokenHash,
    lifetimes: Lifetimes,
) -> Result<(Change, Option<Grant>), ApiError> {
    let Some(found) = api.store.token(hash).await? else {
        return Ok((Change::default(), None));
    };
    let (session, token) = (&found.0, &found.1);
    let (account, id, next) = (session.account, session.id, token.generation + 1);
    let of_next = |kind| api.store.token_of_generation(account, id, kind, next);
    let access = of_next(TokenKind::Access).await?;
    let refresh = of_next(TokenKind::Refresh).await?;
    let presented = Presented {
        session,
        token,
        successors: (access.as_ref(), refresh.as_ref()),
    };
    Ok(presented.exchange(client_id, lifetimes, &api.tokens, api.now()))
}

/// Ends a session with all of its tokens.
pub(crate) async fn end(api: &Api, session: &Session) -> Result<(), ApiError> {
    Ok(api.commit(session.give_back(api.now())).await?)
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
