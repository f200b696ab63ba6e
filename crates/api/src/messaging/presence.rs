//! Presence: who is there and takes calls (contract section 2.15).

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::messaging::presence::{MessageTooLong, PresencePatch, PresenceState};
use hookyard_domain::{
    Code, DndStatus, Person, PersonId, PersonKind, Presence, Problem, UserStatus,
};
use http::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::batch::{self, Part};
use crate::kernel::body::Json;
use crate::kernel::paging::{Numbered, PageNumber, PageQuery};
use crate::kernel::path::PathParams;
use crate::kernel::platform::{lacks, own_account};
use crate::kernel::problem::ApiResult;
use crate::kernel::query::{Pairs, Query};
use crate::operations::answers::{Answer, OneOrMany, shown};
use crate::operations::shapes::{DndStatusName, PresenceShape, UserStatusName};
use crate::operations::wire::{EmptyList, shapes};

crate::operations! {
    tag Presence, under ROOT, as App(ReadPresence), counted Light;

    /// Who is there: one person, or several at a time.
    read_presence: GET "/restapi/v1.0/account/{accountId}/extension/{extensionId}/presence",
        fails [FeatureNotAvailable, PermissionMissing, BatchTooLarge];
    /// Changes one's own presence; administrators change everybody's.
    update_presence: PUT "/restapi/v1.0/account/{accountId}/extension/{extensionId}/presence",
        as App(EditPresence), counted Medium,
        fails [FeatureNotAvailable, PermissionMissing, Conflict];
    /// Everybody's presence, as far as they show it.
    list_presences: GET "/restapi/v1.0/account/{accountId}/presence";
}

shapes! {
    struct PresenceQuery {
        /// Also tells of calls, of which there are none.
        detailed_telephony_state: Option<bool>,
    }

    struct PresencesQuery {
        /// Also tells of calls, of which there are none.
        detailed_telephony_state: Option<bool>,
        #[schemars(flatten)]
        page: PageQuery,
    }
}

shown!(PresenceView<'_> as PresenceView<'static>);

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Presence")]
struct PresenceView<'a> {
    uri: String,
    extension: ExtensionRef<'a>,
    #[serde(flatten)]
    #[schemars(with = "PresenceShape")]
    state: PresenceState<'a>,
    /// There are none; told to those who ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EmptyList>")]
    active_calls: Option<[(); 0]>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PresenceExtension")]
struct ExtensionRef<'a> {
    id: u64,
    uri: String,
    extension_number: Option<&'a str>,
}

/// Whether calls are asked for in detail.
fn asks_for_calls(query: &Pairs) -> bool {
    query.first("detailedTelephonyState") == Some("true")
}

impl<'a> PresenceView<'a> {
    fn new(api: &Api, person: &'a Person, presence: &'a Presence, calls: bool) -> Self {
        let extension = api.extension_uri(person.account, person.id);
        Self {
            uri: format!("{extension}/presence"),
            extension: ExtensionRef {
                id: person.id.0,
                uri: extension,
                extension_number: person.extension_number.as_deref(),
            },
            state: presence.into(),
            active_calls: calls.then_some([]),
        }
    }
}

impl Api {
    /// An extension and its presence, for who may see it.
    async fn presence(&self, caller: &Caller, id: &str) -> ApiResult<(Person, Presence)> {
        let person = self.extension(caller, id).await?;
        if person.kind == PersonKind::Integration {
            return Err(Code::FeatureNotAvailable.into());
        }
        let presence = self.presence_of(&person).await?;
        if !presence.is_visible_to(&self.calling_person(caller).await?) {
            return Err(lacks("ReadPresenceStatus"));
        }
        Ok((person, presence))
    }

    async fn presence_of(&self, person: &Person) -> ApiResult<Presence> {
        let found = self.store.presence(person.account, person.id).await?;
        Ok(found.unwrap_or_else(|| Presence::unset(person.account, person.id)))
    }
}

async fn read_presence(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<PresenceQuery>,
    headers: HeaderMap,
) -> ApiResult<OneOrMany<PresenceView<'static>>> {
    own_account(&caller, &path)?;
    let ids = path.text("extensionId")?;
    let calls = asks_for_calls(&query);
    if !ids.contains(',') {
        let (person, presence) = api.presence(&caller, ids).await?;
        return Ok(OneOrMany::one(&PresenceView::new(
            &api, &person, &presence, calls,
        )));
    }
    let mut parts = Vec::new();
    for id in batch::ids(ids)? {
        parts.push(match api.presence(&caller, id).await {
            Ok((person, presence)) => {
                Part::found(id, &PresenceView::new(&api, &person, &presence, calls))
            }
            Err(error) => Part::failed(id, error)?,
        });
    }
    Ok(OneOrMany::many(&headers, &parts, api.random()))
}

async fn list_presences(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<PresencesQuery>,
) -> ApiResult<Answer<Numbered<PresenceView<'static>>>> {
    let account = own_account(&caller, &path)?;
    let page = PageNumber::read(&query)?;
    let viewer = api.calling_person(&caller).await?;
    let hidden_from: Option<PersonId> = (!viewer.admin).then_some(viewer.id);
    let (found, total) = api
        .store
        .presences(account, hidden_from, page.slice())
        .await?;
    let calls = asks_for_calls(&query);
    let records = found
        .iter()
        .map(|(person, presence)| PresenceView::new(&api, person, presence, calls))
        .collect();
    let uri = format!("{}/presence", api.account_uri(account));
    Ok(Answer::of(&page.answer(&uri, &query, records, total)))
}

/// What to change; absent parts stay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UpdatePresence {
    #[schemars(with = "Option<UserStatusName>")]
    user_status: Option<UserStatus>,
    #[schemars(with = "Option<DndStatusName>")]
    dnd_status: Option<DndStatus>,
    /// Newer clients set each sort of calls by itself.
    #[schemars(with = "Option<DndStatusName>")]
    dnd_status_personal: Option<DndStatus>,
    accept_call_queue_calls: Option<bool>,
    message: Option<String>,
    allow_see_my_presence: Option<bool>,
    ring_on_monitored_call: Option<bool>,
    pick_up_calls_on_hold: Option<bool>,
}

impl UpdatePresence {
    /// Which calls shall be taken: one status for both sorts, or each by itself.
    fn asked_dnd_status(&self, former: DndStatus) -> Option<DndStatus> {
        if self.dnd_status.is_some() {
            return self.dnd_status;
        }
        let personal = self
            .dnd_status_personal
            .map(DndStatus::takes_personal_calls);
        let queues = self.accept_call_queue_calls;
        (personal.is_some() || queues.is_some()).then(|| {
            DndStatus::taking(
                personal.unwrap_or(former.takes_personal_calls()),
                queues.unwrap_or(former.takes_queue_calls()),
            )
        })
    }
}

/// People change their own presence, and administrators everybody's.
async fn update_presence(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<UpdatePresence>,
) -> ApiResult<Answer<PresenceView<'static>>> {
    own_account(&caller, &path)?;
    let person = api.extension(&caller, path.text("extensionId")?).await?;
    if person.kind == PersonKind::Integration {
        return Err(Code::FeatureNotAvailable.into());
    }
    if person.id != caller.person && !api.calling_person(&caller).await?.admin {
        return Err(lacks("AccountAdmin"));
    }
    let presence = api
        .commit_deciding(|| async {
            let presence = api.presence_of(&person).await?;
            let patch = PresencePatch {
                user_status: body.user_status,
                dnd_status: body.asked_dnd_status(presence.dnd_status),
                message: body.message.clone(),
                visible: body.allow_see_my_presence,
                ring_on_monitored_call: body.ring_on_monitored_call,
                pick_up_calls_on_hold: body.pick_up_calls_on_hold,
            };
            presence
                .patch(patch, api.now())
                .map_err(|MessageTooLong| Problem::invalid("message").into())
        })
        .await?;
    Ok(Answer::of(&PresenceView::new(
        &api, &person, &presence, false,
    )))
}
