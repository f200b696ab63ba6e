//! What must hold after every run. Pure: a history in, sentences about what is broken out.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use hookyard_domain::kernel::limits::{RETRY_AFTER_MAX, RETRY_AFTER_MIN};
use hookyard_domain::{AbandonReason, AttemptOutcome, Delivery, DeliveryState};

use crate::history::{History, Sent};

/// Everything that `history` breaks.
pub(crate) fn broken_by(history: &History) -> Vec<String> {
    let mut broken = Vec::new();
    every_promise_is_one_delivery(history, &mut broken);
    every_delivery_ends_with_a_reason(history, &mut broken);
    attempts_are_counted_and_bounded(history, &mut broken);
    nothing_is_sent_after_it_was_accepted(history, &mut broken);
    every_attempt_sends_the_same_bytes(history, &mut broken);
    concurrency_is_held(history, &mut broken);
    nothing_starts_while_a_subscription_is_silent(history, &mut broken);
    a_pause_that_was_asked_for_is_kept(history, &mut broken);
    broken
}

fn every_promise_is_one_delivery(history: &History, broken: &mut Vec<String>) {
    let promised: HashSet<_> = history.promised.iter().copied().collect();
    let mut kept = HashMap::new();
    for delivery in &history.deliveries {
        *kept
            .entry((delivery.event, delivery.subscription))
            .or_insert(0) += 1;
    }
    for promise in &promised {
        let count = kept.remove(promise).unwrap_or(0);
        if count != 1 {
            broken.push(format!("{promise:?} has {count} deliveries"));
        }
    }
    broken.extend(
        kept.keys()
            .map(|surplus| format!("{surplus:?} was never promised")),
    );
}

fn every_delivery_ends_with_a_reason(history: &History, broken: &mut Vec<String>) {
    for delivery in &history.deliveries {
        let life = &history.lives[&delivery.subscription];
        let outcomes = || {
            history.attempts[&delivery.id]
                .iter()
                .map(|attempt| attempt.outcome)
        };
        let sound = match delivery.state {
            DeliveryState::Waiting { .. } => false,
            DeliveryState::Delivered { .. } => outcomes().any(|outcome| outcome.is_accepted()),
            DeliveryState::Abandoned { reason, .. } => match reason {
                AbandonReason::SubscriptionEnded => life.deleted || life.expired,
                AbandonReason::Gone => outcomes().any(|outcome| outcome.status() == Some(410)),
                AbandonReason::AttemptsExhausted => {
                    delivery.attempts == life.subscription.policy.attempts_max
                }
                AbandonReason::TooOld => true,
            },
        };
        if !sound {
            broken.push(format!(
                "{} is {:?} without a reason",
                delivery.id, delivery.state
            ));
        }
    }
}

fn attempts_are_counted_and_bounded(history: &History, broken: &mut Vec<String>) {
    for delivery in &history.deliveries {
        let attempts = &history.attempts[&delivery.id];
        let numbers = attempts.iter().map(|attempt| attempt.number);
        let bound = history.lives[&delivery.subscription]
            .subscription
            .policy
            .attempts_max;
        // The last one may have been under way when its subscription ended: it is in the log, but
        // no longer counted.
        let ended = AbandonReason::SubscriptionEnded;
        let state = delivery.state;
        let late = matches!(state, DeliveryState::Abandoned { reason, .. } if reason == ended);
        let logged = u32::try_from(attempts.len()).expect("few");
        let counted = logged == delivery.attempts || (late && logged == delivery.attempts + 1);
        if !counted || !numbers.eq(1..=logged) || logged > bound {
            broken.push(format!("{} has attempts {attempts:?}", delivery.id));
        }
    }
}

fn sends_of<'a>(history: &'a History, delivery: &'a Delivery) -> impl Iterator<Item = &'a Sent> {
    history
        .sent
        .iter()
        .filter(|sent| sent.delivery == delivery.id)
}

fn nothing_is_sent_after_it_was_accepted(history: &History, broken: &mut Vec<String>) {
    let mut accepted: HashMap<_, u32> = HashMap::new();
    for sent in &history.sent {
        if let Some(process) = accepted.get(&sent.delivery) {
            // A later process may repeat what an earlier one could not record, if it says so.
            let crashed = (*process..sent.process)
                .any(|process| !history.ends[usize::try_from(process - 1).expect("small")]);
            if sent.process == *process || !crashed || !sent.marked {
                broken.push(format!("{sent:?} was accepted before by process {process}"));
            }
        }
        let Some((_, outcome)) = sent.ended else {
            continue;
        };
        if outcome.is_accepted() {
            accepted.insert(sent.delivery, sent.process);
        }
    }
}

fn every_attempt_sends_the_same_bytes(history: &History, broken: &mut Vec<String>) {
    let mut first = HashMap::new();
    for sent in &history.sent {
        if *first.entry(sent.delivery).or_insert(&sent.bytes) != &sent.bytes {
            broken.push(format!("{} changed its bytes", sent.delivery));
        }
    }
}

fn concurrency_is_held(history: &History, broken: &mut Vec<String>) {
    let over = history
        .sent
        .iter()
        .filter(|sent| sent.beside >= sent.concurrency_max);
    broken.extend(over.map(|sent| format!("{sent:?} is one too many")));
}

fn nothing_starts_while_a_subscription_is_silent(history: &History, broken: &mut Vec<String>) {
    for sent in &history.sent {
        let silent = &history.lives[&sent.subscription].silent;
        let inside = |(from, to): &(Duration, Option<Duration>)| {
            sent.began > *from && to.is_none_or(|to| sent.began < to)
        };
        if silent.iter().any(inside) {
            broken.push(format!("{sent:?} started in silence {silent:?}"));
        }
    }
}

fn a_pause_that_was_asked_for_is_kept(history: &History, broken: &mut Vec<String>) {
    for delivery in &history.deliveries {
        let sends: Vec<_> = sends_of(history, delivery).collect();
        for pair in sends.windows(2) {
            let Some((
                ended,
                AttemptOutcome::Refused {
                    retry_after: Some(pause),
                    ..
                },
            )) = pair[0].ended
            else {
                continue;
            };
            // Wall time is kept in whole milliseconds.
            let pause = pause.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX);
            let pause = pause.saturating_sub(Duration::from_millis(1));
            // Due times are wall times, so a clock that is set forward shortens the pause.
            let shortened = |jump: &Duration| (ended..=pair[1].began).contains(jump);
            let same = pair[0].process == pair[1].process;
            if same && pair[1].began < ended + pause && !history.jumps.iter().any(shortened) {
                broken.push(format!(
                    "{:?} did not wait {pause:?} after {:?}",
                    pair[1], pair[0]
                ));
            }
        }
    }
}

type Spoiler = (&'static str, fn(&mut History) -> bool);

/// Ways to break a promise; each returns whether the history offered a place for it.
pub(crate) const SPOILERS: [Spoiler; 8] = [
    ("a delivery is missing", |history| {
        history.deliveries.pop().is_some()
    }),
    ("a delivery is there twice", |history| {
        let twice = history.deliveries.first().cloned();
        history.deliveries.extend(twice.clone());
        twice.is_some()
    }),
    ("a delivery still waits", |history| {
        history.deliveries.first_mut().is_some_and(|delivery| {
            let due_at = delivery.created_at;
            delivery.state = DeliveryState::Waiting { due_at };
            true
        })
    }),
    ("an attempt is not recorded", |history| {
        let mut recorded = history.attempts.values_mut();
        recorded
            .find(|list| !list.is_empty())
            .is_some_and(|list| list.pop().is_some())
    }),
    ("an accepted event is sent again", |history| {
        let accepted = |sent: &&Sent| sent.ended.is_some_and(|(_, outcome)| outcome.is_accepted());
        let again = history.sent.iter().find(accepted).cloned();
        history.sent.extend(again.clone());
        again.is_some()
    }),
    ("bytes change", |history| {
        let Some(mut other) = history.sent.first().cloned() else {
            return false;
        };
        other.bytes = "other".into();
        other.process += 1_000;
        other.ended = None;
        history.sent.insert(0, other);
        true
    }),
    ("too many are under way", |history| {
        history.sent.first_mut().is_some_and(|sent| {
            sent.beside = sent.concurrency_max;
            true
        })
    }),
    ("something starts in silence", |history| {
        let Some(sent) = history.sent.last() else {
            return false;
        };
        let from = sent.began.saturating_sub(Duration::from_millis(1));
        let life = history.lives.get_mut(&sent.subscription);
        life.is_some_and(|life| {
            life.silent.push((from, None));
            !sent.began.is_zero()
        })
    }),
];
