//! Extensions: persons as the platform API has them, with numbers for ids (contract section 2.15).

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::identity::person::directory::{
    DirectoryError, NewPerson, PersonPatch, is_password,
};
use hookyard_domain::kernel::ports::PersonQuery;
use hookyard_domain::{
    AccountId, Code, Person, PersonId, PersonKind, PersonStatus, Problem, Scope, Secret,
};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::Deserialize;

mod view;

use self::view::{ExtensionView, extension_view};
use crate::Api;
use crate::identity::caller::Caller;
use crate::identity::operators::{lacks_operator, last_operator, too_many_operators};
use crate::identity::password::hash_chosen_password;
use crate::kernel::batch::{self, Part};
use crate::kernel::body::Json;
use crate::kernel::paging::{Numbered, PageNumber, PageQuery};
use crate::kernel::path::PathParams;
use crate::kernel::platform::{lacks, own_account};
use crate::kernel::problem::{ApiError, ApiResult};
use crate::kernel::query::{Query, Wanted};
use crate::operations::answers::{Answer, NoContent, OneOrMany};
use crate::operations::wire::shapes;

crate::operations! {
    tag Extensions, under ROOT, as App(EditExtensions), counted Medium;

    /// People of the account.
    list_extensions: GET "/restapi/v1.0/account/{accountId}/extension", as App(ReadAccounts);
    /// Takes somebody into the account; for administrators.
    create_extension: POST "/restapi/v1.0/account/{accountId}/extension",
        fails [PermissionMissing, Conflict];
    /// One person, or several at a time. One's own needs no permission.
    read_extensions: GET "/restapi/v1.0/account/{accountId}/extension/{extensionId}",
        as Depends(&[ReadAccounts]), counted Light, fails [BatchTooLarge];
    /// Changes a person.
    update_extension: PUT "/restapi/v1.0/account/{accountId}/extension/{extensionId}",
        fails [PermissionMissing, Conflict];
    /// Disables a person. What they wrote keeps its author.
    delete_extension: DELETE "/restapi/v1.0/account/{accountId}/extension/{extensionId}",
        fails [InvalidParameter, PermissionMissing, Conflict];
}

shapes! {
    struct ExtensionsQuery {
        /// Only people with this status.
        status: Option<Vec<String>>,
        /// `User` or `Bot`.
        #[schemars(rename = "type")]
        kind: Option<Vec<String>>,
        email: Option<String>,
        extension_number: Option<String>,
        #[schemars(flatten)]
        page: PageQuery,
    }
}

impl From<DirectoryError> for ApiError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::BadFirstName | DirectoryError::NoName => {
                Problem::invalid("contact.firstName").into()
            }
            DirectoryError::BadLastName => Problem::invalid("contact.lastName").into(),
            DirectoryError::BadEmail => Problem::invalid("contact.email").into(),
            DirectoryError::BadExtensionNumber => Problem::invalid("extensionNumber").into(),
            DirectoryError::NotAnAdmin => lacks("AccountAdmin"),
            DirectoryError::NotAnOperator => lacks_operator(),
            DirectoryError::LastOperator => last_operator("extensionId"),
            DirectoryError::TooManyOperators => too_many_operators(),
            DirectoryError::Oneself => Problem::invalid("extensionId").into(),
            DirectoryError::NotAPerson => Problem::not_found("extensionId").into(),
        }
    }
}

async fn list_extensions(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<ExtensionsQuery>,
) -> ApiResult<Answer<Numbered<ExtensionView>>> {
    let account = own_account(&caller, &path)?;
    let page = PageNumber::read(&query)?;
    let statuses = [
        "Enabled",
        "Disabled",
        "Frozen",
        "NotActivated",
        "Unassigned",
    ];
    if let Some(unknown) = query.all("status").find(|name| !statuses.contains(name)) {
        return Err(Problem::invalid("status").value(unknown).into());
    }
    let status = query.wanted("status", PersonStatus::from_name);
    let kind = query.wanted("type", |name| match name {
        "User" => Some(PersonKind::User),
        "Bot" => Some(PersonKind::Bot),
        _ => None,
    });
    let (persons, total) = if status == Wanted::Nothing || kind == Wanted::Nothing {
        (Vec::new(), 0)
    } else {
        let asked = PersonQuery {
            account,
            email: query.first("email").map(str::to_owned),
            extension_number: query.first("extensionNumber").map(str::to_owned),
            status: status.only(),
            kind: kind.only(),
            slice: page.slice(),
        };
        api.store.persons_matching(asked).await?
    };
    let records = persons
        .iter()
        .map(|person| extension_view(&api, person))
        .collect();
    let uri = format!("{}/extension", api.account_uri(account));
    Ok(Answer::of(&page.answer(&uri, &query, records, total)))
}

async fn read_extensions(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
) -> ApiResult<OneOrMany<ExtensionView>> {
    own_account(&caller, &path)?;
    let ids = path.text("extensionId")?;
    if !ids.contains(',') {
        if ids != "~" && ids.parse() != Ok(caller.person) {
            caller.require(Scope::ReadAccounts)?;
        }
        let person = api.extension(&caller, ids).await?;
        return Ok(OneOrMany::one(&extension_view(&api, &person)));
    }
    caller.require(Scope::ReadAccounts)?;
    let mut parts = Vec::new();
    for id in batch::ids(ids)? {
        parts.push(match api.extension(&caller, id).await {
            Ok(person) => Part::found(id, &extension_view(&api, &person)),
            Err(error) => Part::failed(id, error)?,
        });
    }
    Ok(OneOrMany::many(&headers, &parts, api.random()))
}

/// Names and addresses; what else the platform keeps of a contact is not kept here.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Contact {
    first_name: Option<String>,
    last_name: Option<String>,
    email: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreateExtension {
    contact: Contact,
    extension_number: Option<String>,
    password: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    status: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UpdateExtension {
    contact: Option<Contact>,
    extension_number: Option<String>,
    status: Option<String>,
    password: Option<String>,
    permissions: Option<Permissions>,
}

/// In the form in which they are shown.
#[derive(Debug, Deserialize, JsonSchema)]
struct Permissions {
    admin: Option<Permission>,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Permission {
    enabled: Option<bool>,
}

impl Api {
    /// Refuses an address or a number that another person has.
    async fn check_free(
        &self,
        account: AccountId,
        own: Option<PersonId>,
        email: Option<&str>,
        number: Option<&str>,
    ) -> ApiResult<()> {
        let taken = |found: Option<Person>| found.is_some_and(|person| Some(person.id) != own);
        if let Some(email) = email
            && taken(self.store.person_by_email(account, email).await?)
        {
            return Err(Problem::invalid("contact.email").value(email).into());
        }
        if let Some(number) = number
            && taken(
                self.store
                    .person_by_extension_number(account, number)
                    .await?,
            )
        {
            return Err(Problem::invalid("extensionNumber").value(number).into());
        }
        Ok(())
    }

    /// The hash of a password that somebody chose.
    async fn hashed(&self, password: Option<&str>) -> ApiResult<Option<Secret>> {
        let Some(password) = password else {
            return Ok(None);
        };
        if !is_password(password) {
            return Err(Problem::invalid("password").into());
        }
        let hash = hash_chosen_password(Secret::new(password), &*self.chance).await;
        Ok(Some(hash.ok_or(Code::StoreUnavailable)?))
    }
}

/// Texts of names and addresses mean nothing at their ends.
fn trimmed(text: Option<&String>) -> Option<String> {
    text.map(|text| text.trim().to_owned())
}

async fn create_extension(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<CreateExtension>,
) -> ApiResult<Answer<ExtensionView>> {
    let account = own_account(&caller, &path)?;
    if !api.calling_person(&caller).await?.admin {
        return Err(DirectoryError::NotAnAdmin.into());
    }
    if body.kind.as_deref().is_some_and(|kind| kind != "User") {
        return Err(Problem::invalid("type").into());
    }
    let enabled = PersonStatus::Enabled.name();
    if body
        .status
        .as_deref()
        .is_some_and(|status| status != enabled)
    {
        return Err(Problem::invalid("status").into());
    }
    let password = api.hashed(body.password.as_deref()).await?;
    let person = api
        .commit_deciding(|| async {
            let new = NewPerson {
                first_name: trimmed(body.contact.first_name.as_ref()).unwrap_or_default(),
                last_name: trimmed(body.contact.last_name.as_ref()).unwrap_or_default(),
                email: trimmed(body.contact.email.as_ref()),
                extension_number: trimmed(body.extension_number.as_ref()),
                password: password.clone(),
            };
            let maker = api.calling_person(&caller).await?;
            let everyone = api.store.everyone_chat(account).await?;
            let act = api.act(&caller, api.now());
            let (change, person) = Person::take_in(&act, &maker, new, everyone.as_ref())?;
            let (email, number) = (&person.email, &person.extension_number);
            api.check_free(account, None, email.as_deref(), number.as_deref())
                .await?;
            Ok((change, person))
        })
        .await?;
    Ok(Answer::of(&extension_view(&api, &person)))
}

async fn update_extension(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<UpdateExtension>,
) -> ApiResult<Answer<ExtensionView>> {
    let account = own_account(&caller, &path)?;
    let id = path.text("extensionId")?;
    let status = match body.status.as_deref() {
        None => None,
        Some(name) => {
            Some(PersonStatus::from_name(name).ok_or_else(|| Problem::invalid("status"))?)
        }
    };
    let admin = body
        .permissions
        .as_ref()
        .and_then(|p| p.admin.as_ref()?.enabled);
    if body.password.is_some() && !api.calling_person(&caller).await?.admin {
        return Err(DirectoryError::NotAnAdmin.into());
    }
    let password = api.hashed(body.password.as_deref()).await?;
    let contact = body.contact.unwrap_or_default();
    let person = api
        .commit_deciding(|| async {
            let person = api.extension(&caller, id).await?;
            let by = api.calling_person(&caller).await?;
            let act = api.act(&caller, api.now());
            let patch = PersonPatch {
                first_name: trimmed(contact.first_name.as_ref()),
                last_name: trimmed(contact.last_name.as_ref()),
                email: trimmed(contact.email.as_ref()),
                extension_number: trimmed(body.extension_number.as_ref()),
                status,
                admin,
            };
            let (mut change, next) = person.patch(&act, &by, patch)?;
            let (email, number) = (&next.email, &next.extension_number);
            api.check_free(account, Some(next.id), email.as_deref(), number.as_deref())
                .await?;
            if let Some(hash) = &password {
                change.append(person.reset_password(&act, &by, hash.clone())?);
            }
            Ok((change, next))
        })
        .await?;
    Ok(Answer::of(&extension_view(&api, &person)))
}

/// Disables a person. What they wrote keeps its author.
async fn delete_extension(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    own_account(&caller, &path)?;
    let id = path.text("extensionId")?;
    api.commit_deciding(|| async {
        let person = api.extension(&caller, id).await?;
        let by = api.calling_person(&caller).await?;
        Ok(person.disable(&api.act(&caller, api.now()), &by)?)
    })
    .await?;
    Ok(NoContent)
}

/// The name of a kind in the platform API.
pub(crate) const fn type_name(kind: PersonKind) -> &'static str {
    match kind {
        PersonKind::User => "User",
        PersonKind::Bot => "Bot",
        PersonKind::Integration => "ApplicationExtension",
    }
}
