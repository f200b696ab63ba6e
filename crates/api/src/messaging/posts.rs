//! Posts (contract section 2.5). Only who is in a chat reads and writes there.

use std::sync::Arc;

use axum::extract::State;
use hookyard_domain::kernel::limits::ATTACHMENTS_MAX;
use hookyard_domain::messaging::mentions::{Mentioned, mentioned_in};
use hookyard_domain::messaging::post::{Mention, PostView};
use hookyard_domain::messaging::posts::PostError;
use hookyard_domain::{Chat, ChatKind, Code, Post, PostId, Problem};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::body::Json;
use crate::kernel::paging::{ListQuery, RecordQuery, Records};
use crate::kernel::path::PathParams;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::operations::answers::{Answer, Created, NoContent};
use crate::operations::shapes::PostShape;
use crate::operations::wire::AskedId;

crate::operations! {
    tag Posts, under MESSAGING, as App(TeamMessaging), counted Medium;

    /// Posts of a chat, newest first.
    list_posts: GET "/chats/{chatId}/posts";
    /// Posts of a chat, by the former name of chats.
    list_posts: GET "/groups/{chatId}/posts" named list_group_posts, instead list_posts;
    /// Posts into a chat.
    create_post: POST "/chats/{chatId}/posts", fails [TeamArchived, Conflict];
    /// Posts into a chat, and answers 200: chats were groups once.
    create_group_post: POST "/groups/{chatId}/posts", fails [TeamArchived, Conflict],
        instead create_post;
    /// One post.
    read_post: GET "/chats/{chatId}/posts/{postId}", counted Light;
    /// Changes the text of a post of one's own.
    update_post: PATCH "/chats/{chatId}/posts/{postId}",
        fails [PermissionMissing, TeamArchived, Conflict];
    /// Deletes a post of one's own.
    delete_post: DELETE "/chats/{chatId}/posts/{postId}",
        fails [PermissionMissing, TeamArchived, Conflict];
}

impl From<PostError> for ApiError {
    fn from(error: PostError) -> Self {
        match error {
            PostError::NotAMember => Problem::not_found("chatId").into(),
            PostError::Archived => Code::TeamArchived.into(),
            PostError::BadText => Problem::invalid("text").into(),
            PostError::NotTheAuthor => Problem::of(Code::PermissionMissing)
                .with("permission", "PostAuthor")
                .into(),
        }
    }
}

async fn list_posts(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: ListQuery<RecordQuery>,
) -> ApiResult<Answer<Records<PostShape>>> {
    let chat = api.joined_chat(&caller, path.id("chatId")?).await?;
    let asked = query.platform_page(&api, &caller)?;
    let posts = api
        .store
        .posts(caller.account, chat.id, asked.page, asked.rows())
        .await?;
    let (posts, navigation) = asked.newest_first(posts, |post| post.id.0);
    let records = posts.iter().map(|post| PostView::new(post, None)).collect();
    Ok(Answer::of(&Records {
        records,
        navigation,
    }))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CreatePost {
    text: Option<String>,
    attachments: Option<Vec<AttachmentRef>>,
    #[schemars(with = "Option<AskedId>")]
    parent_post_id: Option<PostId>,
    #[schemars(with = "Option<AskedId>")]
    thread_id: Option<PostId>,
}

/// Something that exists already and is to be shown with the post.
#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "AskedAttachment")]
struct AttachmentRef {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Attachments are named by the ids of files, notes, events and cards. None of these can be made
/// by themselves here, so no id leads to one.
fn check_attachments(attachments: &[AttachmentRef]) -> ApiResult<()> {
    if attachments.len() > ATTACHMENTS_MAX {
        return Err(Problem::invalid("attachments").into());
    }
    let Some(first) = attachments.first() else {
        return Ok(());
    };
    let kind = first.kind.as_deref().unwrap_or("Card");
    if ["Card", "Event", "File", "Note"].contains(&kind) {
        return Err(Problem::not_found("attachments[0].id").into());
    }
    let mut problem = Problem::invalid("attachments[0].type");
    // Word for word: a client's test reads it.
    problem.message.push('.');
    Err(problem.into())
}

async fn create_post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<CreatePost>,
) -> ApiResult<Created<PostShape>> {
    let post = api.create_post(&caller, &path, body).await?;
    Ok(Created::of(&PostView::new(&post, None)))
}

async fn create_group_post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<CreatePost>,
) -> ApiResult<Answer<PostShape>> {
    let post = api.create_post(&caller, &path, body).await?;
    Ok(Answer::of(&PostView::new(&post, None)))
}

async fn read_post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<Answer<PostShape>> {
    let chat = api.joined_chat(&caller, path.id("chatId")?).await?;
    let post = api.post(&caller, &chat, path.id("postId")?).await?;
    Ok(Answer::of(&PostView::new(&post, None)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct UpdatePost {
    text: String,
}

async fn update_post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<UpdatePost>,
) -> ApiResult<Answer<PostShape>> {
    let (chat, post) = (path.id("chatId")?, path.id("postId")?);
    let mentions = api.mentions(&caller, &body.text).await?;
    let post = api
        .commit_deciding(|| async {
            let chat = api.joined_chat(&caller, chat).await?;
            let post = api.post(&caller, &chat, post).await?;
            let act = api.act(&caller, api.now());
            Ok(post.edit(&act, &chat, body.text.clone(), mentions.clone())?)
        })
        .await?;
    Ok(Answer::of(&PostView::new(&post, None)))
}

async fn delete_post(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<NoContent> {
    let (chat, post) = (path.id("chatId")?, path.id("postId")?);
    api.commit_deciding(|| async {
        let chat = api.joined_chat(&caller, chat).await?;
        let post = api.post(&caller, &chat, post).await?;
        Ok((post.delete(&api.act(&caller, api.now()), &chat)?, ()))
    })
    .await?;
    Ok(NoContent)
}

impl Api {
    async fn create_post(
        &self,
        caller: &Caller,
        path: &PathParams,
        body: CreatePost,
    ) -> ApiResult<Post> {
        let id = path.id("chatId")?;
        check_attachments(body.attachments.as_deref().unwrap_or_default())?;
        let text = body.text.unwrap_or_default();
        let mentions = self.mentions(caller, &text).await?;
        let replied_to = body.parent_post_id.or(body.thread_id);
        self.commit_deciding(|| async {
            let chat = self.joined_chat(caller, id).await?;
            let parent = self.thread_of(&chat, replied_to).await?;
            let act = self.act(caller, self.now());
            let (text, mentions) = (text.clone(), mentions.clone());
            Ok(Post::create(&act, &chat, text, mentions, parent)?)
        })
        .await
    }

    async fn post(&self, caller: &Caller, chat: &Chat, id: PostId) -> ApiResult<Post> {
        let post = self.store.post(caller.account, chat.id, id).await?;
        post.ok_or_else(|| Problem::not_found("postId").into())
    }

    /// The post at the root of the thread that a reply to `replied_to` belongs to.
    async fn thread_of(
        &self,
        chat: &Chat,
        replied_to: Option<PostId>,
    ) -> ApiResult<Option<PostId>> {
        let Some(id) = replied_to else {
            return Ok(None);
        };
        let post = self.store.post(chat.account, chat.id, id).await?;
        let post = post.ok_or_else(|| Problem::invalid("parentPostId"))?;
        Ok(Some(post.content.parent.unwrap_or(post.id)))
    }

    /// Whom and what `text` mentions, by name. What the caller may not see is not mentioned.
    async fn mentions(&self, caller: &Caller, text: &str) -> ApiResult<Vec<Mention>> {
        let mut mentions = Vec::new();
        for mentioned in mentioned_in(text) {
            let (id, kind, name) = match mentioned {
                Mentioned::Person(id) => {
                    let person = self.store.person(caller.account, id).await?;
                    (id.to_string(), "Person", person.map(|person| person.name()))
                }
                Mentioned::Team(id) => {
                    let chat = self.store.chat(caller.account, id).await?;
                    let team = chat.filter(|chat| {
                        chat.kind == ChatKind::Team && chat.is_visible_to(caller.person)
                    });
                    (
                        id.to_string(),
                        "Team",
                        team.and_then(|team| team.name.clone()),
                    )
                }
            };
            if let Some(name) = name {
                let kind = kind.to_owned();
                mentions.push(Mention { id, kind, name });
            }
        }
        Ok(mentions)
    }
}
