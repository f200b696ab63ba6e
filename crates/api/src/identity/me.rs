//! Who am I, and where: what the console asks first.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::{AccountId, Code, PersonId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::ApiResult;
use crate::operations::answers::{Answer, shown};
use crate::operations::wire::Id;

crate::operations! {
    tag Platform, under ROOT, as SignedIn;

    /// Who calls, and where.
    read_me: GET "/api/v1/me";
}

shown!(MeView);

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Me")]
struct MeView {
    person: PersonMe,
    account: AccountMe,
    server: ServerMe,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PersonMe {
    #[schemars(with = "Id")]
    id: PersonId,
    first_name: String,
    last_name: String,
    name: String,
    email: Option<String>,
    admin: bool,
    /// Whether they look after the whole installation.
    operator: bool,
}

#[derive(Debug, Serialize, JsonSchema)]
struct AccountMe {
    #[schemars(with = "Id")]
    id: AccountId,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ServerMe {
    version: &'static str,
    public_url: String,
    development: bool,
}

async fn read_me(State(api): State<Arc<Api>>, caller: Caller) -> ApiResult<Answer<MeView>> {
    let person = api
        .store
        .person(caller.account, caller.person)
        .await?
        .ok_or(Code::LoginRequired)?;
    let account = api
        .store
        .account(caller.account)
        .await?
        .ok_or(Code::LoginRequired)?;
    Ok(Answer::of(&MeView {
        person: PersonMe {
            id: person.id,
            name: person.name(),
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email,
            admin: person.admin,
            operator: person.operator,
        },
        account: AccountMe {
            id: account.id,
            name: account.name,
        },
        server: ServerMe {
            version: api.settings.version,
            public_url: api.settings.public_url.clone(),
            development: api.settings.development.is_on(),
        },
    }))
}
