//! The chat of all persons of the account (contract section 2.4).

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::messaging::chat::ChatView;
use hookyard_domain::{Chat, Code, Problem};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::problem::ApiResult;
use crate::operations::answers::Answer;
use crate::operations::shapes::ChatShape;

crate::operations! {
    tag Chats, under MESSAGING, as App(TeamMessaging);

    /// The chat of everybody in the account.
    read_everyone: GET "/everyone", counted Light, fails [ResourceNotFound];
    /// Renames the chat of everybody; for administrators.
    update_everyone: PATCH "/everyone", counted Medium,
        fails [ResourceNotFound, PermissionMissing, Conflict];
}

impl Api {
    async fn everyone(&self, caller: &Caller) -> ApiResult<Chat> {
        let chat = self.store.everyone_chat(caller.account).await?;
        chat.ok_or_else(|| Problem::not_found("chatId").into())
    }
}

async fn read_everyone(
    State(api): State<Arc<Api>>,
    caller: Caller,
) -> ApiResult<Answer<ChatShape>> {
    let chat = api.everyone(&caller).await?;
    Ok(Answer::of(&ChatView::from(&chat)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct UpdateEveryone {
    name: Option<String>,
    description: Option<String>,
}

/// Administrators of the account may; the platform leaves open who may there.
async fn update_everyone(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<UpdateEveryone>,
) -> ApiResult<Answer<ChatShape>> {
    let person = api.store.person(caller.account, caller.person).await?;
    if !person.is_some_and(|person| person.admin) {
        let problem = Problem::of(Code::PermissionMissing).with("permission", "AccountAdmin");
        return Err(problem.into());
    }
    let chat = api
        .commit_deciding(|| async {
            let chat = api.everyone(&caller).await?;
            let act = api.act(&caller, api.now());
            Ok(chat.patch_everyone(&act, body.name.clone(), body.description.clone())?)
        })
        .await?;
    Ok(Answer::of(&ChatView::from(&chat)))
}
