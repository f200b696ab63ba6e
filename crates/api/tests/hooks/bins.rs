//! The public URLs of bins when the store fails.

use std::sync::atomic::Ordering;

use hookyard_domain::kernel::ports::Page;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Bin, BinAnswer, BinId, BinReply, BinWrite, Secret, Timestamp};

use crate::world::{ACCOUNT, World};

/// A bin that would answer 299.
async fn bin(world: &World) -> BinId {
    let bin = Bin {
        account: ACCOUNT,
        id: BinId(900),
        name: String::new(),
        token: Secret::new("scratch"),
        answer: BinAnswer {
            reply: BinReply {
                status: 299,
                ..BinReply::default()
            },
            ..BinAnswer::default()
        },
        created_at: Timestamp::default(),
        version: 1,
    };
    let id = bin.id;
    let put = BinWrite::Put(Box::new(bin));
    world.commit(put).await;
    id
}

#[tokio::test]
async fn what_is_not_stored_is_not_answered_as_configured() {
    let world = World::start().await;
    let bin = bin(&world).await;
    world.faulty.failures.store(1, Ordering::Relaxed);
    let answer = world.post_to("/bin/scratch", "x").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["errorCode"], "CMN-204");
    let kept = world.store.bin_requests(ACCOUNT, bin, Page::First, 9).await;
    assert_eq!(kept.expect("a store in memory"), []);
    assert_eq!(world.post_to("/bin/scratch", "x").await.status, 299);
}

#[tokio::test]
async fn a_bin_that_is_deleted_meanwhile_is_not_found() {
    let world = World::start().await;
    bin(&world).await;
    world.faulty.conflicts.store(1, Ordering::Relaxed);
    let answer = world.post_to("/bin/scratch", "x").await;
    answer.assert_problem(404, "CMN-102", "token");
}
