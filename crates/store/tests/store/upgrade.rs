//! Databases that former builds left behind: this one opens each former schema, and reads what the
//! build before the house was rebuilt wrote, as that build meant it.
//!
//! A migration that is out is never changed. A new one needs its schema, which is written by
//! `python3 crates/store/tests/fixtures/make_fixture.py schemas crates/store/tests/fixtures/schemas`.

mod facts;
mod sending;
mod words;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{
    AccountId, ClientId, PersonId, PersonStatus, RetryPolicy, RetrySchedule, Scopes,
    SubscriptionStatus,
};
use hookyard_store::{Options, SqliteStore, VaultKey};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::world::options;

fn fixture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/fixtures").join(name)
}

/// Every migration in order; number n has index n - 1.
fn migrations() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = paths.iter().map(fs::read_to_string);
    texts.collect::<Result<_, _>>().unwrap()
}

/// A database as a build left it that knew the first `count` migrations.
fn migrate(database: &Connection, count: usize) {
    // A sync for each statement would be most of the test's time.
    database.pragma_update(None, "synchronous", "off").unwrap();
    for migration in &migrations()[..count] {
        database.execute_batch(migration).unwrap();
    }
    let version = i64::try_from(count).unwrap();
    database
        .pragma_update(None, "user_version", version)
        .unwrap();
}

/// The migration that made the first administrator an operator.
const OPERATORS_SINCE: usize = 7;

/// A statement without its comments and the lines that they leave empty.
fn plain(sql: &str) -> String {
    let lines = sql
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default().trim_end())
        .filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn schema_of(database: &Connection) -> BTreeSet<String> {
    let sql = "select sql from sqlite_schema where sql is not null";
    let mut statement = database.prepare(sql).unwrap();
    let found = statement.query_map([], |row| row.get::<_, String>(0));
    found.unwrap().map(|sql| plain(&sql.unwrap())).collect()
}

/// Holds the schema of `database` against the one that is written down for migration `number`.
fn assert_schema(database: &Connection, number: usize) {
    let path = fixture(&format!("schemas/schema_{number:04}.sql"));
    let known = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("migration {number} needs `{}`: {error}", path.display()));
    let known = known
        .trim_end()
        .trim_end_matches(';')
        .split(";\n")
        .map(str::to_owned)
        .collect::<BTreeSet<_>>();
    let found = schema_of(database);
    let list = |statements: Vec<&String>| {
        let lines = statements.into_iter().map(|text| format!("{text};\n"));
        lines.collect::<String>()
    };
    let missing = list(known.difference(&found).collect());
    let unknown = list(found.difference(&known).collect());
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "the schema after migration {number} is another than `{}` says.\n\nOnly there:\n{missing}\n\
         Only here:\n{unknown}",
        path.display()
    );
}

#[test]
fn migrations_that_are_out_make_what_they_have_always_made() {
    for number in 1..=migrations().len() {
        let database = Connection::open_in_memory().unwrap();
        migrate(&database, number);
        assert_schema(&database, number);
    }
}

/// What an app was granted that could do everything, by the number of the migration.
fn all_scopes(number: usize) -> String {
    let first =
        "ReadAccounts EditExtensions TeamMessaging SubscriptionWebhook WebSocketsSubscription";
    let second = "SubscriptionPubNub SubscriptionAPNS SubscriptionGCM ReadPresence EditPresence \
                  ReadMessages InternalMessages ReadCallLog CallControl";
    match number {
        1 => first.to_owned(),
        2 => format!("{first} {second} PublishEvents"),
        _ => format!("{first} {second} EditMessages PublishEvents"),
    }
}

/// An account, a person, an app and a subscription, as the build of migration `number` wrote them.
fn rows(number: usize) -> String {
    let scopes = all_scopes(number);
    let policy = r#"{"schedule":{"kind":"exponential","firstMs":5,"longestMs":9},"attemptsMax":4,
        "ageMaxMs":3,"timeoutMs":2,"concurrencyMax":1}"#;
    let (columns, values) = if number >= 4 {
        (", transport, disabled_filters", ", 'WebHook', '[]'")
    } else {
        ("", "")
    };
    format!(
        r#"insert into accounts values (1, 'Old', 7);
        insert into persons (id, account_id, kind, first_name, last_name, email, extension_number,
            admin, created_at, modified_at)
            values (11, 1, 'user', 'Alice', 'Old', 'alice@example.com', '101', 1, 7, 8);
        insert into apps (client_id, account_id, name, scopes, created_at)
            values ('app', 1, 'App', '{scopes}', 7);
        insert into subscriptions (key, id, account_id, owner_id, client_id, filters, address,
            policy, status, created_at, modified_at, expires_at, ttl_ms, version{columns})
            values (5, x'000102030405060708090a0b0c0d0e0f', 1, 11, 'app',
            '["/team-messaging/v1/posts"]', 'http://127.0.0.1:1/', '{policy}', 'Suspended', 7, 8,
            4000000000000, 3600000, 3{values});"#
    )
}

#[tokio::test]
async fn every_former_schema_comes_to_the_present_one_with_its_rows() {
    let present = migrations().len();
    for number in 1..=present {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("former.db");
        let former = Connection::open(&path).unwrap();
        migrate(&former, number);
        former.execute_batch(&rows(number)).unwrap();
        drop(former);

        let store = SqliteStore::open(&path, options()).unwrap();
        assert_former_rows(&store, number).await;
        store.close().await;
        assert_schema(&Connection::open(&path).unwrap(), present);
    }
}

async fn assert_former_rows(store: &SqliteStore, number: usize) {
    let account = store.first_account().await.unwrap().unwrap();
    assert_eq!((account.id, account.name.as_str()), (AccountId(1), "Old"));
    let person = store.person(account.id, PersonId(11)).await.unwrap();
    let person = person.unwrap();
    assert_eq!(person.email.as_deref(), Some("alice@example.com"));
    assert_eq!((person.status, person.version), (PersonStatus::Enabled, 1));
    // Nobody is locked out of an installation that is there already.
    if number < OPERATORS_SINCE {
        assert!(person.operator, "of migration {number}");
    }
    let app = store.app(&ClientId("app".into())).await.unwrap().unwrap();
    assert_eq!(app.scopes, Scopes::all(), "of migration {number}");
    let subscriptions = store
        .subscriptions_of_person(account.id, person.id)
        .await
        .unwrap();
    let [subscription] = subscriptions.as_slice() else {
        panic!(
            "{} subscriptions of migration {number}",
            subscriptions.len()
        );
    };
    assert_eq!(subscription.status, SubscriptionStatus::Suspended);
    assert_eq!(subscription.mode.address(), Some("http://127.0.0.1:1/"));
    assert_eq!(subscription.filters[0].as_str(), "/team-messaging/v1/posts");
    assert_eq!(subscription.endpoint, None);
    assert_eq!(
        subscription.policy,
        RetryPolicy {
            schedule: RetrySchedule::Exponential {
                first_ms: 5,
                longest_ms: 9
            },
            attempts_max: 4,
            age_max_ms: 3,
            timeout_ms: 2,
            concurrency_max: 1,
        }
    );
}

/// The key that sealed a database, of the file that stands beside it.
fn vault_key(folder: &Path) -> VaultKey {
    let text = fs::read_to_string(folder.join("secret.key")).unwrap();
    let digits = text.trim().as_bytes().chunks(2);
    let bytes = digits.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16));
    let bytes = bytes.collect::<Result<Vec<_>, _>>().unwrap();
    let hash = Sha256::new().chain_update(bytes).chain_update("vault");
    VaultKey(hash.finalize().into())
}

fn credentials(folder: &Path) -> HashMap<String, String> {
    let text = fs::read_to_string(folder.join("credentials.env")).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once('='));
    lines
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// What is written down was read by the build that wrote the database. A difference means that
/// stored rows are no longer understood: give the new code a way to read them, or a migration.
#[tokio::test]
async fn what_the_build_before_the_house_wrote_is_read_as_it_was_meant() {
    let folder = fixture("before_house");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("hookyard.db");
    fs::copy(folder.join("hookyard.db"), &path).unwrap();
    let options = Options {
        vault_key: vault_key(&folder),
        ..options()
    };
    let store = SqliteStore::open(&path, options).unwrap();
    let facts = facts::of(&store, &credentials(&folder)).await;
    insta::assert_snapshot!("before_house", facts);
}
