//! A bounded map that forgets what is used least, and what was made from something that changed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quick_cache::unsync::Cache as Evicting;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};

/// Entries of one cache.
pub(crate) const ENTRIES_MAX: usize = 16_384;
/// Drops that are remembered for those who read meanwhile. Who reads for longer than that keeps
/// nothing.
const DROPS_MAX: usize = 256;

/// What an entry was made from.
pub(crate) trait Sources<K> {
    type Source: Clone + Eq + Hash + fmt::Debug + Send;

    /// Everything whose change makes the entry stale.
    fn sources(&self, key: &K) -> Vec<Self::Source>;
}

/// Proof of when somebody began to read, for [`Cache::put`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

#[derive(Debug, Clone, Copy, Default)]
struct Collecting;

impl<K, V> Lifecycle<K, V> for Collecting {
    type RequestState = Vec<(K, V)>;

    fn on_evict(&self, evicted: &mut Vec<(K, V)>, key: K, value: V) {
        evicted.push((key, value));
    }
}

struct Inner<K, V: Sources<K>> {
    entries: Evicting<K, V, UnitWeighter, DefaultHashBuilder, Collecting>,
    by_source: HashMap<V::Source, HashSet<K>>,
    /// What was dropped last, the oldest first.
    dropped: VecDeque<V::Source>,
    /// How many drops there were.
    drops: u64,
}

/// A bounded map. What was read before a drop does not come in after it.
pub(crate) struct Cache<K, V: Sources<K>> {
    inner: Mutex<Inner<K, V>>,
}

impl<K: Hash + Eq, V: Sources<K>> fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("entries", &self.lock().entries.len())
            .finish_non_exhaustive()
    }
}

impl<K: Hash + Eq, V: Sources<K>> Default for Cache<K, V> {
    fn default() -> Self {
        let entries = Evicting::with(
            ENTRIES_MAX,
            ENTRIES_MAX as u64,
            UnitWeighter,
            DefaultHashBuilder::default(),
            Collecting,
        );
        Self {
            inner: Mutex::new(Inner {
                entries,
                by_source: HashMap::new(),
                dropped: VecDeque::with_capacity(DROPS_MAX),
                drops: 0,
            }),
        }
    }
}

impl<K: Hash + Eq, V: Sources<K>> Cache<K, V> {
    fn lock(&self) -> MutexGuard<'_, Inner<K, V>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone, V: Sources<K> + Clone> Cache<K, V> {
    /// The entry, or the mark to hand to [`Self::put`] once it is read.
    pub(crate) fn get(&self, key: &K) -> Result<V, Mark> {
        let inner = self.lock();
        inner.entries.get(key).cloned().ok_or(Mark(inner.drops))
    }

    /// Keeps what was read, unless what it was made from was dropped meanwhile.
    pub(crate) fn put(&self, key: K, value: V, mark: Mark) {
        let sources = value.sources(&key);
        let mut inner = self.lock();
        let missed = usize::try_from(inner.drops - mark.0).unwrap_or(usize::MAX);
        if missed > inner.dropped.len() {
            return;
        }
        let mut since = inner.dropped.iter().rev().take(missed);
        if since.any(|dropped| sources.contains(dropped)) {
            return;
        }
        if let Some((key, former)) = inner.entries.remove(&key) {
            inner.untie(&key, &former);
        }
        for source in sources {
            inner
                .by_source
                .entry(source)
                .or_default()
                .insert(key.clone());
        }
        let mut evicted = Vec::new();
        inner
            .entries
            .insert_with_lifecycle(key, value, &mut evicted);
        for (key, value) in evicted {
            inner.untie(&key, &value);
        }
    }

    /// Drops every entry that was made from `source`.
    pub(crate) fn drop_made_from(&self, source: V::Source) {
        let mut inner = self.lock();
        for key in inner.by_source.remove(&source).unwrap_or_default() {
            if let Some((key, value)) = inner.entries.remove(&key) {
                inner.untie(&key, &value);
            }
        }
        inner.drops += 1;
        if inner.dropped.len() >= DROPS_MAX {
            inner.dropped.pop_front();
        }
        inner.dropped.push_back(source);
    }
}

impl<K: Hash + Eq, V: Sources<K>> Inner<K, V> {
    /// Forgets what an entry that is gone was made from.
    fn untie(&mut self, key: &K, value: &V) {
        for source in value.sources(key) {
            if let Some(keys) = self.by_source.get_mut(&source) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_source.remove(&source);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value that was made from one number.
    #[derive(Debug, Clone, PartialEq)]
    struct Made(u64);

    impl Sources<u64> for Made {
        type Source = u64;

        fn sources(&self, key: &u64) -> Vec<u64> {
            vec![1_000_000 + self.0, *key]
        }
    }

    fn keep(cache: &Cache<u64, Made>, key: u64, from: u64) {
        let mark = cache.get(&key).unwrap_err();
        cache.put(key, Made(from), mark);
    }

    #[test]
    fn what_was_read_before_a_drop_does_not_come_in_after_it() {
        let cache = Cache::default();
        let mark = cache.get(&1).unwrap_err();
        cache.drop_made_from(1_000_007);
        cache.put(1, Made(7), mark);
        let mark = cache.get(&1).unwrap_err();
        cache.put(1, Made(7), mark);
        assert_eq!(cache.get(&1), Ok(Made(7)));
    }

    #[test]
    fn the_drop_of_something_else_keeps_nobody_out() {
        let cache = Cache::default();
        let mark = cache.get(&1).unwrap_err();
        cache.drop_made_from(1_000_008);
        cache.put(1, Made(7), mark);
        assert_eq!(cache.get(&1), Ok(Made(7)));
    }

    #[test]
    fn who_read_for_too_long_keeps_nothing() {
        let cache = Cache::default();
        let mark = cache.get(&1).unwrap_err();
        for other in 0..=DROPS_MAX as u64 {
            cache.drop_made_from(2_000_000 + other);
        }
        cache.put(1, Made(7), mark);
        assert!(cache.get(&1).is_err());
    }

    #[test]
    fn a_drop_takes_what_was_made_from_it_and_nothing_else() {
        let cache = Cache::default();
        for (key, from) in [(1, 7), (2, 7), (3, 8)] {
            keep(&cache, key, from);
        }
        cache.drop_made_from(1_000_007);
        assert!(cache.get(&1).is_err() && cache.get(&2).is_err());
        assert_eq!(cache.get(&3), Ok(Made(8)));
        let inner = cache.lock();
        assert_eq!(
            inner.by_source.len(),
            2,
            "nothing is left of those that are gone"
        );
    }

    /// One entry more than there is room for, all in use in turn.
    #[test]
    fn a_full_cache_does_not_start_over() {
        let cache = Cache::default();
        let used = ENTRIES_MAX as u64 + 1;
        let mut reads = 0;
        for key in (0..4).flat_map(|_| 0..used) {
            if let Err(mark) = cache.get(&key) {
                reads += 1;
                cache.put(key, Made(key), mark);
            }
        }
        assert!(reads < used + used / 10, "{reads} reads for {used} entries");
        let inner = cache.lock();
        assert!(inner.entries.len() <= ENTRIES_MAX);
        assert_eq!(inner.by_source.len(), 2 * inner.entries.len());
    }
}
