//! The caller's chats by their latest activity (contract section 2.4).

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::Chat;
use hookyard_domain::messaging::chat::ChatView;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::paging::{AllRecords, records_at_most};
use crate::kernel::problem::ApiResult;
use crate::kernel::query::Query;
use crate::messaging::chats::kinds_of;
use crate::operations::answers::Answer;
use crate::operations::shapes::{ChatKindName, ChatShape};
use crate::operations::wire::shapes;

crate::operations! {
    tag Chats, under MESSAGING, as App(TeamMessaging), counted Light;

    /// Chats by their last post, newest first.
    list_recent_chats: GET "/recent/chats";
}

shapes! {
    struct RecentQuery {
        /// Only chats of these kinds.
        #[schemars(rename = "type")]
        kind: Option<Vec<ChatKindName>>,
        /// Records at most.
        #[schemars(range(min = 1))]
        record_count: Option<u32>,
    }
}

async fn list_recent_chats(
    State(api): State<Arc<Api>>,
    caller: Caller,
    query: Query<RecentQuery>,
) -> ApiResult<Answer<AllRecords<ChatShape>>> {
    let kinds: Vec<_> = query.all("type").map(str::to_owned).collect();
    let count = records_at_most(&query)?;
    let kinds = kinds_of(&kinds)?;
    let recent = api
        .store
        .recent_chats(caller.account, caller.person, &kinds, count)
        .await?;
    // The list is sorted by activity, so activity is what it shows as the last change.
    let chats: Vec<_> = recent
        .into_iter()
        .map(|(chat, at)| Chat {
            modified_at: at.max(chat.modified_at),
            ..chat
        })
        .collect();
    let records: Vec<_> = chats.iter().map(ChatView::from).collect();
    Ok(Answer::of(&AllRecords { records }))
}
