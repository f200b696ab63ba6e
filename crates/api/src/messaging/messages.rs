//! Messages between persons of the account by company-pager, and each person's message store
//! (contract section 2.15). There is no way out to a telephone network.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hookyard_domain::kernel::limits::PAGER_RECEIVERS_MAX;
use hookyard_domain::kernel::ports::MessageQuery;
use hookyard_domain::messaging::message::pager::{self, PagerError};
use hookyard_domain::messaging::message::{
    Availability, Direction, MessagePatch, PAGER, ReadStatus,
};
use hookyard_domain::{
    Code, ConversationId, Correspondent, Message, MessageId, Person, PersonId, Problem, Timestamp,
};
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::batch::{self, Part};
use crate::kernel::body::Json;
use crate::kernel::paging::{Numbered, PageNumber, PageQuery};
use crate::kernel::path::PathParams;
use crate::kernel::problem::ApiResult;
use crate::kernel::query::{Pairs, Query, Wanted};
use crate::operations::answers::{Answer, NoContent, OneOrMany, Outcome, shown};
use crate::operations::shapes::{
    AvailabilityName, CorrespondentShape, DirectionName, ReadStatusName,
};
use crate::operations::sketch::Sketch;
use crate::operations::wire::{AskedId, Id, Time, shapes};

crate::operations! {
    tag Messages, under ROOT, counted Medium;

    /// Sends a page to people of the account.
    send_pager: POST "/restapi/v1.0/account/{accountId}/extension/{extensionId}/company-pager",
        as App(InternalMessages), fails [PermissionMissing, Conflict];
    /// Refuses: a message to a telephone needs a carrier, and there is none.
    send_sms: POST "/restapi/v1.0/account/{accountId}/extension/{extensionId}/sms",
        as SignedIn, fails [PermissionMissing, FeatureNotAvailable];
    /// Messages of the caller.
    list_messages: GET "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store",
        as App(ReadMessages), counted Light, fails [PermissionMissing];
    /// One message, or several at a time.
    read_messages: GET "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store/{messageId}",
        as App(ReadMessages), counted Light, fails [PermissionMissing, BatchTooLarge];
    /// Marks a message as read, or takes it out of the bin.
    update_message: PUT "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store/{messageId}",
        as App(EditMessages), fails [PermissionMissing, Conflict];
    /// Puts a message into the bin; one that is there is deleted for good.
    delete_message: DELETE "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store/{messageId}",
        as App(EditMessages), fails [PermissionMissing, Conflict];
    /// The text of a message, which is its one attachment.
    read_content: GET "/restapi/v1.0/account/{accountId}/extension/{extensionId}/message-store/{messageId}/content/{attachmentId}"
        named read_message_content, as App(ReadMessages), counted Light, fails [PermissionMissing];
}

shapes! {
    struct MessagesQuery {
        direction: Option<Vec<DirectionName>>,
        read_status: Option<Vec<ReadStatusName>>,
        /// `Alive`, `Deleted` or `Purged`; those that are alive when it says nothing.
        availability: Option<Vec<String>>,
        /// Only pages are kept.
        message_type: Option<Vec<String>>,
        distinct_conversations: Option<bool>,
        /// A time or a day; a day before `dateTo` when it says nothing.
        date_from: Option<String>,
        /// A time or a day; now when it says nothing.
        date_to: Option<String>,
        #[schemars(with = "Option<Id>")]
        conversation_id: Option<String>,
        /// No message is of a telephone.
        phone_number: Option<String>,
        #[schemars(flatten)]
        page: PageQuery,
    }

    struct PurgeQuery {
        /// Deletes for good.
        purge: Option<bool>,
    }
}

shown!(MessageView<'_> as MessageView<'static>);

/// A sender or receiver, by id or by number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct CorrespondentRef {
    #[schemars(with = "Option<AskedId>")]
    extension_id: Option<PersonId>,
    extension_number: Option<String>,
}

impl CorrespondentRef {
    /// The field that says who it is.
    const fn field(&self) -> &'static str {
        if self.extension_id.is_none() && self.extension_number.is_some() {
            "extensionNumber"
        } else {
            "extensionId"
        }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
struct SendPager {
    from: Option<CorrespondentRef>,
    to: Vec<CorrespondentRef>,
    text: String,
}

impl Api {
    async fn correspondent(
        &self,
        caller: &Caller,
        named: &CorrespondentRef,
    ) -> ApiResult<Option<Person>> {
        let account = caller.account;
        Ok(match (named.extension_id, &named.extension_number) {
            (Some(id), _) => self.store.person(account, id).await?,
            (None, Some(number)) => {
                let number = number.trim();
                self.store
                    .person_by_extension_number(account, number)
                    .await?
            }
            (None, None) => None,
        })
    }

    /// A message in the caller's own store.
    async fn own_message(&self, owner: &Person, id: &str) -> ApiResult<Message> {
        let not_found = || Problem::not_found("messageId");
        let id = id.parse::<MessageId>().map_err(|_| not_found())?;
        let found = self.store.message(owner.account, owner.id, id).await?;
        found.ok_or_else(|| not_found().into())
    }
}

/// Sends in the caller's own name.
async fn send_pager(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<SendPager>,
) -> ApiResult<Answer<MessageView<'static>>> {
    let from = api
        .own_extension(&caller, &path, "InternalMessages")
        .await?;
    if let Some(named) = &body.from {
        let sender = api.correspondent(&caller, named).await?;
        if sender.is_none_or(|sender| sender.id != from.id) {
            return Err(Problem::invalid(format!("from.{}", named.field())).into());
        }
    }
    if body.to.len() > PAGER_RECEIVERS_MAX {
        return Err(Problem::invalid("to").into());
    }
    let mut to = Vec::with_capacity(body.to.len());
    for (place, named) in body.to.iter().enumerate() {
        let receiver = api.correspondent(&caller, named).await?;
        to.push(
            receiver.ok_or_else(|| Problem::invalid(format!("to[{place}].{}", named.field())))?,
        );
    }
    let act = api.act(&caller, api.now());
    let (change, sent) = pager::send(&act, &from, &to, body.text).map_err(|error| match error {
        PagerError::BadText => Problem::invalid("text"),
        PagerError::BadReceivers => Problem::invalid("to"),
        PagerError::TakesNone(place) => {
            Problem::invalid(format!("to[{place}].{}", body.to[place].field()))
        }
    })?;
    api.commit(change).await?;
    Ok(Answer::of(&MessageView::new(&api, &sent)))
}

#[derive(Debug, Deserialize, JsonSchema)]
struct SendSms {
    to: Vec<PhoneRef>,
    from: PhoneRef,
    text: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PhoneRef {
    phone_number: String,
}

/// Refuses: a message to a telephone needs a carrier, and there is none. What is wrong with the
/// request itself is told first.
async fn send_sms(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<SendSms>,
) -> ApiResult<Answer<MessageView<'static>>> {
    api.own_extension(&caller, &path, "OutboundSMS").await?;
    if body.to.is_empty() || body.to.iter().any(|to| to.phone_number.is_empty()) {
        return Err(Problem::invalid("to").into());
    }
    if body.from.phone_number.is_empty() {
        return Err(Problem::invalid("from").into());
    }
    if body.text.is_empty() {
        return Err(Problem::invalid("text").into());
    }
    Err(Code::FeatureNotAvailable.into())
}

/// How far back a list goes that does not say: a day before its end.
const LISTED_BY_DEFAULT: Duration = Duration::from_secs(24 * 3_600);

/// Reads a time, or a day as its first moment in UTC.
fn time(query: &Pairs, name: &'static str) -> ApiResult<Option<Timestamp>> {
    let Some(text) = query.first(name) else {
        return Ok(None);
    };
    let day = text.len() == "2026-01-31".len();
    let parsed = if day {
        format!("{text}T00:00:00Z").parse()
    } else {
        text.parse()
    };
    let time = parsed.map_err(|_| Problem::invalid(name).value(text))?;
    Ok(Some(time))
}

/// Refuses values that the platform does not know either.
fn check_names(query: &Pairs, name: &'static str, known: &[&str]) -> ApiResult<()> {
    match query.all(name).find(|value| !known.contains(value)) {
        Some(unknown) => Err(Problem::invalid(name).value(unknown).into()),
        None => Ok(()),
    }
}

async fn list_messages(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<MessagesQuery>,
) -> ApiResult<Answer<Numbered<MessageView<'static>>>> {
    let owner = api.own_extension(&caller, &path, "ReadMessages").await?;
    let page = PageNumber::read(&query)?;
    check_names(&query, "direction", &["Inbound", "Outbound"])?;
    check_names(&query, "readStatus", &["Read", "Unread"])?;
    check_names(&query, "availability", &["Alive", "Deleted", "Purged"])?;
    check_names(&query, "messageType", &["Fax", "SMS", "VoiceMail", PAGER])?;
    if query.first("distinctConversations") == Some("true") {
        return Err(Problem::invalid("distinctConversations").into());
    }
    let to = time(&query, "dateTo")?.unwrap_or_else(|| api.now());
    let from = time(&query, "dateFrom")?.unwrap_or(to - LISTED_BY_DEFAULT);
    let conversation = query.first("conversationId").map(|text| {
        let number = text.parse().map_err(|_| Problem::invalid("conversationId"));
        number.map(ConversationId)
    });
    let direction = query.wanted("direction", Direction::from_name);
    let read_status = query.wanted("readStatus", ReadStatus::from_name);
    // The bin is listed for those who ask for it.
    let availability = match query.first("availability") {
        None => Wanted::Only(Availability::Alive),
        Some(_) => query.wanted("availability", Availability::from_name),
    };
    let pagers = query.wanted("messageType", |name| (name == PAGER).then_some(()));
    let by_phone = query.first("phoneNumber").is_some();
    let asked = MessageQuery {
        account: owner.account,
        owner: owner.id,
        direction: direction.only(),
        read_status: read_status.only(),
        availability: availability.only(),
        conversation: conversation.transpose()?,
        from,
        to,
        slice: page.slice(),
    };
    let nothing = by_phone || pagers == Wanted::Nothing || availability == Wanted::Nothing;
    let (messages, total) = if nothing {
        (Vec::new(), 0)
    } else {
        api.store.messages(asked).await?
    };
    let records = messages
        .iter()
        .map(|message| MessageView::new(&api, message))
        .collect();
    let uri = store_uri(&api, &owner);
    Ok(Answer::of(&page.answer(&uri, &query, records, total)))
}

async fn read_messages(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    headers: HeaderMap,
) -> ApiResult<OneOrMany<MessageView<'static>>> {
    let owner = api.own_extension(&caller, &path, "ReadMessages").await?;
    let ids = path.text("messageId")?;
    if !ids.contains(',') {
        let message = api.own_message(&owner, ids).await?;
        return Ok(OneOrMany::one(&MessageView::new(&api, &message)));
    }
    let mut parts = Vec::new();
    for id in batch::ids(ids)? {
        parts.push(match api.own_message(&owner, id).await {
            Ok(message) => Part::found(id, &MessageView::new(&api, &message)),
            Err(error) => Part::failed(id, error)?,
        });
    }
    Ok(OneOrMany::many(&headers, &parts, api.random()))
}

/// What to change; absent parts stay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct UpdateMessage {
    #[schemars(with = "Option<ReadStatusName>")]
    read_status: Option<ReadStatus>,
    #[schemars(with = "Option<AvailabilityName>")]
    availability: Option<Availability>,
}

async fn update_message(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    Json(body): Json<UpdateMessage>,
) -> ApiResult<Answer<MessageView<'static>>> {
    let owner = api.own_extension(&caller, &path, "EditMessages").await?;
    let id = path.text("messageId")?;
    let message = api
        .commit_deciding(|| async {
            let message = api.own_message(&owner, id).await?;
            let patch = MessagePatch {
                read_status: body.read_status,
                availability: body.availability,
            };
            Ok(message.patch(patch, api.now()))
        })
        .await?;
    Ok(Answer::of(&MessageView::new(&api, &message)))
}

/// Puts a message into the bin; `purge` deletes it for good, and so does deleting it there.
async fn delete_message(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
    query: Query<PurgeQuery>,
) -> ApiResult<NoContent> {
    let owner = api.own_extension(&caller, &path, "EditMessages").await?;
    let id = path.text("messageId")?;
    let purge = query
        .first("purge")
        .is_some_and(|purge| purge.eq_ignore_ascii_case("true"));
    api.commit_deciding(|| async {
        let message = api.own_message(&owner, id).await?;
        let now = api.now();
        let change = if purge {
            message.purge(now)
        } else {
            message.delete(now)
        };
        Ok((change, ()))
    })
    .await?;
    Ok(NoContent)
}

/// The text of a message, which is its one attachment and has its id.
async fn read_content(
    State(api): State<Arc<Api>>,
    caller: Caller,
    path: PathParams,
) -> ApiResult<MessageText> {
    let owner = api.own_extension(&caller, &path, "ReadMessages").await?;
    let message = api.own_message(&owner, path.text("messageId")?).await?;
    if path.id::<MessageId>("attachmentId")? != message.id {
        return Err(Problem::not_found("attachmentId").into());
    }
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=UTF-8")];
    Ok(MessageText((kind, message.text).into_response()))
}

/// A message's text as it is.
struct MessageText(Response);

impl IntoResponse for MessageText {
    fn into_response(self) -> Response {
        self.0
    }
}

impl Outcome for MessageText {
    fn sketch(sketch: &mut Sketch) {
        sketch.media::<String>(StatusCode::OK, "text/plain", "The text.");
    }
}

fn store_uri(api: &Api, owner: &Person) -> String {
    format!(
        "{}/message-store",
        api.extension_uri(owner.account, owner.id)
    )
}

/// A message; here ids are numbers, but for those of extensions and in `conversation`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Message")]
struct MessageView<'a> {
    uri: String,
    id: u64,
    #[schemars(with = "Id")]
    extension_id: PersonId,
    #[schemars(with = "Vec<CorrespondentShape>")]
    to: &'a [Correspondent],
    #[schemars(with = "CorrespondentShape")]
    from: &'a Correspondent,
    #[serde(rename = "type")]
    kind: &'static str,
    #[schemars(with = "Time")]
    creation_time: Timestamp,
    #[schemars(with = "Time")]
    last_modified_time: Timestamp,
    #[schemars(with = "ReadStatusName")]
    read_status: ReadStatus,
    priority: &'static str,
    attachments: [AttachmentView; 1],
    #[schemars(with = "DirectionName")]
    direction: Direction,
    #[schemars(with = "AvailabilityName")]
    availability: Availability,
    subject: &'a str,
    message_status: &'static str,
    conversation_id: u64,
    conversation: ConversationView,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MessageAttachment")]
struct AttachmentView {
    id: u64,
    uri: String,
    #[serde(rename = "type")]
    kind: &'static str,
    content_type: &'static str,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "MessageConversation")]
struct ConversationView {
    id: String,
    uri: String,
}

impl<'a> MessageView<'a> {
    fn new(api: &Api, message: &'a Message) -> Self {
        let extension = api.extension_uri(message.account, message.owner);
        let uri = format!("{extension}/message-store/{}", message.id);
        let conversation = message.conversation.0;
        Self {
            id: message.id.0,
            extension_id: message.owner,
            to: &message.to,
            from: &message.from,
            kind: PAGER,
            creation_time: message.created_at,
            last_modified_time: message.modified_at,
            read_status: message.read_status,
            priority: "Normal",
            attachments: [AttachmentView {
                id: message.id.0,
                uri: format!("{uri}/content/{}", message.id),
                kind: "Text",
                content_type: "text/plain",
            }],
            direction: message.direction,
            availability: message.availability,
            subject: &message.text,
            message_status: message.status(),
            conversation_id: conversation,
            conversation: ConversationView {
                id: conversation.to_string(),
                uri: format!("{extension}/message-store?conversationId={conversation}"),
            },
            uri,
        }
    }
}
