//! Chats of every kind (contract section 2.4), and what all of their resources share.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::kernel::ports::ChatQuery;
use hookyard_domain::messaging::Act;
use hookyard_domain::messaging::chat::ChatView;
use hookyard_domain::{Chat, ChatId, ChatKind, Problem, Timestamp};

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::paging::{Asked, ListQuery, RecordQuery, Records};
use crate::kernel::path::PathParams;
use crate::kernel::problem::ApiResult;
use crate::operations::answers::Answer;
use crate::operations::shapes::{ChatKindName, ChatShape};
use crate::operations::wire::shapes;

/// Every kind, in the order of the platform's documentation.
const KINDS: [ChatKind; 5] = [
    ChatKind::Personal,
    ChatKind::Direct,
    ChatKind::Group,
    ChatKind::Team,
    ChatKind::Everyone,
];

crate::operations! {
    tag Chats, under MESSAGING, as App(TeamMessaging), counted Medium;

    /// The chats that the caller is in, and the public teams.
    list_chats: GET "/chats";
    /// One chat; `~` is the caller's own.
    read_chat: GET "/chats/{chatId}", counted Light, fails [InvalidParameter, Conflict];
}

shapes! {
    pub(crate) struct ChatsQuery {
        /// Only chats of these kinds.
        #[schemars(rename = "type")]
        kind: Option<Vec<ChatKindName>>,
        #[schemars(flatten)]
        page: RecordQuery,
    }
}

/// The chats that the caller is in, and the public teams.
async fn list_chats(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: ListQuery<ChatsQuery>,
) -> ApiResult<Answer<Records<ChatShape>>> {
    let asked = query.platform_page(&api, &caller)?;
    let kinds = kinds_of(&asked.filter("type"))?;
    api.list_of_chats(&caller, &asked, kinds).await
}

async fn read_chat(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<ChatShape>> {
    let chat = match path.text("chatId")? {
        "~" => Arc::new(api.conversation_with(&caller, Vec::new()).await?.1),
        _ => api.visible_chat(&caller, path.id("chatId")?).await?,
    };
    Ok(Answer::of(&ChatView::from(&*chat)))
}

/// Reads the names of kinds.
pub(crate) fn kinds_of(names: &[String]) -> ApiResult<Vec<ChatKind>> {
    let kind = |name: &String| KINDS.into_iter().find(|kind| kind.name() == name);
    let kinds: Option<Vec<_>> = names.iter().map(kind).collect();
    kinds.ok_or_else(|| Problem::invalid("type").into())
}

impl Api {
    /// Who does something now.
    pub(crate) fn act(&self, caller: &Caller, now: Timestamp) -> Act<'_> {
        Act {
            account: caller.account,
            person: caller.person,
            now,
            ids: &self.ids,
        }
    }

    /// A chat that the caller may see. All others do not exist.
    pub(crate) async fn visible_chat(&self, caller: &Caller, id: ChatId) -> ApiResult<Arc<Chat>> {
        let chat = self.store.chat(caller.account, id).await?;
        chat.filter(|chat| chat.is_visible_to(caller.person))
            .ok_or_else(|| Problem::not_found("chatId").into())
    }

    /// A chat that the caller is in. All others do not exist.
    pub(crate) async fn joined_chat(&self, caller: &Caller, id: ChatId) -> ApiResult<Arc<Chat>> {
        let chat = self.visible_chat(caller, id).await?;
        if chat.has_member(caller.person) {
            Ok(chat)
        } else {
            Err(Problem::not_found("chatId").into())
        }
    }

    /// A page of the caller's chats of some kinds, or of all, ascending by creation time.
    pub(crate) async fn list_of_chats(
        &self,
        caller: &Caller,
        asked: &Asked<'_>,
        kinds: Vec<ChatKind>,
    ) -> ApiResult<Answer<Records<ChatShape>>> {
        let chats = self
            .store
            .chats(ChatQuery {
                account: caller.account,
                person: caller.person,
                kinds,
                joinable: true,
                page: asked.page,
                limit: asked.rows(),
            })
            .await?;
        let (chats, navigation) = asked.oldest_first(chats, |chat| chat.id.0);
        let records = chats.iter().map(ChatView::from).collect();
        Ok(Answer::of(&Records {
            records,
            navigation,
        }))
    }
}
