//! Page tokens. A token says where its list goes on, and is sealed together with what it was made
//! for: the operation, what its path names, its filters, and the account of who asked. Elsewhere
//! the seal does not fit, as it does not fit a token of which anything was changed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hookyard_domain::AccountId;
use hookyard_domain::kernel::ports::Page;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::identity::tokens::{PAGE_SEAL_BYTES, TokenMint};

/// Longest page token that is read.
const TOKEN_CHARS_MAX: usize = 1_024;
/// Tokens of another version are of a server that wrote them differently.
const VERSION: u8 = 2;

/// A parameter's name and its value.
pub(super) type Pair = (String, String);

/// What a token is made for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Purpose {
    pub(super) account: AccountId,
    pub(super) operation: &'static str,
    /// What the path names.
    pub(super) path: Vec<Pair>,
    /// What narrows the list and is not in the token.
    pub(super) filters: Vec<Pair>,
}

/// What a token says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Place<K> {
    v: u8,
    /// -1 for keys below, 1 for keys above.
    d: i8,
    k: K,
    /// Records on a page.
    rc: u32,
    /// What narrows the list, where nobody repeats it.
    #[serde(default = "Vec::new", skip_serializing_if = "Vec::is_empty")]
    f: Vec<Pair>,
}

impl<K> Place<K> {
    /// Where `page` begins, if it is not the list's own beginning.
    pub(super) fn of(page: Page<K>, count: u32, filters: &[Pair]) -> Option<Self> {
        let (d, k) = match page {
            Page::First => return None,
            Page::Before(key) => (-1, key),
            Page::After(key) => (1, key),
        };
        Some(Self {
            v: VERSION,
            d,
            k,
            rc: count,
            f: filters.to_vec(),
        })
    }

    /// The page, how many records the last one had, and the filters.
    pub(super) fn read(self) -> Option<(Page<K>, u32, Vec<Pair>)> {
        let page = match self.d {
            -1 => Page::Before(self.k),
            1 => Page::After(self.k),
            _ => return None,
        };
        Some((page, self.rc, self.f))
    }
}

impl Purpose {
    fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a purpose is plain data")
    }

    /// A token for `place`.
    pub(super) fn seal<K: Serialize>(&self, place: &Place<K>, mint: &TokenMint) -> String {
        let mut bytes = serde_json::to_vec(place).expect("a place is plain data");
        let seal = mint.seal_page(&self.bytes(), &bytes);
        bytes.extend_from_slice(&seal);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a token says that was made for this, by us.
    pub(super) fn open<K: DeserializeOwned>(
        &self,
        token: &str,
        mint: &TokenMint,
    ) -> Option<Place<K>> {
        if token.len() > TOKEN_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let (text, seal) = bytes.split_at_checked(bytes.len().checked_sub(PAGE_SEAL_BYTES)?)?;
        if !mint.sealed_page(&self.bytes(), text, seal) {
            return None;
        }
        let place: Place<K> = serde_json::from_slice(text).ok()?;
        (place.v == VERSION).then_some(place)
    }
}
