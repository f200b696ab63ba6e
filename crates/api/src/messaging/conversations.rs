//! Conversations: chats without a name (contract section 2.4).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use hookyard_domain::messaging::chat::ChatView;
use hookyard_domain::messaging::conversations::members_of;
use hookyard_domain::{Change, Chat, PersonId, Problem, Scope};
use http::StatusCode;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiResult, json_body, json_with};
use crate::kernel::query::Query;
use crate::messaging::members::MemberRef;

pub(crate) fn routes() -> Router<Arc<Api>> {
    Router::new()
        .route(
            "/conversations",
            get(list_conversations).post(create_conversation),
        )
        .route("/conversations/{chatId}", get(read_conversation))
}

async fn list_conversations(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query,
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
    let kinds = ["Personal", "Direct", "Group"].map(str::to_owned);
    api.list_of_chats(&caller, &query, "conversations", kinds.into())
        .await
}

#[derive(Debug, Deserialize)]
struct CreateConversation {
    members: Option<Vec<MemberRef>>,
}

/// The same members always have the same conversation: 200 when it is there, 201 when it is new.
async fn create_conversation(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<CreateConversation>,
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
    let members = body.members.unwrap_or_default();
    let others = api.members(&caller, &members).await?;
    let (status, chat) = api.conversation_with(&caller, others).await?;
    Ok(json_with(status, &ChatView::from(&chat)))
}

async fn read_conversation(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Response> {
    caller.require(Scope::TeamMessaging)?;
    let chat = api.joined_chat(&caller, path.id("chatId")?).await?;
    if chat.kind.is_named() {
        return Err(Problem::not_found("chatId").into());
    }
    Ok(json_body(&ChatView::from(&*chat)))
}

impl Api {
    /// The conversation of the caller with `others`, begun if need be.
    pub(crate) async fn conversation_with(
        &self,
        caller: &Caller,
        others: Vec<PersonId>,
    ) -> ApiResult<(StatusCode, Chat)> {
        let members = members_of(caller.person, others).map_err(|_| Problem::invalid("members"))?;
        self.commit_deciding(|| async {
            if let Some(chat) = self.store.conversation(caller.account, &members).await? {
                return Ok((Change::default(), (StatusCode::OK, chat)));
            }
            let act = self.act(caller, self.now());
            let (change, chat) = Chat::begin_conversation(&act, members.clone());
            Ok((change, (StatusCode::CREATED, chat)))
        })
        .await
    }
}
