//! What each kind of guard refuses, before anything is written.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{
    AccountId, Change, ChatId, ChatKind, ChatWrite, Claim, Guard, Object, Person, PersonId,
    PersonStatus, PersonWrite, PostWrite, Set, SignInCodeWrite, SubscriptionStatus, TokenHash,
};

use crate::world::{ACCOUNT, ALICE, BOB, World, on_every_backend};

/// Whether a change that relies on `guard` is committed. It leaves a post when it is, and nothing
/// when it is not.
async fn holds(world: &World, guard: Guard) -> bool {
    let team = world.team(&[ALICE]);
    let post = world.post(&team, "relied");
    let change = Change::of(ChatWrite::Put(team.clone()))
        .and(PostWrite::Put(post.clone()))
        .announcing(world.post_event(&post))
        .given(guard);
    let before = world.heard().events().count();
    let committed = match world.store.commit(change).await {
        Ok(()) => true,
        Err(CommitError::Conflict) => false,
        Err(CommitError::Store(error)) => panic!("{error}"),
    };
    let stored = world.store.post(ACCOUNT, team.id, post.id).await.unwrap();
    assert_eq!(stored.is_some(), committed);
    let told = world.heard().events().count() - before;
    assert_eq!(told, usize::from(committed));
    committed
}

on_every_backend! {
    /// Of an object that is there, one version holds; of one that is not, the version 0.
    async fn versions_are_compared(world: World) {
        let team = world.team(&[ALICE]);
        world.commit(Change::of(ChatWrite::Put(team.clone()))).await;
        assert!(holds(&world, Guard::version(ACCOUNT, team.id, 1)).await);
        assert!(!holds(&world, Guard::version(ACCOUNT, team.id, 2)).await);
        assert!(!holds(&world, Guard::version(ACCOUNT, team.id, 0)).await);
        assert!(!holds(&world, Guard::version(AccountId(999), team.id, 1)).await, "another account's");
        assert!(holds(&world, Guard::version(ACCOUNT, ChatId(5), 0)).await);
        assert!(holds(&world, Guard::version(ACCOUNT, Object::Presence(ALICE), 0)).await);
        assert!(!holds(&world, Guard::version(ACCOUNT, Object::Presence(ALICE), 1)).await);
    }

    async fn what_must_be_there_is_looked_for(world: World) {
        assert!(holds(&world, Guard::exists(ACCOUNT, ALICE)).await);
        assert!(!holds(&world, Guard::exists(AccountId(999), ALICE)).await);
        assert!(!holds(&world, Guard::exists(ACCOUNT, PersonId(5))).await);
    }

    async fn disabled_people_are_refused(world: World) {
        let enabled = |person| Guard::PersonEnabled { account: ACCOUNT, person };
        assert!(holds(&world, enabled(ALICE)).await);
        let alice = world.store.person(ACCOUNT, ALICE).await.unwrap().unwrap();
        let disabled = Person { status: PersonStatus::Disabled, ..alice };
        world.commit(Change::of(PersonWrite::Put(disabled))).await;
        assert!(!holds(&world, enabled(ALICE)).await);
        assert!(holds(&world, enabled(BOB)).await);
        assert!(!holds(&world, enabled(PersonId(5))).await, "nobody");
    }

    /// Of two who come with the same code at once, in one batch or in two, one is let in.
    async fn a_code_lets_in_once_however_many_come_at_once(world: World) {
        let hash = TokenHash::of("code");
        let expires_at = world.now() + Duration::from_secs(60);
        let put = SignInCodeWrite::Put { account: ACCOUNT, person: ALICE, hash, expires_at };
        world.commit(Change::of(put)).await;
        let take = || {
            let take = Change::of(SignInCodeWrite::Take { account: ACCOUNT, hash });
            world.store.commit(take.given(Guard::CodeUnspent { account: ACCOUNT, hash }))
        };
        let (first, second, third) = tokio::join!(take(), take(), take());
        let let_in = [first, second, third].into_iter().flatten().count();
        assert_eq!(let_in, 1);
        assert!(!holds(&world, Guard::CodeUnspent { account: ACCOUNT, hash }).await);
    }

    /// What has expired makes room, what others have takes none, and what came a moment ago, in the
    /// same batch, is counted.
    async fn a_set_has_room_for_so_many(world: World) {
        let world = world.with_app().await;
        let posts = ["/restapi/v1.0/glip/posts"];
        let subscription = || world.subscription(ALICE, &posts);
        world.commit(world.subscription(BOB, &posts).create(1)).await;
        let create = || world.store.commit(subscription().create(2));
        let (first, second, third) = tokio::join!(create(), create(), create());
        let created = [first, second, third].into_iter().flatten().count();
        assert_eq!(created, 2);
        let client_id = subscription().client_id;
        let room = |at| Guard::Room {
            of: Set::Subscriptions { account: ACCOUNT, owner: ALICE, client_id: client_id.clone(), at },
            max: 2,
        };
        assert!(!holds(&world, room(world.now())).await);
        assert!(holds(&world, room(world.now() + Duration::from_hours(2))).await, "when they have expired");
        let endpoints = |max| Guard::Room { of: Set::Endpoints(ACCOUNT), max };
        assert!(holds(&world, endpoints(1)).await);
        world.commit(world.endpoint("https://a.example/").create(1)).await;
        assert!(!holds(&world, endpoints(1)).await);
        assert!(holds(&world, endpoints(2)).await);
    }

    /// Of two operators who go at once, one stays.
    async fn a_set_keeps_its_last(world: World) {
        assert!(!holds(&world, Guard::ANOTHER_OPERATOR).await, "there is none");
        let operators = async |is: bool| {
            for id in [ALICE, BOB] {
                let person = world.store.person(ACCOUNT, id).await.unwrap().unwrap();
                let put = Person { operator: is, ..person };
                world.commit(Change::of(PersonWrite::Put(put))).await;
            }
        };
        operators(true).await;
        assert!(holds(&world, Guard::ANOTHER_OPERATOR).await);
        let go = async |id| {
            let person = world.store.person(ACCOUNT, id).await.unwrap().unwrap();
            let gone = Person { operator: false, ..person };
            let change = Change::of(PersonWrite::Put(gone)).given(Guard::ANOTHER_OPERATOR);
            world.store.commit(change).await
        };
        let (alice, bob) = tokio::join!(go(ALICE), go(BOB));
        assert!(alice.is_ok() != bob.is_ok(), "{alice:?} {bob:?}");
        assert!(!holds(&world, Guard::ANOTHER_OPERATOR).await);
        let left = world.store.operators().await.unwrap();
        assert_eq!(left.len(), 1);
    }

    /// A subscription that is there can be changed where there is no room for another.
    async fn a_change_of_what_is_there_needs_no_room(world: World) {
        let world = world.with_app().await;
        let mut only = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        world.commit(only.create(1)).await;
        only.status = SubscriptionStatus::Suspended;
        world.commit(only.put().given(only.unchanged())).await;
    }

    async fn names_have_one_owner(world: World) {
        let number = |number: &str, by| Guard::Free(Claim::ExtensionNumber {
            account: ACCOUNT,
            number: number.into(),
            by,
        });
        assert!(!holds(&world, number("101", BOB)).await, "it is Alice's");
        assert!(holds(&world, number("101", ALICE)).await);
        assert!(holds(&world, number("555", BOB)).await);
        let alice = world.store.person(ACCOUNT, ALICE).await.unwrap().unwrap();
        let alice = Person { email: Some("alice@example.com".into()), ..alice };
        world.commit(Change::of(PersonWrite::Put(alice))).await;
        let email = |email: &str, by| Guard::Free(Claim::Email {
            account: ACCOUNT,
            email: email.into(),
            by,
        });
        assert!(!holds(&world, email("Alice@Example.com", BOB)).await, "whatever its case");
        assert!(holds(&world, email("alice@example.com", ALICE)).await);
        assert!(holds(&world, email("bob@example.com", BOB)).await);
    }

    async fn a_conversation_is_begun_once(world: World) {
        let of = |members: &[PersonId]| Guard::Free(Claim::Conversation {
            account: ACCOUNT,
            members: members.to_vec(),
        });
        let mut direct = world.team(&[ALICE, BOB]);
        direct.kind = ChatKind::Direct;
        let begin = Change::of(ChatWrite::Put(direct)).given(of(&[ALICE, BOB]));
        world.commit(begin.clone()).await;
        assert!(matches!(world.store.commit(begin).await, Err(CommitError::Conflict)));
        assert!(!holds(&world, of(&[ALICE, BOB])).await);
        assert!(holds(&world, of(&[ALICE])).await);
    }

    /// Guards see what changes before theirs wrote, and a refused one disturbs nobody.
    async fn guards_see_what_the_same_batch_wrote(world: World) {
        let team = Arc::new(world.team(&[ALICE]));
        world.commit(Change::of(ChatWrite::Put((*team).clone()))).await;
        let step = |from: u64| {
            let mut next = (*team).clone();
            next.version = from + 1;
            let step = Change::of(ChatWrite::Put(next)).given(Guard::version(ACCOUNT, team.id, from));
            world.store.commit(step)
        };
        let (one, again, two, far, three) = tokio::join!(step(1), step(1), step(2), step(7), step(3));
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        for refused in [again, far] {
            assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
        }
        let left = world.store.chat(ACCOUNT, team.id).await.unwrap().unwrap();
        assert_eq!(left.version, 4);
    }
}
