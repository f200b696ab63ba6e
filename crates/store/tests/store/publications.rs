//! Events that their publisher gave an id: once each, however many publish them at once.

use std::sync::Arc;

use bytes::Bytes;
use hookyard_domain::events::event::Attributes;
use hookyard_domain::kernel::ports::CommitError;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Audience, Change, Event, EventId, EventKind};

use crate::world::{ACCOUNT, World, on_every_backend};

fn publishing(world: &World, id: Option<&str>, body: &'static str) -> Change {
    let attributes = Attributes {
        id: id.map(str::to_owned),
        source: Some("/shop".into()),
        ..Attributes::default()
    };
    Change::default().announcing(Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind: EventKind::Custom,
        event_type: "invoice.paid".into(),
        audience: Audience::Account,
        chat: None,
        post: None,
        request: None,
        occurred_at: world.now(),
        body: Bytes::from_static(body.as_bytes()),
        confidential: false,
        attributes: Some(Arc::new(attributes)),
    })
}

on_every_backend! {
    /// The first wins, the others learn that they came too late, and whoever shares their commit
    /// is not disturbed.
    async fn an_id_is_published_once_however_many_ask_at_once(world: World) {
        let publish = |id, body| world.store.commit_numbering(publishing(&world, id, body));
        let (first, same, other, another_id, none, late) = tokio::join!(
            publish(Some("7"), "1"),
            publish(Some("7"), "1"),
            publish(Some("7"), "2"),
            publish(Some("8"), "1"),
            publish(None, "1"),
            publish(Some("7"), "1"),
        );
        let id = first.unwrap()[0];
        for refused in [same, other, late] {
            assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
        }
        let known = world.store.publication(ACCOUNT, "/shop", "7").await.unwrap();
        assert_eq!(known.unwrap().event, id);
        let stored = world.store.events_after(ACCOUNT, EventId(0), 99).await.unwrap();
        let stored: Vec<_> = stored.into_iter().map(|event| event.id).collect();
        assert_eq!(stored, [id, another_id.unwrap()[0], none.unwrap()[0]]);
    }

    /// Within one change as well: nothing of it is kept.
    async fn a_change_that_publishes_an_id_twice_is_a_conflict(world: World) {
        let mut twice = publishing(&world, Some("7"), "1");
        twice.events.extend(publishing(&world, Some("7"), "1").events);
        let (before, refused, after) = tokio::join!(
            world.store.commit_numbering(publishing(&world, None, "1")),
            world.store.commit_numbering(twice),
            world.store.commit_numbering(publishing(&world, None, "1")),
        );
        assert!(matches!(refused, Err(CommitError::Conflict)), "{refused:?}");
        assert!(before.is_ok() && after.is_ok());
        let known = world.store.publication(ACCOUNT, "/shop", "7").await.unwrap();
        assert!(known.is_none(), "{known:?}");
    }
}
