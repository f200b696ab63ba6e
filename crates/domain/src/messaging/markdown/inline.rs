//! The inside of a block: styles, links and mentions, in one pass with a stack of open styles.

use super::{Inline, is_safe_href, work};
use crate::kernel::limits::{LINK_BRACKETS_MAX, MENTION_ID_CHARS_MAX};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Root,
    Bold,
    Italic,
    Underline,
    Link,
}

impl Style {
    const fn marker(self) -> &'static str {
        match self {
            Self::Root => "",
            Self::Bold => "**",
            Self::Italic => "*",
            Self::Underline => "_",
            Self::Link => "[",
        }
    }
}

/// A style that was opened and may yet turn out to be plain text.
struct Frame {
    style: Style,
    children: Vec<Inline>,
}

struct InlineParser<'a> {
    source: &'a str,
    position: usize,
    /// The first is the root; each style is in it at most once.
    frames: Vec<Frame>,
}

/// Parses the lines of one block.
pub(super) fn parse_inlines(source: &str) -> Vec<Inline> {
    let mut parser = InlineParser {
        source,
        position: 0,
        frames: vec![Frame {
            style: Style::Root,
            children: Vec::new(),
        }],
    };
    parser.run();
    parser.dissolve_above(0);
    parser.frames.swap_remove(0).children
}

const fn is_space(byte: Option<u8>) -> bool {
    matches!(byte, None | Some(b' ' | b'\t' | b'\n'))
}

const fn is_word(byte: Option<u8>) -> bool {
    matches!(byte, Some(b) if b.is_ascii_alphanumeric())
}

impl InlineParser<'_> {
    fn byte(&self, position: usize) -> Option<u8> {
        self.source.as_bytes().get(position).copied()
    }

    fn before(&self, position: usize) -> Option<u8> {
        position.checked_sub(1).and_then(|index| self.byte(index))
    }

    fn run(&mut self) {
        let mut text_from = 0;
        while let Some(byte) = self.byte(self.position) {
            work::add(1);
            let special = match byte {
                b'\n' | b'*' | b'_' | b'[' | b']' => true,
                b'\\' => self
                    .byte(self.position + 1)
                    .is_some_and(|next| next.is_ascii_punctuation()),
                b'!' => self.source[self.position..].starts_with("![:"),
                b'h' => self.at_bare_address(),
                _ => false,
            };
            if !special {
                self.position += 1;
                continue;
            }
            self.push_source(text_from, self.position);
            match byte {
                b'\n' => {
                    self.push(Inline::Break);
                    self.position += 1;
                }
                b'\\' => {
                    self.push_source(self.position + 1, self.position + 2);
                    self.position += 2;
                }
                b'*' => self.stars(),
                b'_' => self.underscores(),
                b'[' => self.open_link(),
                b']' => self.close_link(),
                b'!' => self.mention(),
                _ => self.bare_address(),
            }
            text_from = self.position;
        }
        self.push_source(text_from, self.position);
    }

    fn top(&mut self) -> &mut Vec<Inline> {
        &mut self.frames.last_mut().expect("the root stays").children
    }

    fn push(&mut self, inline: Inline) {
        self.top().push(inline);
    }

    fn push_text(&mut self, text: &str) {
        append_text(self.top(), text);
    }

    fn push_source(&mut self, from: usize, to: usize) {
        let source = self.source;
        self.push_text(&source[from..to]);
    }

    fn find(&self, style: Style) -> Option<usize> {
        self.frames.iter().position(|frame| frame.style == style)
    }

    /// Turns frame `index` back into the text it began with, and what followed.
    fn dissolve(&mut self, index: usize) {
        let frame = self.frames.remove(index);
        let parent = &mut self.frames[index - 1].children;
        append_text(parent, frame.style.marker());
        append_all(parent, frame.children);
    }

    fn dissolve_above(&mut self, index: usize) {
        while self.frames.len() > index + 1 {
            self.dissolve(self.frames.len() - 1);
        }
    }

    /// Length of the run of `byte` here.
    fn run_length(&self, byte: u8) -> usize {
        let length = self.source.as_bytes()[self.position..]
            .iter()
            .take_while(|other| **other == byte)
            .count();
        work::add(length);
        length
    }

    fn stars(&mut self) {
        let run = self.run_length(b'*');
        let start = self.position;
        self.position += run;
        let can_close = !is_space(self.before(start));
        let can_open = !is_space(self.byte(self.position));
        match run {
            1 => self.toggle(Style::Italic, can_open, can_close),
            2 => self.toggle(Style::Bold, can_open, can_close),
            3 => {
                let italic_is_inner = self.find(Style::Italic) > self.find(Style::Bold);
                let (first, second) = if italic_is_inner {
                    (Style::Italic, Style::Bold)
                } else {
                    (Style::Bold, Style::Italic)
                };
                self.toggle(first, can_open, can_close);
                self.toggle(second, can_open, can_close);
            }
            _ => self.push_source(start, start + run),
        }
    }

    /// Underscores inside words, and runs of them, are text: names in programs are full of them.
    fn underscores(&mut self) {
        let run = self.run_length(b'_');
        let start = self.position;
        self.position += run;
        if run > 1 {
            self.push_source(start, start + run);
            return;
        }
        let (before, after) = (self.before(start), self.byte(self.position));
        let can_close = !is_space(before) && !is_word(after);
        let can_open = !is_space(after) && !is_word(before);
        self.toggle(Style::Underline, can_open, can_close);
    }

    /// Closes `style` if it is open and has content, else opens it if it is not open.
    fn toggle(&mut self, style: Style, can_open: bool, can_close: bool) {
        match self.find(style) {
            Some(index) if can_close && self.has_content(index) => {
                self.dissolve_above(index);
                let children = self.frames.swap_remove(index).children;
                self.push(match style {
                    Style::Bold => Inline::Bold { children },
                    Style::Italic => Inline::Italic { children },
                    _ => Inline::Underline { children },
                });
            }
            None if can_open => self.open(style),
            _ => self.push_text(style.marker()),
        }
    }

    fn has_content(&self, index: usize) -> bool {
        self.frames.len() > index + 1 || !self.frames[index].children.is_empty()
    }

    fn open(&mut self, style: Style) {
        self.frames.push(Frame {
            style,
            children: Vec::new(),
        });
    }

    fn open_link(&mut self) {
        if let Some(index) = self.find(Style::Link) {
            self.dissolve(index);
        }
        self.open(Style::Link);
        self.position += 1;
    }

    fn close_link(&mut self) {
        let Some(index) = self.find(Style::Link) else {
            self.push_text("]");
            self.position += 1;
            return;
        };
        self.dissolve_above(index);
        let source = self.source;
        let end = self.address_end(self.position + 1);
        let href = end.map(|end| &source[self.position + 2..end]);
        match (end, href) {
            (Some(end), Some(href)) if is_safe_href(href) => {
                let mut children = Vec::new();
                without_links(self.frames.swap_remove(index).children, &mut children);
                if children.is_empty() {
                    append_text(&mut children, href);
                }
                self.push(Inline::Link {
                    href: href.to_owned(),
                    children,
                });
                self.position = end + 1;
            }
            (Some(end), _) => {
                // An address that we refuse stays readable as it was written.
                self.dissolve(index);
                self.push_source(self.position, end + 1);
                self.position = end + 1;
            }
            (None, _) => {
                self.dissolve(index);
                self.push_text("]");
                self.position += 1;
            }
        }
    }

    /// Where the bracket closes that opens at `open`, if one does and no white space is between.
    fn address_end(&self, open: usize) -> Option<usize> {
        let mut depth = 0_usize;
        for (offset, byte) in self.source.as_bytes().get(open..)?.iter().enumerate() {
            work::add(1);
            match byte {
                b'(' if depth > LINK_BRACKETS_MAX => return None,
                b'(' => depth += 1,
                b')' if depth == 1 => return Some(open + offset),
                b')' => depth = depth.checked_sub(1)?,
                _ if depth == 0 || *byte <= b' ' => return None,
                _ => {}
            }
        }
        None
    }

    /// `![:Person](id)` and `![:Team](id)`.
    fn mention(&mut self) {
        let rest = &self.source[self.position..];
        for kind in ["Person", "Team"] {
            let id = rest["![:".len()..]
                .strip_prefix(kind)
                .and_then(|rest| rest.strip_prefix("]("))
                .map(|rest| {
                    let is_id = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
                    let length = rest
                        .bytes()
                        .take(MENTION_ID_CHARS_MAX)
                        .take_while(|byte| is_id(byte))
                        .count();
                    (&rest[..length], rest.as_bytes().get(length))
                });
            if let Some((id, Some(b')'))) = id
                && !id.is_empty()
            {
                self.position += "![:](".len() + kind.len() + id.len() + 1;
                self.push(Inline::Mention {
                    kind: kind.to_owned(),
                    id: id.to_owned(),
                });
                return;
            }
        }
        self.push_text("!");
        self.position += 1;
    }

    fn at_bare_address(&self) -> bool {
        let rest = &self.source[self.position..];
        !is_word(self.before(self.position))
            && (rest.starts_with("https://") || rest.starts_with("http://"))
    }

    /// An address without markup is a link to itself, without the punctuation that ends a sentence.
    fn bare_address(&mut self) {
        let rest = &self.source[self.position..];
        let scheme = rest.find("//").map_or(0, |slashes| slashes + 2);
        let stops = |byte: u8| byte <= b' ' || byte == 0x7f || b"<>\"`*[]\\".contains(&byte);
        let mut length = rest.bytes().position(stops).unwrap_or(rest.len());
        let address = &rest[..length];
        work::add(length);
        let opening = address.matches('(').count();
        let mut closing = address.matches(')').count();
        while length > scheme {
            match rest.as_bytes()[length - 1] {
                b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'_' | b'~' => {}
                b')' if closing > opening => closing -= 1,
                _ => break,
            }
            length -= 1;
        }
        let address = rest[..length].to_owned();
        self.position += length;
        if length == scheme {
            self.push_text(&address);
            return;
        }
        self.push(Inline::Link {
            children: vec![Inline::Text {
                text: address.clone(),
            }],
            href: address,
        });
    }
}

fn append_text(inlines: &mut Vec<Inline>, more: &str) {
    if more.is_empty() {
        return;
    }
    work::add(more.len());
    if let Some(Inline::Text { text }) = inlines.last_mut() {
        text.push_str(more);
    } else {
        inlines.push(Inline::Text {
            text: more.to_owned(),
        });
    }
}

fn append_all(inlines: &mut Vec<Inline>, more: Vec<Inline>) {
    for inline in more {
        work::add(1);
        match inline {
            Inline::Text { text } => append_text(inlines, &text),
            other => inlines.push(other),
        }
    }
}

/// Links do not nest: an address inside a label is text.
fn without_links(inlines: Vec<Inline>, into: &mut Vec<Inline>) {
    let inner = |children: Vec<Inline>| {
        let mut kept = Vec::new();
        without_links(children, &mut kept);
        kept
    };
    for inline in inlines {
        work::add(1);
        match inline {
            Inline::Text { text } => append_text(into, &text),
            Inline::Link { children, .. } => append_all(into, inner(children)),
            Inline::Bold { children } => into.push(Inline::Bold {
                children: inner(children),
            }),
            Inline::Italic { children } => into.push(Inline::Italic {
                children: inner(children),
            }),
            Inline::Underline { children } => into.push(Inline::Underline {
                children: inner(children),
            }),
            other => into.push(other),
        }
    }
}
