//! First requests with a key: claimed once, remembered for a day, bounded, and sealed.

use std::collections::HashMap;
use std::time::Duration;

use hookyard_domain::kernel::limits::{FIRST_REQUESTS_KEPT, FIRST_REQUESTS_MAX};
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::retention::clearings;
use hookyard_domain::{
    AccountId, Change, ChatWrite, ClientId, FirstAnswer, FirstRequest, PersonId, RequestDigest,
    RequestKey, Secret, Timestamp,
};
use hookyard_store::SqliteStore;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::world::{ACCOUNT, ALICE, BOB, World, on_every_backend, options};

const BEGIN: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn key(person: PersonId, client_id: &str, text: &str) -> RequestKey {
    let client_id = ClientId(client_id.to_owned());
    RequestKey::read(ACCOUNT, person, client_id, text.as_bytes()).unwrap()
}

fn first(key: &RequestKey, at: Timestamp, body: &str) -> FirstRequest {
    FirstRequest {
        key: key.clone(),
        digest: RequestDigest::of([body.as_bytes()]),
        at,
        answer: Some(FirstAnswer {
            status: 201,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Secret::new(body),
        }),
    }
}

async fn read(world: &World, key: &RequestKey, now: Timestamp) -> Option<FirstRequest> {
    world.store.first_request(key, now).await.unwrap()
}

on_every_backend! {
    /// With what the request made, or not at all.
    async fn a_key_is_claimed_with_what_was_made(world: World) {
        let mine = key(ALICE, "app", "k");
        assert_eq!(read(&world, &mine, BEGIN).await, None);
        let team = world.team(&[ALICE]);
        let mut made = Change::of(ChatWrite::Put(team.clone()));
        made.append(first(&mine, BEGIN, "one").claim());
        world.commit(made).await;
        assert_eq!(read(&world, &mine, BEGIN).await, Some(first(&mine, BEGIN, "one")));
        assert!(world.store.chat(ACCOUNT, team.id).await.unwrap().is_some());

        let late = world.team(&[BOB]);
        let mut again = Change::of(ChatWrite::Put(late.clone()));
        again.append(first(&mine, BEGIN, "two").claim());
        let refused = world.store.commit(again).await;
        assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
        assert_eq!(read(&world, &mine, BEGIN).await, Some(first(&mine, BEGIN, "one")));
        assert!(world.store.chat(ACCOUNT, late.id).await.unwrap().is_none());
    }

    /// Also when they share a commit; those with other keys are not disturbed.
    async fn of_those_who_claim_at_once_one_wins(world: World) {
        let (mine, other) = (key(ALICE, "app", "k"), key(ALICE, "app", "l"));
        let claim = |key, body| world.store.commit(first(key, BEGIN, body).claim());
        let (won, late, beside, later) = tokio::join!(
            claim(&mine, "one"),
            claim(&mine, "two"),
            claim(&other, "three"),
            claim(&mine, "one"),
        );
        assert!(won.is_ok() && beside.is_ok(), "{won:?} {beside:?}");
        for refused in [late, later] {
            assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
        }
        assert_eq!(read(&world, &mine, BEGIN).await, Some(first(&mine, BEGIN, "one")));
    }

    /// Persons, apps and accounts do not see each other's.
    async fn a_key_belongs_to_a_caller(world: World) {
        let mine = key(ALICE, "app", "k");
        world.commit(first(&mine, BEGIN, "one").claim()).await;
        let elsewhere = RequestKey { account: AccountId(999), ..mine.clone() };
        for other in [key(BOB, "app", "k"), key(ALICE, "other", "k"), key(ALICE, "app", "K"), elsewhere] {
            assert_eq!(read(&world, &other, BEGIN).await, None, "{other:?}");
        }
        let bobs = key(BOB, "app", "k");
        world.commit(first(&bobs, BEGIN, "two").claim()).await;
        assert_eq!(read(&world, &bobs, BEGIN).await, Some(first(&bobs, BEGIN, "two")));
    }

    /// What was claimed without an answer gets one, once it is known.
    async fn an_answer_may_follow(world: World) {
        let mine = key(ALICE, "app", "k");
        let unanswered = FirstRequest { answer: None, ..first(&mine, BEGIN, "one") };
        world.commit(unanswered.clone().claim()).await;
        assert_eq!(read(&world, &mine, BEGIN).await, Some(unanswered));
        world.commit(first(&mine, BEGIN, "one").keep()).await;
        assert_eq!(read(&world, &mine, BEGIN).await, Some(first(&mine, BEGIN, "one")));
    }

    /// After a day a key stands for nothing, whether or not it was cleared away.
    async fn a_day_later_a_key_is_free(world: World) {
        let (mine, other) = (key(ALICE, "app", "k"), key(ALICE, "app", "l"));
        world.commit(first(&mine, BEGIN, "one").claim()).await;
        world.commit(first(&other, BEGIN, "one").claim()).await;
        let (before, after) = (BEGIN + FIRST_REQUESTS_KEPT - Duration::from_millis(1), BEGIN + FIRST_REQUESTS_KEPT);
        assert!(read(&world, &mine, before).await.is_some());
        assert_eq!(read(&world, &mine, after).await, None);
        let early = world.store.commit(first(&mine, before, "two").claim()).await;
        assert!(matches!(early, Err(CommitError::Conflict)), "{early:?}");
        world.commit(first(&mine, after, "two").claim()).await;
        assert_eq!(read(&world, &mine, after).await, Some(first(&mine, after, "two")));
        for clearing in clearings(before) {
            world.commit(clearing).await;
        }
        assert!(read(&world, &other, before).await.is_some());
        for clearing in clearings(after) {
            world.commit(clearing).await;
        }
        // Also by a clock that was set back: it is gone.
        assert_eq!(read(&world, &other, BEGIN).await, None);
        assert!(read(&world, &mine, after).await.is_some());
    }

    /// One more forgets the caller's oldest, and nobody else's.
    async fn so_many_are_remembered_of_a_caller(world: World) {
        let bobs = key(BOB, "app", "k");
        world.commit(first(&bobs, BEGIN, "bob").claim()).await;
        let nth = |number: u32| key(ALICE, "app", &number.to_string());
        let all = (0..FIRST_REQUESTS_MAX).map(|number| first(&nth(number), BEGIN, ""));
        let mut change = Change::default();
        all.for_each(|one| change.append(one.claim()));
        world.commit(change).await;
        assert!(read(&world, &nth(0), BEGIN).await.is_some());
        world.commit(first(&nth(FIRST_REQUESTS_MAX), BEGIN, "").claim()).await;
        assert_eq!(read(&world, &nth(0), BEGIN).await, None);
        assert!(read(&world, &nth(1), BEGIN).await.is_some());
        assert!(read(&world, &nth(FIRST_REQUESTS_MAX), BEGIN).await.is_some());
        assert!(read(&world, &bobs, BEGIN).await.is_some());
    }
}

#[tokio::test]
async fn answers_survive_a_restart_and_are_not_in_clear() {
    let world = World::on_disk().await;
    let mine = key(ALICE, "app", "K3y-in-clear");
    let kept = first(&mine, BEGIN, r#"{"clientSecret":"S3cret-in-clear"}"#);
    world.commit(kept.clone().claim()).await;
    for suffix in ["", "-wal"] {
        let file = std::fs::read(format!("{}{suffix}", world.path().display())).unwrap();
        for clear in [&b"S3cret-in-clear"[..], b"K3y-in-clear"] {
            let found = file.windows(clear.len()).any(|bytes| bytes == clear);
            assert!(!found, "`{suffix}` has {clear:?}");
        }
    }
    world.store.close().await;
    let store = SqliteStore::open(&world.path(), options()).unwrap();
    assert_eq!(store.first_request(&mine, BEGIN).await.unwrap(), Some(kept));
    assert!(!format!("{:?}", first(&mine, BEGIN, "S3cret")).contains("S3cret"));
}

/// What may be done to a key, and how much later than what was done before.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Claim { key: u8, body: u8 },
    Clear,
    Forget { key: u8 },
}

fn deed() -> impl Strategy<Value = (Deed, u64)> {
    let deed = prop_oneof![
        6 => (0..4_u8, 0..3_u8).prop_map(|(key, body)| Deed::Claim { key, body }),
        1 => Just(Deed::Clear),
        1 => (0..4_u8).prop_map(|key| Deed::Forget { key }),
    ];
    let hours = prop_oneof![3 => Just(0), 2 => 1..9_u64, 1 => 20..30_u64];
    (deed, hours)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is claimed, answered and cleared in whatever order: the store says what a map says.
    #[test]
    fn keys_are_as_a_map_has_them(deeds in vec(deed(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::inline().await;
            let mut known: HashMap<u8, FirstRequest> = HashMap::new();
            let mut now = BEGIN;
            for (deed, hours) in deeds {
                now = now + Duration::from_secs(hours * 3_600);
                match deed {
                    Deed::Claim { key: number, body } => {
                        let one = key(ALICE, "app", &number.to_string());
                        let one = first(&one, now, &body.to_string());
                        let free = known.get(&number).is_none_or(|known| !known.is_kept(now));
                        let claimed = world.store.commit(one.clone().claim()).await;
                        assert_eq!(claimed.is_ok(), free, "{claimed:?}");
                        if free {
                            known.insert(number, one);
                        }
                    }
                    Deed::Clear => {
                        for clearing in clearings(now) {
                            world.commit(clearing).await;
                        }
                    }
                    Deed::Forget { key: number } => {
                        if let Some(known) = known.get_mut(&number).filter(|known| known.is_kept(now)) {
                            known.answer = None;
                            world.commit(known.clone().keep()).await;
                        }
                    }
                }
                for number in 0..4 {
                    let one = key(ALICE, "app", &number.to_string());
                    let expect = known.get(&number).filter(|known| known.is_kept(now));
                    assert_eq!(read(&world, &one, now).await.as_ref(), expect);
                }
            }
        });
    }
}
