//! Erasing: what every backend must do with one person's or one endpoint's data.

use std::sync::Arc;

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{DeliveryQuery, MessageQuery, Slice};
use hookyard_domain::messaging::message::{Availability, Direction, ReadStatus};
use hookyard_domain::messaging::post::Mention;
use hookyard_domain::{
    AccountId, AttemptOutcome, Audience, Change, ChatWrite, ConversationId, Correspondent,
    DeliverySelection, DeliveryState, DeliveryWrite, ErasureCounts, ErasureSubject, Event, EventId,
    EventKind, Job, JobId, JobWork, Message, MessageId, MessageWrite, PersonId, PersonWrite, Post,
    PostContent, PostWrite, Presence, PresenceWrite, Secret, Subscription, SubscriptionWrite,
    Timestamp, TypePattern,
};

use crate::world::{ACCOUNT, ALICE, BOB, World, on_every_backend};

const EVERYTHING: (u64, u64) = (0, u64::MAX);
const NOTHING: ErasureCounts = ErasureCounts {
    events: 0,
    deliveries: 0,
    posts: 0,
    messages: 0,
};

async fn counts(world: &World, subject: ErasureSubject) -> ErasureCounts {
    let (after, last) = EVERYTHING;
    let found = world.store.erasable(ACCOUNT, subject, after, last);
    found.await.unwrap()
}

/// Erases page by page, of so many rows; tells how many pages it took.
async fn erase(world: &World, subject: ErasureSubject, limit: u32) -> u32 {
    let (mut after, mut pages) = (0, 0);
    loop {
        let last = world.store.erasure_page(after, limit).await.unwrap();
        world
            .commit(subject.page(ACCOUNT, after, last, JobId(1)))
            .await;
        pages += 1;
        match last {
            Some(last) => after = last,
            None => return pages,
        }
    }
}

async fn put(world: &World, subscription: &Subscription) {
    let put = SubscriptionWrite::Put(Arc::new(subscription.clone()));
    world.commit(Change::of(put)).await;
}

/// An endpoint that asks for everything, also for what Hookyard tells of itself.
fn operational(world: &World) -> Subscription {
    let mut made = world.endpoint("http://localhost/");
    let settings = Arc::make_mut(made.endpoint.as_mut().unwrap());
    settings
        .types
        .push(TypePattern::parse("hookyard.*").unwrap());
    made
}

async fn announce(world: &World, event: Event) -> EventId {
    let numbered = world
        .store
        .commit_numbering(Change::default().announcing(event));
    numbered.await.unwrap()[0]
}

fn told(world: &World, kind: EventKind, audience: Audience, body: &str) -> Event {
    Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind,
        event_type: kind.name().into(),
        audience,
        chat: None,
        post: None,
        request: None,
        occurred_at: world.now(),
        body: body.to_owned().into(),
        confidential: false,
        attributes: None,
    }
}

fn only(person: PersonId) -> Audience {
    Audience::Persons(Arc::from([person]))
}

fn message(world: &World, owner: PersonId, from: PersonId, to: PersonId) -> Message {
    let correspondent = |person: PersonId| Correspondent {
        person,
        extension_number: None,
        name: format!("Name of {person}"),
    };
    Message {
        account: ACCOUNT,
        owner,
        id: MessageId(world.id()),
        direction: Direction::Inbound,
        from: correspondent(from),
        to: vec![correspondent(to)],
        text: "Lunch?".into(),
        conversation: ConversationId::between([from, to]),
        read_status: ReadStatus::Unread,
        availability: Availability::Alive,
        created_at: world.now(),
        modified_at: world.now(),
        version: 1,
    }
}

async fn messages_of(world: &World, owner: PersonId) -> Vec<Message> {
    let query = MessageQuery {
        account: ACCOUNT,
        owner,
        direction: None,
        read_status: None,
        availability: None,
        conversation: None,
        from: Timestamp::from_millis(0),
        to: Timestamp::MAX,
        slice: Slice {
            offset: 0,
            limit: 99,
        },
    };
    world.store.messages(query).await.unwrap().0
}

async fn deliveries(world: &World) -> usize {
    let query: DeliveryQuery = DeliverySelection::default().query(ACCOUNT, None, 999);
    world.store.find_deliveries(query).await.unwrap().len()
}

on_every_backend! {
    /// One endpoint's deliveries go with what was said, with events for it alone and about it;
    /// others' stay. A second time finds nothing.
    async fn an_endpoint_is_erased_and_others_are_not(world: World) {
        let (ours, other) = (operational(&world), operational(&world));
        put(&world, &ours).await;
        put(&world, &other).await;
        let shared = world.published("invoice.paid").await;
        let alone = told(&world, EventKind::Custom, Audience::Subscription(ours.id), "not JSON");
        let alone = announce(&world, alone).await;
        let about = |id: &str, event_type: &'static str| Event {
            event_type: event_type.into(),
            ..told(&world, EventKind::Hookyard, Audience::Account, &format!(r#"{{"id":"{id}"}}"#))
        };
        let updated = announce(&world, about(&ours.id.to_string(), "endpoint.updated")).await;
        let others = announce(&world, about(&other.id.to_string(), "endpoint.updated")).await;
        let deleted = announce(&world, about(&ours.id.to_string(), "endpoint.deleted")).await;
        let delivery = world.store.deliveries_of_event(ACCOUNT, alone).await.unwrap().remove(0);
        let state = DeliveryState::Delivered { at: world.now() };
        let attempt = world.attempt(&delivery, 1, AttemptOutcome::Accepted { status: 200 });
        world.commit(Change::of(DeliveryWrite::RecordAttempt { attempt: attempt.clone(), state })).await;
        let work = JobWork::Recover { endpoint: ours.id, since: world.now() };
        let job = Job::begun(ACCOUNT, JobId(world.id()), work, world.now());
        world.commit(Change::of(job.put())).await;
        let delete = SubscriptionWrite::Delete { account: ACCOUNT, subscription: ours.id, at: world.now() };
        world.commit(Change::of(delete)).await;
        let subject = ErasureSubject::Endpoint(ours.id);
        // All five went to it, and what was about it to the other one too.
        let expect = ErasureCounts { events: 2, deliveries: 6, ..NOTHING };
        assert_eq!(counts(&world, subject).await, expect);
        assert_eq!(world.store.erasable(AccountId(999), subject, 0, u64::MAX).await.unwrap(), NOTHING);
        assert!(erase(&world, subject, 2).await > 2);
        assert_eq!(counts(&world, subject).await, NOTHING);
        for (event, stays) in [(shared, true), (alone, false), (updated, false), (others, true), (deleted, true)] {
            let found = world.store.event(ACCOUNT, event).await.unwrap();
            assert_eq!(found.is_some(), stays, "{event}");
        }
        assert_eq!(deliveries(&world).await, 3, "the other one's of what stays");
        assert!(world.store.attempts(ACCOUNT, delivery.id).await.unwrap().is_empty());
        assert_eq!(world.store.job(ACCOUNT, job.id).await.unwrap(), None);
        // An attempt that was under way is not kept either.
        world.commit(Change::of(DeliveryWrite::RecordAttempt { attempt, state })).await;
        assert!(world.store.attempts(ACCOUNT, delivery.id).await.unwrap().is_empty());
    }

    /// A person's posts lose their texts and keep their places; what tells of them goes, with what
    /// was on its way; others' posts and messages lose their name alone.
    async fn a_person_is_erased_and_others_keep_what_is_theirs(world: World) {
        let team = world.team(&[ALICE, BOB]);
        world.commit(Change::of(ChatWrite::Put(team.clone()))).await;
        put(&world, &world.endpoint("http://localhost/")).await;
        let by = |creator: PersonId, content: PostContent| Post { creator, content, ..world.post(&team, "") };
        let said = |text: &str| PostContent { text: Some(text.into()), ..PostContent::default() };
        let theirs = by(BOB, said("secret"));
        let mention = Mention { id: BOB.to_string(), kind: "Person".into(), name: "Bob".into() };
        let mentioning = by(ALICE, PostContent { mentions: vec![mention], ..said("hello") });
        let unrelated = by(ALICE, said("news of 12"));
        let mut events = Vec::new();
        for (post, body) in [
            (&theirs, r#"{"creatorId":"12","text":"secret"}"#),
            (&mentioning, r#"{"creatorId":"11","mentions":[{"id":"12","name":"Bob"}]}"#),
            (&unrelated, r#"{"creatorId":"11","text":"12","mentions":["12",null],"id":"12"}"#),
        ] {
            let event = Event { body: body.into(), confidential: false, ..world.post_event(post) };
            world.commit(Change::of(PostWrite::Put(post.clone()))).await;
            events.push(announce(&world, event).await);
        }
        let presence = told(&world, EventKind::Presence, only(BOB), "{}");
        events.push(announce(&world, presence).await);
        let gone = Event { event_type: "Delete".into(), ..told(&world, EventKind::Extension, only(BOB), "{}") };
        events.push(announce(&world, gone).await);
        let chatted = r#"{"from":{"extensionId":"12"},"subject":"Lunch?"}"#;
        events.push(announce(&world, told(&world, EventKind::InstantMessage, only(ALICE), chatted)).await);
        let invited = r#"{"from":{"extensionId":"11"},"to":[{"extensionId":"12"}]}"#;
        events.push(announce(&world, told(&world, EventKind::InstantMessage, only(ALICE), invited)).await);
        for (owner, from, to) in [(BOB, ALICE, BOB), (ALICE, BOB, ALICE), (ALICE, ALICE, BOB), (ALICE, ALICE, ALICE)] {
            world.commit(Change::of(MessageWrite::Put(Box::new(message(&world, owner, from, to))))).await;
        }
        let subject = ErasureSubject::Person(BOB);
        let found = counts(&world, subject).await;
        assert_eq!((found.events, found.posts, found.messages), (5, 2, 3), "{found:?}");
        assert!(found.deliveries >= 4, "the endpoint is Alice's, who is in the team: {found:?}");
        let waiting = deliveries(&world).await;
        erase(&world, subject, 3).await;
        assert_eq!(counts(&world, subject).await, NOTHING);
        assert_eq!(deliveries(&world).await as u64, waiting as u64 - found.deliveries);
        assert_eq!(world.heard().withdrawn().count() as u64, found.deliveries, "they were waiting");
        let expect = [false, false, true, false, true, false, false];
        for (event, stays) in events.into_iter().zip(expect) {
            assert_eq!(world.store.event(ACCOUNT, event).await.unwrap().is_some(), stays, "{event}");
        }
        let post = async |post: &Post| world.store.post(ACCOUNT, team.id, post.id).await.unwrap().unwrap();
        let left = post(&theirs).await;
        assert_eq!((left.content, left.version), (PostContent::default(), 2));
        assert_eq!(post(&mentioning).await.content.mentions[0].name, "Erased person");
        assert_eq!(post(&unrelated).await, unrelated);
        assert!(messages_of(&world, BOB).await.is_empty());
        let copies = messages_of(&world, ALICE).await;
        let texts: Vec<_> = copies.iter().map(|copy| copy.text.as_str()).collect();
        assert_eq!(texts, ["Lunch?", "Lunch?", ""], "newest first");
        assert!(!format!("{copies:?}").contains("Name of 12"));
    }

    /// What was sent to subscriptions that a person had goes with them.
    async fn deliveries_to_former_subscriptions_of_a_person_are_erased(world: World) {
        let (subscription, delivery) = world.waiting_delivery().await;
        let end = SubscriptionWrite::DeleteAllOf { account: ACCOUNT, owner: ALICE, at: world.now(), reason: "gone" };
        world.commit(Change::of(end)).await;
        let subject = ErasureSubject::Person(ALICE);
        assert_eq!(counts(&world, subject).await.deliveries, 1);
        erase(&world, subject, 200).await;
        assert_eq!(world.store.delivery(ACCOUNT, delivery.id).await.unwrap(), None);
        let history = world.store.subscription_history(ACCOUNT, subscription).await.unwrap();
        assert!(history.is_empty());
    }

    /// Nobody signs in any more with what is taken away.
    async fn what_a_person_could_sign_in_with_is_taken_away(world: World) {
        let password = PersonWrite::PutPassword { account: ACCOUNT, person: BOB, hash: Secret::new("$argon2id$") };
        let presence = Presence { message: Some("out".into()), sequence: 1, ..Presence::unset(ACCOUNT, BOB) };
        world.commit(Change::of(password).and(PresenceWrite::Put(presence))).await;
        assert!(world.store.password_of("102").await.unwrap().is_some());
        let elsewhere = PersonWrite::ErasePersonals { account: AccountId(999), person: BOB };
        world.commit(Change::of(elsewhere)).await;
        assert!(world.store.password_of("102").await.unwrap().is_some());
        world.commit(Change::of(PersonWrite::ErasePersonals { account: ACCOUNT, person: BOB })).await;
        assert!(world.store.password_of("102").await.unwrap().is_none());
        assert_eq!(world.store.presence(ACCOUNT, BOB).await.unwrap(), None);
    }
}
