//! What a store on disk still has after it was closed, and after it was not.

use hookyard_domain::kernel::ports::Page;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Change, ChatWrite, WebhookWrite};
use hookyard_store::{SqliteStore, VaultKey};

use crate::world::{ACCOUNT, ALICE, World, options};

#[tokio::test]
async fn a_closed_store_continues_where_it_was() {
    let world = World::on_disk().await;
    let (subscription, delivery) = world.waiting_delivery().await;
    world.store.close().await;
    let log = std::fs::metadata(format!("{}-wal", world.path().display()));
    assert_eq!(
        log.map_or(0, |log| log.len()),
        0,
        "the log is empty after a clean stop"
    );
    let store = SqliteStore::open(&world.path(), options()).unwrap();
    let waiting = store
        .waiting_deliveries(subscription, None, 9)
        .await
        .unwrap();
    assert_eq!(
        waiting[0].delivery, delivery,
        "not marked: nothing was in doubt"
    );
    let post = world
        .store
        .post(ACCOUNT, world.team(&[ALICE]).id, hookyard_domain::PostId(1))
        .await;
    assert!(post.unwrap().is_none());
    let refused = world
        .store
        .commit(Change::of(ChatWrite::Put(world.team(&[ALICE]))))
        .await;
    assert!(refused.is_err(), "a closed store acknowledges nothing");
    assert!(store.ids().next(hookyard_domain::Timestamp::from_millis(0)) > delivery.id.0);
}

#[tokio::test]
async fn after_an_unclean_end_what_may_have_been_sent_is_marked() {
    let world = World::on_disk().await;
    let (subscription, delivery) = world.waiting_delivery().await;
    // The file as a crash would leave it: copied while the store is open.
    let copy = world.path().with_extension("copy");
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", world.path().display());
        std::fs::copy(from, format!("{}{suffix}", copy.display())).unwrap();
    }
    let store = SqliteStore::open(&copy, options()).unwrap();
    let waiting = store
        .waiting_deliveries(subscription, None, 9)
        .await
        .unwrap();
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].delivery.id, delivery.id);
    assert!(waiting[0].delivery.possible_repeat);
}

#[tokio::test]
async fn another_key_does_not_open_secrets() {
    let world = World::on_disk().await;
    let team = world.team(&[ALICE]);
    let webhook = world.webhook(&team, "Tok3n-in-clear");
    world
        .commit(Change::of(ChatWrite::Put(team)).and(WebhookWrite::Put(webhook.clone())))
        .await;
    world.store.close().await;
    let other = hookyard_store::Options {
        vault_key: VaultKey([1; 32]),
        ..options()
    };
    let refused = SqliteStore::open(&world.path(), other).unwrap_err();
    assert!(refused.to_string().contains("secret.key"), "{refused}");
    let store = SqliteStore::open(&world.path(), options()).unwrap();
    assert_eq!(
        store.webhook(ACCOUNT, webhook.id).await.unwrap(),
        Some(webhook)
    );
    let database = std::fs::read(world.path()).unwrap();
    assert!(
        !database.windows(14).any(|bytes| bytes == b"Tok3n-in-clear"),
        "no plain token in the file"
    );
    assert!(
        store
            .requests(ACCOUNT, None, Page::First, 1)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("newer.db");
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 999).unwrap();
    drop(db);
    let error = SqliteStore::open(&path, options()).unwrap_err();
    assert!(error.to_string().contains("newer Hookyard"), "{error}");
}
