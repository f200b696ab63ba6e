//! Platform resources that SDKs and samples also call (contract section 2.15), and health.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use hookyard_domain::limits::RECORD_COUNT_MAX;
use hookyard_domain::{AccountId, Code, Person, PersonId, PersonKind, Problem, Scope};
use serde_json::{Value, json};

use crate::Api;
use crate::caller::Caller;
use crate::problem::{ApiResult, json_body};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/healthz", get(read_health))
        .route("/restapi", get(read_versions))
        .route("/restapi/v1.0", get(read_version))
        .route("/restapi/v1.0/status", get(read_status))
        .route("/restapi/v1.0/account/{account}", get(read_account))
        .route(
            "/restapi/v1.0/account/{account}/extension",
            get(list_extensions),
        )
        .route(
            "/restapi/v1.0/account/{account}/extension/{extension}",
            get(read_extension),
        )
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
fn own_account(caller: &Caller, account: &str) -> ApiResult<AccountId> {
    let own = account == "~" || account.parse() == Ok(caller.account);
    if own {
        Ok(caller.account)
    } else {
        Err(Problem::not_found("accountId").into())
    }
}

async fn read_account(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(account): Path<String>,
) -> ApiResult<Response> {
    caller.require(Scope::ReadAccounts)?;
    let account = api
        .store
        .account(own_account(&caller, &account)?)
        .await?
        .ok_or(Code::LoginRequired)?;
    let uri = format!(
        "{}/restapi/v1.0/account/{}",
        api.settings.public_url, account.id
    );
    Ok(json_body(&json!({
        "id": account.id.0,
        "uri": uri,
        "mainNumber": null,
        "status": "Confirmed",
        "companyName": account.name,
    })))
}

async fn list_extensions(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(account): Path<String>,
) -> ApiResult<Response> {
    caller.require(Scope::ReadAccounts)?;
    let account = own_account(&caller, &account)?;
    let persons = api.store.persons(account, RECORD_COUNT_MAX).await?;
    let records: Vec<_> = persons
        .iter()
        .filter(|person| person.kind != PersonKind::Integration)
        .map(|person| extension_view(&api, person))
        .collect();
    let uri = format!(
        "{}/restapi/v1.0/account/{account}/extension",
        api.settings.public_url
    );
    Ok(json_body(
        &json!({ "uri": uri, "records": records, "navigation": {}, "paging": {
        "page": 1, "totalPages": 1, "perPage": RECORD_COUNT_MAX, "totalElements": records.len(),
    } }),
    ))
}

async fn read_extension(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((account, extension)): Path<(String, String)>,
) -> ApiResult<Response> {
    let account = own_account(&caller, &account)?;
    let not_found = || Problem::not_found("extensionId");
    let id = match extension.as_str() {
        "~" => caller.person,
        other => other.parse::<PersonId>().map_err(|_| not_found())?,
    };
    if id != caller.person {
        caller.require(Scope::ReadAccounts)?;
    }
    let person = api.store.person(account, id).await?.ok_or_else(not_found)?;
    Ok(json_body(&extension_view(&api, &person)))
}

/// An extension: here, unlike in team messaging, ids are JSON numbers.
fn extension_view(api: &Api, person: &Person) -> Value {
    let account = format!(
        "{}/restapi/v1.0/account/{}",
        api.settings.public_url, person.account
    );
    let kind = match person.kind {
        PersonKind::User => "User",
        PersonKind::Bot => "Bot",
        PersonKind::Integration => "ApplicationExtension",
    };
    json!({
        "id": person.id.0,
        "uri": format!("{account}/extension/{}", person.id),
        "account": { "id": person.account.to_string(), "uri": account },
        "extensionNumber": person.extension_number,
        "name": person.name(),
        "type": kind,
        "status": "Enabled",
        "contact": {
            "firstName": person.first_name,
            "lastName": person.last_name,
            "name": person.name(),
            "email": person.email,
        },
        "permissions": {
            "admin": { "enabled": person.admin },
            "internationalCalling": { "enabled": false },
        },
        "profileImage": { "uri": format!("{account}/extension/{}/profile-image", person.id) },
        "regionalSettings": {
            "language": { "id": "1033", "name": "English (United States)", "localeCode": "en-US" },
            "timezone": { "id": "1", "name": "GMT", "description": "UTC" },
            "timeFormat": "24h",
        },
        "serviceFeatures": [],
        "setupWizardState": "Completed",
    })
}
