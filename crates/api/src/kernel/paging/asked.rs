//! One page of a list: what to read for it, how its rows are cut, and which tokens lead on.

use hookyard_domain::kernel::ports::Page;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answers::{Listing, Navigation};
use super::size;
use super::token::{Pair, Place, Purpose};
use crate::identity::tokens::TokenMint;

/// Which part of a list is asked for. `K` is what its rows are ordered by.
#[derive(Debug, Clone)]
pub(crate) struct Asked<'a, K = u64> {
    mint: &'a TokenMint,
    purpose: Purpose,
    pub(crate) page: Page<K>,
    /// Records on the page.
    pub(super) count: u32,
    /// What narrows the list, where a token brings it.
    pub(super) filters: Vec<Pair>,
}

/// In which order a list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    NewestFirst,
    OldestFirst,
}

impl<'a, K: DeserializeOwned> Asked<'a, K> {
    /// The page that a token leads to, or the first one. None for a token that was made for another
    /// purpose, or not by us.
    pub(super) fn read(
        mint: &'a TokenMint,
        purpose: Purpose,
        token: Option<&str>,
        count: Option<u32>,
        filters: Vec<Pair>,
    ) -> Option<Self> {
        let (page, before, filters) = match token {
            None => (Page::First, None, filters),
            Some(token) => {
                let (page, count, filters) = purpose.open(token, mint)?.read()?;
                (page, Some(count), filters)
            }
        };
        Some(Self {
            mint,
            purpose,
            page,
            count: size::or_as_before(count, before),
            filters,
        })
    }
}

impl<K> Asked<'_, K> {
    /// How many rows to read: one more than shown tells whether there are more.
    pub(crate) const fn rows(&self) -> u32 {
        self.count + 1
    }

    /// The values of a filter.
    pub(crate) fn filter(&self, name: &str) -> Vec<String> {
        let named = self.filters.iter().filter(|(known, _)| known == name);
        named.map(|(_, value)| value.clone()).collect()
    }

    fn shown(&self) -> usize {
        usize::try_from(self.count).expect("pages are small")
    }
}

impl<K: Serialize> Asked<'_, K> {
    /// Cuts rows that are newest first from `First` and `Before`, and oldest first from `After`,
    /// to a page that is newest first. `prevPageToken` leads to older records.
    pub(crate) fn newest_first<T>(
        &self,
        rows: Vec<T>,
        key_of: impl Fn(&T) -> K,
    ) -> (Vec<T>, Navigation) {
        self.cut(rows, Order::NewestFirst, key_of)
    }

    /// Cuts ascending rows to a page. `prevPageToken` leads to *further*, that is newer, records:
    /// that is how the platform's clients read these lists.
    pub(crate) fn oldest_first<T>(
        &self,
        rows: Vec<T>,
        key_of: impl Fn(&T) -> K,
    ) -> (Vec<T>, Navigation) {
        self.cut(rows, Order::OldestFirst, key_of)
    }

    /// Cuts rows that are newest first to a page, with the token of the one after it.
    pub(crate) fn listing<T>(&self, rows: Vec<T>, key_of: impl Fn(&T) -> K) -> Listing<T> {
        let (records, navigation) = self.newest_first(rows, key_of);
        Listing {
            records,
            next_page_token: navigation.prev_page_token,
        }
    }

    /// A listing of rows that are picked from many: `stopped_at` is where looking for more of them
    /// was given up for this time.
    pub(super) fn listing_after<T>(
        &self,
        rows: Vec<T>,
        stopped_at: Option<K>,
        key_of: impl Fn(&T) -> K,
    ) -> Listing<T> {
        let listing = self.listing(rows, key_of);
        let further = stopped_at.and_then(|key| self.token(Page::Before(key)));
        Listing {
            next_page_token: listing.next_page_token.or(further),
            ..listing
        }
    }

    fn cut<T>(
        &self,
        mut rows: Vec<T>,
        order: Order,
        key_of: impl Fn(&T) -> K,
    ) -> (Vec<T>, Navigation) {
        let backwards = match (&self.page, order) {
            (Page::After(_), Order::NewestFirst) | (Page::Before(_), Order::OldestFirst) => true,
            (Page::First | Page::Before(_) | Page::After(_), _) => false,
        };
        // What is shown is nearest to where the page begins.
        if backwards && order == Order::OldestFirst {
            rows.reverse();
        }
        let more = rows.len() > self.shown();
        rows.truncate(self.shown());
        if backwards {
            rows.reverse();
        }
        let (last, first) = (rows.last().map(&key_of), rows.first().map(&key_of));
        let further = last.filter(|_| more || backwards);
        let back = first.filter(|_| more || !backwards);
        let back = back.filter(|_| !matches!(self.page, Page::First));
        let (prev, next) = match order {
            Order::NewestFirst => (further.map(Page::Before), back.map(Page::After)),
            Order::OldestFirst => (further.map(Page::After), back.map(Page::Before)),
        };
        let navigation = Navigation {
            prev_page_token: prev.and_then(|page| self.token(page)),
            next_page_token: next.and_then(|page| self.token(page)),
        };
        (rows, navigation)
    }

    pub(super) fn token(&self, page: Page<K>) -> Option<String> {
        let place = Place::of(page, self.count, &self.filters)?;
        Some(self.purpose.seal(&place, self.mint))
    }
}

impl<K: Ord> Asked<'_, K> {
    /// Of a list that is held whole, newest first: the rows to cut, one more than are shown.
    pub(crate) fn of_whole<T>(
        &self,
        whole: impl IntoIterator<Item = T>,
        key_of: impl Fn(&T) -> K,
    ) -> Vec<T> {
        let begins = |row: &T| match &self.page {
            Page::Before(key) => key_of(row) < *key,
            Page::First | Page::After(_) => true,
        };
        let rows = whole.into_iter().filter(begins);
        rows.take(self.shown() + 1).collect()
    }
}
