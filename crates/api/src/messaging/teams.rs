//! Teams (contract section 2.4).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hookyard_domain::inbound::webhook::Announcement;
use hookyard_domain::kernel::limits::PERSONS_MAX;
use hookyard_domain::messaging::Act;
use hookyard_domain::messaging::chat::ChatView;
use hookyard_domain::messaging::teams::{NewTeam, TeamError, TeamPatch};
use hookyard_domain::{
    Change, Chat, ChatId, ChatKind, ChatStatus, Code, Problem, Scope, Timestamp,
};
use http::StatusCode;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult, json_body, json_with};
use crate::kernel::query::Query;
use crate::messaging::members::MemberRef;

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route("/teams", get(list_teams).post(create_team))
        .route(
            "/teams/{chatId}",
            get(read_team).patch(update_team).delete(delete_team),
        )
        .route("/teams/{chatId}/join", post(join_team))
        .route("/teams/{chatId}/leave", post(leave_team))
        .route("/teams/{chatId}/add", post(add_to_team))
        .route("/teams/{chatId}/remove", post(remove_from_team))
        .route("/teams/{chatId}/archive", post(archive_team))
        .route("/teams/{chatId}/unarchive", post(unarchive_team))
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
fn happened(change: Option<Change>) -> (Change, StatusCode) {
    match change {
        Some(change) => (change, StatusCode::NO_CONTENT),
        None => (Change::default(), StatusCode::RESET_CONTENT),
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
    ) -> ApiResult<Response> {
        caller.require(Scope::TeamMessaging)?;
        let id = path.id("chatId")?;
        let status = self
            .commit_deciding(|| async {
                let team = self.team(caller, id).await?;
                let decision = decide(&team, &self.act(caller, self.now()))?;
                Ok(happened(decision))
            })
            .await?;
        Ok(status.into_response())
    }
}

async fn list_teams(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
    api.list_of_chats(&caller, &query, "teams", vec!["Team".to_owned()])
        .await
}

async fn read_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
    let team = api.team(&caller, path.id("chatId")?).await?;
    Ok(json_body(&ChatView::from(&*team)))
}

#[derive(Debug, Deserialize)]
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
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
    let members = body.members.unwrap_or_default();
    let new = NewTeam {
        name: body.name,
        description: body.description,
        public: body.public.unwrap_or(false),
        members: api.members(&caller, &members).await?,
    };
    let (change, team) = Chat::create_team(&api.act(&caller, api.now()), new)?;
    api.store.commit(change).await?;
    Ok(json_with(StatusCode::CREATED, &ChatView::from(&team)))
}

#[derive(Debug, Deserialize)]
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
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
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
    Ok(json_body(&ChatView::from(&team)))
}

async fn delete_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
    let id = path.id("chatId")?;
    api.commit_deciding(|| async {
        let team = api.team(&caller, id).await?;
        let now = api.now();
        let change = team.delete_team(&api.act(&caller, now))?;
        Ok((api.with_its_webhooks(change, &team, now).await?, ()))
    })
    .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn join_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    api.change_team(&caller, &path, Chat::join_team).await
}

async fn leave_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    api.change_team(&caller, &path, Chat::leave_team).await
}

#[derive(Debug, Deserialize)]
struct Members {
    members: Vec<MemberRef>,
}

async fn add_to_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<Members>,
) -> ApiResult<Response> {
    let added = api.members(&caller, &body.members).await?;
    let add = |team: &Chat, act: &Act<'_>| team.add_to_team(act, added.clone()).map(Some);
    api.change_team(&caller, &path, add).await
}

async fn remove_from_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<Members>,
) -> ApiResult<Response> {
    let removed = api.members(&caller, &body.members).await?;
    let remove = |team: &Chat, act: &Act<'_>| team.remove_from_team(act, removed.clone()).map(Some);
    api.change_team(&caller, &path, remove).await
}

async fn archive_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let archive = |team: &Chat, act: &Act<'_>| team.set_team_status(act, ChatStatus::Archived);
    api.change_team(&caller, &path, archive).await
}

async fn unarchive_team(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    let reopen = |team: &Chat, act: &Act<'_>| team.set_team_status(act, ChatStatus::Active);
    api.change_team(&caller, &path, reopen).await
}
