use std::collections::VecDeque;

use hookyard_domain::kernel::ports::Page;
use hookyard_domain::{AccountId, Problem};
use proptest::prelude::*;

use super::answers::Navigation;
use super::asked::Asked;
use super::size;
use super::token::{Pair, Place, Purpose};
use crate::identity::tokens::TokenMint;
use crate::kernel::problem::{ApiError, ApiResult};
use crate::kernel::query::Pairs;

fn mint() -> TokenMint {
    TokenMint::new([1; 32])
}

fn pairs(all: &[(&str, &str)]) -> Vec<Pair> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    all.iter().map(owned).collect()
}

fn purpose() -> Purpose {
    Purpose {
        account: AccountId(1),
        operation: "list_things",
        path: pairs(&[("boxId", "7")]),
        filters: pairs(&[("status", "open")]),
    }
}

/// What a token leads to; without one, the first page of `count`.
fn ask<'a>(mint: &'a TokenMint, token: Option<&str>, count: Option<u32>) -> Option<Asked<'a>> {
    Asked::read(mint, purpose(), token, count, Vec::new())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    NewestFirst,
    OldestFirst,
}

/// What a store answers: for lists that are newest first, rows nearest to where the page begins
/// first; for the others always ascending.
fn rows(ids: &VecDeque<u64>, shown: Shown, page: Page, limit: u32) -> Vec<u64> {
    let limit = usize::try_from(limit).unwrap();
    let up = |from: u64| ids.iter().copied().filter(move |id| *id > from).take(limit);
    let down = |to: u64| {
        let below = ids.iter().rev().copied();
        below.filter(move |id| *id < to).take(limit)
    };
    match (page, shown) {
        (Page::First, Shown::OldestFirst) => up(0).collect(),
        (Page::First, Shown::NewestFirst) => down(u64::MAX).collect(),
        (Page::After(id), _) => up(id).collect(),
        (Page::Before(id), Shown::NewestFirst) => down(id).collect(),
        (Page::Before(id), Shown::OldestFirst) => {
            let mut found: Vec<_> = down(id).collect();
            found.reverse();
            found
        }
    }
}

fn page_of(ids: &VecDeque<u64>, shown: Shown, asked: &Asked<'_>) -> (Vec<u64>, Navigation) {
    let found = rows(ids, shown, asked.page, asked.rows());
    match shown {
        Shown::NewestFirst => asked.newest_first(found, |id| *id),
        Shown::OldestFirst => asked.oldest_first(found, |id| *id),
    }
}

fn walk(
    ids: &VecDeque<u64>,
    shown: Shown,
    start: &Asked<'_>,
    next: impl Fn(Navigation) -> Option<String>,
) -> Vec<Vec<u64>> {
    let mint = mint();
    let mut pages = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let (page, navigation) = match &token {
            None => page_of(ids, shown, start),
            Some(token) => page_of(ids, shown, &ask(&mint, Some(token), None).unwrap()),
        };
        pages.push(page);
        token = next(navigation);
        if token.is_none() {
            return pages;
        }
    }
}

#[test]
fn pages_cover_a_list_once_in_both_orders() {
    let (ids, mint) = ((1..=7).collect(), mint());
    let walk = |shown, count| {
        let start = ask(&mint, None, Some(count)).unwrap();
        walk(&ids, shown, &start, |to| to.prev_page_token)
    };
    assert_eq!(
        walk(Shown::NewestFirst, 3),
        [vec![7, 6, 5], vec![4, 3, 2], vec![1]]
    );
    assert_eq!(
        walk(Shown::OldestFirst, 3),
        [vec![1, 2, 3], vec![4, 5, 6], vec![7]]
    );
    assert_eq!(walk(Shown::OldestFirst, 7), [vec![1, 2, 3, 4, 5, 6, 7]]);
}

#[test]
fn pages_lead_back() {
    let (ids, mint) = ((1..=7).collect(), mint());
    let walk = |shown, from| {
        let token = ask(&mint, None, Some(3)).unwrap().token(from);
        let start = ask(&mint, token.as_deref(), None).unwrap();
        walk(&ids, shown, &start, |to| to.next_page_token)
    };
    assert_eq!(
        walk(Shown::NewestFirst, Page::Before(4)),
        [vec![3, 2, 1], vec![6, 5, 4], vec![7]]
    );
    assert_eq!(
        walk(Shown::OldestFirst, Page::After(4)),
        [vec![5, 6, 7], vec![2, 3, 4], vec![1]]
    );
}

#[test]
fn a_token_that_is_not_ours_is_refused() {
    let mint = mint();
    for token in ["x", "e30", "%00", "", &"A".repeat(5_000)] {
        assert!(ask(&mint, Some(token), None).is_none(), "{token}");
    }
    let token = ask(&mint, None, None)
        .unwrap()
        .token(Page::After(4))
        .unwrap();
    let other = TokenMint::new([2; 32]);
    assert!(ask(&other, Some(&token), None).is_none());
    assert!(ask(&mint, Some(&token), None).is_some());
}

#[test]
fn a_token_serves_only_what_it_was_made_for() {
    let mint = mint();
    let token = ask(&mint, None, None)
        .unwrap()
        .token(Page::Before(4))
        .unwrap();
    let others = [
        Purpose {
            account: AccountId(2),
            ..purpose()
        },
        Purpose {
            operation: "list_others",
            ..purpose()
        },
        Purpose {
            path: pairs(&[("boxId", "8")]),
            ..purpose()
        },
        Purpose {
            path: Vec::new(),
            ..purpose()
        },
        Purpose {
            filters: pairs(&[("status", "closed")]),
            ..purpose()
        },
        Purpose {
            filters: Vec::new(),
            ..purpose()
        },
        // The same words at other places.
        Purpose {
            path: Vec::new(),
            filters: pairs(&[("boxId", "7"), ("status", "open")]),
            ..purpose()
        },
    ];
    for other in others {
        let asked = Asked::<u64>::read(&mint, other.clone(), Some(&token), None, Vec::new());
        assert!(asked.is_none(), "{other:?}");
    }
}

#[test]
fn a_token_brings_its_filters_and_its_size() {
    let mint = mint();
    let kinds = pairs(&[("type", "Team"), ("type", "Group")]);
    let first = Asked::<u64>::read(&mint, purpose(), None, Some(5), kinds).unwrap();
    let token = first.token(Page::After(3)).unwrap();
    let next = ask(&mint, Some(&token), None).unwrap();
    assert_eq!(next.filter("type"), ["Team", "Group"]);
    assert_eq!((next.page, next.rows()), (Page::After(3), 6));
    let wider = ask(&mint, Some(&token), Some(9)).unwrap();
    assert_eq!(wider.rows(), 10);
}

#[test]
fn a_list_held_whole_is_cut_by_any_key() {
    let mint = mint();
    // Two of them were made in the same moment.
    let whole = [(9, "a"), (5, "z"), (5, "b"), (1, "c")].map(|(at, id)| (at, id.to_owned()));
    let key_of = |row: &(i64, String)| row.clone();
    let mut token: Option<String> = None;
    let mut seen = Vec::new();
    loop {
        let asked =
            Asked::<(i64, String)>::read(&mint, purpose(), token.as_deref(), Some(1), Vec::new());
        let asked = asked.unwrap();
        let page = asked.listing(asked.of_whole(whole.clone(), key_of), key_of);
        seen.extend(page.records);
        token = page.next_page_token;
        if token.is_none() {
            break;
        }
    }
    assert_eq!(seen, whole);
}

fn parameter_of<T>(asked: ApiResult<T>) -> Option<String> {
    match asked.err()? {
        ApiError::Problem(Problem { parameter_name, .. }) => {
            parameter_name.map(std::borrow::Cow::into_owned)
        }
        error => panic!("{error:?}"),
    }
}

#[test]
fn record_counts_are_bounded() {
    let query = |text: &str| Pairs::parse(text.as_bytes());
    let count = |text: &str| size::record_count(&query(text));
    assert_eq!(size::records_at_most(&query("")).unwrap(), 30);
    assert_eq!(count("recordCount=250").unwrap(), Some(250));
    assert_eq!(count("recordCount=251").unwrap(), Some(250));
    for text in ["0", "-1", "x", "99999999999"] {
        let asked = count(&format!("recordCount={text}"));
        assert_eq!(parameter_of(asked).as_deref(), Some("recordCount"));
    }
    assert_eq!(size::limit(&query("limit=250")).unwrap(), Some(250));
    for text in ["0", "-1", "x", "251", "99999999999"] {
        let asked = size::limit(&query(&format!("limit={text}")));
        assert_eq!(parameter_of(asked).as_deref(), Some("limit"));
    }
}

/// What comes to a list while somebody walks it: how many rows at its old end, and at its new one.
type Arrivals = Vec<(u64, u64)>;

/// Walks from `token` on, and gives back what was shown, in the order of the list.
fn walk_busy(
    mut ids: VecDeque<u64>,
    shown: Shown,
    mut token: Option<String>,
    onward: bool,
    (sizes, arrivals): (&[u32], &Arrivals),
) -> Vec<u64> {
    let mint = mint();
    let mut pages = Vec::new();
    // What comes ends: until then a walk towards it has no end either.
    let mut arrivals = arrivals.iter();
    for size in sizes.iter().cycle().take(500) {
        let asked = ask(&mint, token.as_deref(), Some(*size));
        let (page, navigation) = page_of(&ids, shown, &asked.expect("it is a token of ours"));
        assert!(page.len() <= usize::try_from(*size).unwrap());
        pages.push(page);
        let (old, new) = arrivals.next().copied().unwrap_or_default();
        for _ in 0..old {
            ids.push_front(ids.front().map_or(999, |id| id - 1));
        }
        for _ in 0..new {
            ids.push_back(ids.back().map_or(1_000, |id| id + 1));
        }
        token = if onward {
            navigation.prev_page_token
        } else {
            navigation.next_page_token
        };
        if token.is_none() {
            if !onward {
                pages.reverse();
            }
            return pages.concat();
        }
    }
    panic!("the walk has no end");
}

proptest! {
    /// Walking shows every row that was there all the time once and in order, whatever comes at
    /// either end meanwhile and however large each page is; and so does walking back.
    #[test]
    fn a_walk_misses_nothing_and_repeats_nothing(
        count in 1_u64..40,
        sizes in prop::collection::vec(1_u32..9, 1..12),
        arrivals in prop::collection::vec((0_u64..4, 0_u64..4), 1..12),
        newest_first in any::<bool>(),
    ) {
        let shown = if newest_first { Shown::NewestFirst } else { Shown::OldestFirst };
        let ids: VecDeque<u64> = (1_000..1_000 + count).collect();
        let mut there: Vec<u64> = ids.iter().copied().collect();
        let from_behind = if newest_first {
            there.reverse();
            Page::After(999)
        } else {
            Page::Before(1_000 + count)
        };
        let mint = mint();
        let behind = ask(&mint, None, None).unwrap().token(from_behind);
        for (onward, start) in [(true, None), (false, behind)] {
            let seen = walk_busy(ids.clone(), shown, start, onward, (&sizes, &arrivals));
            let in_order = seen.is_sorted_by(|one, next| {
                if newest_first { one > next } else { one < next }
            });
            prop_assert!(in_order, "{:?}", seen);
            let kept: Vec<u64> = seen.into_iter().filter(|id| there.contains(id)).collect();
            prop_assert_eq!(&kept, &there);
        }
    }

    /// Nothing about a token can be changed: neither a character of it, nor a byte of what it says.
    #[test]
    fn no_byte_of_a_token_can_be_changed(
        key in any::<u64>(),
        upwards in any::<bool>(),
        count in 1_u32..=250,
        flip in 1_u8..=255,
    ) {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;

        let mint = mint();
        let page = if upwards { Page::After(key) } else { Page::Before(key) };
        let asked = ask(&mint, None, Some(count)).unwrap();
        let token = asked.token(page).unwrap();
        prop_assert_eq!(ask(&mint, Some(&token), None).map(|asked| asked.page), Some(page));
        let bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for at in 0..bytes.len() {
            let mut bent = bytes.clone();
            bent[at] ^= flip;
            prop_assert!(ask(&mint, Some(&URL_SAFE_NO_PAD.encode(bent)), None).is_none());
            let cut = URL_SAFE_NO_PAD.encode(&bytes[..at]);
            prop_assert!(ask(&mint, Some(&cut), None).is_none());
        }
        for at in 0..token.len() {
            let mut bent = token.clone().into_bytes();
            bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
            let bent = String::from_utf8(bent).unwrap();
            prop_assert!(ask(&mint, Some(&bent), None).is_none(), "character {}", at);
        }
        let longer = token + "A";
        prop_assert!(ask(&mint, Some(&longer), None).is_none());
    }

    /// Whatever a place says is read again as it was written.
    #[test]
    fn a_place_comes_back(key in any::<(i64, u64)>(), count in any::<u32>(), name in "\\PC*") {
        let mint = mint();
        let filters = pairs(&[("q", &name)]);
        let place = Place::of(Page::Before(key), count, &filters).unwrap();
        let token = purpose().seal(&place, &mint);
        match purpose().open::<(i64, u64)>(&token, &mint) {
            Some(read) => prop_assert_eq!(read, place),
            None => prop_assert!(token.len() > 1_024),
        }
    }
}
