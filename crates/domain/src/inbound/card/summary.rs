//! One line about a post, for notifications and lists.

use serde_json::Value;

use super::Attachment;
use super::sanitise::clean_text;
use crate::kernel::limits::CARD_FIELD_CHARS_MAX;
use crate::messaging::markdown::plain_text;
use crate::messaging::post::PostContent;

/// What the platform says of a card that says nothing of itself (contract section 3.6).
const CARD_WITHOUT_WORDS: &str = "New Card Sent";

/// What a post says, without markup: its title, else its text, else its first attachment's words,
/// else its activity.
pub fn summary(content: &PostContent) -> String {
    let own = [&content.title, &content.text].into_iter().flatten();
    let attached = content.attachments.iter().map(in_words);
    let words = own
        .map(|text| plain_text(text))
        .chain(attached)
        .chain(content.activity.clone())
        .map(|text| text.trim().to_owned())
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    clean_text(&words, CARD_FIELD_CHARS_MAX).text.into_owned()
}

fn in_words(attachment: &Attachment) -> String {
    match attachment {
        Attachment::Card(card) => {
            let words = [&card.fallback, &card.title, &card.text, &card.intro];
            let words = words.into_iter().flatten().next();
            words.map_or_else(|| CARD_WITHOUT_WORDS.to_owned(), |text| plain_text(text))
        }
        Attachment::AdaptiveCard(card) => match card.content.get("fallbackText") {
            Some(Value::String(text)) if !text.is_empty() => text.clone(),
            _ => CARD_WITHOUT_WORDS.to_owned(),
        },
        Attachment::Event(event) => event.title.clone(),
        Attachment::Note(note) => note.title.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::inbound::card::convert;

    fn check(payload: &str, expect: &str) {
        let conversion = convert(payload.as_bytes(), None, &mut || 1).unwrap();
        assert_eq!(super::summary(&conversion.content), expect, "{payload}");
    }

    #[test]
    fn a_post_is_summed_up_by_its_first_words() {
        check(r#"{"title":"**Build**","text":"failed"}"#, "Build");
        check(
            r#"{"text":"see [log](https://e.com)\n* one"}"#,
            "see log\n• one",
        );
        check(r#"{"attachments":[{"title":"T","fallback":"F"}]}"#, "F");
        check(
            r#"{"attachments":[{"fields":[{"title":"a","value":1}]}]}"#,
            "New Card Sent",
        );
        check(
            r#"{"attachments":[{"type":"AdaptiveCard","body":[]}]}"#,
            "New Card Sent",
        );
        check(
            r#"{"activity":"CI","attachments":[{"type":"AdaptiveCard","body":[],"fallbackText":"Red"}]}"#,
            "Red",
        );
        check(r#"{"activity":"CI"}"#, "CI");
    }
}
