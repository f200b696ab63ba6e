//! `posts.content`.

use std::borrow::Cow;

use hookyard_domain::messaging::post::Mention;
use hookyard_domain::{Attachment, PersonId, PostContent, PostId};
use serde::{Deserialize, Serialize};

use super::cards::AttachmentRecord;
use super::{borrowed, owned};

/// What a post says.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ContentRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_uri: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    icon_emoji: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attachments: Vec<AttachmentRecord<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mentions: Vec<MentionRecord<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    person_ids: Cow<'a, [PersonId]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<PostId>,
}

#[derive(Serialize, Deserialize)]
struct MentionRecord<'a> {
    id: Cow<'a, str>,
    #[serde(rename = "type")]
    kind: Cow<'a, str>,
    name: Cow<'a, str>,
}

impl<'a> From<&'a PostContent> for ContentRecord<'a> {
    fn from(content: &'a PostContent) -> Self {
        Self {
            text: borrowed(content.text.as_ref()),
            activity: borrowed(content.activity.as_ref()),
            title: borrowed(content.title.as_ref()),
            icon_uri: borrowed(content.icon_uri.as_ref()),
            icon_emoji: borrowed(content.icon_emoji.as_ref()),
            attachments: content
                .attachments
                .iter()
                .map(AttachmentRecord::from)
                .collect(),
            mentions: content.mentions.iter().map(MentionRecord::from).collect(),
            person_ids: Cow::Borrowed(&content.person_ids),
            parent: content.parent,
        }
    }
}

impl From<ContentRecord<'_>> for PostContent {
    fn from(record: ContentRecord<'_>) -> Self {
        Self {
            text: owned(record.text),
            activity: owned(record.activity),
            title: owned(record.title),
            icon_uri: owned(record.icon_uri),
            icon_emoji: owned(record.icon_emoji),
            attachments: record
                .attachments
                .into_iter()
                .map(Attachment::from)
                .collect(),
            mentions: record.mentions.into_iter().map(Mention::from).collect(),
            person_ids: record.person_ids.into_owned(),
            parent: record.parent,
        }
    }
}

impl<'a> From<&'a Mention> for MentionRecord<'a> {
    fn from(mention: &'a Mention) -> Self {
        Self {
            id: Cow::Borrowed(&mention.id),
            kind: Cow::Borrowed(&mention.kind),
            name: Cow::Borrowed(&mention.name),
        }
    }
}

impl From<MentionRecord<'_>> for Mention {
    fn from(record: MentionRecord<'_>) -> Self {
        Self {
            id: record.id.into_owned(),
            kind: record.kind.into_owned(),
            name: record.name.into_owned(),
        }
    }
}
