//! Apps: API clients, what they may do, and how they prove who they are. For administrators.

mod settings;
mod view;

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::identity::app::{AppError, AppSettings};
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::limits::{APP_SECRETS_MAX, APPS_MAX};
use hookyard_domain::{
    App, AppUsage, Change, ClientId, ClientSecret, Code, KeptSecret, Person, Problem, Scope,
    Secret, Timestamp,
};
use http::HeaderMap;

pub(crate) use self::settings::read_permissions;
use self::settings::{CreateApp, PatchApp};
use self::view::{AppView, ClientSecretView, CreatedApp, KeptView, VerificationTokenView};
pub(crate) use self::view::{Permission, permission_names};
use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::paging::{LimitQuery, ListQuery, Listing};
use crate::kernel::path::PathParams;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::kernel::version_check::VersionCheck;
use crate::operations::answers::{Answer, Created, NoContent, Tagged};

crate::operations! {
    tag Apps, under ROOT, as Administrator(EditExtensions);

    /// Apps, newest first; those that are part of Hookyard are among them.
    list_apps: GET "/api/v1/apps";
    /// Makes an app.
    ///
    /// Its secret is told this once. A Browser app has none: it signs in with PKCE.
    create_app: POST "/api/v1/apps", fails [LimitReached, Conflict];
    /// One app, and what hangs on it.
    read_app: GET "/api/v1/apps/{clientId}";
    /// Changes an app, member by member.
    ///
    /// What it may no longer do its sessions may not either, from the next request on.
    change_app: PATCH "/api/v1/apps/{clientId}", fails [VersionDiffers, Conflict];
    /// Deletes an app, with its sessions, the credentials that are for it alone, and its
    /// subscriptions.
    ///
    /// Endpoints are the account's, and stay.
    delete_app: DELETE "/api/v1/apps/{clientId}", fails [InvalidParameter, VersionDiffers, Conflict];
    /// Gives an app a second secret, which takes the place of the first when that is deleted.
    ///
    /// It is told this once.
    create_secret: POST "/api/v1/apps/{clientId}/secrets" named create_app_secret,
        fails [InvalidParameter, LimitReached, Conflict];
    /// Deletes one of an app's two secrets.
    delete_secret: DELETE "/api/v1/apps/{clientId}/secrets/{secretId}" named delete_app_secret,
        fails [InUse, Conflict];
    /// What signs an app's interactive messages.
    read_outbound_secret: GET "/api/v1/apps/{clientId}/outbound-secret";
    /// Gives an app another outbound secret, from the next message on.
    rotate_outbound_secret: POST "/api/v1/apps/{clientId}/outbound-secret/rotate", fails [Conflict];
    /// What an app's subscriptions present that have no verification token of their own.
    read_verification_token: GET "/api/v1/apps/{clientId}/verification-token";
    /// Makes an app's verification token, in place of what it has.
    create_verification_token: POST "/api/v1/apps/{clientId}/verification-token", fails [Conflict];
    /// Takes an app's verification token away.
    delete_verification_token: DELETE "/api/v1/apps/{clientId}/verification-token",
        fails [Conflict];
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
    /// The administrator who calls, on whose being one a change relies.
    async fn apps_manager(&self, caller: &Caller) -> ApiResult<Person> {
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
    query: ListQuery<LimitQuery>,
) -> ApiResult<Answer<Listing<AppView>>> {
    let asked = query.page(&api, &caller)?;
    let key_of = |app: &App| (app.created_at.as_millis(), app.client_id.0.clone());
    let mut apps = api.store.apps(caller.account).await?;
    apps.push(App::personal(caller.account));
    let usage = api.store.app_usage(caller.account).await?;
    let listing = asked.listing(asked.of_whole(apps, key_of), key_of);
    let page = listing.map(|app| {
        let usage = usage.get(&app.client_id).copied().unwrap_or_default();
        AppView::of(app, usage)
    });
    Ok(Answer::of(&page))
}

async fn create_app(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<CreateApp>,
) -> ApiResult<Tagged<Created<CreatedApp>>> {
    let settings = body.settings()?;
    let secret = api.drawn(CLIENT_SECRET_PREFIX);
    let app = api
        .commit_deciding(|| async {
            let by = api.apps_manager(&caller).await?;
            let now = api.now();
            let count = api.store.apps(caller.account).await?.len();
            if u32::try_from(count).is_ok_and(|count| count >= APPS_MAX) {
                return Err(Problem::of(Code::LimitReached)
                    .with("limit", APPS_MAX.to_string())
                    .with("resource", "apps")
                    .into());
            }
            let drawn = (
                ClientId(api.drawn_name(CLIENT_ID_CHARS)),
                ClientSecret::of(&secret, api.drawn_name(SECRET_ID_CHARS), now),
                api.kept(OUTBOUND_SECRET_PREFIX, now),
            );
            let act = api.act(&caller, now);
            Ok(App::create(
                &act,
                &by,
                caller.scopes(),
                settings.clone(),
                drawn,
            )?)
        })
        .await?;
    let version = app.version;
    let client_secret = app.kind.keeps_secrets().then(|| secret.reveal().to_owned());
    let created = CreatedApp {
        app: AppView::of(app, AppUsage::default()),
        client_secret,
    };
    Ok(Tagged(Created::of(&created), version))
}

async fn read_app(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Tagged<Answer<AppView>>> {
    let app = api.own_app(&caller, path.text("clientId")?).await?;
    told(&api, app).await
}

async fn told(api: &Api, app: App) -> ApiResult<Tagged<Answer<AppView>>> {
    let (version, usage) = (app.version, api.usage_of(&app).await?);
    Ok(Tagged(Answer::of(&AppView::of(app, usage)), version))
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
        let by = api.apps_manager(caller).await?;
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
) -> ApiResult<Tagged<Answer<AppView>>> {
    let expected = VersionCheck::read(&headers)?;
    let app = settle(&api, &caller, &path, &expected, |app, by, now| {
        let wanted = patch.onto(AppSettings::of(app))?;
        let outbound = api.kept(OUTBOUND_SECRET_PREFIX, now);
        let act = api.act(&caller, now);
        Ok(app.change(&act, by, caller.scopes(), wanted, outbound)?)
    })
    .await?;
    told(&api, app).await
}

/// Deletes an app with all that hangs on it.
async fn delete_app(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
) -> ApiResult<NoContent> {
    let expected = VersionCheck::read(&headers)?;
    settle(&api, &caller, &path, &expected, |app, by, now| {
        let change = app.delete(&api.act(&caller, now), by)?;
        Ok((change, app.clone()))
    })
    .await?;
    Ok(NoContent)
}

async fn create_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Created<ClientSecretView>> {
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
    Ok(Created::of(&view))
}

async fn delete_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let id = path.text("secretId")?;
    settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        Ok(app.remove_secret(&api.act(&caller, now), by, id)?)
    })
    .await?;
    Ok(NoContent)
}

async fn read_outbound_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<KeptView>> {
    let app = api.own_app(&caller, path.text("clientId")?).await?;
    let kept = app.outbound_secret.ok_or_else(no_outbound_secret)?;
    Ok(Answer::of(&KeptView::of(&kept)))
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
) -> ApiResult<Answer<KeptView>> {
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
    Ok(Answer::of(&KeptView::of(&kept)))
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
) -> ApiResult<Answer<VerificationTokenView>> {
    let app = api.own_app(&caller, path.text("clientId")?).await?;
    let kept = app.verification_token.ok_or_else(no_verification_token)?;
    Ok(Answer::of(&VerificationTokenView::of(&kept)))
}

async fn create_verification_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Created<VerificationTokenView>> {
    let app = settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        let token = api.kept(VERIFICATION_TOKEN_PREFIX, now);
        Ok(app.set_verification_token(&api.act(&caller, now), by, Some(token))?)
    })
    .await?;
    let kept = app.verification_token.ok_or_else(no_verification_token)?;
    Ok(Created::of(&VerificationTokenView::of(&kept)))
}

async fn delete_verification_token(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    settle(&api, &caller, &path, &VersionCheck::Any, |app, by, now| {
        if app.verification_token.is_none() {
            return Err(no_verification_token());
        }
        Ok(app.set_verification_token(&api.act(&caller, now), by, None)?)
    })
    .await?;
    Ok(NoContent)
}
