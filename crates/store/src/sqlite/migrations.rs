//! Forward-only migrations, embedded. `user_version` counts those applied.

use rusqlite::Connection;

use super::error::{Fault, Step};

/// All migrations in order; number n has index n - 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/0001_foundation.sql"),
    include_str!("../../migrations/0002_subscriptions.sql"),
    include_str!("../../migrations/0003_presence_and_messages.sql"),
    include_str!("../../migrations/0004_endpoints.sql"),
    include_str!("../../migrations/0005_bins.sql"),
    include_str!("../../migrations/0006_jobs.sql"),
    include_str!("../../migrations/0007_operators.sql"),
    include_str!("../../migrations/0008_first_requests.sql"),
    include_str!("../../migrations/0009_apps_and_credentials.sql"),
];

/// Brings the schema up to date, each migration in a transaction of its own.
///
/// # Errors
///
/// When a statement fails, or when the database was written by a newer Hookyard.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let applied: usize = connection
        .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
        .step("read the schema version")?
        .try_into()
        .map_err(|_| Fault::plain("the schema version is negative"))?;
    if applied > MIGRATIONS.len() {
        return Err(Fault::plain(format!(
            "the database has schema version {applied}, and this Hookyard knows only up to {}: \
             start a newer Hookyard on it",
            MIGRATIONS.len()
        )));
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(applied) {
        let tx = connection.transaction().step("begin a migration")?;
        tx.execute_batch(migration).step("migrate the schema")?;
        let version = i64::try_from(index + 1).expect("migrations are few");
        tx.pragma_update(None, "user_version", version)
            .step("write the schema version")?;
        tx.commit().step("commit a migration")?;
    }
    Ok(())
}
