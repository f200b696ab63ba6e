//! Posts with what is attached to them, and messages.

use hookyard_domain::inbound::card::{
    AdaptiveCard, Author, CalendarEvent, Card, Field, FieldStyle, Footnote, Note,
};
use hookyard_domain::messaging::post::Mention;
use hookyard_domain::{Attachment, Correspondent, PersonId, PostContent, PostId, Timestamp};
use serde_json::json;

use super::{assert_golden, golden};
use crate::records::{ContentRecord, CorrespondentRecord, CorrespondentsRecord, to_json};

const AT: Timestamp = Timestamp::from_millis(1_790_000_000_123);

#[expect(
    clippy::unnecessary_wraps,
    reason = "what a record may lack is all optional"
)]
fn said(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn field(title: &str, style: FieldStyle) -> Field {
    Field {
        title: title.to_owned(),
        value: "value".to_owned(),
        style,
    }
}

fn card() -> Card {
    Card {
        id: "1".to_owned(),
        fallback: said("fallback"),
        color: said("#0684bd"),
        intro: said("intro"),
        author: Some(Author {
            name: "author".to_owned(),
            uri: said("https://a.example/uri"),
            icon_uri: said("https://a.example/icon"),
        }),
        title: said("title"),
        title_uri: said("https://a.example/title"),
        text: said("text"),
        image_uri: said("https://a.example/image"),
        thumbnail_uri: said("https://a.example/thumbnail"),
        fields: vec![
            field("short", FieldStyle::Short),
            field("long", FieldStyle::Long),
        ],
        footnote: Some(Footnote {
            text: "footnote".to_owned(),
            icon_uri: said("https://a.example/foot"),
            time: Some(AT),
        }),
    }
}

fn adaptive_card() -> AdaptiveCard {
    let content = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.3",
        "body": [{"type": "TextBlock", "text": "hello", "wrap": true}],
    });
    AdaptiveCard {
        id: "2".to_owned(),
        content: content.as_object().unwrap().clone(),
    }
}

fn calendar_event() -> CalendarEvent {
    CalendarEvent {
        id: "3".to_owned(),
        title: "title".to_owned(),
        start_time: AT,
        end_time: Timestamp::from_millis(1_790_003_600_000),
        all_day: true,
        recurrence: said("Weekly"),
        ending_condition: said("Count"),
        ending_after: Some(4),
        ending_on: said("2026-12-01"),
        color: said("Black"),
        location: said("here"),
        description: said("why"),
    }
}

#[test]
fn contents_of_posts() {
    let values = [
        PostContent {
            text: said("text"),
            activity: said("activity"),
            title: said("title"),
            icon_uri: said("https://a.example/icon"),
            icon_emoji: said(":rocket:"),
            attachments: vec![
                Attachment::Card(card()),
                Attachment::AdaptiveCard(adaptive_card()),
                Attachment::Event(calendar_event()),
                Attachment::Note(Note {
                    id: "4".to_owned(),
                    title: "title".to_owned(),
                    text: said("text"),
                }),
            ],
            mentions: vec![Mention {
                id: "12".to_owned(),
                kind: "Person".to_owned(),
                name: "Bob Smith".to_owned(),
            }],
            person_ids: vec![PersonId(12), PersonId(13)],
            parent: Some(PostId(7)),
        },
        PostContent::default(),
    ];
    assert_golden::<ContentRecord<'_>, _>(golden!("posts-content"), &values, |content| {
        to_json(&ContentRecord::from(content))
    });
}

#[test]
fn correspondents_of_messages() {
    let values = [
        Correspondent {
            person: PersonId(11),
            extension_number: said("101"),
            name: "Alice Smith".to_owned(),
        },
        Correspondent {
            person: PersonId(12),
            extension_number: None,
            name: "Erased person".to_owned(),
        },
    ];
    assert_golden::<CorrespondentRecord<'_>, _>(golden!("messages-sender"), &values, |from| {
        to_json(&CorrespondentRecord::from(from))
    });
    let values = [values.to_vec()];
    assert_golden::<CorrespondentsRecord<'_>, _>(golden!("messages-receivers"), &values, |to| {
        to_json(&CorrespondentsRecord::from(to))
    });
}
