//! JWT credentials and personal access tokens: each person their own, administrators those of bots.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use hookyard_domain::identity::credential::{CredentialError, NewCredential, may_manage};
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::limits::{CREDENTIALS_KEPT_MAX, CREDENTIALS_MAX};
use hookyard_domain::kernel::ports::CredentialQuery;
use hookyard_domain::{
    ClientId, Code, Credential, CredentialId, CredentialKind, Person, PersonId, Problem, Timestamp,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::delivery::deliveries::read_time;
use crate::identity::apps::{Permission, gives_more, permission_names, read_permissions};
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::paging::{LimitQuery, ListQuery, Listing};
use crate::kernel::path::PathParams;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::operations::answers::{Answer, Created, NoContent, shown};
use crate::operations::wire::{AskedId, Id, Time, Uuid, named_shapes, shapes};

crate::operations! {
    tag Credentials, under ROOT, as App(EditExtensions);

    /// A person's credentials, newest first.
    ///
    /// Each person their own, administrators those of bots.
    list_credentials: GET "/api/v1/credentials", fails [PermissionMissing, ResourceNotFound];
    /// Makes a credential.
    ///
    /// Its token is told this once. A JWT credential is exchanged for tokens; a personal access token
    /// is one.
    create_credential: POST "/api/v1/credentials",
        fails [PermissionMissing, ResourceNotFound, LimitReached, Conflict];
    /// One credential.
    read_credential: GET "/api/v1/credentials/{credentialId}";
    /// Gives a credential another name.
    rename_credential: PATCH "/api/v1/credentials/{credentialId}", fails [Conflict];
    /// Revokes a credential, and ends what it opened.
    ///
    /// It stays in the list. Twice is once.
    revoke_credential: POST "/api/v1/credentials/{credentialId}/revoke", fails [Conflict];
    /// Forgets a credential; what it opened ends.
    delete_credential: DELETE "/api/v1/credentials/{credentialId}", fails [Conflict];
}

shown!(CredentialView, CreatedCredential);

named_shapes! {
    /// How a credential is used.
    KindOfCredential = CredentialKind::ALL.into_iter().map(CredentialKind::name);
}

shapes! {
    struct CredentialsQuery {
        #[schemars(flatten)]
        page: LimitQuery,
        /// Only those of this kind.
        kind: Option<KindOfCredential>,
        /// Whose they are, if not the caller's: a bot's.
        #[schemars(with = "Option<Id>")]
        person_id: Option<PersonId>,
    }
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

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Credential")]
struct CredentialView {
    #[schemars(with = "Uuid")]
    id: CredentialId,
    #[schemars(with = "KindOfCredential")]
    kind: &'static str,
    name: String,
    #[schemars(with = "Id")]
    person_id: PersonId,
    /// The app that it is for, if it is for one alone.
    client_id: Option<String>,
    /// What a personal access token may do; a JWT gets what its app may.
    #[schemars(with = "Option<Vec<Permission>>")]
    permissions: Option<Vec<&'static str>>,
    /// The last characters of its token.
    hint: String,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    #[schemars(with = "Option<Time>")]
    expiration_time: Option<Timestamp>,
    /// To the minute.
    #[schemars(with = "Option<Time>")]
    last_used_time: Option<Timestamp>,
    #[schemars(with = "Option<Time>")]
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
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewCredential")]
struct CreatedCredential {
    #[serde(flatten)]
    credential: CredentialView,
    token: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateCredential {
    #[schemars(with = "KindOfCredential")]
    kind: String,
    #[schemars(example = &"Nightly report")]
    name: String,
    /// The app that it is for.
    #[serde(default)]
    client_id: Option<String>,
    /// What a personal access token may do.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Permission>>")]
    permissions: Option<Vec<String>>,
    #[serde(default)]
    #[schemars(with = "Option<Time>")]
    expiration_time: Option<String>,
    /// Seconds from now.
    #[serde(default)]
    #[schemars(range(min = 1))]
    expires_in: Option<u64>,
    /// Whose it is, if not the caller's: a bot's.
    #[serde(default)]
    #[schemars(with = "Option<AskedId>")]
    person_id: Option<PersonId>,
}

#[derive(Debug, Deserialize, JsonSchema)]
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
    query: ListQuery<CredentialsQuery>,
) -> ApiResult<Answer<Listing<CredentialView>>> {
    let by = api.calling_person(&caller).await?;
    let kind = query.first("kind").map(read_kind).transpose()?;
    let named = match query.first("personId") {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| Problem::not_found("personId"))?),
    };
    let owner = api.credentials_owner(&by, named).await?;
    let asked = query.page(&api, &caller)?;
    let key_of = |known: &Credential| (known.created_at.as_millis(), known.id);
    let all = api.store.credentials(CredentialQuery {
        account: owner.account,
        person: owner.id,
        kind,
    });
    let listing = asked.listing(asked.of_whole(all.await?, key_of), key_of);
    Ok(Answer::of(&listing.map(CredentialView::from)))
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
) -> ApiResult<Created<CreatedCredential>> {
    let kind = read_kind(&body.kind)?;
    let scopes = match &body.permissions {
        Some(names) => Some(read_permissions(names)?),
        None => None,
    };
    let token = kind.token(&token_from(api.random()));
    let id = CredentialId::from_random(api.random());
    let credential = api
        .commit_deciding(|| async {
            let by = api.calling_person(&caller).await?;
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
    Ok(Created::of(&created))
}

async fn read_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<CredentialView>> {
    let by = api.calling_person(&caller).await?;
    let credential = api.own_credential(&by, &path).await?;
    Ok(Answer::of(&CredentialView::from(credential)))
}

async fn rename_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<RenameCredential>,
) -> ApiResult<Answer<CredentialView>> {
    let renamed = api
        .commit_deciding(|| async {
            let by = api.calling_person(&caller).await?;
            let credential = api.own_credential(&by, &path).await?;
            Ok(credential.rename(&body.name)?)
        })
        .await?;
    Ok(Answer::of(&CredentialView::from(renamed)))
}

/// Lets nobody in by it any more, and ends what it opened; it stays in the list.
async fn revoke_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<CredentialView>> {
    let revoked = api
        .commit_deciding(|| async {
            let by = api.calling_person(&caller).await?;
            let credential = api.own_credential(&by, &path).await?;
            Ok(credential.revoke(api.now()))
        })
        .await?;
    Ok(Answer::of(&CredentialView::from(revoked)))
}

async fn delete_credential(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    api.commit_deciding(|| async {
        let by = api.calling_person(&caller).await?;
        let credential = api.own_credential(&by, &path).await?;
        Ok((credential.delete(), ()))
    })
    .await?;
    Ok(NoContent)
}
