//! The console's own session: a refresh token in a cookie that no script can read and no other
//! path sees, and short access tokens for the page. The API itself never reads a cookie.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hookyard_domain::identity::grant::{Grant, Lifetimes, take_code};
use hookyard_domain::kernel::limits::SIGN_IN_BODY_BYTES_MAX;
use hookyard_domain::{Change, ClientId, Code, PersonId, Problem, TokenHash};
use http::{HeaderMap, HeaderValue, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::identity::caller::is_same_origin;
use crate::identity::oauth::{self, OAuthError, Opening};
use crate::kernel::body::{parse, read_body};
use crate::kernel::problem::{ApiError, ApiResult};
use crate::operations::answers::{Answer, NoContent, Outcome, shown};
use crate::operations::inputs::{Content, Whole};
use crate::operations::sketch::Sketch;
use crate::operations::wire::Id;

const COOKIE: &str = "hookyard_session";

crate::operations! {
    tag Console, under BARE, as Cookie;

    /// Signs in, by a password or a one-time code.
    create_session: POST "/console/session" named create_console_session, as Anybody,
        fails [CredentialsInvalid, PersonDisabled, RequestRateExceeded, Conflict];
    /// Ends the session.
    end_session: DELETE "/console/session" named end_console_session, fails [Conflict];
    /// Goes on with the session.
    renew_session: POST "/console/session/renew" named renew_console_session,
        fails [LoginRequired, PersonDisabled, RequestRateExceeded, Conflict];
}

shown!(SessionView<'_> as SessionView<'static>);

/// Either a one-time code, or a name and a password.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "ConsoleSignIn")]
struct SignIn {
    code: Option<String>,
    username: Option<String>,
    password: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConsoleSession")]
struct SessionView<'a> {
    access_token: &'a str,
    expires_in: u64,
    person: PersonRef,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ConsolePerson")]
struct PersonRef {
    #[schemars(with = "Id")]
    id: PersonId,
}

/// A sign-in as JSON.
struct SignInBody;

impl Content for SignInBody {
    fn sketch(sketch: &mut Sketch) {
        sketch.request::<SignIn>("application/json", true, None);
        sketch.fails_with(&[
            Code::InvalidParameter,
            Code::UnparsableJson,
            Code::UnparsableRequest,
            Code::RequestTimeout,
            Code::BodyTooLarge,
        ]);
        Guarded::sketch(sketch);
    }
}

/// What comes from our own page alone.
struct Guarded;

impl Content for Guarded {
    fn sketch(sketch: &mut Sketch) {
        sketch.fails_with(&[Code::UnsupportedMediaType, Code::PermissionMissing]);
    }
}

/// An answer that also gives the browser a cookie, or takes it away.
struct WithCookie<A> {
    response: Response,
    answer: PhantomData<fn() -> A>,
}

impl<A> WithCookie<A> {
    fn of(response: Response) -> Self {
        Self {
            response,
            answer: PhantomData,
        }
    }
}

impl<A> IntoResponse for WithCookie<A> {
    fn into_response(self) -> Response {
        self.response
    }
}

impl<A: Outcome> Outcome for WithCookie<A> {
    fn sketch(sketch: &mut Sketch) {
        A::sketch(sketch);
        sketch.told_with("Set-Cookie", "The console's session.");
    }
}

async fn create_session(
    State(api): State<Arc<Api>>,
    Whole(request, _): Whole<SignInBody>,
) -> Result<WithCookie<Answer<SessionView<'static>>>, OAuthError> {
    guard(&api, request.headers())?;
    let time_max = api.settings.body_read_timeout;
    let body = read_body(request.into_body(), SIGN_IN_BODY_BYTES_MAX, time_max)
        .await
        .map_err(ApiError::from)?;
    let body: SignIn = parse(&body)?;
    let console = ClientId(ClientId::CONSOLE.into());
    let app = api.store.app(&console).await?.ok_or(Code::InternalError)?;
    let grant = match (body.code, body.username, body.password) {
        (Some(code), _, _) => {
            let hash = TokenHash::of(&code);
            let (account, person) = api
                .store
                .sign_in_code(hash, api.now())
                .await?
                .ok_or_else(code_is_spent)?;
            let person = api
                .store
                .person(account, person)
                .await?
                .ok_or_else(code_is_spent)?;
            let take = take_code(account, hash);
            let opened = oauth::sign_in(&api, &app, &person, Opening::CONSOLE, take);
            opened.await.map_err(|error| match error {
                // Somebody else was let in by it a moment ago.
                OAuthError::Api(ApiError::Problem(problem)) if problem.code == Code::Conflict => {
                    code_is_spent().into()
                }
                error => error,
            })?
        }
        (None, Some(name), Some(password)) => {
            let person = oauth::password(&api, &name, &password).await?;
            oauth::sign_in(&api, &app, &person, Opening::CONSOLE, Change::default()).await?
        }
        (None, None, _) => return Err(ApiError::from(Problem::invalid("username")).into()),
        (None, Some(_), None) => return Err(ApiError::from(Problem::invalid("password")).into()),
    };
    Ok(signed_in(&api, &grant))
}

fn code_is_spent() -> ApiError {
    let mut problem = Problem::invalid("code");
    problem.message =
        "This sign-in link was used already or is too old; sign in with your password".into();
    problem.into()
}

async fn renew_session(
    State(api): State<Arc<Api>>,
    Whole(request, _): Whole<Guarded>,
) -> ApiResult<WithCookie<Answer<SessionView<'static>>>> {
    let headers = request.headers();
    guard(&api, headers)?;
    let token = cookie(headers).ok_or(Code::LoginRequired)?;
    let console = ClientId(ClientId::CONSOLE.into());
    match oauth::refresh(&api, &console, &token, Lifetimes::DEFAULT).await {
        Ok(grant) => Ok(signed_in(&api, &grant)),
        Err(OAuthError::Api(error)) => Err(error),
        Err(OAuthError::Refused { .. }) => Ok(forgotten(
            &api,
            ApiError::from(Code::LoginRequired).into_response(),
        )),
    }
}

async fn end_session(
    State(api): State<Arc<Api>>,
    Whole(request, _): Whole<Guarded>,
) -> ApiResult<WithCookie<NoContent>> {
    let headers = request.headers();
    guard(&api, headers)?;
    if let Some(token) = cookie(headers)
        && let Some(found) = api.store.token(TokenHash::of(&token)).await?
        && found.0.client_id.is_console()
    {
        oauth::end(&api, &found.0).await?;
    }
    Ok(forgotten(&api, NoContent.into_response()))
}

/// Only our own page may ask: its origin, and a content type that no form can send.
fn guard(api: &Api, headers: &HeaderMap) -> ApiResult<()> {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if !kind.is_some_and(|kind| kind.starts_with("application/json")) {
        return Err(Code::UnsupportedMediaType.into());
    }
    if !is_same_origin(headers, api) {
        return Err(Problem::of(Code::PermissionMissing)
            .with("permission", "Console")
            .into());
    }
    Ok(())
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let cookies = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
}

fn signed_in(api: &Api, grant: &Grant) -> WithCookie<Answer<SessionView<'static>>> {
    let view = SessionView {
        access_token: grant.access.reveal(),
        expires_in: grant.access_expires_in,
        person: PersonRef {
            id: grant.session.person,
        },
    };
    let response = Answer::of(&view).into_response();
    with_cookie(
        api,
        response,
        grant.refresh.reveal(),
        grant.refresh_expires_in,
    )
}

/// `response`, and the browser forgets the session.
fn forgotten<A>(api: &Api, response: Response) -> WithCookie<A> {
    with_cookie(api, response, "", 0)
}

fn with_cookie<A>(api: &Api, mut response: Response, value: &str, max_age: u64) -> WithCookie<A> {
    let secure = if api.settings.is_https() {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/console/session; Max-Age={max_age}{secure}"
    );
    let cookie = HeaderValue::from_str(&cookie).expect("tokens are plain ASCII");
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    WithCookie::of(response)
}
