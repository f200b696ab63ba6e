//! Who am I, and where: what the console asks first.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use hookyard_domain::{AccountId, Code, PersonId};
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::{ApiResult, json_body};

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/api/v1/me", get(read_me))
}

#[derive(Serialize)]
struct MeView {
    person: PersonMe,
    account: AccountMe,
    server: ServerMe,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PersonMe {
    id: PersonId,
    first_name: String,
    last_name: String,
    name: String,
    email: Option<String>,
    admin: bool,
}

#[derive(Serialize)]
struct AccountMe {
    id: AccountId,
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ServerMe {
    version: &'static str,
    public_url: String,
    development: bool,
}

async fn read_me(State(api): State<Arc<Api>>, caller: Caller) -> ApiResult<Response> {
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
    Ok(json_body(&MeView {
        person: PersonMe {
            id: person.id,
            name: person.name(),
            first_name: person.first_name,
            last_name: person.last_name,
            email: person.email,
            admin: person.admin,
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
