//! Who is calling: the bearer token, its session, and what its app may do.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use hookyard_domain::identity::session::AccessError;
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::{
    AccountId, ClientId, Code, PersonId, Problem, Scope, Scopes, Session, Token, TokenHash,
    TokenKind,
};
use http::request::Parts;
use http::{HeaderMap, header};
use url::Url;

use crate::Api;
use crate::kernel::middleware::is_loopback_host;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::kernel::rate_limits::Meter;
use crate::operations::{Access, Operation};

/// An authenticated caller.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) person: PersonId,
    pub(crate) session: Arc<(Session, Token)>,
}

impl Caller {
    /// The app that calls.
    pub(crate) fn client_id(&self) -> &ClientId {
        &self.session.0.client_id
    }

    /// What the session may do.
    pub(crate) fn scopes(&self) -> Scopes {
        self.session.0.scopes
    }

    /// Whether the app has a permission.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.session.0.scopes.allow(scope)
    }

    /// Refuses an app that lacks a permission.
    pub(crate) fn require(&self, scope: Scope) -> ApiResult<()> {
        if self.may(scope) {
            return Ok(());
        }
        Err(Problem::of(Code::AppPermissionMissing)
            .with("permission", scope.name())
            .into())
    }
}

impl Caller {
    /// Refuses who lacks what an operation asks for.
    async fn pass(&self, api: &Api, access: Access) -> ApiResult<()> {
        match access {
            Access::App(scope) => self.require(scope),
            Access::Administrator(scope) => {
                self.require(scope)?;
                api.require_administrator(self).await
            }
            Access::Operator(scope) => {
                self.require(scope)?;
                api.calling_operator(self).await.map(drop)
            }
            Access::Anybody
            | Access::SignedIn
            | Access::Depends(_)
            | Access::Client
            | Access::Cookie
            | Access::Secret => Ok(()),
        }
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Self, ApiError> {
        if let Some(known) = parts.extensions.get::<Self>() {
            return Ok(known.clone());
        }
        let session = if let Some(session) = parts.extensions.get::<Arc<Session>>() {
            find_again(api, session).await?
        } else {
            let bearer = bearer(&parts.headers, parts.uri.query())?;
            let session = find(api, &bearer).await?;
            if session.0.client_id.is_console() && !is_same_origin(&parts.headers, api) {
                return Err(Code::TokenInvalid.into());
            }
            session
        };
        let caller = Self {
            account: session.0.account,
            person: session.0.person,
            session,
        };
        if let Some(meter) = parts.extensions.get::<Meter>() {
            meter.count(api, &caller)?;
        }
        let operation = parts.extensions.get::<Arc<Operation>>();
        let access = operation.expect("only operations take a caller").access();
        caller.pass(api, access).await?;
        Ok(caller)
    }
}

/// The token in the `Authorization` header, or in the query as older clients have it.
fn bearer(headers: &HeaderMap, query: Option<&str>) -> ApiResult<String> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let value = value.to_str().map_err(|_| Code::AuthorizationInvalid)?;
        let (scheme, token) = value.split_once(' ').ok_or(Code::AuthorizationInvalid)?;
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            return Err(Code::AuthorizationInvalid.into());
        }
        return Ok(token.trim().to_owned());
    }
    url::form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == "access_token")
        .map(|(_, token)| token.into_owned())
        .ok_or_else(|| Code::AuthorizationMissing.into())
}

/// A session that was let in before, as it is now, with its newest access token. This is how
/// requests over a WebSocket come: the connection stands for its session, and goes on when tokens
/// are refreshed, or have run out.
async fn find_again(api: &Api, session: &Session) -> ApiResult<Arc<(Session, Token)>> {
    let (account, id) = (session.account, session.id);
    let session = api.store.session(account, id).await?;
    let session = session.ok_or(Code::TokenInvalid)?;
    let newest = session.generation;
    let token = api
        .store
        .token_of_generation(account, id, TokenKind::Access, newest)
        .await?;
    Ok(Arc::new((session, token.ok_or(Code::TokenInvalid)?)))
}

/// The live session behind an access token. Its first use is recorded; of a personal access token
/// the last is, once a minute.
pub(crate) async fn find(api: &Api, token: &str) -> ApiResult<Arc<(Session, Token)>> {
    let found = api
        .store
        .token(TokenHash::of(token))
        .await?
        .ok_or(Code::TokenInvalid)?;
    let (session, token) = &*found;
    let admitted = session.admit(token, api.now());
    let use_to_note = admitted.map_err(|error| match error {
        AccessError::Invalid => Code::TokenInvalid,
        AccessError::Expired => Code::TokenExpired,
    })?;
    if let Some(change) = use_to_note {
        match api.commit(change).await {
            Ok(()) => {}
            // The session ended or was refreshed a moment ago, and this token with it.
            Err(CommitError::Conflict) => return Err(Code::TokenInvalid.into()),
            Err(CommitError::Store(error)) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Whether a browser's request comes from our own page; other programs send no `Origin`.
pub(crate) fn is_same_origin(headers: &HeaderMap, api: &Api) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    let public = Url::parse(&api.settings.public_url);
    if public.is_ok_and(|url| url.origin().ascii_serialization() == origin) {
        return true;
    }
    // In development the page may be opened as localhost, which is not how the server calls itself.
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    api.settings.development.is_on()
        && host.is_some_and(|host| is_loopback_host(host) && origin == format!("http://{host}"))
}
