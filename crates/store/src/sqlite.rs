//! The store: a writer behind one door, readers beside it, caches in front.

mod backend;
mod checkpoints;
mod connection;
mod delivery;
mod endpoints;
mod erasure;
mod error;
mod events;
mod feed;
mod figures;
mod first_requests;
mod guards;
mod identity;
mod inbound;
mod messaging;
mod meta;
mod migrations;
mod query;
mod retention;
mod row;
mod subscriptions;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;

use hookyard_domain::kernel::ports::{
    Chance, Clock, CommitError, CommitListener, Commits, StoreError,
};
use hookyard_domain::{Change, EventId, IdSequence};
use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};

use self::backend::Rows;
use self::checkpoints::Checkpointer;
use self::delivery::deliveries::waiting::mark_possible_repeats;
use self::error::Fault;
use crate::commit::{Caches, Core, Encoded, Listeners, Pulse, Writer, tell};
use crate::vault::{Vault, VaultKey};

/// Connections that read. More would not read faster on the few cores that we are built for.
const READERS_MAX: usize = 4;

/// What a store needs from outside.
#[derive(Debug, Clone)]
pub struct Options {
    pub vault_key: VaultKey,
    pub clock: Arc<dyn Clock>,
    pub chance: Arc<dyn Chance>,
}

/// The `Store` port on SQLite.
pub struct SqliteStore {
    /// Where changes go.
    door: Arc<dyn Commits>,
    backend: Backend,
    vault: Vault,
    caches: Arc<Caches>,
    listeners: Listeners,
    ids: Arc<IdSequence>,
    pulse: Arc<Pulse>,
}

enum Backend {
    /// A file: commits go to the writer's thread, reads to a pool.
    File {
        writer: Arc<Writer<Rows>>,
        readers: Arc<Readers>,
    },
    /// One connection for everything, used by the caller's own thread: no sync, no thread, so
    /// that simulations can replay it.
    Inline { core: Arc<Mutex<Core<Rows>>> },
}

/// Commits on the caller's thread.
#[derive(Debug)]
struct InlineDoor {
    core: Arc<Mutex<Core<Rows>>>,
    encoder: Vault,
    listeners: Listeners,
}

#[async_trait]
impl Commits for InlineDoor {
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError> {
        if change.is_empty() {
            return Ok(Vec::new());
        }
        let encoded = Encoded::new(&self.encoder, change).map_err(StoreError::from)?;
        let outcome = {
            let mut core = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            core.commit(&mut [encoded])
        };
        tell(&self.listeners, &outcome.news);
        let fate = outcome.fates.into_iter().next();
        fate.expect("one change has one fate")
    }
}

#[async_trait]
impl Commits for SqliteStore {
    async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError> {
        self.door.commit_numbering(change).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// Connections that read, handed out one at a time.
struct Readers {
    path: std::path::PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl Readers {
    fn take(&self) -> Result<Connection, Fault> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        idle.map_or_else(|| connection::open_reader(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(connection);
    }
}

impl SqliteStore {
    /// Opens the database in `path`, makes and migrates it as needed, and starts the writer.
    ///
    /// After an unclean end it first marks what may have been sent without a record.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, or belongs to a newer Hookyard.
    pub fn open(path: &Path, options: Options) -> Result<Self, StoreError> {
        let mut db = connection::open_writer(path)?;
        migrations::migrate(&mut db)?;
        checkpoints::empty_log(&db)?;
        let vault = Vault::new(options.vault_key, Arc::clone(&options.chance));
        meta::check_key(&db, &vault)?;
        if !meta::was_clean(&db)? {
            mark_possible_repeats(&db)?;
        }
        meta::set_clean(&db, false)?;
        let failing = Arc::new(watch::Sender::new(false));
        let checkpoints = Checkpointer::start(path, Arc::clone(&failing))?;
        let (core, parts) = assemble(db, vault, options.clock, Some(checkpoints))?;
        let listeners = Arc::clone(&parts.listeners);
        let writer = Writer::start(core, parts.vault.clone(), listeners, failing)?;
        let writer = Arc::new(writer);
        let readers = Arc::new(Readers {
            path: path.to_owned(),
            idle: Mutex::default(),
            permits: Semaphore::new(READERS_MAX),
        });
        let door = Arc::clone(&writer);
        Ok(parts.with(door, Backend::File { writer, readers }))
    }

    /// A store in memory that does everything on the caller's thread. Nothing in it survives, and
    /// nothing in it waits.
    ///
    /// # Errors
    ///
    /// When SQLite refuses a database in memory.
    pub fn inline(options: Options) -> Result<Self, StoreError> {
        let mut db = connection::open_in_memory()?;
        migrations::migrate(&mut db)?;
        let vault = Vault::new(options.vault_key, options.chance);
        let (core, parts) = assemble(db, vault, options.clock, None)?;
        let core = Arc::new(Mutex::new(core));
        let door = Arc::new(InlineDoor {
            core: Arc::clone(&core),
            encoder: parts.vault.clone(),
            listeners: Arc::clone(&parts.listeners),
        });
        Ok(parts.with(door, Backend::Inline { core }))
    }

    /// Puts `layer` between callers and the commit; reads stay as they are. This is where faults
    /// are injected.
    #[must_use]
    pub fn with_layer(mut self, layer: impl FnOnce(Arc<dyn Commits>) -> Arc<dyn Commits>) -> Self {
        self.door = layer(self.door);
        self
    }

    /// The numbers that objects of this store get.
    pub fn ids(&self) -> Arc<IdSequence> {
        Arc::clone(&self.ids)
    }

    /// Tells `listener` of every commit from now on.
    pub fn listen(&self, listener: Arc<dyn CommitListener>) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .push(listener);
    }

    /// Forgets all listeners: what a crash does to them.
    pub fn forget_listeners(&self) {
        self.listeners
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Does what opening after an unclean end does; for simulations of a crash.
    ///
    /// # Errors
    ///
    /// When the store cannot write.
    pub fn mark_possible_repeats(&self) -> Result<(), StoreError> {
        if let Backend::Inline { core } = &self.backend {
            let core = core.lock().unwrap_or_else(PoisonError::into_inner);
            mark_possible_repeats(&core.backend().db)?;
        }
        Ok(())
    }

    /// What was made durable since the start.
    pub(crate) fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// Changes that wait for the writer at this moment.
    pub(crate) fn queue(&self) -> usize {
        match &self.backend {
            Backend::File { writer, .. } => writer.queue(),
            Backend::Inline { .. } => 0,
        }
    }

    /// Waits until the store can no longer make anything durable; the process must then end.
    pub async fn failed(&self) {
        match &self.backend {
            Backend::File { writer, .. } => {
                let mut failed: watch::Receiver<bool> = writer.failed();
                if failed.wait_for(|failed| *failed).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            Backend::Inline { .. } => std::future::pending().await,
        }
    }

    /// Finishes what waits and marks the store as cleanly stopped.
    pub async fn close(&self) {
        if let Backend::File { writer, .. } = &self.backend {
            writer.close().await;
        }
    }

    /// Reads on a connection of the pool.
    async fn read<T, F>(&self, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &Vault) -> Result<T, Fault> + Send + 'static,
    {
        match &self.backend {
            Backend::Inline { core } => {
                let core = core.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(query(&core.backend().db, &self.vault)?)
            }
            Backend::File { readers, .. } => {
                let _permit = readers.permits.acquire().await.map_err(|_| ended())?;
                let readers = Arc::clone(readers);
                let vault = self.vault.clone();
                let work = move || {
                    let connection = readers.take()?;
                    let found = query(&connection, &vault);
                    readers.give_back(connection);
                    found
                };
                let found = tokio::task::spawn_blocking(work)
                    .await
                    .map_err(|_| ended())?;
                Ok(found?)
            }
        }
    }
}

fn ended() -> StoreError {
    StoreError {
        context: "a read was broken off".into(),
        source: None,
    }
}

struct Parts {
    vault: Vault,
    caches: Arc<Caches>,
    listeners: Listeners,
    ids: Arc<IdSequence>,
    pulse: Arc<Pulse>,
}

impl Parts {
    fn with(self, door: Arc<dyn Commits>, backend: Backend) -> SqliteStore {
        let Self {
            vault,
            caches,
            listeners,
            ids,
            pulse,
        } = self;
        SqliteStore {
            door,
            backend,
            vault,
            caches,
            listeners,
            ids,
            pulse,
        }
    }
}

fn assemble(
    db: Connection,
    vault: Vault,
    clock: Arc<dyn Clock>,
    checkpoints: Option<Checkpointer>,
) -> Result<(Core<Rows>, Parts), Fault> {
    let caches = Arc::new(Caches::default());
    let ids = Arc::new(IdSequence::starting_after(meta::last_id(&db)?));
    let rows = Rows {
        db,
        vault: vault.clone(),
        ids: Arc::clone(&ids),
        checkpoints,
    };
    let core = Core::new(rows, clock, Arc::clone(&caches))?;
    let parts = Parts {
        vault,
        caches,
        listeners: Arc::new(RwLock::default()),
        ids,
        pulse: core.pulse(),
    };
    Ok((core, parts))
}
