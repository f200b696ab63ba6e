//! What the hot path reads: tokens, hook targets, chats, types of events. Bounded, and dropped when the writer
//! changes what they were made from.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hookyard_domain::kernel::ports::HookTarget;
use hookyard_domain::{
    AccountId, Change, Chat, ChatId, ChatWrite, CustomType, CustomTypeWrite, PersonWrite, Session,
    SessionWrite, Token, TokenHash, TypeName, Write,
};

/// Entries of one cache; past it the cache starts over, which costs one read for each entry.
const ENTRIES_MAX: usize = 16_384;

/// A map that forgets everything when it is full.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    entries: Mutex<HashMap<K, V>>,
    /// Counts what was dropped: an entry that was read before a drop must not come in after it.
    drops: AtomicU64,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self {
            entries: Mutex::default(),
            drops: AtomicU64::new(0),
        }
    }
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    /// The entry, or the mark to hand to [`Self::put`] once it is read.
    pub(super) fn get(&self, key: &K) -> Result<V, u64> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .get(key)
            .cloned()
            .ok_or_else(|| self.drops.load(Ordering::Acquire))
    }

    /// Keeps what was read, unless something was dropped meanwhile.
    pub(super) fn put(&self, key: K, value: V, mark: u64) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if self.drops.load(Ordering::Acquire) != mark {
            return;
        }
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(key, value);
    }

    fn drop_one(&self, key: &K) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        self.drops.fetch_add(1, Ordering::AcqRel);
        entries.remove(key);
    }

    fn drop_all(&self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        self.drops.fetch_add(1, Ordering::AcqRel);
        entries.clear();
    }
}

#[derive(Debug, Default)]
pub(super) struct Caches {
    pub(super) tokens: Cache<TokenHash, Arc<(Session, Token)>>,
    pub(super) hooks: Cache<TokenHash, Arc<HookTarget>>,
    pub(super) chats: Cache<ChatId, Arc<Chat>>,
    /// Those that are registered; what an account has of them is bounded.
    pub(super) types: Cache<(AccountId, TypeName), Arc<CustomType>>,
}

impl Caches {
    /// Drops what `change` made stale. Called after its commit and before it is acknowledged.
    pub(super) fn invalidate(&self, change: &Change) {
        for write in &change.writes {
            match write {
                Write::Session(SessionWrite::PutToken(token)) => self.tokens.drop_one(&token.hash),
                Write::Session(_) => self.tokens.drop_all(),
                Write::Webhook(_) | Write::Person(PersonWrite::Put(_)) => self.hooks.drop_all(),
                Write::Chat(
                    ChatWrite::Put(Chat { id, .. }) | ChatWrite::Delete { chat: id, .. },
                ) => {
                    self.chats.drop_one(id);
                    self.hooks.drop_all();
                }
                Write::CustomType(CustomTypeWrite::Put(known)) => {
                    self.types.drop_one(&(known.account, known.name.clone()));
                }
                Write::CustomType(CustomTypeWrite::Delete { account, name }) => {
                    self.types.drop_one(&(*account, name.clone()));
                }
                Write::Account(_)
                | Write::Person(_)
                | Write::App(_)
                | Write::JwtCredential(_)
                | Write::SignInCode(_)
                | Write::Post(_)
                | Write::Presence(_)
                | Write::Message(_)
                | Write::Request(_)
                | Write::Bin(_)
                | Write::Subscription(_)
                | Write::History(_)
                | Write::Delivery(_)
                | Write::Job(_)
                | Write::Statistics(_)
                | Write::Retention(_)
                | Write::Erasure(_) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_before_a_drop_does_not_come_in_after_it() {
        let cache = Cache::<u32, &str>::default();
        let mark = cache.get(&1).unwrap_err();
        cache.drop_one(&1);
        cache.put(1, "stale", mark);
        let mark = cache.get(&1).unwrap_err();
        cache.put(1, "fresh", mark);
        assert_eq!(cache.get(&1), Ok("fresh"));
    }
}
