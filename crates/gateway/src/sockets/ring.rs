//! The numbered notifications of one session.
//!
//! One buffer serves three ends: what waits to be written, the bound on how far a reader may fall
//! behind, and what a client gets again when it recovers its session. Events are shared with every
//! other session that has them.

use std::collections::VecDeque;
use std::sync::Arc;

use hookyard_domain::kernel::limits::{
    SOCKET_BEHIND_MAX, SOCKET_BUFFER_BYTES_MAX, SOCKET_BUFFER_MAX,
};
use hookyard_domain::{Event, Subscription, Timestamp};

/// An event on its way to a subscription.
#[derive(Debug, Clone)]
pub(super) struct Notification {
    pub(super) event: Arc<Event>,
    pub(super) subscription: Arc<Subscription>,
    /// Which of the subscription's filters it goes by.
    pub(super) filter: usize,
}

impl Notification {
    /// The filter as it was subscribed.
    pub(super) fn filter_text(&self) -> &str {
        self.subscription.filters[self.filter].as_str()
    }
}

/// The reader is further behind than it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overflow;

/// The newest notifications, in order.
#[derive(Debug)]
pub(super) struct Ring {
    kept: VecDeque<Notification>,
    /// The number of the first that is kept, or of the next to come when none is.
    first: u64,
    /// The number of the next to be written.
    unwritten: u64,
    body_bytes: usize,
}

impl Ring {
    /// An empty ring whose first notification will follow `sequence`.
    pub(super) const fn after(sequence: u64) -> Self {
        Self {
            kept: VecDeque::new(),
            first: sequence + 1,
            unwritten: sequence + 1,
            body_bytes: 0,
        }
    }

    /// The number of the newest notification that was taken for writing, kept or not.
    pub(super) const fn written(&self) -> u64 {
        self.unwritten - 1
    }

    fn next(&self) -> u64 {
        self.first + self.kept.len() as u64
    }

    fn unwritten_count(&self) -> usize {
        usize::try_from(self.next() - self.unwritten).unwrap_or(usize::MAX)
    }

    /// Whether something waits to be written.
    pub(super) fn has_unwritten(&self) -> bool {
        self.unwritten < self.next()
    }

    /// Adds a notification; the oldest go. While somebody is `reading`, what they have not got yet
    /// stays, up to a bound.
    pub(super) fn push(
        &mut self,
        notification: Notification,
        reading: bool,
    ) -> Result<(), Overflow> {
        self.body_bytes += notification.event.body.len();
        self.kept.push_back(notification);
        while self.is_over_full() && (!reading || self.first < self.unwritten) {
            self.forget_first();
        }
        if self.unwritten_count() > SOCKET_BEHIND_MAX || self.is_too_heavy() {
            return Err(Overflow);
        }
        Ok(())
    }

    /// Nobody reads now: only what a recovery hands out is kept.
    pub(super) fn shorten(&mut self) {
        while self.is_over_full() {
            self.forget_first();
        }
    }

    fn is_over_full(&self) -> bool {
        self.kept.len() > SOCKET_BUFFER_MAX || self.is_too_heavy()
    }

    fn is_too_heavy(&self) -> bool {
        self.body_bytes > SOCKET_BUFFER_BYTES_MAX && self.kept.len() > 1
    }

    fn forget_first(&mut self) {
        if let Some(first) = self.kept.pop_front() {
            self.body_bytes -= first.event.body.len();
            self.first += 1;
            self.unwritten = self.unwritten.max(self.first);
        }
    }

    /// Takes up to `count_max` notifications to be written, with the number of the first.
    pub(super) fn take_unwritten(&mut self, count_max: usize) -> (u64, Vec<Notification>) {
        let begin = self.unwritten;
        let skipped = usize::try_from(begin - self.first).unwrap_or(usize::MAX);
        let taken: Vec<_> = self
            .kept
            .iter()
            .skip(skipped)
            .take(count_max)
            .cloned()
            .collect();
        self.unwritten += taken.len() as u64;
        (begin, taken)
    }

    /// Begins to write again behind `sequence`, or with what is left of it.
    pub(super) fn resume_after(&mut self, sequence: u64) {
        self.unwritten = sequence.saturating_add(1).clamp(self.first, self.next());
    }

    /// Forgets what the client has certainly received, up to `sequence`, and what is so old that
    /// nobody comes back for it.
    pub(super) fn forget_received(&mut self, sequence: u64, before: Timestamp) {
        while let Some(first) = self.kept.front()
            && self.first <= sequence
            && first.event.occurred_at < before
        {
            self.forget_first();
        }
        if self.kept.is_empty() {
            // Gives the memory back: most sessions are silent most of the time.
            self.kept = VecDeque::new();
        }
    }

    /// Forgets everything, written or not. Numbers go on.
    pub(super) fn clear(&mut self) {
        self.first = self.next();
        self.unwritten = self.first;
        self.kept = VecDeque::new();
        self.body_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sockets::sample::{event, notification};
    use bytes::Bytes;

    fn ring(count: u64) -> Ring {
        let mut ring = Ring::after(1_000);
        for id in 1..=count {
            let _ = ring.push(notification(id), false);
        }
        ring
    }

    fn taken(ring: &mut Ring, count_max: usize) -> (u64, Vec<u64>) {
        let (first, taken) = ring.take_unwritten(count_max);
        (first, taken.iter().map(|taken| taken.event.id.0).collect())
    }

    #[test]
    fn notifications_are_numbered_from_the_beginning_of_the_session() {
        let mut ring = ring(3);
        assert_eq!(taken(&mut ring, 2), (1_001, vec![1, 2]));
        assert_eq!(ring.written(), 1_002);
        assert_eq!(taken(&mut ring, 2), (1_003, vec![3]));
        assert!(!ring.has_unwritten());
    }

    #[test]
    fn the_newest_hundred_are_kept_for_those_who_are_away() {
        let mut ring = ring(250);
        ring.resume_after(1_000);
        let (first, ids) = taken(&mut ring, 1_000);
        assert_eq!((first, ids.len()), (1_151, SOCKET_BUFFER_MAX));
        assert_eq!((ids[0], ids[99]), (151, 250));
    }

    #[test]
    fn recovery_begins_behind_what_was_received() {
        let mut ring = ring(5);
        taken(&mut ring, 5);
        ring.resume_after(1_003);
        assert_eq!(taken(&mut ring, 9), (1_004, vec![4, 5]));
        ring.resume_after(u64::MAX);
        assert!(!ring.has_unwritten());
        ring.resume_after(0);
        assert_eq!(taken(&mut ring, 1), (1_001, vec![1]));
    }

    #[test]
    fn a_reader_keeps_what_it_has_not_got_until_it_is_too_far_behind() {
        let mut ring = Ring::after(0);
        for id in 1..=SOCKET_BEHIND_MAX as u64 {
            assert_eq!(ring.push(notification(id), true), Ok(()));
        }
        assert_eq!(ring.push(notification(9_999), true), Err(Overflow));
        ring.shorten();
        assert_eq!(ring.kept.len(), SOCKET_BUFFER_MAX);
        let newest = SOCKET_BEHIND_MAX as u64 + 1;
        let (first, ids) = taken(&mut ring, 1);
        assert_eq!(first, newest - SOCKET_BUFFER_MAX as u64 + 1);
        assert_eq!(ids, [first]);
    }

    #[test]
    fn bodies_count_by_their_size() {
        let heavy = |id| {
            let mut event = event(id);
            event.body = Bytes::from(vec![b' '; SOCKET_BUFFER_BYTES_MAX]);
            Notification {
                event: Arc::new(event),
                ..notification(id)
            }
        };
        let mut ring = Ring::after(0);
        assert_eq!(ring.push(heavy(1), true), Ok(()), "one always fits");
        assert_eq!(ring.push(heavy(2), true), Err(Overflow));
        ring.shorten();
        assert_eq!(taken(&mut ring, 9), (2, vec![2]));
    }

    #[test]
    fn what_was_received_is_forgotten_once_it_is_old() {
        let mut ring = ring(3);
        taken(&mut ring, 3);
        let old = notification(3).event.occurred_at;
        ring.forget_received(1_003, old);
        assert_eq!(ring.kept.len(), 3, "not old enough");
        let later = old + std::time::Duration::from_millis(1);
        ring.forget_received(1_002, later);
        assert_eq!(ring.kept.len(), 1, "the third may be on its way");
        ring.forget_received(1_003, later);
        assert_eq!((ring.kept.capacity(), ring.body_bytes), (0, 0));
        let _ = ring.push(notification(4), true);
        assert_eq!(taken(&mut ring, 9), (1_004, vec![4]));
    }

    #[test]
    fn numbers_go_on_after_a_ring_was_cleared() {
        let mut ring = ring(3);
        ring.clear();
        assert!(!ring.has_unwritten());
        let _ = ring.push(notification(4), true);
        assert_eq!(taken(&mut ring, 9), (1_004, vec![4]));
    }
}
