//! Vectors that the console shares, and properties of any text.

use super::*;
use proptest::prelude::*;

#[derive(Deserialize)]
struct Vector {
    name: String,
    source: String,
    blocks: Vec<Block>,
}

#[test]
fn the_shared_vectors_hold() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../../fixtures/markdown.json")).unwrap();
    assert!(vectors.len() >= 30);
    for vector in vectors {
        assert_eq!(parse(&vector.source), vector.blocks, "{}", vector.name);
    }
}

#[test]
fn notifications_show_the_text_without_markup() {
    assert_eq!(
        plain_text("**Build** [7](https://ci.example.com/7) failed\n* _x_\n> ![:Person](42)"),
        "Build 7 failed\n• x\n@42"
    );
}

#[test]
fn hostile_texts_take_linear_work() {
    // What moves every inline four times, and scans addresses at each level of brackets.
    const STEPS_PER_BYTE_MAX: usize = 24;
    for pattern in [
        "[](",
        "[",
        "**[_*",
        "![:Person](",
        "https://(",
        "](",
        "*a",
        "> * ",
        "(https://a)",
        "[a](https://a(",
        "**a_b [c](",
        "*** ",
    ] {
        let source = pattern.repeat(200_000 / pattern.len());
        work::take();
        parse(&source);
        let steps = work::take();
        assert!(steps > 0, "nothing was counted");
        assert!(
            steps <= STEPS_PER_BYTE_MAX * source.len(),
            "{pattern:?} took {} steps a byte",
            steps / source.len()
        );
    }
}

fn depth(inlines: &[Inline]) -> usize {
    let below = inlines.iter().map(|inline| match inline {
        Inline::Bold { children }
        | Inline::Italic { children }
        | Inline::Underline { children }
        | Inline::Link { children, .. } => 1 + depth(children),
        _ => 0,
    });
    below.max().unwrap_or(0)
}

fn hrefs(inlines: &[Inline], into: &mut Vec<String>) {
    for inline in inlines {
        match inline {
            Inline::Link { href, children } => {
                into.push(href.clone());
                hrefs(children, into);
            }
            Inline::Bold { children }
            | Inline::Italic { children }
            | Inline::Underline { children } => hrefs(children, into),
            _ => {}
        }
    }
}

fn markup() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("*"),
        Just("**"),
        Just("***"),
        Just("_"),
        Just("["),
        Just("]"),
        Just("]("),
        Just(")"),
        Just("("),
        Just("!["),
        Just("![:Person](1)"),
        Just("\n"),
        Just("> "),
        Just("* "),
        Just("\\"),
        Just(" "),
        Just("a"),
        Just("é"),
        Just("https://x.y/"),
        Just("javascript:"),
        Just("mailto:a@b"),
    ];
    prop::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn any_text_parses_to_a_shallow_tree_of_safe_links(source in prop_oneof![markup(), any::<String>()]) {
        for block in parse(&source) {
            let lines = match block {
                Block::Paragraph { children } | Block::Quote { children } => vec![children],
                Block::List { items } => items,
            };
            for line in &lines {
                prop_assert!(depth(line) <= 4);
                let mut links = Vec::new();
                hrefs(line, &mut links);
                prop_assert!(links.iter().all(|href| is_safe_href(href)));
            }
        }
    }

    #[test]
    fn text_without_markup_characters_is_kept(text in "[a-zA-Z0-9é重 ]{0,40}") {
        prop_assert_eq!(plain_text(&text), text.trim_end());
    }

    #[test]
    fn escaped_text_shows_as_it_was(text in "[!-~é重]([ -~é重]{0,60}[!-~é重])?") {
        prop_assert_eq!(plain_text(&escape(&text)), text);
    }
}
