//! Platform resources that SDKs and samples also call (contract section 2.15), and health.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use hookyard_domain::{AccountId, Code, Person, PersonId, Problem, Scope};
use serde_json::{Value, json};

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult, json_body};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/healthz", get(read_health))
        .route("/restapi", get(read_versions))
        .route("/restapi/v1.0", get(read_version))
        .route("/restapi/v1.0/status", get(read_status))
        .route("/restapi/v1.0/account/{accountId}", get(read_account))
}

/// Whether the store answers.
async fn read_health(State(api): State<Arc<Api>>) -> ApiResult<Response> {
    api.store.first_account().await?;
    Ok(json_body(&json!({ "status": "OK" })))
}

async fn read_versions(State(api): State<Arc<Api>>) -> Response {
    let uri = format!("{}/restapi", api.settings.public_url);
    json_body(
        &json!({ "uri": uri, "apiVersions": [version(&api)], "serverVersion": api.settings.version }),
    )
}

async fn read_version(State(api): State<Arc<Api>>) -> Response {
    json_body(&version(&api))
}

fn version(api: &Api) -> Value {
    json!({
        "uri": format!("{}/restapi/v1.0", api.settings.public_url),
        "versionString": "1.0.0",
        "uriString": "v1.0",
    })
}

async fn read_status() -> Response {
    json_body(&json!({ "status": "OK" }))
}

/// The account that a path names: the caller's own, as `~` or by its id.
pub(crate) fn own_account(caller: &Caller, path: &PathParams) -> ApiResult<AccountId> {
    let account = path.text("accountId")?;
    let own = account == "~" || account.parse() == Ok(caller.account);
    if own {
        Ok(caller.account)
    } else {
        Err(Problem::not_found("accountId").into())
    }
}

/// The refusal of a person who lacks a permission.
pub(crate) fn lacks(permission: &str) -> ApiError {
    Problem::of(Code::PermissionMissing)
        .with("permission", permission)
        .into()
}

impl Api {
    /// Where an account is found.
    pub(crate) fn account_uri(&self, account: AccountId) -> String {
        format!(
            "{}/restapi/v1.0/account/{account}",
            self.settings.public_url
        )
    }

    /// Where an extension is found.
    pub(crate) fn extension_uri(&self, account: AccountId, extension: PersonId) -> String {
        format!("{}/extension/{extension}", self.account_uri(account))
    }

    /// The person who calls.
    pub(crate) async fn calling_person(&self, caller: &Caller) -> ApiResult<Person> {
        let person = self.store.person(caller.account, caller.person).await?;
        person.ok_or_else(|| Code::LoginRequired.into())
    }

    /// An extension of the caller's account, by id, or the caller's own as `~`.
    pub(crate) async fn extension(&self, caller: &Caller, id: &str) -> ApiResult<Person> {
        let not_found = || Problem::not_found("extensionId");
        let id = match id {
            "~" => caller.person,
            id => id.parse::<PersonId>().map_err(|_| not_found())?,
        };
        let person = self.store.person(caller.account, id).await?;
        person.ok_or_else(|| not_found().into())
    }

    /// The caller's own extension, which the path must name; `permission` is what it would take to
    /// act for another.
    pub(crate) async fn own_extension(
        &self,
        caller: &Caller,
        path: &PathParams,
        permission: &str,
    ) -> ApiResult<Person> {
        own_account(caller, path)?;
        let person = self.extension(caller, path.text("extensionId")?).await?;
        if person.id == caller.person {
            Ok(person)
        } else {
            Err(lacks(permission))
        }
    }
}

async fn read_account(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    caller.require(Scope::ReadAccounts)?;
    let account = api
        .store
        .account(own_account(&caller, &path)?)
        .await?
        .ok_or(Code::LoginRequired)?;
    Ok(json_body(&json!({
        "id": account.id.0,
        "uri": api.account_uri(account.id),
        "mainNumber": null,
        "status": "Confirmed",
        "companyName": account.name,
    })))
}
