//! Who is in an account, their presence, and what they write to one another.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{CommitError, MessageQuery, PersonQuery, Slice};
use hookyard_domain::messaging::message::{Availability, Direction, ReadStatus};
use hookyard_domain::{
    Account, AccountId, AccountWrite, Change, ConversationId, Correspondent, DndStatus, Guard,
    Message, MessageId, MessageWrite, Milestone, Object, Person, PersonId, PersonStatus,
    PersonWrite, Presence, PresenceWrite, SessionWrite, SubscriptionWrite, TokenHash, TokenKind,
    UserStatus,
};

use crate::world::{ACCOUNT, ALICE, BOB, World, on_every_backend};

const OTHER: AccountId = AccountId(999);
const CAROL: PersonId = PersonId(77);
const ALL: Slice = Slice {
    offset: 0,
    limit: 100,
};

fn message(world: &World, id: u64, owner: PersonId, direction: Direction) -> Message {
    let correspondent = |person, name: &str| Correspondent {
        person,
        extension_number: Some("101".into()),
        name: name.into(),
    };
    Message {
        account: ACCOUNT,
        owner,
        id: MessageId(id),
        direction,
        from: correspondent(ALICE, "Alice"),
        to: vec![correspondent(BOB, "Bob")],
        text: "Lunch?".into(),
        conversation: ConversationId::between([ALICE, BOB]),
        read_status: ReadStatus::Unread,
        availability: Availability::Alive,
        created_at: world.now(),
        modified_at: world.now(),
        version: 1,
    }
}

fn put(message: &Message) -> Change {
    Change::of(MessageWrite::Put(Box::new(message.clone())))
}

fn all_of(world: &World, owner: PersonId) -> MessageQuery {
    MessageQuery {
        account: ACCOUNT,
        owner,
        direction: None,
        read_status: None,
        availability: None,
        conversation: None,
        from: world.now() - Duration::from_secs(60),
        to: world.now() + Duration::from_secs(60),
        slice: ALL,
    }
}

async fn ids(world: &World, query: MessageQuery) -> (Vec<u64>, u64) {
    let (found, total) = world.store.messages(query).await.unwrap();
    (found.iter().map(|message| message.id.0).collect(), total)
}

async fn person(world: &World, id: PersonId) -> Person {
    world.store.person(ACCOUNT, id).await.unwrap().unwrap()
}

async fn conflicts(world: &World, change: Change) -> bool {
    matches!(world.store.commit(change).await, Err(CommitError::Conflict))
}

on_every_backend! {
    /// Of two who change the same presence, the second decides again.
    async fn a_presence_is_changed_one_after_the_other(world: World) {
        assert_eq!(world.store.presence(ACCOUNT, ALICE).await.unwrap(), None);
        let presence = Presence {
            user_status: UserStatus::Busy,
            dnd_status: DndStatus::TakeDepartmentCallsOnly,
            message: Some("In a meeting".into()),
            visible: false,
            pick_up_calls_on_hold: true,
            sequence: 1,
            ..Presence::unset(ACCOUNT, ALICE)
        };
        let first = Guard::version(ACCOUNT, Object::Presence(ALICE), 0);
        let change = Change::of(PresenceWrite::Put(presence.clone())).given(first);
        world.commit(change.clone()).await;
        assert!(conflicts(&world, change).await);
        assert_eq!(world.store.presence(ACCOUNT, ALICE).await.unwrap(), Some(presence));
        assert_eq!(world.store.presence(OTHER, ALICE).await.unwrap(), None);
    }

    /// What is hidden is listed for its owner, and for who may see everything.
    async fn a_hidden_presence_is_not_listed_for_others(world: World) {
        let hidden = Presence { visible: false, sequence: 1, ..Presence::unset(ACCOUNT, ALICE) };
        world.commit(Change::of(PresenceWrite::Put(hidden.clone()))).await;
        let listed = async |viewer, slice| {
            let (found, total) = world.store.presences(ACCOUNT, viewer, slice).await.unwrap();
            let ids: Vec<_> = found.iter().map(|(person, _)| person.id).collect();
            assert!(found.iter().all(|(person, presence)| person.id == presence.person));
            (ids, total)
        };
        assert_eq!(listed(Some(BOB), ALL).await, (vec![BOB, CAROL], 2));
        assert_eq!(listed(Some(ALICE), ALL).await, (vec![ALICE, BOB, CAROL], 3));
        assert_eq!(listed(None, Slice { offset: 1, limit: 1 }).await, (vec![BOB], 3));
        let (found, _) = world.store.presences(ACCOUNT, None, ALL).await.unwrap();
        assert_eq!(found[0].1, hidden);
        assert_eq!(found[1].1, Presence::unset(ACCOUNT, BOB));
        assert_eq!(world.store.presences(OTHER, None, ALL).await.unwrap().1, 0);
    }

    /// Every filter of a message list counts, and so does the page.
    async fn messages_are_listed_as_asked(world: World) {
        let sent = message(&world, 1, ALICE, Direction::Outbound);
        let got = message(&world, 2, ALICE, Direction::Inbound);
        let mut read = message(&world, 3, ALICE, Direction::Inbound);
        read.read_status = ReadStatus::Read;
        read.availability = Availability::Deleted;
        read.conversation = ConversationId::between([ALICE, CAROL]);
        let foreign = message(&world, 4, BOB, Direction::Inbound);
        for message in [&sent, &got, &read, &foreign] {
            world.commit(put(message)).await;
        }
        let query = all_of(&world, ALICE);
        assert_eq!(ids(&world, query.clone()).await, (vec![3, 2, 1], 3));
        let page = MessageQuery { slice: Slice { offset: 1, limit: 1 }, ..query.clone() };
        assert_eq!(ids(&world, page).await, (vec![2], 3));
        let asked = MessageQuery { direction: Some(Direction::Inbound), ..query.clone() };
        assert_eq!(ids(&world, asked).await, (vec![3, 2], 2));
        let asked = MessageQuery { read_status: Some(ReadStatus::Unread), ..query.clone() };
        assert_eq!(ids(&world, asked).await, (vec![2, 1], 2));
        let asked = MessageQuery { availability: Some(Availability::Deleted), ..query.clone() };
        assert_eq!(ids(&world, asked).await, (vec![3], 1));
        let asked = MessageQuery { conversation: Some(sent.conversation), ..query.clone() };
        assert_eq!(ids(&world, asked).await, (vec![2, 1], 2));
        let asked = MessageQuery { from: got.created_at, to: got.created_at, ..query.clone() };
        assert_eq!(ids(&world, asked).await, (vec![2], 1));
        let asked = MessageQuery { account: OTHER, ..query };
        assert_eq!(ids(&world, asked).await, (vec![], 0));
        assert_eq!(world.store.message(ACCOUNT, ALICE, read.id).await.unwrap(), Some(read));
        assert_eq!(world.store.message(ACCOUNT, BOB, sent.id).await.unwrap(), None);
        assert_eq!(world.store.message(OTHER, ALICE, sent.id).await.unwrap(), None);
    }

    /// Of two who change the same message, the second decides again.
    async fn a_message_is_changed_one_after_the_other(world: World) {
        let mut kept = message(&world, 1, ALICE, Direction::Inbound);
        world.commit(put(&kept)).await;
        let first = Guard::version(ACCOUNT, kept.id, 1);
        kept.read_status = ReadStatus::Read;
        kept.version = 2;
        world.commit(put(&kept).given(first.clone())).await;
        assert!(conflicts(&world, put(&kept).given(first)).await);
        let foreign = MessageWrite::Delete { account: OTHER, message: kept.id };
        world.commit(Change::of(foreign)).await;
        assert_eq!(world.store.message(ACCOUNT, ALICE, kept.id).await.unwrap(), Some(kept.clone()));
        let own = MessageWrite::Delete { account: ACCOUNT, message: kept.id };
        world.commit(Change::of(own)).await;
        assert_eq!(world.store.message(ACCOUNT, ALICE, kept.id).await.unwrap(), None);
    }

    /// No two persons of an account answer to the same name.
    async fn addresses_and_numbers_are_unique(world: World) {
        let bob = person(&world, BOB).await;
        let with_email = Person { email: Some("ALICE@example.com".into()), ..bob.clone() };
        let with_number = Person { extension_number: Some("101".into()), ..bob.clone() };
        for taken in [with_email, with_number] {
            assert!(conflicts(&world, Change::of(PersonWrite::Put(taken))).await);
        }
        assert_eq!(person(&world, BOB).await, bob);
        let found = world.store.person_by_extension_number(ACCOUNT, "102").await.unwrap();
        assert_eq!(found, Some(bob));
        assert_eq!(world.store.person_by_extension_number(OTHER, "102").await.unwrap(), None);
    }

    /// A list of persons leaves integrations out and counts what it leaves for later.
    async fn persons_are_listed_as_asked(world: World) {
        let gone = Person { status: PersonStatus::Disabled, version: 2, ..person(&world, BOB).await };
        world.commit(Change::of(PersonWrite::Put(gone.clone()))).await;
        let query = PersonQuery {
            account: ACCOUNT,
            email: None,
            extension_number: None,
            status: None,
            kind: None,
            slice: ALL,
        };
        let listed = async |query| {
            let (found, total) = world.store.persons_matching(query).await.unwrap();
            (found.iter().map(|person| person.id).collect::<Vec<_>>(), total)
        };
        assert_eq!(listed(query.clone()).await, (vec![ALICE, BOB, CAROL], 3));
        let page = PersonQuery { slice: Slice { offset: 1, limit: 1 }, ..query.clone() };
        assert_eq!(listed(page).await, (vec![BOB], 3));
        let asked = PersonQuery { status: Some(PersonStatus::Disabled), ..query.clone() };
        assert_eq!(listed(asked).await, (vec![BOB], 1));
        let asked = PersonQuery { email: Some("Carol@Example.com".into()), ..query.clone() };
        assert_eq!(listed(asked).await, (vec![CAROL], 1));
        let asked = PersonQuery { extension_number: Some("101".into()), ..query.clone() };
        assert_eq!(listed(asked).await, (vec![ALICE], 1));
        assert_eq!(listed(PersonQuery { account: OTHER, ..query }).await, (vec![], 0));
        assert_eq!(person(&world, BOB).await, gone);
    }

    /// Two writers cannot both change what they read of a person.
    async fn a_person_is_changed_one_after_the_other(world: World) {
        let bob = person(&world, BOB).await;
        let next = Person { first_name: "Robert".into(), version: 2, ..bob.clone() };
        let change = Change::of(PersonWrite::Put(next)).given(bob.unchanged());
        world.commit(change.clone()).await;
        assert!(conflicts(&world, change).await);
    }

    /// Who is disabled has no sessions and no subscriptions, and gets no new ones.
    async fn disabling_ends_everything_at_once(world: World) {
        let filter = ["/restapi/v1.0/glip/posts"];
        let (session, mut bobs) = (world.session(), world.session());
        bobs.person = BOB;
        let subscription = world.subscription(ALICE, &filter);
        let kept = world.subscription(BOB, &filter);
        let put = |subscription| SubscriptionWrite::Put(Arc::new(subscription));
        world
            .commit(
                Change::of(SessionWrite::Put(session.clone()))
                    .and(SessionWrite::Put(bobs.clone()))
                    .and(SessionWrite::PutToken(world.token(&session, "alice", TokenKind::Access)))
                    .and(SessionWrite::PutToken(world.token(&bobs, "bob", TokenKind::Access)))
                    .and(put(subscription.clone()))
                    .and(put(kept.clone())),
            )
            .await;
        let store = &world.store;
        let alice = TokenHash::of("alice");
        assert!(store.token(alice).await.unwrap().is_some());
        let enabled = Guard::PersonEnabled { account: ACCOUNT, person: ALICE };
        let another = world.session();
        let sign_in = Change::of(SessionWrite::Put(another)).given(enabled);
        world.commit(sign_in.clone()).await;
        let disabled = Person { status: PersonStatus::Disabled, ..person(&world, ALICE).await };
        let disable = Change::of(PersonWrite::Put(disabled))
            .and(SessionWrite::EndAllOf { account: ACCOUNT, person: ALICE })
            .and(SubscriptionWrite::DeleteAllOf {
                account: ACCOUNT,
                owner: ALICE,
                at: world.now(),
                reason: "its owner was disabled",
            });
        world.commit(disable).await;
        assert!(store.token(alice).await.unwrap().is_none(), "also from the cache");
        assert!(store.token(TokenHash::of("bob")).await.unwrap().is_some());
        assert_eq!(world.heard().sessions_ended().count(), 2);
        assert!(store.subscription(ACCOUNT, subscription.id).await.unwrap().is_none());
        assert!(store.subscription(ACCOUNT, kept.id).await.unwrap().is_some());
        assert!(world.heard().subscriptions_ended().eq([&subscription.id]));
        let history = store.subscription_history(ACCOUNT, subscription.id).await.unwrap();
        assert_eq!(history.len(), 1);
        assert_eq!(history[0].milestone, Milestone::Deleted);
        assert_eq!(history[0].detail.as_deref(), Some("its owner was disabled"));
        assert!(conflicts(&world, sign_in).await);
        assert!(conflicts(&world, subscription.put()).await);
    }

    /// Operators and those who make them look into every account.
    async fn people_of_all_accounts_are_found_for_operators(world: World) {
        const DORA: PersonId = PersonId(78);
        let alice = person(&world, ALICE).await;
        let store = &world.store;
        let other = Person {
            account: OTHER,
            id: DORA,
            email: Some("Dora@example.com".into()),
            operator: true,
            ..alice.clone()
        };
        let account = AccountWrite::Put(Account {
            id: OTHER,
            name: "Other".into(),
            created_at: world.now(),
        });
        world.commit(Change::of(account).and(PersonWrite::Put(other.clone()))).await;
        assert_eq!(store.operators().await.unwrap(), std::slice::from_ref(&other));
        assert_eq!(store.anybody(DORA).await.unwrap(), Some(other.clone()));
        assert_eq!(store.anybody(ALICE).await.unwrap(), Some(alice.clone()));
        assert_eq!(store.anybody(PersonId(5)).await.unwrap(), None);
        let called = Person { email: Some("dora@example.com".into()), ..alice };
        world.commit(Change::of(PersonWrite::Put(called.clone()))).await;
        let both = store.anybody_at("DORA@example.com", 9).await.unwrap();
        assert_eq!(both.len(), 2, "{both:?}");
        assert_eq!(store.anybody_at("dora@example.com", 1).await.unwrap().len(), 1);
        assert_eq!(store.anybody_at("nobody@example.com", 9).await.unwrap(), []);
    }

    /// What waits counts for all accounts, and is old as long as its oldest is.
    async fn sums_are_of_all_accounts(world: World) {
        let begin = world.store.figures().await.unwrap();
        assert_eq!((begin.waiting, begin.oldest_waiting), (0, None));
        assert_eq!((begin.kind, begin.jobs_failed), ("sqlite", 0));
        assert!(begin.schema_version >= 7, "{begin:?}");
        let (_, first) = world.waiting_delivery().await;
        world.another_delivery().await;
        let now = world.store.figures().await.unwrap();
        assert_eq!(now.waiting, 2);
        assert_eq!(now.oldest_waiting, Some(first.created_at));
    }
}
