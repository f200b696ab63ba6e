//! Conversations: chats without a name (contract section 2.4).

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::messaging::chat::ChatView;
use hookyard_domain::messaging::conversations::members_of;
use hookyard_domain::{Change, Chat, ChatKind, PersonId, Problem};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::paging::{ListQuery, RecordQuery, Records};
use crate::kernel::path::PathParams;
use crate::kernel::problem::ApiResult;
use crate::messaging::members::MemberRef;
use crate::operations::answers::{Answer, Created, Made};
use crate::operations::shapes::ChatShape;

crate::operations! {
    tag Chats, under MESSAGING, as App(TeamMessaging), counted Medium;

    /// Chats without a name.
    list_conversations: GET "/conversations";
    /// Begins a conversation, or finds it.
    ///
    /// The same members always have the same conversation: 200 when it is there, 201 when it is new.
    create_conversation: POST "/conversations", fails [Conflict];
    /// One conversation.
    read_conversation: GET "/conversations/{chatId}", counted Light;
}

async fn list_conversations(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<RecordQuery>,
) -> ApiResult<Answer<Records<ChatShape>>> {
    let asked = query.platform_page(&api, &caller)?;
    let kinds = vec![ChatKind::Personal, ChatKind::Direct, ChatKind::Group];
    api.list_of_chats(&caller, &asked, kinds).await
}

#[derive(Debug, Deserialize, JsonSchema)]
struct CreateConversation {
    members: Option<Vec<MemberRef>>,
}

/// The same members always have the same conversation: 200 when it is there, 201 when it is new.
async fn create_conversation(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Json(body): Json<CreateConversation>,
) -> ApiResult<Made<ChatShape>> {
    let members = body.members.unwrap_or_default();
    let others = api.members(&caller, &members).await?;
    let (status, chat) = api.conversation_with(&caller, others).await?;
    let view = ChatView::from(&chat);
    Ok(match status {
        StatusCode::CREATED => Made::New(Created::of(&view)),
        _ => Made::There(Answer::of(&view)),
    })
}

async fn read_conversation(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<ChatShape>> {
    let chat = api.joined_chat(&caller, path.id("chatId")?).await?;
    if chat.kind.is_named() {
        return Err(Problem::not_found("chatId").into());
    }
    Ok(Answer::of(&ChatView::from(&*chat)))
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
