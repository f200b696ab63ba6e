//! Operators: who looks after the whole installation. They tell of, and give the right to, people of
//! every account.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::identity::person::directory::DirectoryError;
use hookyard_domain::kernel::limits::OPERATORS_MAX;
use hookyard_domain::{AccountId, Code, Person, PersonId, Problem, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::path::PathParams;
use crate::kernel::platform::lacks;
use crate::kernel::problem::{ApiError, ApiResult, because};
use crate::operations::answers::{Answer, NoContent, shown};
use crate::operations::wire::{Id, Time};

crate::operations! {
    tag Operating, under ROOT, as Operator(EditExtensions);

    /// Who looks after the installation, oldest first.
    list_operators: GET "/api/v1/operators", as Operator(ReadAccounts);
    /// Makes a person of any account an operator.
    ///
    /// Nothing changes for who is one already. Bots cannot be operators.
    create_operator: PUT "/api/v1/operators/{personId}", fails [LimitReached, Conflict];
    /// Takes the right away, but not from the last who has it.
    delete_operator: DELETE "/api/v1/operators/{personId}", fails [InvalidParameter, Conflict];
}

shown!(OperatorView, OperatorList);

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Operator")]
struct OperatorView {
    #[schemars(with = "Id")]
    person_id: PersonId,
    name: String,
    email: Option<String>,
    #[schemars(with = "Id")]
    account_id: AccountId,
    account_name: String,
    /// When the person last changed.
    #[schemars(with = "Time")]
    last_modified_time: Timestamp,
}

#[derive(Debug, Serialize, JsonSchema)]
struct OperatorList {
    records: Vec<OperatorView>,
}

/// What is said to who is no operator.
pub(crate) fn lacks_operator() -> ApiError {
    match lacks("Operator") {
        ApiError::Problem(problem) => because(
            problem,
            "only those may do this who look after the whole installation; an operator can give \
             you the right, and so can `hookyard admin grant-operator` on the server",
        )
        .into(),
        error => error,
    }
}

/// What is said of `parameter`, which names the last operator.
pub(crate) fn last_operator(parameter: &'static str) -> ApiError {
    let reason = "this is the last operator; make somebody else one first";
    because(Problem::invalid(parameter), reason).into()
}

pub(crate) fn too_many_operators() -> ApiError {
    Problem::of(Code::LimitReached)
        .with("limit", OPERATORS_MAX.to_string())
        .with("resource", "operators")
        .into()
}

fn refused(error: DirectoryError) -> ApiError {
    match error {
        DirectoryError::LastOperator => last_operator("personId"),
        DirectoryError::NotAPerson => {
            let reason = "an operator is a person who can sign in, and this is none";
            because(Problem::not_found("personId"), reason).into()
        }
        error => error.into(),
    }
}

impl Api {
    /// The caller, who must be an operator.
    pub(crate) async fn calling_operator(&self, caller: &Caller) -> ApiResult<Person> {
        let person = self.calling_person(caller).await?;
        if person.operator {
            return Ok(person);
        }
        Err(lacks_operator())
    }

    /// A person of any account.
    async fn anybody(&self, path: &PathParams) -> ApiResult<Person> {
        let person = self.store.anybody(path.id("personId")?).await?;
        person.ok_or_else(|| Problem::not_found("personId").into())
    }
}

async fn list_operators(
    State(api): State<Arc<Api>>,
    _caller: Caller,
) -> ApiResult<Answer<OperatorList>> {
    let operators = api.store.operators().await?;
    let mut names: HashMap<AccountId, String> = HashMap::new();
    for operator in &operators {
        if let Entry::Vacant(unknown) = names.entry(operator.account) {
            let account = api.store.account(operator.account).await?;
            unknown.insert(account.map(|account| account.name).unwrap_or_default());
        }
    }
    let records = operators.into_iter().map(|person| OperatorView {
        person_id: person.id,
        name: person.name(),
        email: person.email,
        account_id: person.account,
        account_name: names[&person.account].clone(),
        last_modified_time: person.modified_at,
    });
    Ok(Answer::of(&OperatorList {
        records: records.collect(),
    }))
}

async fn create_operator(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    api.commit_deciding(|| async {
        let by = api.calling_operator(&caller).await?;
        let person = api.anybody(&path).await?;
        let there_are = api.store.operators().await?.len();
        let made = person.make_operator(Some(&by), there_are, api.now());
        made.map_err(refused)
    })
    .await?;
    Ok(NoContent)
}

async fn delete_operator(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    api.commit_deciding(|| async {
        let by = api.calling_operator(&caller).await?;
        let person = api.anybody(&path).await?;
        let there_are = api.store.operators().await?.len();
        let unmade = person.unmake_operator(&by, there_are, api.now());
        unmade.map_err(refused)
    })
    .await?;
    Ok(NoContent)
}
