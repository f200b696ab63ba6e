//! The promises, as pure functions over what senders, the API and the receiver saw.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use hookyard_domain::kernel::limits::LANE_UNRECORDED_MAX;

use crate::Posts;
use crate::receiver::Receipt;
use crate::sender::History;

/// An accepted attempt is recorded within this time. Killed before, the server cannot know that
/// the receiver took the event, and sends it again.
const RECORDING: Duration = Duration::from_secs(1);

/// A connection that a server opened before it died can wait for this long until the receiver's
/// thread takes it.
const TRANSIT: Duration = Duration::from_millis(250);

/// Repeats that one kill may cause: what was in flight, and what was answered and not yet recorded.
const REPEATS_PER_KILL_MAX: usize = IN_FLIGHT_MAX + LANE_UNRECORDED_MAX;

/// Sends in flight to one subscriber by default.
const IN_FLIGHT_MAX: usize = 16;

/// How many offenders to show.
const SHOWN: usize = 5;

fn assert_none<T: std::fmt::Debug>(offenders: &[T], claim: &str) {
    let shown = &offenders[..offenders.len().min(SHOWN)];
    assert!(
        offenders.is_empty(),
        "{claim}: {} times, such as {shown:?}",
        offenders.len()
    );
}

pub(crate) fn acknowledged_posts_are_readable(sent: &History, posts: &Posts) {
    let lost: Vec<_> = sent
        .acknowledged()
        .filter(|operation| !posts.contains_key(operation))
        .collect();
    assert_none(&lost, "an acknowledged post is gone");
}

/// No post from nowhere, and none twice: one request makes one post.
pub(crate) fn posts_come_from_senders(sent: &History, posts: &Posts) {
    let strange: Vec<_> = posts
        .iter()
        .filter(|(operation, ids)| !sent.contains(**operation) || ids.len() != 1)
        .collect();
    assert_none(&strange, "a post was not sent, or exists twice");
}

/// Whatever is readable was committed with its deliveries, acknowledged or not.
pub(crate) fn posts_are_delivered(posts: &Posts, receipts: &[Receipt]) {
    let accepted: BTreeSet<_> = receipts
        .iter()
        .filter(|receipt| receipt.accepted_at.is_some())
        .map(|receipt| receipt.operation)
        .collect();
    let undelivered: Vec<_> = posts
        .keys()
        .filter(|operation| !accepted.contains(operation))
        .collect();
    assert_none(&undelivered, "a post was never delivered");
}

/// Each receipt tells of a post that can be read, and each post has one event.
pub(crate) fn receipts_come_from_posts(posts: &Posts, receipts: &[Receipt]) {
    let strange: Vec<_> = receipts
        .iter()
        .filter(|receipt| {
            let ids = posts.get(&receipt.operation);
            !ids.is_some_and(|ids| ids.contains(&receipt.post))
        })
        .collect();
    assert_none(&strange, "an event tells of no post");
    let mut events: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for receipt in receipts {
        let uuids = events.entry(receipt.operation).or_default();
        uuids.insert(&receipt.uuid);
    }
    events.retain(|_, uuids| uuids.len() != 1);
    let repeated: Vec<_> = events.into_iter().collect();
    assert_none(&repeated, "a post has several events");
}

/// Every attempt of an event sends the same bytes.
pub(crate) fn bodies_are_identical(receipts: &[Receipt]) {
    let differing: Vec<_> = by_event(receipts)
        .into_values()
        .filter(|attempts| {
            attempts
                .iter()
                .any(|attempt| attempt.body != attempts[0].body)
        })
        .map(|attempts| String::from_utf8_lossy(&attempts[0].body).into_owned())
        .collect();
    assert_none(&differing, "an event's attempts differ");
}

/// A repeat follows a refusal, a hang-up, or a kill that came before the answer was recorded.
/// Returns how many repeats there were after an accepted attempt.
pub(crate) fn repeats_are_explained_by_faults(receipts: &[Receipt], kills: &[Instant]) -> usize {
    let mut unexplained = Vec::new();
    let mut per_kill: BTreeMap<usize, usize> = BTreeMap::new();
    for attempts in by_event(receipts).into_values() {
        for pair in attempts.windows(2) {
            let (earlier, later) = (pair[0], pair[1]);
            let Some(accepted_at) = earlier.accepted_at else {
                continue;
            };
            let killed = kills.iter().position(|kill| {
                // What a dead server sent may be read late, so what counts is who opened the connection.
                *kill + TRANSIT >= earlier.opened_at
                    && *kill <= later.arrived_at
                    && kill.saturating_duration_since(accepted_at) <= RECORDING
            });
            match killed {
                Some(kill) => *per_kill.entry(kill).or_default() += 1,
                None => unexplained.push((&earlier.uuid, later.arrived_at - accepted_at)),
            }
        }
    }
    assert_none(
        &unexplained,
        "an accepted event was sent again without a crash",
    );
    let excessive: Vec<_> = per_kill
        .iter()
        .filter(|(_, repeats)| **repeats > REPEATS_PER_KILL_MAX)
        .collect();
    assert_none(&excessive, "a kill caused more repeats than could be open");
    per_kill.values().sum()
}

/// Each event arrived exactly once.
pub(crate) fn nothing_is_repeated(receipts: &[Receipt]) {
    let repeated: Vec<_> = by_event(receipts)
        .into_iter()
        .filter(|(_, attempts)| attempts.len() > 1)
        .map(|(uuid, attempts)| (uuid, attempts.len()))
        .collect();
    assert_none(&repeated, "an event was repeated");
}

fn by_event(receipts: &[Receipt]) -> BTreeMap<&str, Vec<&Receipt>> {
    let mut events: BTreeMap<&str, Vec<&Receipt>> = BTreeMap::new();
    for receipt in receipts {
        events.entry(&receipt.uuid).or_default().push(receipt);
    }
    events
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::now;

    fn receipt(arrived_at: Instant, accepted: bool) -> Receipt {
        Receipt {
            operation: 1,
            uuid: "7".to_owned(),
            post: "10".to_owned(),
            body: b"{}".to_vec(),
            arrived_at,
            opened_at: arrived_at,
            accepted_at: accepted.then_some(arrived_at),
        }
    }

    #[test]
    fn a_repeat_around_a_kill_is_explained() {
        let start = now();
        let later = start + Duration::from_secs(2);
        let receipts = [receipt(start, true), receipt(later, true)];
        let kill = start + Duration::from_millis(10);
        assert_eq!(repeats_are_explained_by_faults(&receipts, &[kill]), 1);
        let receipts = [receipt(start, false), receipt(later, true)];
        assert_eq!(repeats_are_explained_by_faults(&receipts, &[]), 0);
    }

    #[test]
    #[should_panic(expected = "sent again without a crash")]
    fn a_repeat_long_after_a_recorded_answer_is_noticed() {
        let start = now();
        let kill = start + Duration::from_secs(5);
        let later = start + Duration::from_secs(6);
        let receipts = [receipt(start, true), receipt(later, true)];
        repeats_are_explained_by_faults(&receipts, &[kill]);
    }

    #[test]
    #[should_panic(expected = "never delivered")]
    fn a_post_that_was_only_refused_is_noticed() {
        let posts = Posts::from([(1, vec!["10".to_owned()])]);
        posts_are_delivered(&posts, &[receipt(now(), false)]);
    }

    #[test]
    #[should_panic(expected = "tells of no post")]
    fn an_event_from_nowhere_is_noticed() {
        receipts_come_from_posts(&Posts::new(), &[receipt(now(), true)]);
    }

    #[test]
    #[should_panic(expected = "attempts differ")]
    fn a_changed_body_is_noticed() {
        let start = now();
        let mut changed = receipt(start, true);
        changed.body = b"{ }".to_vec();
        bodies_are_identical(&[receipt(start, false), changed]);
    }
}
