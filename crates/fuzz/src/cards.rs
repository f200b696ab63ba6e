//! Hook payloads and what they are made of.

use hookyard_domain::PostContent;
use hookyard_domain::inbound::card;
use hookyard_domain::inbound::card::sanitise::clean_text;
use hookyard_domain::inbound::card::{Conversion, Rejection, convert};
use hookyard_domain::kernel::limits::{
    ATTACHMENTS_MAX, CARD_TEXT_CHARS_MAX, FINDINGS_MAX, POST_TEXT_CHARS_MAX,
};
use hookyard_domain::messaging::markdown::{self, Block, Inline};

use crate::requests::look;
use crate::{head_and_body, text_of};

/// A payload under any content type: JSON, forms and plain text.
pub(crate) fn hook_payload(data: &[u8]) {
    let (content_type, payload) = head_and_body(data);
    let content_type = str::from_utf8(content_type).ok();
    let content_type = content_type.filter(|kind| !kind.is_empty());
    check(payload, content_type);
}

/// One Adaptive Card, as it comes among attachments.
pub(crate) fn adaptive_card(data: &[u8]) {
    let mut payload = br#"{"attachments":["#.to_vec();
    payload.extend_from_slice(data);
    payload.extend_from_slice(b"]}");
    check(&payload, Some("application/json"));
}

fn check(payload: &[u8], content_type: Option<&str>) {
    let converted = converted(payload, content_type);
    assert_eq!(converted, self::converted(payload, content_type), "twice");
    let findings = match &converted {
        Ok(conversion) => &conversion.findings,
        Err(rejection) => &rejection.findings,
    };
    // The last one says that there were more.
    assert!(findings.len() <= FINDINGS_MAX + 1, "{}", findings.len());
    if let Ok(Conversion { content, .. }) = converted {
        check_content(&content);
    }
}

fn converted(payload: &[u8], content_type: Option<&str>) -> Result<Conversion, Rejection> {
    let mut last = 0;
    convert(payload, content_type, &mut || {
        last += 1;
        last
    })
}

fn check_content(content: &PostContent) {
    assert!(content.attachments.len() <= ATTACHMENTS_MAX);
    let text = content.text.as_deref().unwrap_or_default();
    assert!(text.chars().count() <= POST_TEXT_CHARS_MAX);
    assert!(!text.contains('\0'), "NUL came through");
    let shown =
        serde_json::to_value(&content.attachments).expect("what is posted is shown as JSON");
    assert!(!look(&shown).has_nul, "NUL came through");
    card::summary(content);
}

/// A text, cleaned for a post and for a card.
pub(crate) fn text(data: &[u8]) {
    let text = text_of(data);
    for chars_max in [CARD_TEXT_CHARS_MAX, POST_TEXT_CHARS_MAX, 8] {
        let once = clean_text(text, chars_max);
        assert!(once.text.chars().count() <= chars_max);
        let twice = clean_text(&once.text, chars_max);
        assert_eq!(twice.text, once.text);
        assert!(!twice.removed && !twice.truncated);
    }
}

/// Mini-markdown.
pub(crate) fn markdown(data: &[u8]) {
    let source = text_of(data);
    let blocks = markdown::parse(source);
    let mut found = Found::default();
    for block in &blocks {
        match block {
            Block::Paragraph { children } | Block::Quote { children } => found.look(children, 0),
            Block::List { items } => items.iter().for_each(|item| found.look(item, 0)),
        }
    }
    assert!(found.text_bytes <= source.len(), "more text than there was");
    assert!(found.nodes <= 2 * source.len() + 1, "more nodes than text");
    markdown::plain_text(source);
    let escaped = markdown::escape(source);
    assert!(escaped.len() <= 2 * source.len());
}

#[derive(Default)]
struct Found {
    text_bytes: usize,
    nodes: usize,
}

impl Found {
    fn look(&mut self, inlines: &[Inline], depth: usize) {
        // Four styles and a link, none of them in itself.
        assert!(depth <= 5, "nested {depth} deep");
        for inline in inlines {
            self.nodes += 1;
            match inline {
                Inline::Text { text } => self.text_bytes += text.len(),
                Inline::Link { href, children } => {
                    assert!(markdown::is_safe_href(href), "{href:?}");
                    self.look(children, depth + 1);
                }
                Inline::Bold { children }
                | Inline::Italic { children }
                | Inline::Underline { children } => self.look(children, depth + 1),
                Inline::Mention { kind, .. } => {
                    assert!(["Person", "Team"].contains(&kind.as_str()));
                }
                Inline::Break => {}
            }
        }
    }
}
