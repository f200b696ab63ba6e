//! The company's directory: finding people by what is known of them.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::kernel::limits::PERSONS_MAX;
use hookyard_domain::{AccountId, Person, PersonId, PersonKind};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::identity::caller::Caller;
use crate::identity::extensions::type_name;
use crate::kernel::body::Json;
use crate::kernel::paging::{PageNumber, PageQuery, Paging};
use crate::kernel::path::PathParams;
use crate::kernel::platform::own_account;
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Query;
use crate::operations::answers::{Answer, shown};
use crate::operations::wire::{EmptyList, Id};

crate::operations! {
    tag Directory, under ROOT, as App(ReadAccounts), counted Medium;

    /// Who is there to be met.
    list_entries: GET "/restapi/v1.0/account/{accountId}/directory/entries"
        named list_directory;
    /// Finds people.
    search_entries: POST "/restapi/v1.0/account/{accountId}/directory/entries/search"
        named search_directory, repeats UNNOTICED;
}

shown!(Entries<'_> as Entries<'static>);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SearchDirectory")]
struct SearchEntries {
    search_string: Option<String>,
    /// Empty for all of them.
    #[serde(default)]
    search_fields: Vec<String>,
    extension_type: Option<String>,
    page: Option<u32>,
    per_page: Option<u32>,
}

impl SearchEntries {
    fn finds(&self, person: &Person) -> bool {
        let of_type = self
            .extension_type
            .as_deref()
            .is_none_or(|name| name == type_name(person.kind));
        let wanted = self.search_string.as_deref().unwrap_or_default().trim();
        of_type && (wanted.is_empty() || self.occurs(&wanted.to_lowercase(), person))
    }

    /// Whether a field holds `wanted`, which is in lower case. Both names count as one, too.
    fn occurs(&self, wanted: &str, person: &Person) -> bool {
        let all = self.search_fields.is_empty();
        let asked = |name: &str| all || self.search_fields.iter().any(|field| field == name);
        let name = person.name();
        let fields = [
            (asked("firstName"), Some(person.first_name.as_str())),
            (asked("lastName"), Some(person.last_name.as_str())),
            (asked("firstName") && asked("lastName"), Some(&name)),
            (asked("email"), person.email.as_deref()),
            (asked("extensionNumber"), person.extension_number.as_deref()),
        ];
        fields.into_iter().any(|(asked, field)| {
            asked && field.is_some_and(|field| field.to_lowercase().contains(wanted))
        })
    }
}

/// An entry; here ids are texts.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DirectoryEntry")]
struct EntryView<'a> {
    #[schemars(with = "Id")]
    id: PersonId,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    first_name: &'a str,
    last_name: &'a str,
    name: String,
    email: Option<&'a str>,
    extension_number: Option<&'a str>,
    account: AccountRef,
    #[schemars(with = "EmptyList")]
    phone_numbers: [(); 0],
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DirectoryAccount")]
struct AccountRef {
    #[schemars(with = "Id")]
    id: AccountId,
}

impl<'a> From<&'a Person> for EntryView<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            id: person.id,
            kind: type_name(person.kind),
            status: person.status.name(),
            first_name: &person.first_name,
            last_name: &person.last_name,
            name: person.name(),
            email: person.email.as_deref(),
            extension_number: person.extension_number.as_deref(),
            account: AccountRef { id: person.account },
            phone_numbers: [],
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DirectoryEntries")]
struct Entries<'a> {
    records: Vec<EntryView<'a>>,
    paging: Paging,
}

/// Finds who is there to be met: neither integrations nor the disabled.
async fn find(
    api: &Api,
    account: AccountId,
    search: &SearchEntries,
    page: PageNumber,
) -> ApiResult<Answer<Entries<'static>>> {
    let persons = api.store.persons(account, PERSONS_MAX).await?;
    let found: Vec<&Person> = persons
        .iter()
        .filter(|person| person.kind != PersonKind::Integration && person.is_enabled())
        .filter(|person| search.finds(person))
        .collect();
    let slice = page.slice();
    let offset = usize::try_from(slice.offset).unwrap_or(usize::MAX);
    let limit = usize::try_from(slice.limit).unwrap_or(usize::MAX);
    let shown = found.iter().skip(offset).take(limit);
    let records: Vec<_> = shown.map(|person| EntryView::from(*person)).collect();
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    let paging = page.paging(records.len(), total);
    Ok(Answer::of(&Entries { records, paging }))
}

async fn list_entries(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<PageQuery>,
) -> ApiResult<Answer<Entries<'static>>> {
    let account = own_account(&caller, &path)?;
    let page = PageNumber::read(&query)?;
    find(&api, account, &SearchEntries::default(), page).await
}

async fn search_entries(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<SearchEntries>,
) -> ApiResult<Answer<Entries<'static>>> {
    let account = own_account(&caller, &path)?;
    let page = PageNumber::of(body.page, body.per_page)?;
    find(&api, account, &body, page).await
}
