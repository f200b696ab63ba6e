//! The one table of names: what each generation of the format, and its imitators, call a field.
//!
//! Both generations are accepted on every URL. The first name of a row is ours and wins over the
//! others when a sender gives several; `null` is as good as absent. `docs/reference/incoming-webhooks.md`
//! prints this table, and a test keeps it true.

use std::borrow::Cow;

use super::findings::{Findings, Place};
use super::tree::Tree;

/// Names of one field, best first.
type Names = &'static [&'static str];

/// Fields of one kind of object, in the order in which [`pick`] returns them.
pub(super) type Table<const N: usize> = [Names; N];

/// text, activity, title, icon, emoji, attachments.
pub(super) const POST: Table<6> = [
    &["text", "body"],
    &["activity"],
    &["title"],
    &["iconUri", "icon", "icon_url", "icon_uri"],
    &["iconEmoji", "icon_emoji"],
    &["attachments"],
];

/// fallback, color, intro, author, its name, link and icon, title, its link, text, image,
/// thumbnail, fields, footnote, its text, icon and time.
pub(super) const CARD: Table<17> = [
    &["fallback"],
    &["color"],
    &["intro", "pretext"],
    &["author"],
    &["author_name", "authorName"],
    &["author_link", "authorLink", "author_uri"],
    &["author_icon", "authorIcon"],
    &["title"],
    &["titleUri", "title_link", "titleLink"],
    &["text", "body"],
    &["imageUri", "image_url", "imageUrl"],
    &[
        "thumbnailUri",
        "thumb_url",
        "thumbnail_url",
        "thumbUrl",
        "thumbnailUrl",
    ],
    &["fields"],
    &["footnote"],
    &["footer"],
    &["footer_icon", "footerIcon"],
    &["ts"],
];

/// name, link, icon.
pub(super) const AUTHOR: Table<3> = [
    &["name"],
    &["uri", "link", "url"],
    &["iconUri", "icon", "icon_url"],
];

/// text, icon, time.
pub(super) const FOOTNOTE: Table<3> =
    [&["text"], &["iconUri", "icon", "icon_url"], &["time", "ts"]];

/// title, value, style, width in the first generation's words.
pub(super) const FIELD: Table<4> = [&["title"], &["value"], &["style"], &["short"]];

/// title, start, end, all day, recurrence, its ending, color, location, description.
pub(super) const EVENT: Table<11> = [
    &["title"],
    &["startTime", "start_time"],
    &["endTime", "end_time"],
    &["allDay", "all_day"],
    &["recurrence"],
    &["endingCondition", "ending_condition"],
    &["endingAfter", "ending_after"],
    &["endingOn", "ending_on"],
    &["color"],
    &["location"],
    &["description", "text", "body"],
];

/// schedule, endingCondition, endingAfter, endingOn of a recurrence that is an object.
pub(super) const RECURRENCE: Table<4> = [
    &["schedule"],
    &["endingCondition"],
    &["endingAfter"],
    &["endingOn"],
];

/// title, text.
pub(super) const NOTE: Table<2> = [&["title"], &["text", "body"]];

/// Known and without use here: `type` is read first, ids are ours to give, and the first
/// generation's `attachment_type` and `mrkdwn` hints change nothing.
const SILENT: [&str; 7] = [
    "type",
    "id",
    "creatorId",
    "attachment_type",
    "mrkdwn",
    "mrkdwn_in",
    "mentions",
];

/// A value and the name it was given under.
#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'t, 'a> {
    pub(super) name: &'static str,
    pub(super) value: &'t Tree<'a>,
}

/// Finds the fields of `table` in an object. Of repeated keys the last counts. Unknown keys are
/// noted and left out.
pub(super) fn pick<'t, 'a, const N: usize>(
    table: &Table<N>,
    entries: &'t [(Cow<'a, str>, Tree<'a>)],
    place: &Place<'_>,
    findings: &mut Findings,
) -> [Option<Given<'t, 'a>>; N] {
    let mut picked = [None; N];
    let mut ranks = [usize::MAX; N];
    for (key, value) in entries {
        let Some((slot, rank)) = find(table, key) else {
            if !SILENT.contains(&&**key) {
                findings.note(&place.key(key), "unknown field: left out");
            }
            continue;
        };
        if matches!(value, Tree::Null) {
            if ranks[slot] == rank {
                (picked[slot], ranks[slot]) = (None, usize::MAX);
            }
            continue;
        }
        let name = table[slot][rank];
        let earlier = picked[slot].map_or(name, |given: Given<'_, '_>| given.name);
        if earlier != name {
            let (loser, winner) = if rank < ranks[slot] {
                (earlier, name)
            } else {
                (name, earlier)
            };
            let warning = format!("left out, because `{winner}` says the same");
            findings.note(&place.key(loser), warning);
        }
        if rank <= ranks[slot] {
            picked[slot] = Some(Given { name, value });
            ranks[slot] = rank;
        }
    }
    picked
}

fn find<const N: usize>(table: &Table<N>, key: &str) -> Option<(usize, usize)> {
    table.iter().enumerate().find_map(|(slot, names)| {
        let rank = names.iter().position(|name| *name == key)?;
        Some((slot, rank))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked_text(payload: &str) -> (Option<String>, Vec<String>) {
        let Ok(Tree::Object(entries)) = Tree::parse(payload) else {
            panic!("an object");
        };
        let mut findings = Findings::default();
        let [text, ..] = pick(&POST, &entries, &Place::Root, &mut findings);
        let text = text.and_then(|given| given.value.as_text().map(str::to_owned));
        let pointers = findings
            .into_vec()
            .into_iter()
            .map(|finding| finding.pointer);
        (text, pointers.collect())
    }

    fn check(payload: &str, expect: Option<&str>, pointers: &[&str]) {
        let (text, found) = picked_text(payload);
        assert_eq!(text.as_deref(), expect, "{payload}");
        assert_eq!(found, pointers, "{payload}");
    }

    #[test]
    fn the_best_name_wins_and_null_is_absent() {
        check(r#"{"text":"a"}"#, Some("a"), &[]);
        check(r#"{"body":"b"}"#, Some("b"), &[]);
        check(r#"{"body":"b","text":"a"}"#, Some("a"), &["/body"]);
        check(r#"{"text":"a","body":"b"}"#, Some("a"), &["/body"]);
        check(r#"{"text":null,"body":"b"}"#, Some("b"), &[]);
        check(r#"{"body":"b","text":null}"#, Some("b"), &[]);
        check(r#"{"text":"a","text":"c"}"#, Some("c"), &[]);
        check(r#"{"text":"a","text":null}"#, None, &[]);
        check(r#"{"Text":"a","type":"x"}"#, None, &["/Text"]);
    }

    #[test]
    fn a_name_means_one_field_of_its_object() {
        fn check<const N: usize>(table: &Table<N>) {
            let mut names: Vec<_> = table.iter().flat_map(|names| names.iter()).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
        }
        check(&POST);
        check(&CARD);
        check(&AUTHOR);
        check(&FOOTNOTE);
        check(&FIELD);
        check(&EVENT);
        check(&RECURRENCE);
        check(&NOTE);
    }

    #[test]
    fn the_reference_prints_this_table() {
        const REFERENCE: &str = include_str!("../../../../../docs/reference/incoming-webhooks.md");
        fn lines<const N: usize>(object: &str, table: &Table<N>) -> Vec<String> {
            let line = |names: &Names| format!("| {object} | `{}` |", names.join("`, `"));
            table.iter().map(line).collect()
        }
        let expected = [
            lines("message", &POST),
            lines("card", &CARD),
            lines("author", &AUTHOR),
            lines("footnote", &FOOTNOTE),
            lines("field", &FIELD),
            lines("event", &EVENT),
            lines("note", &NOTE),
        ];
        let expected = expected.concat().join("\n");
        assert!(
            REFERENCE.contains(&format!("| --- | --- |\n{expected}\n\n")),
            "{expected}"
        );
    }
}
