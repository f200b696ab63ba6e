//! Applies changes: guards, writes, events and their deliveries, many changes to a transaction.

use std::collections::HashMap;
use std::sync::Arc;

use hookyard_domain::kernel::news::{News, NewsItem};
use hookyard_domain::kernel::ports::{Clock, CommitError, StoreError};
use hookyard_domain::{Change, EventId, IdSequence, Timestamp};
use rusqlite::Connection;

use super::caches::Caches;
use super::endpoints::statistics::{self, Tally};
use super::error::{Fault, Step};
use super::fanout::Fanout;
use super::query::execute;
use super::transaction::{Refusal, Transaction};
use crate::vault::Vault;

/// Everything that writing needs. There is one per store.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) db: Connection,
    pub(super) vault: Vault,
    fanout: Fanout,
    /// What the batch that is being applied says of how endpoints fare.
    tally: Tally,
    ids: Arc<IdSequence>,
    clock: Arc<dyn Clock>,
    caches: Arc<Caches>,
}

/// What came of a batch.
#[derive(Debug)]
pub(super) struct BatchOutcome {
    /// One for each change, in order: the ids of its events, or why it was refused.
    pub(super) results: Vec<Result<Vec<EventId>, CommitError>>,
    pub(super) news: News,
    /// We no longer know what is on disk: nothing may be acknowledged any more.
    pub(super) fatal: bool,
}

/// How the changes of a batch are kept from one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Isolation {
    /// Not at all: a change that breaks undoes the batch.
    None,
    EachChange,
}

/// Why a batch was not committed.
enum BatchFailure {
    /// One change broke half-way.
    NeedsIsolation,
    Undone {
        fault: Fault,
        fatal: bool,
    },
}

impl Engine {
    pub(super) fn new(
        db: Connection,
        vault: Vault,
        ids: Arc<IdSequence>,
        clock: Arc<dyn Clock>,
        caches: Arc<Caches>,
    ) -> Result<Self, Fault> {
        let fanout = Fanout::load(&db, &vault)?;
        Ok(Self {
            db,
            vault,
            fanout,
            tally: Tally::new(),
            ids,
            clock,
            caches,
        })
    }

    /// Applies `changes` in one transaction with one sync. A change that is refused leaves no
    /// trace; the others are not affected by it.
    ///
    /// Guards are looked at before anything is written, so a change that they refuse needs no
    /// undoing. What else can refuse a change is rare: then the whole batch is undone and applied
    /// again with each change in a savepoint of its own. To have savepoints always would cost more
    /// than all the writing, for each keeps a copy of every page that it touches.
    pub(super) fn commit(&mut self, changes: &[Change]) -> BatchOutcome {
        let applied = match self.apply_batch(changes, Isolation::None) {
            Err(BatchFailure::NeedsIsolation) => self.apply_batch(changes, Isolation::EachChange),
            other => other,
        };
        match applied {
            Ok(outcome) => {
                for change in changes {
                    self.caches.invalidate(change);
                }
                outcome
            }
            Err(BatchFailure::NeedsIsolation) => unreachable!("isolated changes fail alone"),
            Err(BatchFailure::Undone { fault, fatal }) => {
                let refuse = |_| Err(CommitError::Store(fault.told_again()));
                let results = changes.iter().map(refuse).collect();
                BatchOutcome {
                    results,
                    news: News::default(),
                    fatal,
                }
            }
        }
    }

    fn apply_batch(
        &mut self,
        changes: &[Change],
        isolation: Isolation,
    ) -> Result<BatchOutcome, BatchFailure> {
        let now = self.clock.now();
        let mut news = News::default();
        let mut results = Vec::with_capacity(changes.len());
        execute(&self.db, "begin immediate", []).map_err(|fault| BatchFailure::Undone {
            fault,
            fatal: false,
        })?;
        for change in changes {
            let mark = news.mark();
            let applied = match isolation {
                Isolation::None => self.apply(change, now, &mut news),
                Isolation::EachChange => self.apply_alone(change, now, &mut news),
            };
            let result = match applied {
                Ok(()) => Ok(ids_of(news.since(mark))),
                Err(Refusal::Stale) => Err(CommitError::Conflict),
                // Some errors end the transaction. What came before is undone then, and what would
                // come after must not be committed one by one.
                Err(Refusal::Fault(fault)) if self.db.is_autocommit() => {
                    self.undo();
                    return Err(BatchFailure::Undone {
                        fault,
                        fatal: false,
                    });
                }
                Err(_) if isolation == Isolation::None => {
                    self.undo();
                    return Err(BatchFailure::NeedsIsolation);
                }
                Err(Refusal::Conflict) => Err(CommitError::Conflict),
                Err(Refusal::Fault(fault)) => Err(CommitError::Store(fault.into())),
            };
            results.push(result);
        }
        let counted = std::mem::take(&mut self.tally);
        if let Err(fault) = statistics::add(&self.db, &counted, now) {
            self.undo();
            return Err(BatchFailure::Undone {
                fault,
                fatal: false,
            });
        }
        execute(&self.db, "commit", []).map_err(|fault| {
            let fatal = !fault.leaves_disk_known();
            self.undo();
            BatchFailure::Undone { fault, fatal }
        })?;
        Ok(BatchOutcome {
            results,
            news,
            fatal: false,
        })
    }

    /// Ends the transaction without a trace, in memory too.
    fn undo(&mut self) {
        // Where SQLite has already undone it, this has nothing left to do.
        let _ = execute(&self.db, "rollback", []);
        self.tally.clear();
        self.reload_fanout();
    }

    /// Applies one change, or nothing of it.
    fn apply_alone(
        &mut self,
        change: &Change,
        now: Timestamp,
        news: &mut News,
    ) -> Result<(), Refusal> {
        let mark = news.mark();
        let counted = self.tally.clone();
        execute(&self.db, "savepoint one_change", [])?;
        let applied = self.apply(change, now, news);
        if applied.is_err() {
            execute(&self.db, "rollback to one_change", [])?;
            news.rewind(mark);
            self.tally = counted;
            self.reload_fanout();
        }
        execute(&self.db, "release one_change", [])?;
        applied
    }

    fn apply(&mut self, change: &Change, now: Timestamp, news: &mut News) -> Result<(), Refusal> {
        let mut transaction = Transaction {
            db: &self.db,
            vault: &self.vault,
            fanout: &mut self.fanout,
            tally: &mut self.tally,
            news,
            ids: &self.ids,
            now,
        };
        transaction.apply(change)
    }

    /// Forgets what a rollback undid.
    fn reload_fanout(&mut self) {
        match Fanout::load(&self.db, &self.vault) {
            Ok(fanout) => self.fanout = fanout,
            Err(fault) => {
                let error = StoreError::from(fault);
                tracing::error!(%error, "The subscriptions could not be read again after a rollback");
            }
        }
    }

    /// Marks the store as in use, or as stopped with nothing in doubt.
    pub(super) fn set_clean(&self, clean: bool) -> Result<(), Fault> {
        let sql = "insert into meta (key, value) values ('clean', ?1)
            on conflict (key) do update set value = excluded.value";
        execute(&self.db, sql, [if clean { "yes" } else { "no" }])?;
        Ok(())
    }
}

fn ids_of(news: &[NewsItem]) -> Vec<EventId> {
    let of = |item: &NewsItem| match item {
        NewsItem::Event(committed) => Some(committed.event.id),
        _ => None,
    };
    news.iter().filter_map(of).collect()
}

/// Every table whose ids come from the store's sequence.
const NUMBERED_TABLES: &[&str] = &[
    "accounts",
    "persons",
    "sessions",
    "chats",
    "posts",
    "messages",
    "requests",
    "bins",
    "bin_requests",
    "events",
    "deliveries",
    "jobs",
];

/// The largest number that any object has.
pub(super) fn last_id(db: &Connection) -> Result<u64, Fault> {
    let mut last = 0;
    for table in NUMBERED_TABLES {
        let sql = format!("select coalesce(max(id), 0) from {table}");
        let id: i64 = db
            .query_row(&sql, [], |row| row.get(0))
            .step("read the last id")?;
        last = last.max(id.cast_unsigned());
    }
    Ok(last)
}

/// Whether the store was stopped with nothing in doubt; a new one was.
pub(super) fn was_clean(db: &Connection) -> Result<bool, Fault> {
    let found: HashMap<String, String> =
        super::query::many(db, "select key, value from meta", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?
        .into_iter()
        .collect();
    Ok(found.get("clean").is_none_or(|value| value == "yes"))
}

/// What the key that belongs to this database opens.
const KEY_CHECK: &[u8] = b"hookyard";
const KEY_CHECK_PLACE: &str = "meta.key_check";

/// Refuses a key that is not this database's: what it sealed could not be read, and what it would
/// seal could not be read with the right one. A new database remembers its key.
pub(super) fn check_key(db: &Connection, vault: &Vault) -> Result<(), Fault> {
    let sql = "select value from meta where key = 'key_check'";
    let known: Option<String> = super::query::one(db, sql, [], |row| row.get(0))?;
    let Some(known) = known else {
        let sealed = vault.seal(KEY_CHECK_PLACE, KEY_CHECK);
        let sql = "insert into meta (key, value) values ('key_check', lower(hex(?1)))";
        execute(db, sql, [sealed])?;
        return Ok(());
    };
    let sealed: Option<Vec<u8>> = (0..known.len() / 2)
        .map(|at| {
            known
                .get(2 * at..2 * at + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect();
    let opened = sealed.and_then(|sealed| vault.open(KEY_CHECK_PLACE, &sealed));
    if opened.as_deref() == Some(KEY_CHECK) {
        return Ok(());
    }
    Err(Fault::plain(
        "the key is not the one of this database: put the right `secret.key` back from your backup",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::{connection, migrations};

    /// A table that is forgotten here gives its numbers away again after a restart.
    #[test]
    fn every_table_with_a_number_for_its_id_is_asked_for_the_last_one() {
        let mut db = connection::open_in_memory().unwrap();
        migrations::migrate(&mut db).unwrap();
        let mut statement = db
            .prepare(
                "select t.name from pragma_table_list t join pragma_table_info(t.name) c
                where t.schema = 'main' and t.type = 'table' and c.name = 'id' and c.pk = 1
                    and lower(c.type) = 'integer'
                order by t.name",
            )
            .unwrap();
        let rows = statement.query_map([], |row| row.get::<_, String>(0));
        let found: Vec<String> = rows.unwrap().map(Result::unwrap).collect();
        let mut known = NUMBERED_TABLES.to_vec();
        known.sort_unstable();
        assert_eq!(found, known);
    }
}
