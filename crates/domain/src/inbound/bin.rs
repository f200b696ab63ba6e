//! Bins: scratch URLs that show what they receive, and answer as they are told to.

mod answer;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

pub use self::answer::{BinAnswer, BinReply, Repeat};
use crate::identity::secret::{Secret, TokenHash};
use crate::kernel::change::{Change, Guard, Set};
use crate::kernel::ids::{AccountId, BinId, BinRequestId, SubscriptionId};
use crate::kernel::limits::{BIN_NAME_CHARS_MAX, BINS_MAX};
use crate::kernel::ports::{Page, StoreError};
use crate::kernel::time::Timestamp;

/// A scratch URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    pub account: AccountId,
    pub id: BinId,
    /// What people call it; may be empty.
    pub name: String,
    /// What the URL carries. Kept sealed for showing it again, and hashed for finding it.
    pub token: Secret,
    pub answer: BinAnswer,
    pub created_at: Timestamp,
    /// Grows by one with every change; what guards compare. Requests do not change it.
    pub version: u64,
}

/// Why an answer or a name is not accepted: where, and what would be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {rule}")]
pub struct BinError {
    /// Path of the field below the bin, such as `answer.sequence[1].headers.X-Foo`.
    pub place: String,
    /// What the field must be, as the end of a sentence.
    pub rule: String,
}

impl BinError {
    fn at(place: impl Into<String>, rule: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            rule: rule.into(),
        }
    }
}

impl Bin {
    /// Reads a name: spaces around it mean nothing.
    pub fn read_name(text: &str) -> Result<String, BinError> {
        let name = text.trim();
        if name.chars().count() > BIN_NAME_CHARS_MAX || name.contains(char::is_control) {
            let rule = format!("at most {BIN_NAME_CHARS_MAX} characters on one line");
            return Err(BinError::at("name", rule));
        }
        Ok(name.to_owned())
    }

    /// Adds this new bin to its account.
    pub fn create(self) -> Result<Change, BinError> {
        self.answer.check()?;
        let room = Guard::Room {
            of: Set::Bins(self.account),
            max: BINS_MAX,
        };
        Ok(Change::of(BinWrite::Put(Box::new(self))).given(room))
    }

    /// Gives the bin another name and another answer; tells what it is then, too.
    pub fn update(&self, name: String, answer: BinAnswer) -> Result<(Change, Self), BinError> {
        answer.check()?;
        if name == self.name && answer == self.answer {
            return Ok((Change::default(), self.clone()));
        }
        let next = Self {
            name,
            answer,
            version: self.version + 1,
            ..self.clone()
        };
        let put = BinWrite::Put(Box::new(next.clone()));
        Ok((Change::of(put).given(self.unchanged()), next))
    }

    /// Deletes it; its URL leads nowhere from then on.
    pub fn delete(&self) -> Change {
        Change::of(BinWrite::Delete {
            account: self.account,
            bin: self.id,
        })
    }

    /// Forgets what it received.
    pub fn clear(&self) -> Change {
        Change::of(BinWrite::Clear {
            account: self.account,
            bin: self.id,
        })
    }

    fn unchanged(&self) -> Guard {
        Guard::version(self.account, self.id, self.version)
    }
}

/// One HTTP call to a bin, whatever its method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BinRequest {
    pub account: AccountId,
    pub id: BinRequestId,
    pub bin: BinId,
    /// Its place among the bin's requests in the order of their commits, from one.
    /// [`BinRequest::PENDING`] until then.
    pub number: u64,
    /// Which of the configured answers it gets, counted from one, or [`BinRequest::PENDING`];
    /// `None` for handshakes that are answered as such.
    pub turn: Option<u64>,
    pub received_at: Timestamp,
    pub method: String,
    /// Below the bin's URL; `/` for the URL itself.
    pub path: String,
    /// As it came, without the question mark.
    pub query: String,
    /// All of them, lower-case names, in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body, cut at `limits::BIN_BODY_KEPT_BYTES_MAX`.
    pub body: Bytes,
    /// Size of the body before it was cut.
    pub body_bytes: u64,
    pub remote_address: String,
    pub signature: BinSignature,
}

impl BinRequest {
    /// Stands for a number that the commit will give.
    pub const PENDING: u64 = 0;

    /// Keeps it, as long as its bin is there.
    pub fn keep(self) -> Change {
        let there = Guard::exists(self.account, self.bin);
        Change::of(BinWrite::PutRequest(Arc::new(self))).given(there)
    }

    /// Whether less of the body is kept than came.
    pub fn is_truncated(&self) -> bool {
        self.body_bytes > self.body.len() as u64
    }
}

/// What is known of a request's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BinSignature {
    /// `None` when there is none to verify, or no secret to verify it with.
    pub verified: Option<bool>,
    /// Whose secret it was verified with.
    pub endpoint: Option<SubscriptionId>,
}

/// What is written of bins.
#[derive(Debug, Clone)]
pub enum BinWrite {
    /// With another answer than before, turns count from one again.
    Put(Box<Bin>),
    /// The bin with its requests.
    Delete { account: AccountId, bin: BinId },
    /// Keeps a request of a bin that is there, gives it its number and turn, and forgets the oldest
    /// when there are too many.
    PutRequest(Arc<BinRequest>),
    /// Forgets the requests of a bin; turns count from one again.
    Clear { account: AccountId, bin: BinId },
}

/// Reads of bins.
#[async_trait]
pub trait Bins: Send + Sync {
    /// A bin, and how many requests are kept of it.
    async fn bin(&self, account: AccountId, bin: BinId) -> Result<Option<(Bin, u64)>, StoreError>;
    async fn bin_by_token(&self, hash: TokenHash) -> Result<Option<Bin>, StoreError>;
    /// Bins of an account, newest first, and how many requests are kept of each.
    async fn bins(
        &self,
        account: AccountId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<(Bin, u64)>, StoreError>;
    async fn bin_request(
        &self,
        account: AccountId,
        request: BinRequestId,
    ) -> Result<Option<BinRequest>, StoreError>;
    /// Requests of a bin by their numbers: newest first from `First` and `Before`; oldest first
    /// from `After`.
    async fn bin_requests(
        &self,
        account: AccountId,
        bin: BinId,
        page: Page,
        limit: u32,
    ) -> Result<Vec<BinRequest>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_on_one_line() {
        assert_eq!(Bin::read_name("  Orders ").as_deref(), Ok("Orders"));
        assert!(Bin::read_name("a\nb").is_err());
        assert!(Bin::read_name(&"x".repeat(BIN_NAME_CHARS_MAX)).is_ok());
        assert!(Bin::read_name(&"x".repeat(BIN_NAME_CHARS_MAX + 1)).is_err());
    }
}
