//! Persons and companies (contract section 2.12), one or several at a time.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::identity::person::PersonView;
use hookyard_domain::{Account, AccountId, Person, PersonId, Problem, Timestamp};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::batch::{self, Part};
use crate::kernel::path::PathParams;
use crate::kernel::problem::ApiResult;
use crate::operations::answers::{OneOrMany, shown};
use crate::operations::shapes::PersonShape;
use crate::operations::wire::{Id, Time};

crate::operations! {
    tag Persons, under MESSAGING, as App(TeamMessaging), counted Light;

    /// One person, or several at a time.
    read_persons: GET "/persons/{personId}", fails [BatchTooLarge];
    /// One company, or several at a time.
    read_companies: GET "/companies/{companyId}", fails [BatchTooLarge];
}

shown!(CompanyView);

async fn read_persons(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
) -> ApiResult<OneOrMany<PersonShape>> {
    let ids = path.text("personId")?;
    if !ids.contains(',') {
        let person = api.person(&caller, ids).await?;
        return Ok(OneOrMany::one(&PersonView::from(&person)));
    }
    let mut parts = Vec::new();
    for id in batch::ids(ids)? {
        parts.push(match api.person(&caller, id).await {
            Ok(person) => Part::found(id, &PersonView::from(&person)),
            Err(error) => Part::failed(id, error)?,
        });
    }
    Ok(OneOrMany::many(&headers, &parts, api.random()))
}

/// `TMCompanyInfo`, contract section 2.3.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Company")]
struct CompanyView {
    #[schemars(with = "Id")]
    id: AccountId,
    name: String,
    domain: Option<String>,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    #[schemars(with = "Time")]
    last_modified_time: Timestamp,
}

impl From<Account> for CompanyView {
    fn from(account: Account) -> Self {
        Self {
            id: account.id,
            name: account.name,
            domain: None,
            creation_time: account.created_at,
            last_modified_time: account.created_at,
        }
    }
}

async fn read_companies(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
) -> ApiResult<OneOrMany<CompanyView>> {
    let ids = path.text("companyId")?;
    if !ids.contains(',') {
        return Ok(OneOrMany::one(&api.company(&caller, ids).await?));
    }
    let mut parts = Vec::new();
    for id in batch::ids(ids)? {
        parts.push(match api.company(&caller, id).await {
            Ok(company) => Part::found(id, &company),
            Err(error) => Part::failed(id, error)?,
        });
    }
    Ok(OneOrMany::many(&headers, &parts, api.random()))
}

impl Api {
    /// A person of the caller's account, by id, or the caller as `~`.
    async fn person(&self, caller: &Caller, id: &str) -> ApiResult<Person> {
        let not_found = || Problem::not_found("personId");
        let id = match id {
            "~" => caller.person,
            id => id.parse::<PersonId>().map_err(|_| not_found())?,
        };
        let person = self.store.person(caller.account, id).await?;
        person.ok_or_else(|| not_found().into())
    }

    /// The caller's own company; there is no other.
    async fn company(&self, caller: &Caller, id: &str) -> ApiResult<CompanyView> {
        let own = id == "~" || id.parse() == Ok(caller.account);
        let account = if own {
            self.store.account(caller.account).await?
        } else {
            None
        };
        account
            .map(CompanyView::from)
            .ok_or_else(|| Problem::not_found("companyId").into())
    }
}
