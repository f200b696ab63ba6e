use super::*;
use crate::kernel::change::Write;
use crate::subscriptions::history::HistoryEntry;
use crate::subscriptions::sample::{APP, OWNER, at, person, subscription, web_socket};

const POSTS: &str = "/restapi/v1.0/glip/posts";
const REMINDER: &str = "/restapi/v1.0/subscription/~?threshold=300&interval=100";

fn note_of(change: &Change) -> &HistoryEntry {
    let note = change.writes.iter().find_map(|write| match write {
        Write::History(HistoryWrite::Note(note)) => Some(note),
        _ => None,
    });
    note.expect("what happened is noted")
}

fn of_socket() -> Subscription {
    Subscription {
        mode: web_socket(1),
        ..subscription(&[POSTS])
    }
}

#[test]
fn the_platforms_api_shows_a_subscription_to_its_owner_and_app_while_it_lives() {
    let (app, other) = (ClientId(APP.to_owned()), ClientId("other".to_owned()));
    for (person, client_id, now, expect) in [
        (OWNER, &app, 999, Ok(())),
        (OWNER, &app, 1_000, Err(LifeError::Expired)),
        (OWNER, &other, 0, Err(LifeError::Missing)),
        (PersonId(2), &app, 1_000, Err(LifeError::Missing)),
    ] {
        assert_eq!(
            subscription(&[POSTS]).check_own(person, client_id, at(now)),
            expect
        );
    }
}

#[test]
fn owners_and_administrators_manage_it_until_it_can_no_longer_be_renewed() {
    const DAY: i64 = 86_400;
    for (id, admin, now, expect) in [
        (1, false, 1_000, true),
        (1, false, 1_000 + DAY, false),
        (2, true, 1_000, true),
        (2, false, 0, false),
    ] {
        let managed = subscription(&[POSTS]).is_manageable_by(&person(id, admin), at(now));
        assert_eq!(managed, expect, "{id} at {now}");
    }
}

#[test]
fn a_renewal_is_guarded_by_the_version_and_tells_what_was_granted() {
    let current = subscription(&[POSTS]);
    let asked = Some(Duration::from_secs(60));
    let (change, renewed) = current.renew(asked, Channel::Http, at(10)).unwrap();
    assert_eq!(renewed.expires_at, at(70));
    assert!(change.guards.contains(&current.unchanged()));
    let note = note_of(&change);
    assert_eq!(
        (note.milestone, note.detail.as_deref()),
        (Milestone::Renewed, Some("for 60 s"))
    );
}

#[test]
fn a_renewal_that_is_too_short_for_the_reminder_is_refused() {
    let current = subscription(&[POSTS, REMINDER]);
    let renew = |seconds| current.renew(Some(Duration::from_secs(seconds)), Channel::Http, at(0));
    assert!(renew(600).is_ok());
    let refused = Some(LifeError::Refused(SubscribeError::BadReminder));
    assert_eq!(renew(599).err(), refused);
}

#[test]
fn other_filters_renew_it_too() {
    let filters = PermittedFilters {
        permitted: subscription(&["/team-messaging/v1/posts"]).filters,
        disabled: Vec::new(),
    };
    let asked = Some(Duration::from_secs(60));
    let updated = subscription(&[POSTS]).update(filters, asked, Channel::Http, at(10));
    let (change, updated) = updated.unwrap();
    assert_eq!(updated.filters[0].as_str(), "/team-messaging/v1/posts");
    assert_eq!(updated.expires_at, at(70));
    assert_eq!(note_of(&change).milestone, Milestone::Updated);
}

#[test]
fn what_belongs_to_a_websocket_session_is_changed_by_it_alone() {
    let current = of_socket();
    let (change, _) = current.renew(None, Channel::Socket, at(0)).unwrap();
    assert!(matches!(
        change.writes.as_slice(),
        [Write::History(HistoryWrite::Note(_))]
    ));
    let elsewhere = [
        current.renew(None, Channel::Http, at(0)),
        current.renew_late(None, false, at(0)),
        current.suspend(at(0)),
        current.resume(false, at(0)),
    ];
    for refused in elsewhere {
        assert_eq!(refused.err(), Some(LifeError::OfItsSession));
    }
}

#[test]
fn who_renews_late_says_whether_what_was_missed_is_wanted() {
    for (now, missed, waiting_abandoned, caught_up) in [
        (999, false, false, false),
        (1_000, false, true, false),
        (1_000, true, false, true),
    ] {
        let renewed = subscription(&[POSTS]).renew_late(None, missed, at(now));
        let (change, renewed) = renewed.unwrap();
        let is_abandoned = |write: &Write| {
            matches!(
                write,
                Write::Subscription(SubscriptionWrite::AbandonWaiting { .. })
            )
        };
        assert_eq!(
            change.writes.iter().any(is_abandoned),
            waiting_abandoned,
            "{now}"
        );
        assert_eq!(renewed.catch_up_after.is_some(), caught_up, "{now}");
        assert_eq!(note_of(&change).detail.is_some(), now >= 1_000, "{now}");
    }
}

#[test]
fn a_pause_and_its_end_change_nothing_twice() {
    let current = subscription(&[POSTS]);
    let (change, paused) = current.suspend(at(1)).unwrap();
    assert_eq!(paused.status, SubscriptionStatus::Suspended);
    assert_eq!(note_of(&change).milestone, Milestone::Suspended);
    assert!(paused.suspend(at(2)).unwrap().0.is_empty());
    let (change, resumed) = paused.resume(true, at(3)).unwrap();
    assert_eq!(resumed.status, SubscriptionStatus::Active);
    assert!(resumed.catch_up_after.is_some());
    assert_eq!(note_of(&change).milestone, Milestone::Resumed);
    assert!(current.resume(true, at(3)).unwrap().0.is_empty());
}

#[test]
fn deleting_takes_a_stored_one_out_of_the_store() {
    let change = subscription(&[POSTS]).delete(at(1));
    let writes = change.writes.as_slice();
    assert!(matches!(
        writes,
        [
            Write::Subscription(SubscriptionWrite::Delete { .. }),
            Write::History(HistoryWrite::Note(_))
        ]
    ));
    let change = of_socket().delete(at(1));
    assert!(matches!(
        change.writes.as_slice(),
        [Write::History(HistoryWrite::Note(_))]
    ));
    assert_eq!(note_of(&change).milestone, Milestone::Deleted);
}
