//! What the dispatcher knows about one subscription: a bounded window of its waiting deliveries,
//! ordered by due time, and whether the store holds more. No I/O and no tasks here.
//!
//! The rule that keeps the window true: a waiting delivery of this subscription is *present* (in
//! the window, in flight, or sent and not recorded), or the lane is *behind*, which makes it read
//! from the store again. While such a read is under way, whatever is settled or arrives is noted,
//! because the page that comes back may not know of it.

mod entry;
mod sums;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hookyard_domain::endpoints::endpoint::RateLimit;
use hookyard_domain::kernel::limits::{
    BATCH_BYTES_MAX, BATCHING_INTERVAL_MAX, LANE_UNRECORDED_MAX, LANE_WINDOW_FAILING_MAX,
    LANE_WINDOW_MAX, RETRY_AFTER_MAX, STORE_PAUSE_MAX, STORE_PAUSE_MIN,
};
use hookyard_domain::kernel::ownership::Lease;
use hookyard_domain::subscriptions::health::Health;
use hookyard_domain::{
    AbandonReason, AttemptOutcome, DeliveryId, DeliveryState, Subscription, SubscriptionStatus,
    Timestamp,
};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(super) use entry::Entry;
pub(super) use sums::Sums;

use super::breaker::Breaker;
use super::pace::Pace;
use crate::health::HealthReport;
use crate::transport::Halt;

/// A lane's window is refilled when so few are left; the read overlaps with sending these.
const LOW_WATER: usize = LANE_WINDOW_MAX / 4;

/// One subscription's way through the dispatcher.
#[derive(Debug)]
pub(super) struct Lane {
    state: Mutex<LaneState>,
    /// What makes it this node's.
    pub(super) lease: Lease,
    /// Wakes workers that have nothing to do.
    pub(super) work: Notify,
    /// Wakes the lane's keeper.
    pub(super) keeper: Notify,
    pub(super) halt: Halt,
}

impl Lane {
    pub(super) fn new(subscription: Arc<Subscription>, lease: Lease, behind: bool) -> Self {
        Self {
            state: Mutex::new(LaneState::new(subscription, behind)),
            lease,
            work: Notify::new(),
            keeper: Notify::new(),
            halt: Halt::default(),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, LaneState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the lane: nothing starts any more, and what has not been written is called off.
    pub(super) fn end(&self) {
        self.halt.call_off();
        self.lock().end();
        self.keeper.notify_one();
        self.work.notify_waiters();
    }
}

/// What a worker is to send.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) entry: Entry,
    /// Goes in the same request.
    pub(super) others: Vec<Entry>,
    pub(super) subscription: Arc<Subscription>,
}

/// What a lane's keeper is to do next.
#[derive(Debug)]
pub(super) enum Step {
    /// The lane has nothing to do and can be forgotten.
    Leave,
    /// Read so many waiting deliveries from the store.
    Refill { limit: usize },
    /// Give these up.
    Abandon {
        entries: Vec<Entry>,
        reason: AbandonReason,
    },
    /// Wait until woken, or until then.
    Wait { until: Option<Instant> },
}

/// Who is to be woken so that due work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rouse {
    Nobody,
    Parked,
    /// A new worker, already counted.
    New,
}

/// Order of sending: by due time, then in the order of arrival.
type Turn = (Instant, u64);

#[derive(Debug)]
pub(super) struct LaneState {
    pub(super) subscription: Arc<Subscription>,
    waiting: BTreeMap<Turn, Entry>,
    present: HashSet<DeliveryId>,
    /// Present, on its way, and not to be tried again: it is no more.
    withdrawn: HashSet<DeliveryId>,
    turns: u64,
    /// The store may hold waiting deliveries that are not present.
    behind: bool,
    /// When the first of those that were left to the store is due, as far as known.
    left_due: Option<Instant>,
    refill: Option<Refill>,
    store_pause: Option<(Instant, Duration)>,
    in_flight: usize,
    unrecorded: usize,
    pub(super) workers: usize,
    pub(super) parked: usize,
    breaker: Breaker,
    /// While an endpoint seems to be down: the delivery that keeps to the retry policy. Its failures
    /// are what its failure threshold counts; what else is tried goes at the breaker's times.
    leader: Option<DeliveryId>,
    pace: Pace,
    health: Health,
    /// What stands for the due time of an ordered lane: its deliveries are in the order of their
    /// ids, and only the first has a due time that matters.
    beginning: Instant,
    pub(super) ended: bool,
}

/// What happens while a page is being read.
#[derive(Debug, Default)]
struct Refill {
    arrived: Vec<(Instant, Entry)>,
    /// Recorded meanwhile: the page's row is out of date.
    settled: HashSet<DeliveryId>,
    /// More arrived than there is room for.
    overflowed: bool,
}

impl LaneState {
    fn new(subscription: Arc<Subscription>, behind: bool) -> Self {
        Self {
            health: Health::since(subscription.failing_since),
            pace: Pace::default(),
            beginning: Instant::now(),
            subscription,
            waiting: BTreeMap::new(),
            present: HashSet::new(),
            withdrawn: HashSet::new(),
            turns: 0,
            behind,
            left_due: None,
            refill: None,
            store_pause: None,
            in_flight: 0,
            unrecorded: 0,
            workers: 0,
            parked: 0,
            breaker: Breaker::default(),
            leader: None,
            ended: false,
        }
    }

    /// Uses a new version of the subscription. Whatever was wrong with the receiver may have been
    /// mended with it, so the lane tries at once.
    pub(super) fn update(&mut self, subscription: &Arc<Subscription>) {
        if subscription.version >= self.subscription.version {
            let resumed = |from: &Subscription, to: &Subscription| {
                to.status == SubscriptionStatus::Active && from.status != to.status
            };
            if resumed(&self.subscription, subscription) {
                self.health = Health::since(None);
                // The store has made them due at once.
                self.forget_waiting();
            }
            if self.subscription.is_ordered() != subscription.is_ordered() {
                self.forget_waiting();
            }
            self.subscription = Arc::clone(subscription);
            self.breaker = Breaker::default();
            self.leader = None;
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.waiting.clear();
        self.behind = false;
    }

    /// The store may hold deliveries that are not present.
    pub(super) const fn fall_behind(&mut self) {
        self.behind = !self.ended;
    }

    /// Takes a delivery that was just committed, or is to be sent again at once.
    pub(super) fn arrive(&mut self, entry: Entry, now: Instant, wall: Timestamp) {
        if self.ended {
            return;
        }
        if self.present.contains(&entry.id()) {
            // It waits here for later; what is on its way is settled first.
            let waits = self
                .waiting
                .extract_if(.., |_, known| known.id() == entry.id());
            if waits.count() == 0 {
                return;
            }
            self.present.remove(&entry.id());
        }
        let due = self.due_of(&entry, now, wall);
        self.admit(due, entry);
    }

    /// Keeps `entry` until `due`, or leaves it to the store.
    fn admit(&mut self, due: Instant, entry: Entry) {
        let room = self.waiting.len() < self.window_max();
        match &mut self.refill {
            Some(refill) if self.waiting.len() + refill.arrived.len() < LANE_WINDOW_MAX => {
                refill.arrived.push((due, entry));
            }
            Some(refill) => {
                refill.overflowed = true;
                self.leave_to_store(due);
            }
            None if room && !self.behind => self.insert(due, entry),
            None => self.leave_to_store(due),
        }
    }

    fn insert(&mut self, due: Instant, mut entry: Entry) {
        self.present.insert(entry.id());
        if self.subscription.is_ordered() {
            entry.due = Some(due);
            let turn = (self.beginning, entry.id().0);
            self.waiting.insert(turn, entry);
            return;
        }
        self.turns += 1;
        self.waiting.insert((due, self.turns), entry);
    }

    fn leave_to_store(&mut self, due: Instant) {
        self.behind = true;
        if self.subscription.is_ordered() {
            // It comes behind what is here, whenever it is due.
            return;
        }
        self.left_due = Some(self.left_due.map_or(due, |left| left.min(due)));
    }

    fn window_max(&self) -> usize {
        if self.breaker.is_open() {
            LANE_WINDOW_FAILING_MAX
        } else {
            LANE_WINDOW_MAX
        }
    }

    /// Leaves what the window has no room for to the store, the latest first.
    fn shed(&mut self) {
        while self.waiting.len() > self.window_max() {
            let mut latest = self.waiting.iter().rev();
            let last = latest.find(|(_, entry)| Some(entry.id()) != self.leader);
            let Some(turn) = last.map(|(turn, _)| *turn) else {
                return;
            };
            if let Some(entry) = self.waiting.remove(&turn) {
                self.present.remove(&entry.id());
            }
            self.leave_to_store(turn.0);
        }
    }

    /// The place of the leader, while the breaker is open and it waits.
    fn leader_turn(&self) -> Option<Turn> {
        let leader = self.leader.filter(|_| self.breaker.is_open())?;
        let mut waiting = self.waiting.iter();
        let (turn, _) = waiting.find(|(_, entry)| entry.id() == leader)?;
        Some(*turn)
    }

    fn leader_is_due(&self, now: Instant) -> bool {
        self.leader_turn().is_some_and(|(due, _)| due <= now)
    }

    /// Whether a delivery that has just failed is to keep to the retry policy while the others wait.
    fn leads(&self, entry: &Entry) -> bool {
        let is_endpoint = self.subscription.endpoint.is_some() && !self.subscription.is_ordered();
        if !is_endpoint || !self.breaker.is_open() {
            return false;
        }
        let tries = |entry: &Entry| entry.committed.delivery.attempt_in_round();
        match self.leader_turn().and_then(|turn| self.waiting.get(&turn)) {
            Some(leader) => tries(leader) < tries(entry),
            None => self
                .leader
                .is_none_or(|leader| leader == entry.id() || !self.present.contains(&leader)),
        }
    }

    fn next_due(&self) -> Option<Instant> {
        let ((due, _), entry) = self.waiting.first_key_value()?;
        Some(entry.due.unwrap_or(*due))
    }

    /// How many requests may be in flight.
    fn concurrency(&self) -> usize {
        if self.subscription.is_ordered() {
            return 1;
        }
        let wanted = usize::try_from(self.subscription.policy.concurrency_max);
        wanted.unwrap_or(1).max(1)
    }

    fn rate(&self) -> Option<RateLimit> {
        self.subscription.endpoint.as_ref()?.rate
    }

    /// Whether an attempt may start now.
    fn can_start(&self, now: Instant) -> bool {
        // What was sent in order must be settled for good before the next goes.
        let in_turn = !self.subscription.is_ordered() || self.unrecorded == 0;
        !self.ended
            && in_turn
            && self.in_flight < self.concurrency()
            && self.in_flight + self.unrecorded < LANE_UNRECORDED_MAX
            && (self.breaker.permits(now, self.in_flight)
                || self.in_flight == 0 && self.leader_is_due(now))
            && self.pace.permits(self.rate(), now)
    }

    fn has_due(&self, now: Instant) -> bool {
        self.next_due().is_some_and(|due| due <= now)
    }

    /// The next delivery to send, if one may be sent now.
    pub(super) fn take(&mut self, now: Instant, wall: Timestamp) -> Option<Job> {
        if !self.has_due(now) || !self.can_start(now) || !self.subscription.is_live(wall) {
            return None;
        }
        let entry = match self.leader_turn().filter(|(due, _)| *due <= now) {
            Some(turn) => self.waiting.remove(&turn)?,
            None => self.waiting.pop_first()?.1,
        };
        let others = self.take_others(&entry, now);
        self.in_flight += 1;
        self.breaker.starting();
        self.pace.note(self.rate(), now);
        Some(Job {
            entry,
            others,
            subscription: Arc::clone(&self.subscription),
        })
    }

    /// What is due as well and goes in the same request as `first`.
    fn take_others(&mut self, first: &Entry, now: Instant) -> Vec<Entry> {
        let endpoint = self.subscription.endpoint.as_ref();
        let Some(batching) = endpoint.and_then(|endpoint| endpoint.batching) else {
            return Vec::new();
        };
        let room = LANE_UNRECORDED_MAX - self.in_flight - self.unrecorded;
        let count_max = usize::try_from(batching.events_max).unwrap_or(1).min(room);
        let mut bytes = first.committed.event.body.len();
        let mut others = Vec::new();
        while others.len() + 1 < count_max && self.has_due(now) {
            let Some((turn, next)) = self.waiting.pop_first() else {
                break;
            };
            bytes += next.committed.event.body.len();
            if bytes > BATCH_BYTES_MAX {
                self.waiting.insert(turn, next);
                break;
            }
            others.push(next);
        }
        others
    }

    /// Whether a worker could take something now.
    pub(super) fn has_work(&self, now: Instant) -> bool {
        self.has_due(now) && self.can_start(now)
    }

    /// Who should be woken, given what is due.
    pub(super) fn rouse(&mut self, now: Instant) -> Rouse {
        if !self.has_work(now) {
            return Rouse::Nobody;
        }
        if self.parked > 0 {
            return Rouse::Parked;
        }
        if self.workers < self.concurrency() {
            self.workers += 1;
            return Rouse::New;
        }
        Rouse::Nobody
    }

    /// Whether the keeper should look: there is something to read, to time or to give up.
    pub(super) fn needs_keeper(&self, now: Instant, wall: Timestamp) -> bool {
        self.breaker.is_open()
            || !self.pace.permits(self.rate(), now)
            || (self.behind && self.waiting.len() <= LOW_WATER)
            || self.next_due().is_some_and(|due| due > now)
            || !self.subscription.is_live(wall)
    }

    /// Notes that a job was called off before anything was sent.
    pub(super) fn call_off(&mut self, job: &Job) {
        self.in_flight -= 1;
        for entry in std::iter::once(&job.entry).chain(&job.others) {
            self.present.remove(&entry.id());
        }
        self.breaker.called_off();
        self.behind |= !self.ended;
    }

    /// Notes how an attempt ended. It stays present until it is recorded. Tells what that says of
    /// the subscription's health.
    pub(super) fn settle(
        &mut self,
        job: &mut Job,
        outcome: &AttemptOutcome,
        now: Instant,
        wall: Timestamp,
    ) -> Option<HealthReport> {
        self.in_flight -= 1;
        self.unrecorded += 1 + job.others.len();
        let asked = match outcome {
            AttemptOutcome::Refused { retry_after, .. } => *retry_after,
            AttemptOutcome::Accepted { .. } | AttemptOutcome::Unreachable { .. } => None,
        };
        if outcome.is_accepted() {
            let leader = self.leader_turn();
            if self.breaker.succeeded() {
                self.leader = None;
                self.hurry_leader(leader, now);
                self.hurry(now);
            }
        } else {
            for entry in std::iter::once(&mut job.entry).chain(&mut job.others) {
                entry.hurries = asked.is_none();
            }
            if self.breaker.failed(now, asked) {
                self.shed();
            }
        }
        let delivery = &job.entry.committed.delivery;
        let verdict = self
            .health
            .note(&self.subscription, delivery, outcome, wall);
        verdict.map(|verdict| HealthReport::of(verdict, outcome))
    }

    /// The receiver is back, and the leader has waited for longer than all others.
    fn hurry_leader(&mut self, leader: Option<Turn>, now: Instant) {
        let hurries = |turn: &Turn| self.waiting.get(turn).is_some_and(|entry| entry.hurries);
        if let Some(turn) = leader.filter(hurries)
            && let Some(entry) = self.waiting.remove(&turn)
        {
            self.waiting.insert((turn.0.min(now), turn.1), entry);
        }
    }

    /// The receiver is back: what waited only for that need not wait longer. Not while the store
    /// holds more: after a crash it takes what is due first for what may have been sent.
    fn hurry(&mut self, now: Instant) {
        if self.behind {
            return;
        }
        if self.subscription.is_ordered() {
            for entry in self.waiting.values_mut().filter(|entry| entry.hurries) {
                entry.due = Some(now);
            }
            return;
        }
        let later = self.waiting.split_off(&(now, u64::MAX));
        for (turn, entry) in later {
            let turn = if entry.hurries { (now, turn.1) } else { turn };
            self.waiting.insert(turn, entry);
        }
    }

    /// Notes that an attempt is recorded and its delivery stands at `state`.
    pub(super) fn recorded(
        &mut self,
        mut entry: Entry,
        state: DeliveryState,
        now: Instant,
        wall: Timestamp,
    ) {
        self.unrecorded -= 1;
        self.present.remove(&entry.id());
        if let Some(refill) = &mut self.refill {
            refill.settled.insert(entry.id());
        }
        if self.withdrawn.remove(&entry.id()) {
            return;
        }
        if let DeliveryState::Waiting { due_at } = state
            && !self.ended
        {
            let delivery = &mut entry.committed.delivery;
            delivery.attempts += 1;
            delivery.state = state;
            delivery.round.tried_since = delivery.round.tried_since.or(Some(wall));
            let due = self.instant_of(due_at, now, wall);
            if self.leads(&entry) {
                self.leader = Some(entry.id());
                self.insert(due, entry);
                self.shed();
            } else if self.subscription.is_ordered() {
                // It stays the first, even when the store holds what comes behind.
                self.insert(due, entry);
            } else {
                self.admit(due, entry);
            }
        } else if self.leader == Some(entry.id()) {
            self.leader = None;
        }
    }

    /// When a wall time comes, on the timer. No delay is longer than the longest that the policy
    /// gives, so a clock that was set back cannot hold a delivery up for good.
    fn instant_of(&self, due_at: Timestamp, now: Instant, wall: Timestamp) -> Instant {
        let batching = if self.is_batched() {
            BATCHING_INTERVAL_MAX
        } else {
            Duration::ZERO
        };
        let pause = self.subscription.policy.delay(u32::MAX, 1.0);
        let longest = pause.max(RETRY_AFTER_MAX).max(batching);
        now + due_at.since(wall).min(longest)
    }

    fn wants_refill(&self, now: Instant) -> bool {
        let low = if self.breaker.is_open() { 0 } else { LOW_WATER };
        let overdue = self.left_due.is_some_and(|due| due <= now) && !self.has_due(now);
        let may_send = self
            .breaker
            .probe_at()
            .is_none_or(|probe_at| probe_at <= now);
        self.behind && may_send && (self.waiting.len() <= low || overdue)
    }

    /// What the keeper is to do. `Refill` and `Abandon` must be answered.
    pub(super) fn next_step(&mut self, now: Instant, wall: Timestamp) -> Step {
        let settled = self.in_flight == 0 && self.unrecorded == 0;
        if self.ended {
            return Step::Leave;
        }
        let paused_until = self
            .store_pause
            .map(|(until, _)| until)
            .filter(|until| *until > now);
        if self.subscription.is_live(wall) {
            if let Some(until) = paused_until {
                return Step::Wait { until: Some(until) };
            }
            if self.breaker.is_open()
                && let Some(step) = self.abandon_too_old(wall)
            {
                return step;
            }
            if self.wants_refill(now) {
                return self.begin_refill();
            }
            let paced = self.pace.next_at(self.rate(), now).is_some();
            if settled && self.waiting.is_empty() && !self.behind && self.workers == 0 && !paced {
                return Step::Leave;
            }
            return Step::Wait {
                until: self.next_time(now),
            };
        }
        // Paused, or expired and not yet given up: what waits stays in the store.
        self.forget_waiting();
        if settled {
            Step::Leave
        } else {
            Step::Wait { until: None }
        }
    }

    /// The next moment at which something changes by itself.
    fn next_time(&self, now: Instant) -> Option<Instant> {
        let left = self.left_due.filter(|_| self.behind);
        let probe_at = self
            .breaker
            .probe_at()
            .filter(|_| self.behind || !self.waiting.is_empty());
        let pace = self.pace.next_at(self.rate(), now);
        let leader = self.leader_turn().map(|(due, _)| due);
        [self.next_due(), left, probe_at, pace, leader]
            .into_iter()
            .flatten()
            .filter(|time| *time > now)
            .min()
    }

    /// Forgets a delivery that is no more. One that is being sent comes to its end.
    pub(super) fn withdraw(&mut self, delivery: DeliveryId) {
        let withdrawn = self
            .waiting
            .extract_if(.., |_, known| known.id() == delivery)
            .count();
        if let Some(refill) = &mut self.refill {
            refill.arrived.retain(|(_, known)| known.id() != delivery);
            refill.settled.insert(delivery);
        }
        if withdrawn > 0 {
            self.present.remove(&delivery);
        } else if self.present.contains(&delivery) {
            self.withdrawn.insert(delivery);
        }
        self.fall_behind();
    }

    /// A subscription that is paused keeps its deliveries, but not in memory.
    fn forget_waiting(&mut self) {
        for entry in std::mem::take(&mut self.waiting).into_values() {
            self.present.remove(&entry.id());
        }
        self.behind = true;
    }

    /// While the receiver is down, age alone ends a delivery: probes are too few to visit all.
    fn abandon_too_old(&mut self, wall: Timestamp) -> Option<Step> {
        let age_max = Duration::from_millis(self.subscription.policy.age_max_ms);
        let entries: Vec<Entry> = self
            .waiting
            .extract_if(.., |_, entry| {
                wall.since(entry.committed.delivery.round.began_at) > age_max
            })
            .map(|(_, entry)| entry)
            .collect();
        self.unrecorded += entries.len();
        let reason = AbandonReason::TooOld;
        (!entries.is_empty()).then_some(Step::Abandon { entries, reason })
    }

    /// Notes that deliveries were given up, or that the store failed to.
    pub(super) fn abandoned(&mut self, entries: Vec<Entry>, committed: bool, now: Instant) {
        self.unrecorded -= entries.len();
        for entry in entries {
            self.present.remove(&entry.id());
        }
        if committed {
            self.store_pause = None;
        } else {
            self.behind = true;
            self.pause_for_store(now);
        }
    }

    fn begin_refill(&mut self) -> Step {
        self.refill = Some(Refill::default());
        self.left_due = None;
        // What is present may be on the page again; what is beyond it must still fit.
        let room = self.window_max().saturating_sub(self.waiting.len()).max(1);
        Step::Refill {
            limit: room + self.present.len(),
        }
    }

    /// Takes back a [`Step::Refill`] that is not carried out.
    pub(super) fn cancel_refill(&mut self) {
        self.refill = None;
        self.behind = true;
    }

    /// Takes back a [`Step::Abandon`] that is not carried out: the store still has them.
    pub(super) fn restore(&mut self, entries: Vec<Entry>) {
        self.unrecorded -= entries.len();
        for entry in entries {
            self.present.remove(&entry.id());
        }
        self.behind = true;
    }

    /// Merges a page that was read with `limit`; `None` when the store failed.
    pub(super) fn finish_refill(
        &mut self,
        page: Option<Vec<Entry>>,
        limit: usize,
        now: Instant,
        wall: Timestamp,
    ) {
        let Refill {
            arrived,
            settled,
            overflowed,
        } = self.refill.take().unwrap_or_default();
        if self.ended {
            return;
        }
        let Some(page) = page else {
            self.behind = true;
            self.pause_for_store(now);
            return;
        };
        self.store_pause = None;
        let full = page.len() >= limit;
        self.behind = full || overflowed;
        let mut last_due = None;
        for entry in page {
            let due = self.due_of(&entry, now, wall);
            last_due = Some(due);
            if let Some(subscription) = newer(&entry.committed.subscription, &self.subscription) {
                self.subscription = subscription;
            }
            if !self.present.contains(&entry.id()) && !settled.contains(&entry.id()) {
                self.insert(due, entry);
            }
        }
        for (due, entry) in arrived {
            if self.present.contains(&entry.id()) {
                continue;
            }
            // Nothing overtakes what came before it, here or in the store: after a crash, only what
            // comes first there is taken for what may have been sent.
            if full {
                self.leave_to_store(due);
            } else {
                self.insert(due.max(now), entry);
            }
        }
        if let (true, Some(due)) = (full, last_due) {
            self.leave_to_store(due);
        }
        self.shed();
    }

    /// A first attempt has nothing to wait for, whatever the clock says.
    fn due_of(&self, entry: &Entry, now: Instant, wall: Timestamp) -> Instant {
        let delivery = &entry.committed.delivery;
        match delivery.state {
            DeliveryState::Waiting { due_at } if delivery.attempts > 0 || self.is_batched() => {
                self.instant_of(due_at, now, wall)
            }
            _ => now,
        }
    }

    fn is_batched(&self) -> bool {
        let endpoint = self.subscription.endpoint.as_ref();
        endpoint.is_some_and(|endpoint| endpoint.batching.is_some())
    }

    /// Reads nothing, and so sends nothing of what the store holds, before `until`.
    pub(super) fn rest_until(&mut self, until: Instant) {
        self.store_pause = Some((until, STORE_PAUSE_MIN));
    }

    fn pause_for_store(&mut self, now: Instant) {
        let last = self.store_pause.map(|(_, pause)| pause);
        let pause = last.map_or(STORE_PAUSE_MIN, |last| (last * 2).min(STORE_PAUSE_MAX));
        self.store_pause = Some((now + pause, pause));
    }
}

fn newer(offered: &Arc<Subscription>, current: &Subscription) -> Option<Arc<Subscription>> {
    (offered.version > current.version).then(|| Arc::clone(offered))
}

#[cfg(test)]
mod tests;
