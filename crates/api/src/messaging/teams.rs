//! Teams (contract section 2.4).

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::inbound::webhook::Announcement;
use hookyard_domain::kernel::limits::PERSONS_MAX;
use hookyard_domain::messaging::Act;
use hookyard_domain::messaging::chat::ChatView;
use hookyard_domain::messaging::teams::{NewTeam, TeamError, TeamPatch};
use hookyard_domain::{Change, Chat, ChatId, ChatKind, ChatStatus, Code, Problem, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::paging::{ListQuery, RecordQuery, Records};
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::messaging::members::MemberRef;
use crate::operations::answers::{Answer, Created, Happened, NoContent};
use crate::operations::shapes::ChatShape;

crate::operations! {
    tag Teams, under MESSAGING, as App(TeamMessaging), counted Medium;

    /// The teams that the caller is in, and the public ones.
    list_teams: GET "/teams";
    /// Makes a team.
    create_team: POST "/teams", fails [Conflict];
    /// One team.
    read_team: GET "/teams/{chatId}", counted Light;
    /// Changes a team.
    update_team: PATCH "/teams/{chatId}", fails [PermissionMissing, TeamArchived, Conflict];
    /// Deletes a team, and its webhooks with it.
    delete_team: DELETE "/teams/{chatId}", fails [PermissionMissing, Conflict];
    /// Joins a team.
    join_team: POST "/teams/{chatId}/join", fails [PermissionMissing, TeamArchived, Conflict];
    /// Leaves a team.
    leave_team: POST "/teams/{chatId}/leave", fails [PermissionMissing, TeamArchived, Conflict];
    /// Adds members to a team.
    add_to_team: POST "/teams/{chatId}/add", fails [PermissionMissing, TeamArchived, Conflict];
    /// Removes members from a team.
    remove_from_team: POST "/teams/{chatId}/remove",
        fails [PermissionMissing, TeamArchived, Conflict];
    /// Archives a team: nobody posts there any more.
    archive_team: POST "/teams/{chatId}/archive", fails [PermissionMissing, Conflict];
    /// Puts an archived team to use again.
    unarchive_team: POST "/teams/{chatId}/unarchive", fails [PermissionMissing, Conflict];
}

impl From<TeamError> for ApiError {
    fn from(error: TeamError) -> Self {
        match error {
            TeamError::BadName => Problem::invalid("name").into(),
            TeamError::DescriptionTooLong => Problem::invalid("description").into(),
            TeamError::NotAnAdmin => Problem::of(Code::PermissionMissing)
                .with("permission", "TeamAdmin")
                .into(),
            TeamError::Archived => Code::TeamArchived.into(),
        }
    }
}

/// What clients look at to learn whether something happened: 204 if so, 205 if it was so already.
fn happened(change: Option<Change>) -> (Change, Happened) {
    match change {
        Some(change) => (change, Happened::Now),
        None => (Change::default(), Happened::Before),
    }
}

impl Api {
    /// A team that the caller may see.
    async fn team(&self, caller: &Caller, id: ChatId) -> ApiResult<Arc<Chat>> {
        let chat = self.visible_chat(caller, id).await?;
        if chat.kind == ChatKind::Team {
            Ok(chat)
        } else {
            Err(Problem::not_found("chatId").into())
        }
    }

    /// `change` deletes `team`; its webhooks go with it, and those whom they belong to are told.
    async fn with_its_webhooks(
        &self,
        mut change: Change,
        team: &Chat,
        now: Timestamp,
    ) -> ApiResult<Change> {
        let persons = self.store.persons(team.account, PERSONS_MAX).await?;
        let administrators = persons.iter().filter(|person| person.admin);
        let administrators: Vec<_> = administrators.map(|person| person.id).collect();
        let announcement = Announcement {
            public_url: &self.settings.public_url,
            administrators: &administrators,
            now,
        };
        for webhook in self.store.webhooks(team.account, Some(team.id)).await? {
            let end = webhook.delete(&announcement);
            change.guards.extend(end.guards);
            change.writes.extend(end.writes);
            change.events.extend(end.events);
        }
        Ok(change)
    }

    /// Lets `decide` decide about a team, and answers without a body.
    async fn change_team(
        &self,
        caller: &Caller,
        path: &PathParams,
        decide: impl Fn(&Chat, &Act<'_>) -> Result<Option<Change>, TeamError> + Send + Sync,
    ) -> ApiResult<Happened> {
        let id = path.id("chatId")?;
        self.commit_deciding(|| async {
            let team = self.team(caller, id).await?;
            let decision = decide(&team, &self.act(caller, self.now()))?;
            Ok(happened(decision))
        })
        .await
    }
}

async fn list_teams(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<RecordQuery>,
) -> ApiResult<Answer<Records<ChatShape>>> {
    let asked = query.platform_page(&api, &caller)?;
    api.list_of_chats(&caller, &asked, vec![ChatKind::Team])
        .await
}

async fn read_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<ChatShape>> {
    let team = api.team(&caller, path.id("chatId")?).await?;
    Ok(Answer::of(&ChatView::from(&*team)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct CreateTeam {
    name: String,
    description: Option<String>,
    public: Option<bool>,
    members: Option<Vec<MemberRef>>,
}

async fn create_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<CreateTeam>,
) -> ApiResult<Created<ChatShape>> {
    let members = body.members.unwrap_or_default();
    let new = NewTeam {
        name: body.name,
        description: body.description,
        public: body.public.unwrap_or(false),
        members: api.members(&caller, &members).await?,
    };
    let (change, team) = Chat::create_team(&api.act(&caller, api.now()), new)?;
    api.commit(change).await?;
    Ok(Created::of(&ChatView::from(&team)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct UpdateTeam {
    name: Option<String>,
    description: Option<String>,
    public: Option<bool>,
}

async fn update_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<UpdateTeam>,
) -> ApiResult<Answer<ChatShape>> {
    let id = path.id("chatId")?;
    let patch = TeamPatch {
        name: body.name,
        description: body.description,
        public: body.public,
    };
    let team = api
        .commit_deciding(|| async {
            let team = api.team(&caller, id).await?;
            let act = api.act(&caller, api.now());
            Ok(team.patch_team(&act, patch.clone())?)
        })
        .await?;
    Ok(Answer::of(&ChatView::from(&team)))
}

async fn delete_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let id = path.id("chatId")?;
    api.commit_deciding(|| async {
        let team = api.team(&caller, id).await?;
        let now = api.now();
        let change = team.delete_team(&api.act(&caller, now))?;
        Ok((api.with_its_webhooks(change, &team, now).await?, ()))
    })
    .await?;
    Ok(NoContent)
}

async fn join_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Happened> {
    api.change_team(&caller, &path, Chat::join_team).await
}

async fn leave_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Happened> {
    api.change_team(&caller, &path, Chat::leave_team).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "TeamMembers")]
struct Members {
    members: Vec<MemberRef>,
}

async fn add_to_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<Members>,
) -> ApiResult<Happened> {
    let added = api.members(&caller, &body.members).await?;
    let add = |team: &Chat, act: &Act<'_>| team.add_to_team(act, added.clone()).map(Some);
    api.change_team(&caller, &path, add).await
}

async fn remove_from_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<Members>,
) -> ApiResult<Happened> {
    let removed = api.members(&caller, &body.members).await?;
    let remove = |team: &Chat, act: &Act<'_>| team.remove_from_team(act, removed.clone()).map(Some);
    api.change_team(&caller, &path, remove).await
}

async fn archive_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Happened> {
    let archive = |team: &Chat, act: &Act<'_>| team.set_team_status(act, ChatStatus::Archived);
    api.change_team(&caller, &path, archive).await
}

async fn unarchive_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Happened> {
    let reopen = |team: &Chat, act: &Act<'_>| team.set_team_status(act, ChatStatus::Active);
    api.change_team(&caller, &path, reopen).await
}
