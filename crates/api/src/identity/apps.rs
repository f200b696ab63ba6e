//! Apps: API clients, what they may do, and how they prove who they are. For administrators.

mod settings;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use hookyard_domain::identity::app::{AppError, AppSettings};
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::limits::{APP_SECRETS_MAX, APPS_MAX};
use hookyard_domain::{
    App, AppUsage, Change, ClientId, ClientSecret, Code, KeptSecret, Person, Problem, Scope,
    Secret, Timestamp,
};
use http::{HeaderMap, StatusCode};

pub(crate) use self::settings::read_permissions;
use self::settings::{CreateApp, PatchApp};
pub(crate) use self::view::permission_names;
use self::view::{AppView, ClientSecretView, CreatedApp, KeptView, VerificationTokenView};
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::path::PathParams;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiError, ApiResult, because, json_body, json_with};
use crate::kernel::query::Query;
use crate::kernel::version_check::{VersionCheck, with_version};
use crate::kernel::whole_list::page;

const PATH: &str = "/api/v1/apps";

pub(crate) fn routes() -> Router<Arc<Api>> {
    let one = |rest: &str| format!("{PATH}/{{clientId}}{rest}");
    Router::new()
        .route(PATH, get(list_apps).post(create_app))
        .route(&one(""), get(read_app).patch(change_app).delete(delete_app))
        .route(&one("/secrets"), post(create_secret))
        .route(&one("/secrets/{secretId}"), delete(delete_secret))
        .route(&one("/outbound-secret"), get(read_outbound_secret))
        .route(
            &one("/outbound-secret/rotate"),
            post(rotate_outbound_secret),
        )
        .route(
            &one("/verification-token"),
            get(read_verification_token)
                .post(create_verification_token)
                .delete(delete_verification_token),
        )
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Member(error) => error.into(),
            AppError::GivesMore(scope) => gives_more(scope),
            AppError::BuiltIn => because(
                Problem::of(Code::PermissionMissing).with("permission", "ChangeBuiltInApps"),
                "the app is part of Hookyard, and nobody can change or delete it",
            )
            .into(),
            AppError::KeepsNoSecrets => because(
                Problem::invalid("clientId"),
                "names a Browser app, which keeps no secrets: it signs in with PKCE",
            )
            .into(),
            AppError::SecretsFull => because(
                Problem::of(Code::LimitReached)
                    .with("limit", APP_SECRETS_MAX.to_string())
                    .with("resource", "secrets"),
                "the one that is no longer used; `lastUsedTime` tells which",
            )
            .into(),
            AppError::OnlySecret => because(
                Problem::about(Code::InUse, "secretId"),
                "it is the app's only secret: make another one first",
            )
            .into(),
            AppError::NoSuchSecret => Problem::not_found("secretId").into(),
        }
    }
}

/// The refusal of a caller who would give what they do not have.
pub(crate) fn gives_more(scope: Scope) -> ApiError {
    because(
        Problem::of(Code::AppPermissionMissing).with("permission", scope.name()),
        "nobody can give a permission that their own session does not have",
    )
    .into()
}

impl Api {
    /// The administrator who calls, through an app that may manage apps.
    pub(crate) async fn require_apps_manager(&self, caller: &Caller) -> ApiResult<Person> {
        caller.require(Scope::EditExtensions)?;
        let person = self.calling_person(caller).await?;
        if person.admin {
            Ok(person)
        } else {
            Err(lacks("AccountAdmin"))
        }
    }

    /// An app of the caller's account.
    pub(crate) async fn own_app(&self, caller: &Caller, client_id: &str) -> ApiResult<App> {
        if client_id == ClientId::PERSONAL {
            return Ok(App::personal(caller.account));
        }
        let found = self.store.app(&ClientId(client_id.to_owned())).await?;
        let own = found.filter(|app| app.account == caller.account);
        own.ok_or_else(|| Problem::not_found("clientId").into())
    }

    async fn usage_of(&self, app: &App) -> ApiResult<AppUsage> {
        let usage = self.store.app_usage(app.account).await?;
        Ok(usage.get(&app.client_id).copied().unwrap_or_default())
    }

    /// A fresh secret with a prefix that scanners know it by.
    fn drawn(&self, prefix: &str) -> Secret {
        Secret::new(format!("{prefix}{}", token_from(self.random()).reveal()))
    }

    fn kept(&self, prefix: &str, now: Timestamp) -> KeptSecret {
        KeptSecret {
            secret: self.drawn(prefix),
            created_at: now,
        }
    }

    /// Letters and digits that nobody can guess, for names.
    fn drawn_name(&self, length: usize) -> String {
        let token = token_from(self.random());
        token.reveal().replace(['-', '_'], "x")[..length].to_owned()
    }
}

const CLIENT_SECRET_PREFIX: &str = "hys_";
const OUTBOUND_SECRET_PREFIX: &str = "hyo_";
const VERIFICATION_TOKEN_PREFIX: &str = "hyv_";
const CLIENT_ID_CHARS: usize = 22;
const SECRET_ID_CHARS: usize = 12;

async fn list_apps(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> ApiResult<Response> {
    api.require_apps_manager(&caller).await?;
    let mut apps = api.store.apps(caller.account).await?;
    apps.push(App::personal(caller.account));
    let usage = api.store.app_usage(caller.account).await?;
    let page = page(&query, apps, |app| {
        (app.created_at, app.client_id.0.clone())
    })?;
    let page = page.map(|app| {
        let usage = usage.get(&app.client_id).copied().unwrap_or_default();
        AppView::of(app, usage)
    });
    Ok(json_body(&page))
}

async fn create_app(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<CreateApp>,
) -> ApiResult<Response> {
    let settings = body.settings()?;
    let secret = api.drawn(CLIENT_SECRET_PREFIX);
    let app = api
        .commit_deciding(|| async {
            let by = api.require_apps_manager(&caller).await?;
            let now = api.now();
            let count = api.store.apps(caller.account).await?.len();
            if u32::try_from(count).is_ok_and(|count| count >= APPS_MAX) {
                return Err(Problem::of(Code::LimitReached)
                    .with("limit", APPS_MAX.to_string())
                    .with("resource", "apps")
                    .into());
            }
            let (change, app) = App::create(
                &api.act(&caller, now),
                &by,
                caller.scopes(),
                settings.clone(),
                ClientId(api.drawn_name(CLIENT_ID_CHARS)),
                ClientSecret::of(&secret, api.drawn_name(SECRET_ID_CHARS), now),
                api.kept(OUTBOUND_SECRET_PREFIX, now),
            )?;
            Ok((change, app))
        })
        .await?;
    let version = app.version;
    let client_secret = app.kind.keeps_secrets().then(|| secret.reveal().to_owned());
    let created = CreatedApp {
        app: AppView::of(app, AppUsage::default()),
        client_secret,
    };
    Ok(with_version(
        json_with(StatusCode::CREATED, &created),
        version,
    ))
}

async fn read_app(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    api.require_apps_manager(&caller).await?;
    let app = api.own_app(&caller, path.text("clientId")?).await?;
    shown(&api, app).await
}

async fn shown(api: &Api, app: App) -> ApiResult<Response> {
    let (version, usage) = (app.version, api.usage_of(&app).await?);
    Ok(with_version(json_body(&AppView::of(app, usage)), version))
}

/// Reads the app that a path names, lets `decide` decide, and commits.
async fn settle(
    api: &Api,
    caller: &Caller,
    path: &PathParams,
    expected: &VersionCheck,
    decide: impl Fn(&App, &Person, Timestamp) -> ApiResult<(Change, App)> + Send + Sync,
) -> ApiResult<App> {
    api.commit_deciding(|| async {
        let by = api.require_apps_manager(caller).await?;
        let app = api.own_app(caller, path.text("clientId")?).await?;
        expected.pass(app.version)?;
        decide(&app, &by, api.now())
    })
    .await
}

async fn change_app(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
    Json(patch): Json<PatchApp>,
) -> ApiResult<Response> {
    let expected = VersionCheck::read(&headers)?;
    let app = settle(&api, &caller, &path, &expected, |app, by, now| {
        let wanted = patch.onto(AppSettings::of(app))?;
        let outbound = api.kept(OUTBOUND_SECRET_PREFIX, now);
        let act = api.act(&caller, now);
        Ok(app.change(&act, by, caller.scopes(), wanted, outbound)?)
    })
    .await?;
    shown(&api, app).await
}

/// Deletes an app with all that hangs on it.
async fn delete_app(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let expected = VersionCheck::read(&headers)?;
    settle(&api, &caller, &path, &expected, |app, by, now| {
        let change = app.delete(&api.act(&caller, now), by)?;
        Ok((change, app.clone()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn create_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let secret = api.drawn(CLIENT_SECRET_PREFIX);
    let id = api.drawn_name(SECRET_ID_CHARS);
    let app = settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        let fresh = ClientSecret::of(&secret, id.clone(), now);
        Ok(app.add_secret(&api.act(&caller, now), by, caller.scopes(), fresh)?)
    })
    .await?;
    let view = ClientSecretView {
        id,
        client_secret: secret.reveal().to_owned(),
        hint: secret.hint(),
        creation_time: app.modified_at,
    };
    Ok(json_with(StatusCode::CREATED, &view))
}

async fn delete_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let id = path.text("secretId")?;
    settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        Ok(app.remove_secret(&api.act(&caller, now), by, id)?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn read_outbound_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    api.require_apps_manager(&caller).await?;
    let app = api.own_app(&caller, path.text("clientId")?).await?;
    let kept = app.outbound_secret.ok_or_else(no_outbound_secret)?;
    Ok(json_body(&KeptView::of(&kept)))
}

fn no_outbound_secret() -> ApiError {
    because(
        Problem::not_found("clientId"),
        "the app has no outbound secret; it gets one with its first `outboundUrl`",
    )
    .into()
}

async fn rotate_outbound_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let app = settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        let secret = api.kept(OUTBOUND_SECRET_PREFIX, now);
        let rotated = app.rotate_outbound_secret(&api.act(&caller, now), by, secret);
        rotated.map_err(|error| match error {
            AppError::NoSuchSecret => no_outbound_secret(),
            error => error.into(),
        })
    })
    .await?;
    let kept = app.outbound_secret.ok_or_else(no_outbound_secret)?;
    Ok(json_body(&KeptView::of(&kept)))
}

fn no_verification_token() -> ApiError {
    because(
        Problem::not_found("clientId"),
        "the app has no verification token; POST to the same address makes one",
    )
    .into()
}

async fn read_verification_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    api.require_apps_manager(&caller).await?;
    let app = api.own_app(&caller, path.text("clientId")?).await?;
    let kept = app.verification_token.ok_or_else(no_verification_token)?;
    Ok(json_body(&VerificationTokenView::of(&kept)))
}

async fn create_verification_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let app = settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        let token = api.kept(VERIFICATION_TOKEN_PREFIX, now);
        Ok(app.set_verification_token(&api.act(&caller, now), by, Some(token))?)
    })
    .await?;
    let kept = app.verification_token.ok_or_else(no_verification_token)?;
    Ok(json_with(
        StatusCode::CREATED,
        &VerificationTokenView::of(&kept),
    ))
}

async fn delete_verification_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        if app.verification_token.is_none() {
            return Err(no_verification_token());
        }
        Ok(app.set_verification_token(&api.act(&caller, now), by, None)?)
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
