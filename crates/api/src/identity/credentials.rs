//! JWT credentials and personal access tokens: each person their own, administrators those of bots.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hookyard_domain::identity::credential::{CredentialError, NewCredential, may_manage};
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::limits::{CREDENTIALS_KEPT_MAX, CREDENTIALS_MAX};
use hookyard_domain::kernel::ports::CredentialQuery;
use hookyard_domain::{
    ClientId, Code, Credential, CredentialId, CredentialKind, Person, PersonId, Problem, Scope,
    Timestamp,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::delivery::deliveries::read_time;
use crate::identity::apps::{gives_more, permission_names, read_permissions};
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::path::PathParams;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiError, ApiResult, because, json_body, json_with};
use crate::kernel::query::Query;
use crate::kernel::whole_list::page;

const PATH: &str = "/api/v1/credentials";

pub(crate) fn routes() -> Router<Arc<Api>> {
    let one = format!("{PATH}/{{credentialId}}");
    Router::new()
        .route(PATH, get(list_credentials).post(create_credential))
        .route(
            &one,
            get(read_credential)
                .patch(rename_credential)
                .delete(delete_credential),
        )
        .route(&format!("{one}/revoke"), post(revoke_credential))
}

impl From<CredentialError> for ApiError {
    fn from(error: CredentialError) -> Self {
        match error {
            CredentialError::Member(error) => error.into(),
            CredentialError::GivesMore(scope) => gives_more(scope),
            CredentialError::NotAnAdmin => lacks("AccountAdmin"),
            CredentialError::NotABot => because(
                Problem::of(Code::PermissionMissing).with("permission", "ActForPersons"),
                "people make their own credentials; administrators make those of bots",
            )
            .into(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CredentialView {
    id: CredentialId,
    kind: &'static str,
    name: String,
    person_id: PersonId,
    client_id: Option<String>,
    permissions: Option<Vec<&'static str>>,
    hint: String,
    creation_time: Timestamp,
    expiration_time: Option<Timestamp>,
    last_used_time: Option<Timestamp>,
    revoked_time: Option<Timestamp>,
}

impl From<Credential> for CredentialView {
    fn from(credential: Credential) -> Self {
        Self {
            id: credential.id,
            kind: credential.kind.name(),
            name: credential.name,
            person_id: credential.person,
            client_id: credential.client_id.map(|id| id.0),
            permissions: credential.scopes.map(permission_names),
            hint: credential.hint,
            creation_time: credential.created_at,
            expiration_time: credential.expires_at,
            last_used_time: credential.last_used_at,
            revoked_time: credential.revoked_at,
        }
    }
}

/// A credential that was just made, with the token that nobody sees again.
#[derive(Serialize)]
struct CreatedCredential {
    #[serde(flatten)]
    credential: CredentialView,
    token: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateCredential {
    kind: String,
    name: String,
    #[serde(default)]
    client_id: Option<String>,
    #[serde(default)]
    permissions: Option<Vec<String>>,
    #[serde(default)]
    expiration_time: Option<String>,
    /// Seconds from now.
    #[serde(default)]
    expires_in: Option<u64>,
    #[serde(default)]
    person_id: Option<PersonId>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RenameCredential {
    name: String,
}

fn read_kind(name: &str) -> ApiResult<CredentialKind> {
    let kind = CredentialKind::from_name(name).ok_or_else(|| {
        let problem = Problem::invalid("kind").value(name);
        because(problem, "is Jwt or PersonalAccessToken")
    })?;
    Ok(kind)
}

impl Api {
    /// The caller, through an app that may manage credentials.
    async fn credentials_keeper(&self, caller: &Caller) -> ApiResult<Person> {
        caller.require(Scope::EditExtensions)?;
        self.calling_person(caller).await
    }

    /// Whose credentials are meant: the caller's own, unless somebody else is named. Whether there
    /// is such a person is told to those who may know.
    async fn credentials_owner(&self, by: &Person, named: Option<PersonId>) -> ApiResult<Person> {
        let Some(named) = named.filter(|named| *named != by.id) else {
            return Ok(by.clone());
        };
        if !by.admin {
            return Err(CredentialError::NotAnAdmin.into());
        }
        let owner = self.store.person(by.account, named).await?;
        let owner = owner.ok_or_else(|| Problem::not_found("personId"))?;
        may_manage(by, &owner)?;
        Ok(owner)
    }

    /// A credential that the caller may see. All others do not exist.
    async fn own_credential(&self, by: &Person, path: &PathParams) -> ApiResult<Credential> {
        let missing = || ApiError::from(Problem::not_found("credentialId"));
        let id: CredentialId = path.text("credentialId")?.parse().map_err(|_| missing())?;
        let found = self.store.credential(by.account, id).await?;
        let found = found.ok_or_else(missing)?;
        if found.person == by.id {
            return Ok(found);
        }
        let owner = self.store.person(by.account, found.person).await?;
        let owner = owner.ok_or_else(missing)?;
        may_manage(by, &owner).map_err(|_| missing())?;
        Ok(found)
    }

    /// Refuses one credential more than a person may have.
    async fn check_credential_room(&self, owner: &Person, now: Timestamp) -> ApiResult<()> {
        let query = CredentialQuery {
            account: owner.account,
            person: owner.id,
            kind: None,
        };
        let all = self.store.credentials(query).await?;
        let live = all.iter().filter(|known| known.is_live(now)).count();
        for (count, max) in [(live, CREDENTIALS_MAX), (all.len(), CREDENTIALS_KEPT_MAX)] {
            if u32::try_from(count).is_ok_and(|count| count >= max) {
                return Err(Problem::of(Code::LimitReached)
                    .with("limit", max.to_string())
                    .with("resource", "credentials")
                    .into());
            }
        }
        Ok(())
    }
}

async fn list_credentials(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> ApiResult<Response> {
    let by = api.credentials_keeper(&caller).await?;
    let kind = query.first("kind").map(read_kind).transpose()?;
    let named = match query.first("personId") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Problem::not_found("personId"))?),
    };
    let owner = api.credentials_owner(&by, named).await?;
    let all = api.store.credentials(CredentialQuery {
        account: owner.account,
        person: owner.id,
        kind,
    });
    let page = page(&query, all.await?, |credential| {
        (credential.created_at, credential.id.to_string())
    })?;
    Ok(json_body(&page.map(CredentialView::from)))
}

impl CreateCredential {
    fn expires_at(&self, now: Timestamp) -> ApiResult<Option<Timestamp>> {
        match (&self.expiration_time, self.expires_in) {
            (None, None) => Ok(None),
            (Some(text), None) => read_time("expirationTime", text).map(Some),
            (None, Some(seconds)) => {
                if seconds == 0 {
                    let problem = Problem::invalid("expiresIn").value("0");
                    return Err(because(problem, "is at least one second").into());
                }
                Ok(Some(now + Duration::from_secs(seconds)))
            }
            (Some(_), Some(_)) => {
                let problem = Problem::invalid("expiresIn");
                let reason = "is another way to say `expirationTime`: give one of them";
                Err(because(problem, reason).into())
            }
        }
    }
}

async fn create_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<CreateCredential>,
) -> ApiResult<Response> {
    let kind = read_kind(&body.kind)?;
    let scopes = match &body.permissions {
        Some(names) => Some(read_permissions(names)?),
        None => None,
    };
    let token = kind.token(&token_from(api.random()));
    let id = CredentialId::from_random(api.random());
    let credential = api
        .commit_deciding(|| async {
            let by = api.credentials_keeper(&caller).await?;
            let owner = api.credentials_owner(&by, body.person_id).await?;
            let now = api.now();
            api.check_credential_room(&owner, now).await?;
            let app = match &body.client_id {
                None => None,
                Some(client_id) if ClientId(client_id.clone()).is_built_in() => {
                    let problem = Problem::invalid("clientId").value(client_id);
                    return Err(because(problem, "names an app of yours").into());
                }
                Some(client_id) => Some(api.own_app(&caller, client_id).await?),
            };
            let new = NewCredential {
                kind,
                name: body.name.clone(),
                app,
                scopes,
                expires_at: body.expires_at(now)?,
            };
            let act = api.act(&caller, now);
            let (by_and_owner, own) = ((&by, &owner), (id, &token));
            let made = Credential::create(&act, by_and_owner, caller.scopes(), &new, own)?;
            Ok(made)
        })
        .await?;
    let created = CreatedCredential {
        credential: credential.into(),
        token: token.reveal().to_owned(),
    };
    Ok(json_with(StatusCode::CREATED, &created))
}

async fn read_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let by = api.credentials_keeper(&caller).await?;
    let credential = api.own_credential(&by, &path).await?;
    Ok(json_body(&CredentialView::from(credential)))
}

async fn rename_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<RenameCredential>,
) -> ApiResult<Response> {
    let renamed = api
        .commit_deciding(|| async {
            let by = api.credentials_keeper(&caller).await?;
            let credential = api.own_credential(&by, &path).await?;
            Ok(credential.rename(&body.name)?)
        })
        .await?;
    Ok(json_body(&CredentialView::from(renamed)))
}

/// Lets nobody in by it any more, and ends what it opened; it stays in the list.
async fn revoke_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let revoked = api
        .commit_deciding(|| async {
            let by = api.credentials_keeper(&caller).await?;
            let credential = api.own_credential(&by, &path).await?;
            Ok(credential.revoke(api.now()))
        })
        .await?;
    Ok(json_body(&CredentialView::from(revoked)))
}

async fn delete_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    api.commit_deciding(|| async {
        let by = api.credentials_keeper(&caller).await?;
        let credential = api.own_credential(&by, &path).await?;
        Ok((credential.delete(), ()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
