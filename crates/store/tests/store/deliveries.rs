//! Finding deliveries: by what they are about, what became of them, and how they were answered.

use std::sync::Arc;

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{AnswerQuery, DeliveryQuery, EventQuery, StateQuery};
use hookyard_domain::{
    AbandonReason, AccountId, AttemptOutcome, Change, Delivery, DeliveryId, DeliverySelection,
    DeliveryState, DeliveryWrite, EventId, Redelivery, SubscriptionWrite, TypePattern,
    UnreachableReason,
};

use crate::world::{ACCOUNT, World, on_every_backend};

fn every() -> DeliveryQuery {
    DeliverySelection::default().query(ACCOUNT, None, 99)
}

fn pattern(text: &str) -> TypePattern {
    TypePattern::parse(text).unwrap()
}

async fn ids(world: &World, query: &DeliveryQuery) -> Vec<DeliveryId> {
    let found = world.store.find_deliveries(query.clone()).await.unwrap();
    let ids: Vec<_> = found.iter().map(|found| found.delivery.id).collect();
    let count = world.store.count_deliveries(query.clone()).await.unwrap();
    assert_eq!(count, ids.len() as u64, "the count is that of the list");
    let mut ascending = world
        .store
        .find_deliveries_after(query.clone(), DeliveryId(0))
        .await
        .unwrap();
    ascending.reverse();
    assert_eq!(ascending, found, "the oldest first are the same");
    ids
}

async fn record(world: &World, delivery: &Delivery, outcome: AttemptOutcome, state: DeliveryState) {
    let attempt = world.attempt(delivery, 1, outcome);
    world
        .commit(Change::of(DeliveryWrite::RecordAttempt { attempt, state }))
        .await;
}

on_every_backend! {
    /// A new endpoint is not shown what a deleted one was sent, nor is it tried for it.
    async fn what_a_deleted_endpoint_was_sent_is_not_its_successors(world: World) {
        let endpoint = |address| SubscriptionWrite::Put(Arc::new(world.endpoint(address)));
        let first = world.endpoint("http://localhost/first");
        let put = SubscriptionWrite::Put(Arc::new(first.clone()));
        world.commit(Change::of(put)).await;
        world.published("invoice.paid").await;
        let delete = SubscriptionWrite::Delete { account: ACCOUNT, subscription: first.id, at: world.now() };
        world.commit(Change::of(delete)).await;
        world.commit(Change::of(endpoint("http://localhost/second"))).await;
        let second = world.store.endpoints(ACCOUNT).await.unwrap().remove(0).id;
        let of_it = DeliveryQuery { subscription: Some(second), ..every() };
        assert!(ids(&world, &of_it).await.is_empty());
    }

    /// Each condition leaves out what does not meet it, alone and with others.
    async fn deliveries_are_found_by_what_became_of_them(world: World) {
        let endpoint = world.endpoint("http://localhost/");
        let put = SubscriptionWrite::Put(Arc::new(endpoint.clone()));
        world.commit(Change::of(put)).await;
        let mut found = Vec::new();
        for type_name in ["invoice.paid", "invoice.paid.late", "user.paid", "invoice.sent"] {
            let event = world.published(type_name).await;
            found.extend(world.store.deliveries_of_event(ACCOUNT, event).await.unwrap());
        }
        let [paid, late, user, sent] = found.as_slice() else { panic!("{found:?}") };
        let now = world.now();
        let waiting = DeliveryState::Waiting { due_at: now };
        let abandoned = DeliveryState::Abandoned { at: now, reason: AbandonReason::AttemptsExhausted };
        let refused = |status| AttemptOutcome::Refused { status, retry_after: None };
        let dns = AttemptOutcome::Unreachable { reason: UnreachableReason::Dns };
        record(&world, paid, AttemptOutcome::Accepted { status: 200 }, DeliveryState::Delivered { at: now }).await;
        record(&world, late, refused(503), abandoned).await;
        record(&world, user, dns, waiting).await;

        let by_state = |state| DeliveryQuery { state: Some(state), ..every() };
        assert_eq!(ids(&world, &every()).await, [sent.id, user.id, late.id, paid.id]);
        assert_eq!(ids(&world, &by_state(StateQuery::Delivered)).await, [paid.id]);
        assert_eq!(ids(&world, &by_state(StateQuery::Abandoned)).await, [late.id]);
        assert_eq!(ids(&world, &by_state(StateQuery::Waiting)).await, [sent.id, user.id]);
        let by_answer = |answer| DeliveryQuery { answer: Some(answer), ..every() };
        assert_eq!(ids(&world, &by_answer(AnswerQuery::Status(503))).await, [late.id]);
        assert_eq!(ids(&world, &by_answer(AnswerQuery::StatusClass(5))).await, [late.id]);
        assert_eq!(ids(&world, &by_answer(AnswerQuery::StatusClass(2))).await, [paid.id]);
        assert_eq!(ids(&world, &by_answer(AnswerQuery::None)).await, [user.id], "tried, not answered");
        for (text, expect) in [
            ("invoice.*", vec![sent.id, late.id, paid.id]),
            ("*.paid", vec![user.id, paid.id]),
            ("invoice.paid", vec![paid.id]),
            ("*", vec![sent.id, user.id, late.id, paid.id]),
        ] {
            let query = DeliveryQuery { types: Some(pattern(text)), ..every() };
            assert_eq!(ids(&world, &query).await, expect, "{text}");
        }
        let ours = DeliveryQuery { subscription: Some(endpoint.id), ..by_state(StateQuery::Abandoned) };
        assert_eq!(ids(&world, &ours).await, [late.id]);
        let since = |at| DeliveryQuery { abandoned_since: Some(at), ..ours.clone() };
        assert_eq!(ids(&world, &since(now)).await, [late.id]);
        assert!(ids(&world, &since(world.now())).await.is_empty());
        let page = DeliveryQuery { before: Some(user.id), ..every() };
        assert_eq!(ids(&world, &page).await, [late.id, paid.id]);
        let elsewhere = DeliveryQuery { account: AccountId(999), ..every() };
        assert!(ids(&world, &elsewhere).await.is_empty());
        let gone = world.endpoint("http://localhost/");
        assert!(ids(&world, &DeliveryQuery { subscription: Some(gone.id), ..every() }).await.is_empty());
        let found = world.store.find_deliveries(by_answer(AnswerQuery::Status(503))).await.unwrap();
        assert_eq!(found[0].type_name, "invoice.paid.late");
        let last = found[0].last.as_ref().unwrap();
        assert_eq!((last.outcome.as_str(), last.status), ("refused", Some(503)));
    }

    /// Those of one event are found, the late ones too.
    async fn deliveries_of_an_event_are_found(world: World) {
        let before = world.published("invoice.paid").await;
        let endpoint = world.endpoint("http://localhost/");
        let put = SubscriptionWrite::Put(Arc::new(endpoint.clone()));
        world.commit(Change::of(put)).await;
        let other = world.published("invoice.paid").await;
        let late = Redelivery { account: ACCOUNT, subscription: endpoint.id, event: before, filter: "*".into() };
        let has = async |event| world.store.has_delivery(ACCOUNT, event, endpoint.id).await.unwrap();
        assert!(!has(before).await);
        world.commit(Change::of(DeliveryWrite::Redeliver(late))).await;
        assert!(has(before).await);
        for event in [before, other] {
            let query = DeliveryQuery { event: Some(event), ..every() };
            let expect = world.store.deliveries_of_event(ACCOUNT, event).await.unwrap();
            assert_eq!(expect.len(), 1);
            assert_eq!(ids(&world, &query).await, [expect[0].id]);
            let ours = DeliveryQuery { subscription: Some(endpoint.id), state: Some(StateQuery::Waiting), ..query };
            assert_eq!(ids(&world, &ours).await, [expect[0].id]);
        }
        let none = DeliveryQuery { event: Some(EventId(1)), ..every() };
        assert!(ids(&world, &none).await.is_empty());
    }

    /// Events are counted as they are listed, by pattern segment for segment.
    async fn events_are_counted_as_they_are_listed(world: World) {
        for type_name in ["invoice.paid", "invoice.paid.late", "user.paid"] {
            world.published(type_name).await;
        }
        for (text, expect) in [("*", 3), ("*.paid", 2), ("invoice.*", 2), ("user.paid", 1)] {
            let query = EventQuery {
                account: ACCOUNT,
                types: Some(pattern(text)),
                since: None,
                until: None,
                before: None,
                limit: 99,
            };
            let listed = world.store.find_events(query.clone()).await.unwrap().len() as u64;
            assert_eq!(listed, expect, "{text}");
            assert_eq!(world.store.count_events(query).await.unwrap(), expect, "{text}");
        }
    }
}
