//! Idempotency: the first request of a caller with a key, and what it was answered, so that a repeat
//! gets the same answer and nothing is done twice.

use std::fmt;

use async_trait::async_trait;
use sha2::{Digest, Sha256};

use crate::identity::app::ClientId;
use crate::identity::secret::Secret;
use crate::kernel::change::{Change, Claim, Guard};
use crate::kernel::ids::{AccountId, PersonId};
use crate::kernel::limits::{FIRST_REQUESTS_KEPT, REQUEST_KEY_BYTES_MAX};
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

/// A key, and whose it is: two callers may have the same one. The store knows only its hash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestKey {
    pub account: AccountId,
    pub person: PersonId,
    pub client_id: ClientId,
    pub hash: [u8; 32],
}

/// What a key may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is 1 to {REQUEST_KEY_BYTES_MAX} visible ASCII characters")]
pub struct BadKey;

impl RequestKey {
    /// The key that a caller wrote.
    ///
    /// # Errors
    ///
    /// When it is empty, too long, or holds what is no visible ASCII.
    pub fn read(
        account: AccountId,
        person: PersonId,
        client_id: ClientId,
        key: &[u8],
    ) -> Result<Self, BadKey> {
        let visible = key.iter().all(u8::is_ascii_graphic);
        if key.is_empty() || key.len() > REQUEST_KEY_BYTES_MAX || !visible {
            return Err(BadKey);
        }
        let hash = Sha256::digest(key).into();
        Ok(Self {
            account,
            person,
            client_id,
            hash,
        })
    }
}

/// What tells one request from another: a hash of everything that was asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestDigest(pub [u8; 32]);

impl RequestDigest {
    /// Of parts that are told apart: moving a byte from one to the next makes another digest.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

impl fmt::Debug for RequestDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestDigest(…)")
    }
}

/// An answer as it was given, to be given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAnswer {
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// It may hold secrets that are shown once.
    pub body: Secret,
}

/// The first request with a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstRequest {
    pub key: RequestKey,
    pub digest: RequestDigest,
    pub at: Timestamp,
    /// `None` while nobody knows it: the process ended before it did, or it was erased.
    pub answer: Option<FirstAnswer>,
}

/// What a repeat comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repeat {
    /// The first was answered so.
    Answered(FirstAnswer),
    /// The first asked for something else.
    Another,
    /// What the first asked for was done, and its answer is gone.
    Unanswered,
}

impl FirstRequest {
    /// What a request with the same key and this digest is.
    pub fn repeated_as(self, digest: RequestDigest) -> Repeat {
        match self.answer {
            _ if self.digest != digest => Repeat::Another,
            Some(answer) => Repeat::Answered(answer),
            None => Repeat::Unanswered,
        }
    }

    /// Whether it is still remembered at `now`.
    pub fn is_kept(&self, now: Timestamp) -> bool {
        Self::is_kept_since(self.at, now)
    }

    /// Whether one of that moment is still remembered at `now`.
    pub fn is_kept_since(at: Timestamp, now: Timestamp) -> bool {
        now < at + FIRST_REQUESTS_KEPT
    }

    /// Remembers it, if it is the first.
    pub fn claim(self) -> Change {
        let claim = Claim::Request {
            key: self.key.clone(),
            now: self.at,
        };
        self.keep().given(Guard::Free(claim))
    }

    /// Remembers it in place of what is known of it.
    pub fn keep(self) -> Change {
        Change::of(FirstRequestWrite::Put(Box::new(self)))
    }
}

/// Writes of first requests.
#[derive(Debug, Clone)]
pub enum FirstRequestWrite {
    /// The caller's oldest go when there are too many.
    Put(Box<FirstRequest>),
    /// Forgets those from before a moment.
    Purge { before: Timestamp },
}

/// Reads of first requests.
#[async_trait]
pub trait FirstRequests: Send + Sync {
    /// The first request with a key, if it is still remembered at `now`.
    async fn first_request(
        &self,
        key: &RequestKey,
        now: Timestamp,
    ) -> Result<Option<FirstRequest>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &[u8]) -> Result<RequestKey, BadKey> {
        RequestKey::read(AccountId(1), PersonId(2), ClientId("app".into()), text)
    }

    #[test]
    fn keys_are_visible_and_bounded() {
        for good in [&b"a"[..], b"\"8e03978e-40d5-43dd\"", &[b'~'; 255]] {
            assert!(key(good).is_ok(), "{good:?}");
        }
        for bad in [
            &b""[..],
            b"a b",
            b"a\tb",
            b"\x7f",
            b"\xc3\xa9",
            &[b'a'; 256],
        ] {
            assert_eq!(key(bad), Err(BadKey), "{bad:?}");
        }
    }

    #[test]
    fn a_repeat_is_what_it_asks_for() {
        let digest = RequestDigest::of([&b"POST"[..], b"/api/v1/bins"]);
        let moved = RequestDigest::of([&b"POST/"[..], b"api/v1/bins"]);
        let answer = FirstAnswer {
            status: 201,
            headers: Vec::new(),
            body: Secret::new("{}"),
        };
        let mut first = FirstRequest {
            key: key(b"k").unwrap(),
            digest,
            at: Timestamp::from_millis(0),
            answer: Some(answer.clone()),
        };
        let repeated = |first: &FirstRequest, digest| first.clone().repeated_as(digest);
        assert_eq!(repeated(&first, digest), Repeat::Answered(answer));
        assert_eq!(repeated(&first, moved), Repeat::Another);
        first.answer = None;
        assert_eq!(repeated(&first, digest), Repeat::Unanswered);
        assert_eq!(repeated(&first, moved), Repeat::Another);
    }
}
