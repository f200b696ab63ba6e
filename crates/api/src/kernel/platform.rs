//! Platform resources that SDKs and samples also call (contract section 2.15), and health.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::{AccountId, Code, Person, PersonId, Problem};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::operations::answers::{Answer, shown};
use crate::operations::wire::Nothing;

crate::operations! {
    tag Platform, under ROOT, as Anybody;

    /// Whether the store answers.
    read_health: GET "/healthz";
    /// Which versions of the platform's API there are.
    read_versions: GET "/restapi", counted Medium;
    /// The version of the platform's API.
    read_version: GET "/restapi/v1.0", counted Medium;
    /// Whether the platform's API is served.
    read_status: GET "/restapi/v1.0/status", counted Medium;
    /// The caller's account.
    read_account: GET "/restapi/v1.0/account/{accountId}", as App(ReadAccounts), counted Light;
}

shown!(StatusView, VersionsView, VersionView, AccountView);

/// Whether the store answers.
async fn read_health(State(api): State<Arc<Api>>) -> ApiResult<Answer<StatusView>> {
    api.store.first_account().await?;
    Ok(Answer::of(&StatusView { status: "OK" }))
}

async fn read_versions(State(api): State<Arc<Api>>) -> Answer<VersionsView> {
    Answer::of(&VersionsView {
        uri: format!("{}/restapi", api.settings.public_url),
        api_versions: [version(&api)],
        server_version: api.settings.version,
    })
}

async fn read_version(State(api): State<Arc<Api>>) -> Answer<VersionView> {
    Answer::of(&version(&api))
}

fn version(api: &Api) -> VersionView {
    VersionView {
        uri: format!("{}/restapi/v1.0", api.settings.public_url),
        version_string: "1.0.0",
        uri_string: "v1.0",
    }
}

async fn read_status() -> Answer<StatusView> {
    Answer::of(&StatusView { status: "OK" })
}

/// That it works.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Status")]
struct StatusView {
    status: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlatformVersions")]
struct VersionsView {
    uri: String,
    api_versions: [VersionView; 1],
    server_version: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlatformVersion")]
struct VersionView {
    uri: String,
    version_string: &'static str,
    uri_string: &'static str,
}

/// An account; here its id is a number.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Account")]
struct AccountView {
    id: u64,
    uri: String,
    /// There is no telephone.
    #[schemars(with = "Nothing")]
    main_number: (),
    status: &'static str,
    company_name: String,
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
) -> ApiResult<Answer<AccountView>> {
    let account = api
        .store
        .account(own_account(&caller, &path)?)
        .await?
        .ok_or(Code::LoginRequired)?;
    Ok(Answer::of(&AccountView {
        id: account.id.0,
        uri: api.account_uri(account.id),
        main_number: (),
        status: "Confirmed",
        company_name: account.name,
    }))
}
