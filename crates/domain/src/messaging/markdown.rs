//! Mini-markdown, the small markup of posts and cards (contract section 3.5), as a tree.
//!
//! There is no HTML anywhere: readers draw the tree. Parsing takes linear time: styles do not nest
//! in themselves, so an inline moves at most four times, and the scan of a link's address stops at
//! a small nesting of brackets. The console has the same parser in TypeScript; both run the vectors
//! in `fixtures/markdown.json`. The grammar is in `docs/reference/mini-markdown.md`.

mod inline;
#[cfg(test)]
mod tests;
mod work;

use serde::{Deserialize, Serialize};

use self::inline::parse_inlines;

/// One block of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Block {
    Paragraph { children: Vec<Inline> },
    Quote { children: Vec<Inline> },
    List { items: Vec<Vec<Inline>> },
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Inline {
    Text {
        text: String,
    },
    Bold {
        children: Vec<Inline>,
    },
    Italic {
        children: Vec<Inline>,
    },
    Underline {
        children: Vec<Inline>,
    },
    /// `href` is exactly as written and has passed [`is_safe_href`].
    Link {
        href: String,
        children: Vec<Inline>,
    },
    /// `kind` is `Person` or `Team`.
    Mention {
        kind: String,
        id: String,
    },
    Break,
}

/// Whether a link may lead to `href`: one of four schemes, something behind it, and no white space
/// or control character. `http` and `https` need their two slashes.
pub fn is_safe_href(href: &str) -> bool {
    let starts = |prefix: &str| {
        href.len() > prefix.len()
            && href
                .get(..prefix.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(prefix))
    };
    ["https://", "http://", "mailto:", "tel:"]
        .into_iter()
        .any(starts)
        && !href.bytes().any(|byte| byte <= b' ' || byte == 0x7f)
}

/// Parses a text. Never fails: what is not markup is text.
pub fn parse(source: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(LineKind, String)> = None;
    for line in source.split('\n') {
        let line = line.trim_end_matches([' ', '\t', '\r']);
        let (kind, content) = LineKind::of(line);
        if let Some((open_kind, text)) = &mut open
            && *open_kind == kind
        {
            text.push('\n');
            text.push_str(content);
            continue;
        }
        close_block(&mut blocks, open.take());
        if kind != LineKind::Blank {
            open = Some((kind, content.to_owned()));
        }
    }
    close_block(&mut blocks, open);
    blocks
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Blank,
    Paragraph,
    Quote,
    Item,
}

impl LineKind {
    /// The kind of a line, and the line without its marker.
    fn of(line: &str) -> (Self, &str) {
        let unindented = line.trim_start_matches([' ', '\t']);
        if unindented.is_empty() {
            return (Self::Blank, "");
        }
        if let Some(quoted) = unindented.strip_prefix('>') {
            return (Self::Quote, quoted.strip_prefix(' ').unwrap_or(quoted));
        }
        for marker in ["* ", "- "] {
            if let Some(item) = unindented.strip_prefix(marker) {
                return (Self::Item, item.trim_start_matches([' ', '\t']));
            }
        }
        (Self::Paragraph, line)
    }
}

fn close_block(blocks: &mut Vec<Block>, open: Option<(LineKind, String)>) {
    let Some((kind, text)) = open else { return };
    blocks.push(match kind {
        LineKind::Blank => return,
        LineKind::Paragraph => Block::Paragraph {
            children: parse_inlines(&text),
        },
        LineKind::Quote => Block::Quote {
            children: parse_inlines(&text),
        },
        LineKind::Item => Block::List {
            items: text.split('\n').map(parse_inlines).collect(),
        },
    });
}

/// The text without markup, for notifications and previews: links show their labels, items begin
/// with a bullet, mentions show `@` and the id.
pub fn plain_text(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    for block in parse(source) {
        match block {
            Block::Paragraph { children } | Block::Quote { children } => {
                start_line(&mut text);
                write_plain(&children, &mut text);
            }
            Block::List { items } => {
                for item in items {
                    start_line(&mut text);
                    text.push_str("• ");
                    write_plain(&item, &mut text);
                }
            }
        }
    }
    text
}

fn start_line(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

fn write_plain(inlines: &[Inline], into: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text { text } => into.push_str(text),
            Inline::Bold { children }
            | Inline::Italic { children }
            | Inline::Underline { children }
            | Inline::Link { children, .. } => write_plain(children, into),
            Inline::Mention { id, .. } => {
                into.push('@');
                into.push_str(id);
            }
            Inline::Break => into.push('\n'),
        }
    }
}

/// Marks every character that could be markup, so that the text is shown as it is.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if matches!(
            character,
            '\\' | '*' | '_' | '[' | ']' | '!' | '>' | '-' | '(' | ')'
        ) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
