//! Who learns of a commit, and when.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{CommitListener, Page};
use hookyard_domain::{Change, ChatWrite, EventId, News, PostWrite, SubscriptionWrite};

use crate::world::{ACCOUNT, ALICE, World};

/// Stops at each commit that has events until it is let go on.
#[derive(Debug)]
struct Gate {
    arrived: Mutex<Sender<Vec<EventId>>>,
    go: Mutex<Receiver<()>>,
}

impl CommitListener for Gate {
    fn committed(&self, news: &News) {
        let events: Vec<_> = news.events().map(|told| told.event.id).collect();
        if !events.is_empty() {
            self.arrived.lock().unwrap().send(events).unwrap();
            self.go.lock().unwrap().recv().unwrap();
        }
    }
}

/// While listeners hear of one batch the next is committed; callers are answered after the
/// listeners, in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_writer_goes_on_while_listeners_are_told() {
    let world = World::on_disk().await;
    let (arrived, arrivals) = channel();
    let (go, gate) = channel();
    world.store.listen(Arc::new(Gate {
        arrived: Mutex::new(arrived),
        go: Mutex::new(gate),
    }));
    let team = world.team(&[ALICE]);
    world.commit(Change::of(ChatWrite::Put(team.clone()))).await;
    let posts = [world.post(&team, "first"), world.post(&team, "second")];
    let changes = posts
        .each_ref()
        .map(|post| Change::of(PostWrite::Put(post.clone())).announcing(world.post_event(post)));
    let store = Arc::new(world.store);
    let [first, second] = changes;
    let commit = |change| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.commit_numbering(change).await.unwrap() })
    };
    let first = commit(first);
    let heard = tokio::task::spawn_blocking(move || (arrivals.recv().unwrap(), arrivals));
    let (heard_first, arrivals) = heard.await.unwrap();
    let second = commit(second);
    // The second is on disk although nobody has been told of the first to the end.
    while store
        .post(ACCOUNT, team.id, posts[1].id)
        .await
        .unwrap()
        .is_none()
    {
        tokio::task::yield_now().await;
    }
    assert!(!first.is_finished() && !second.is_finished());
    go.send(()).unwrap();
    let ids = first.await.unwrap();
    assert_eq!(ids, heard_first);
    let heard = tokio::task::spawn_blocking(move || arrivals.recv().unwrap());
    let heard_second = heard.await.unwrap();
    assert!(
        !second.is_finished(),
        "its listener has not been told to the end"
    );
    go.send(()).unwrap();
    assert_eq!(second.await.unwrap(), heard_second);
    assert!(heard_first < heard_second);
}

/// Events of one batch meet the subscriptions as the batch leaves them: nothing is left waiting for
/// a subscription that the same batch ended.
#[tokio::test]
async fn nothing_waits_for_what_the_same_batch_ended() {
    let world = World::on_disk().await;
    let team = world.team(&[ALICE]);
    let subscription = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
    let ids = subscription.id;
    world
        .commit(
            Change::of(ChatWrite::Put(team.clone()))
                .and(SubscriptionWrite::Put(Arc::new(subscription))),
        )
        .await;
    let post = world.post(&team, "hello");
    let tell = Change::of(PostWrite::Put(post.clone())).announcing(world.post_event(&post));
    let end = Change::of(SubscriptionWrite::Delete {
        account: ACCOUNT,
        subscription: ids,
        at: world.now(),
    });
    let (told, ended) = tokio::join!(world.store.commit(tell), world.store.commit(end));
    assert!(told.is_ok() && ended.is_ok());
    let deliveries = world
        .store
        .deliveries(ACCOUNT, None, Page::First, 9)
        .await
        .unwrap();
    for delivery in deliveries {
        let waiting = matches!(
            delivery.state,
            hookyard_domain::DeliveryState::Waiting { .. }
        );
        assert!(!waiting, "{delivery:?}");
    }
}
