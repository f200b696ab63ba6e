//! One thing in one line of words: every value that is stored of it, by names of this file's own.

use std::fmt::Display;

use hookyard_domain::events::custom_type::CustomType;
use hookyard_domain::{
    Attributes, Audience, Bin, BinReply, BinRequest, Chat, Event, HookRequest, IncomingWebhook,
    Message, Person, Post, PostContent, Presence, TypeVersion,
};
use sha2::{Digest, Sha256};

/// Stands for bytes that are too many to write down.
pub(super) fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: Vec<_> = hash.iter().take(6).map(|b| format!("{b:02x}")).collect();
    format!("{}#{}", bytes.len(), hex.concat())
}

/// The value, or a dash.
pub(super) fn maybe(value: Option<impl Display>) -> String {
    value.map_or_else(|| "-".into(), |value| value.to_string())
}

/// The values between brackets.
pub(super) fn list(values: impl IntoIterator<Item = impl Display>) -> String {
    let values: Vec<_> = values.into_iter().map(|one| one.to_string()).collect();
    format!("[{}]", values.join(" "))
}

/// Names and their values between brackets.
pub(super) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    list(
        pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value:?}")),
    )
}

pub(super) fn person(person: &Person) -> String {
    format!(
        "{} {:?} {:?} {:?} {} {} admin={} {} created={} modified={} v{}",
        person.id,
        person.kind,
        person.first_name,
        person.last_name,
        maybe(person.email.as_ref()),
        maybe(person.extension_number.as_ref()),
        person.admin,
        person.status.name(),
        person.created_at,
        person.modified_at,
        person.version
    )
}

pub(super) fn presence(presence: &Presence) -> String {
    format!(
        "{} {} {:?} visible={} ring={} pick-up={} #{}",
        presence.user_status.name(),
        presence.dnd_status.name(),
        presence.message,
        presence.visible,
        presence.ring_on_monitored_call,
        presence.pick_up_calls_on_hold,
        presence.sequence
    )
}

pub(super) fn chat(chat: &Chat) -> String {
    format!(
        "{} {} {:?} {:?} public={} {:?} members={} admins={} created={} modified={} v{}",
        chat.id,
        chat.kind.name(),
        chat.name,
        chat.description,
        chat.public,
        chat.status,
        list(&chat.members),
        list(&chat.admins),
        chat.created_at,
        chat.modified_at,
        chat.version
    )
}

pub(super) fn post(post: &Post) -> String {
    format!(
        "{} in {} {:?} by {} from {} created={} modified={} v{} {}",
        post.id,
        post.chat,
        post.kind,
        post.creator,
        maybe(post.request),
        post.created_at,
        post.modified_at,
        post.version,
        content(&post.content)
    )
}

/// Attachments and mentions have their names from the wire.
fn content(content: &PostContent) -> String {
    let attachments = content.attachments.iter();
    let attachments = attachments.map(|one| serde_json::to_string(one).unwrap());
    let mentions = content.mentions.iter();
    let mentions = mentions.map(|one| format!("{}:{}:{:?}", one.kind, one.id, one.name));
    format!(
        "text={:?} activity={:?} title={:?} icon={:?} emoji={:?} persons={} parent={} mentions={} \
         attachments={}",
        content.text,
        content.activity,
        content.title,
        content.icon_uri,
        content.icon_emoji,
        list(&content.person_ids),
        maybe(content.parent),
        list(mentions),
        list(attachments)
    )
}

pub(super) fn message(message: &Message) -> String {
    let all = std::iter::once(&message.from).chain(&message.to);
    let all = all.map(|one| {
        let number = maybe(one.extension_number.as_ref());
        format!("{}:{number}:{:?}", one.person, one.name)
    });
    format!(
        "{} of {} {:?} from-and-to={} {:?} conversation={} {:?} {:?} created={} modified={} v{}",
        message.id,
        message.owner,
        message.direction,
        list(all),
        message.text,
        message.conversation.0,
        message.read_status,
        message.availability,
        message.created_at,
        message.modified_at,
        message.version
    )
}

pub(super) fn webhook(webhook: &IncomingWebhook) -> String {
    format!(
        "{} in {} by {} {} {:?} created={} modified={} v{}",
        webhook.id,
        webhook.chat,
        webhook.creator,
        webhook.token.reveal(),
        webhook.status,
        webhook.created_at,
        webhook.modified_at,
        webhook.version
    )
}

/// Findings have their names from the wire.
pub(super) fn request(request: &HookRequest) -> String {
    format!(
        "{} to {} at {} {} {} {} body={} of {} from {} answered {} {} findings={} post={}",
        request.id,
        request.webhook,
        request.received_at,
        request.method,
        maybe(request.content_type.as_ref()),
        pairs(request.headers.iter().map(|(name, value)| (name, value))),
        digest(&request.body),
        request.body_bytes,
        request.remote_address,
        request.answer.status,
        request.answer.body,
        serde_json::to_string(&request.findings).unwrap(),
        maybe(request.post)
    )
}

pub(super) fn bin(bin: &Bin) -> String {
    let answer = &bin.answer;
    format!(
        "{} {:?} {} created={} v{} answers {} sequence={} {:?} handshake={}",
        bin.id,
        bin.name,
        bin.token.reveal(),
        bin.created_at,
        bin.version,
        reply(&answer.reply),
        list(answer.sequence.iter().map(reply)),
        answer.repeat,
        answer.handshake
    )
}

fn reply(reply: &BinReply) -> String {
    let headers = pairs(&reply.headers);
    format!(
        "{}:{headers}:{:?}:{}ms",
        reply.status, reply.body, reply.delay_ms
    )
}

pub(super) fn bin_request(request: &BinRequest) -> String {
    format!(
        "{} #{} turn={} at {} {} {}?{} {} body={} of {} from {} signed={:?} by {}",
        request.id,
        request.number,
        maybe(request.turn),
        request.received_at,
        request.method,
        request.path,
        request.query,
        pairs(request.headers.iter().map(|(name, value)| (name, value))),
        digest(&request.body),
        request.body_bytes,
        request.remote_address,
        request.signature.verified,
        maybe(request.signature.endpoint)
    )
}

pub(super) fn event(event: &Event) -> String {
    let audience = match &event.audience {
        Audience::ChatMembers(chat) => format!("chat {chat}"),
        Audience::Persons(persons) => format!("persons {}", list(persons.iter())),
        Audience::Subscription(id) => format!("subscription {id}"),
        Audience::Account => "account".to_owned(),
    };
    format!(
        "{} {} {} for {audience} chat={} post={} request={} at {} body={} confidential={} said={}",
        event.id,
        event.kind.name(),
        event.event_type,
        maybe(event.chat),
        maybe(event.post),
        maybe(event.request),
        event.occurred_at,
        digest(&event.body),
        event.confidential,
        maybe(event.attributes.as_deref().map(attributes))
    )
}

fn attributes(said: &Attributes) -> String {
    let extensions = said.extensions.iter().map(|(name, value)| (name, value));
    format!(
        "id={:?} source={:?} subject={:?} schema={:?} type={:?} extensions={}",
        said.id,
        said.source,
        said.subject,
        said.data_schema,
        said.content_type,
        pairs(extensions)
    )
}

pub(super) fn event_type(known: &CustomType) -> String {
    let deprecated = known.deprecated.as_ref();
    let deprecated = deprecated.map(|(at, note)| format!("{at} {note:?}"));
    format!(
        "{} {:?} deprecated={} created={} v{}",
        known.name,
        known.description,
        maybe(deprecated),
        known.created_at,
        known.version
    )
}

pub(super) fn type_version(version: &TypeVersion) -> String {
    format!(
        "created={} schema={} example={}",
        version.created_at,
        maybe(version.schema.as_deref()),
        maybe(version.example.as_deref())
    )
}
