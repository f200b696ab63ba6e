//! Mentions in texts: `![:Person](id)` and `![:Team](id)` (contract section 2.5).

use crate::kernel::ids::{ChatId, PersonId};
use crate::kernel::limits::MENTIONS_MAX;

/// Whom or what a text mentions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mentioned {
    Person(PersonId),
    Team(ChatId),
}

/// The mentions in `text`, in order, each once; at most [`MENTIONS_MAX`].
pub fn mentioned_in(text: &str) -> Vec<Mentioned> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("![:") {
        let Some(mention) = read(&text[at + 3..]) else {
            continue;
        };
        if !found.contains(&mention) {
            found.push(mention);
        }
        if found.len() == MENTIONS_MAX {
            break;
        }
    }
    found
}

fn read(text: &str) -> Option<Mentioned> {
    let (kind, rest) = text.split_once("](")?;
    let (id, _) = rest.split_once(')')?;
    match kind {
        "Person" => id.parse().ok().map(Mentioned::Person),
        "Team" => id.parse().ok().map(Mentioned::Team),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn persons_and_teams_are_mentioned_once_each() {
        let text =
            "Hi ![:Person](7), ![:Team](8)! ![:Person](7) ![:Person](x) ![:File](9) ![:Person](1";
        assert_eq!(
            mentioned_in(text),
            [Mentioned::Person(PersonId(7)), Mentioned::Team(ChatId(8))]
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(!|\\[|:|Person|\\]|\\(|[0-9]|\\)|é){0,40}") {
            prop_assert!(mentioned_in(&text).len() <= MENTIONS_MAX);
        }
    }
}
