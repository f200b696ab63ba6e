//! A store, a dispatcher and a life cycle in virtual time, with one subscription and a network that
//! answers as it is told.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use hookyard_delivery::{
    Attempted, Connection, Dispatcher, Jobs, Letter, Lifecycle, Mail, MailError, Notices, Purger,
    Sending, Transport,
};
use hookyard_domain::kernel::component::{Component, Ports, Status};
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{Clock, Handshake, HandshakeError, Page};
use hookyard_domain::kernel::retention::Retention;
use hookyard_domain::{
    AttemptOutcome, Change, DeliveryState, DeliveryWrite, Event, EventId, Job, JobId, JobWork,
    Milestone, Person, PersonWrite, Secret, Statistics, Subscription, SubscriptionWrite, Timestamp,
    Timings, Write,
};
use hookyard_store::{Options, SqliteStore, VaultKey};
use hookyard_testkit::sample::{self, ACCOUNT};
use hookyard_testkit::{ScriptedOwnership, SeededChance, VirtualClock, ports};

/// The moment so many seconds after the beginning.
pub(crate) fn after(seconds: u64) -> Timestamp {
    VirtualClock::BEGIN + Duration::from_secs(seconds)
}

/// The subscription of every test.
pub(crate) fn subscription() -> Subscription {
    sample::subscription(1, "https://receiver.example.com/")
}

pub(crate) struct World {
    store: Arc<SqliteStore>,
    clock: Arc<VirtualClock>,
    ports: Ports,
    pub(crate) ownership: Arc<ScriptedOwnership>,
    network: Arc<Network>,
    post_office: Arc<PostOffice>,
    process: tokio::sync::Mutex<Process>,
}

/// What a restart replaces.
struct Process {
    lifecycle: Lifecycle,
    dispatcher: Dispatcher,
    jobs: Jobs,
    notices: Notices,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_owning(ScriptedOwnership::of_everything()).await
    }

    /// A node among others.
    pub(crate) async fn start_owning(ownership: ScriptedOwnership) -> Self {
        let ownership = Arc::new(ownership);
        let clock = Arc::new(VirtualClock::start());
        let options = Options {
            vault_key: VaultKey([7; 32]),
            clock: Arc::clone(&clock) as _,
            chance: Arc::new(SeededChance::new(1)),
        };
        let store = Arc::new(SqliteStore::inline(options).unwrap());
        store.commit(sample::yard()).await.unwrap();
        let network = Arc::new(Network {
            answer: Mutex::new(AttemptOutcome::Accepted { status: 200 }),
            sent: Mutex::default(),
            panics: AtomicU32::new(0),
            shakes: AtomicBool::new(true),
            handshakes: AtomicU32::new(0),
        });
        let post_office = Arc::new(PostOffice {
            clock: Arc::clone(&clock),
            tried: Mutex::default(),
            refusal: Mutex::default(),
            takes: Mutex::default(),
        });
        let ports = Ports {
            ownership: Arc::clone(&ownership) as _,
            ..ports(&store, &clock, 2)
        };
        let process = Process::start(&ports, &clock, &network, &post_office).await;
        Self {
            store,
            clock,
            ports,
            ownership,
            network,
            post_office,
            process: tokio::sync::Mutex::new(process),
        }
    }

    /// Ends everything but the store, as a crash would, and starts it again.
    pub(crate) async fn restart(&self) {
        let mut process = self.process.lock().await;
        for component in process.components() {
            component.abort();
        }
        self.store.forget_listeners();
        *process = Process::start(&self.ports, &self.clock, &self.network, &self.post_office).await;
    }

    /// How a component stands.
    pub(crate) async fn status(&self, name: &str) -> Status {
        let process = self.process.lock().await;
        let statuses = process.components().map(Component::status);
        let mut found = statuses.into_iter().filter(|status| status.name == name);
        found.next().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Lets so many seconds pass.
    pub(crate) async fn wait(&self, seconds: u64) {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Lets time pass until something has happened.
    pub(crate) async fn wait_until(&self, happened: impl Fn(&Self) -> bool) {
        while !happened(self) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// What the mail server says from now on, and how many seconds it takes for it.
    pub(crate) fn post_office(&self, refusal: Option<MailError>, takes_s: u64) {
        *lock(&self.post_office.refusal) = refusal;
        *lock(&self.post_office.takes) = Duration::from_secs(takes_s);
    }

    /// Letters that were to be sent, with the seconds since the beginning, and whether they were.
    pub(crate) fn letters(&self) -> Vec<(u64, Letter, bool)> {
        lock(&self.post_office.tried).clone()
    }

    pub(crate) async fn person(&self, person: Person) {
        self.commit(PersonWrite::Put(person)).await;
    }

    /// The owner of every subscription as they are.
    pub(crate) async fn owner(&self) -> Person {
        let found = self.store.person(ACCOUNT, sample::OWNER).await.unwrap();
        found.unwrap()
    }

    /// What receivers answer from now on.
    pub(crate) fn answer(&self, outcome: AttemptOutcome) {
        *lock(&self.network.answer) = outcome;
    }

    /// The next attempts meet a bug.
    pub(crate) fn panic_next(&self, attempts: u32) {
        self.network.panics.store(attempts, Ordering::Relaxed);
    }

    /// Gives everything up that waits, as another node would.
    pub(crate) async fn give_up_all(&self) {
        let write = SubscriptionWrite::AbandonWaiting {
            account: ACCOUNT,
            subscription: subscription().id,
            at: self.now(),
        };
        self.commit(write).await;
    }

    /// Whether handshakes succeed from now on.
    pub(crate) fn shake(&self, succeed: bool) {
        self.network.shakes.store(succeed, Ordering::Relaxed);
    }

    pub(crate) fn handshakes(&self) -> u32 {
        self.network.handshakes.load(Ordering::Relaxed)
    }

    pub(crate) async fn put(&self, subscription: &Subscription) {
        let put = SubscriptionWrite::Put(Arc::new(subscription.clone()));
        self.store.commit(Change::of(put)).await.unwrap();
    }

    pub(crate) async fn post(&self, text: &str) {
        let event = Event {
            id: EventId::PENDING,
            body: format!(r#"{{"text":"{text}"}}"#).into(),
            ..sample::event(1, self.now())
        };
        let change = Change::default().announcing(event);
        self.store.commit(change).await.unwrap();
    }

    pub(crate) async fn announce(&self, event: Event) {
        let change = Change::default().announcing(event);
        self.store.commit(change).await.unwrap();
    }

    pub(crate) async fn subscription(&self) -> Option<Subscription> {
        let id = subscription().id;
        let found = self.store.subscription(ACCOUNT, id).await.unwrap();
        found.map(|found| (*found).clone())
    }

    /// Milestones with the seconds since the beginning.
    pub(crate) async fn history(&self) -> Vec<(u64, Milestone, Option<String>)> {
        let id = subscription().id;
        let history = self.store.subscription_history(ACCOUNT, id).await.unwrap();
        history
            .into_iter()
            .map(|entry| {
                (
                    entry.at.since(after(0)).as_secs(),
                    entry.milestone,
                    entry.detail,
                )
            })
            .collect()
    }

    pub(crate) async fn deliveries(&self) -> usize {
        let all = self.store.deliveries(ACCOUNT, None, Page::First, 10_000);
        all.await.unwrap().len()
    }

    /// Bodies that were sent, with the seconds since the beginning.
    pub(crate) fn sent(&self) -> Vec<(u64, String)> {
        let sent = lock(&self.network.sent);
        sent.iter()
            .map(|sent| (sent.at.since(after(0)).as_secs(), sent.body.clone()))
            .collect()
    }

    pub(crate) fn attempts(&self) -> usize {
        lock(&self.network.sent).len()
    }

    /// When requests were made, in milliseconds since the beginning, and how many events each had.
    pub(crate) fn requests(&self) -> Vec<(u64, usize)> {
        let sent = lock(&self.network.sent);
        sent.iter()
            .map(|sent| {
                let at = u64::try_from(sent.at.since(after(0)).as_millis()).unwrap();
                (at, 1 + sent.batch.len())
            })
            .collect()
    }

    /// The states of all deliveries, newest first.
    pub(crate) async fn states(&self) -> Vec<DeliveryState> {
        let all = self.store.deliveries(ACCOUNT, None, Page::First, 10_000);
        all.await.unwrap().iter().map(|known| known.state).collect()
    }

    pub(crate) async fn commit(&self, write: impl Into<Write>) {
        self.store.commit(Change::of(write)).await.unwrap();
    }

    /// Begins a job.
    pub(crate) async fn begin(&self, work: JobWork) -> Job {
        let now = self.now();
        let job = Job::begun(ACCOUNT, JobId(self.store.ids().next(now)), work, now);
        self.commit(job.put()).await;
        job
    }

    /// A job as it is now.
    pub(crate) async fn job(&self, job: &Job) -> Job {
        let found = self.store.job(ACCOUNT, job.id).await.unwrap();
        found.unwrap()
    }

    /// Lets a job come to its end.
    pub(crate) async fn end_of(&self, job: &Job) -> Job {
        loop {
            let current = self.job(job).await;
            if !current.is_running() {
                return current;
            }
            self.wait(1).await;
        }
    }

    /// How the endpoint of every test fared in the first day.
    pub(crate) async fn statistics(&self) -> Statistics {
        let id = subscription().id;
        let buckets = self.store.statistics(
            ACCOUNT,
            id,
            after(0) - Duration::from_secs(300),
            after(86_400),
        );
        let mut all = Statistics::default();
        for bucket in buckets.await.unwrap() {
            all.add(&bucket.statistics);
        }
        all
    }

    /// Sends every delivery again by hand.
    pub(crate) async fn resend_all(&self) {
        let all = self.store.deliveries(ACCOUNT, None, Page::First, 10_000);
        for delivery in all.await.unwrap() {
            let resend = DeliveryWrite::Resend {
                account: ACCOUNT,
                delivery: delivery.id,
            };
            self.store.commit(Change::of(resend)).await.unwrap();
        }
    }

    /// Keeps everything for so many days, and begins to remove what is older.
    pub(crate) async fn keep_for_days(&self, days: u64) -> Purger {
        let time = Duration::from_secs(days * 86_400);
        let retention = Retention {
            requests: time,
            events: time,
            attempts: time,
            bins: time,
            bytes_max: None,
        };
        Purger::start(&self.ports, retention).await.unwrap()
    }

    pub(crate) async fn events(&self) -> usize {
        let all = self.store.events_after(ACCOUNT, EventId(0), 10_000).await;
        all.unwrap().len()
    }

    /// The filters of what was sent.
    pub(crate) fn filters(&self) -> Vec<String> {
        let sent = lock(&self.network.sent);
        sent.iter().map(|sent| sent.filter.clone()).collect()
    }

    /// Texts of posts that were sent.
    pub(crate) fn texts(&self) -> Vec<String> {
        texts(lock(&self.network.sent).iter())
    }

    /// Texts of posts that were accepted.
    pub(crate) fn accepted(&self) -> Vec<String> {
        texts(lock(&self.network.sent).iter().filter(|sent| sent.accepted))
    }
}

fn texts<'a>(sent: impl Iterator<Item = &'a Sent>) -> Vec<String> {
    sent.map(|sent| {
        let body: serde_json::Value = serde_json::from_str(&sent.body).unwrap();
        body["text"].as_str().unwrap().to_owned()
    })
    .collect()
}

impl Process {
    async fn start(
        ports: &Ports,
        clock: &Arc<VirtualClock>,
        network: &Arc<Network>,
        post_office: &Arc<PostOffice>,
    ) -> Self {
        let lifecycle = Lifecycle::start(ports, Arc::clone(network) as _, true).await;
        let lifecycle = lifecycle.unwrap();
        let lines = Arc::new(Lines(Arc::clone(network), Arc::clone(clock)));
        let dispatcher = Dispatcher::start(ports, lines, lifecycle.health()).await;
        let mail = Arc::clone(post_office) as _;
        let notices = Notices::start(ports, mail, "https://hooks.example.com").await;
        Self {
            lifecycle,
            dispatcher: dispatcher.unwrap(),
            jobs: Jobs::start(ports).await.unwrap(),
            notices: notices.unwrap(),
        }
    }

    fn components(&self) -> [&dyn Component; 4] {
        [&self.lifecycle, &self.dispatcher, &self.jobs, &self.notices]
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One attempt, as the network saw it.
#[derive(Debug)]
struct Sent {
    at: Timestamp,
    filter: String,
    body: String,
    accepted: bool,
    /// What went in the same request.
    batch: Vec<String>,
}

#[derive(Debug)]
struct Network {
    answer: Mutex<AttemptOutcome>,
    sent: Mutex<Vec<Sent>>,
    /// So many attempts meet a bug.
    panics: AtomicU32,
    shakes: AtomicBool,
    handshakes: AtomicU32,
}

#[async_trait]
impl Handshake for Network {
    async fn verify(&self, _: &str, _: &Secret, _: Option<&Secret>) -> Result<(), HandshakeError> {
        self.handshakes.fetch_add(1, Ordering::Relaxed);
        if self.shakes.load(Ordering::Relaxed) {
            Ok(())
        } else {
            Err(HandshakeError::BadStatus(404))
        }
    }

    async fn vet(&self, _address: &str) -> Result<(), HandshakeError> {
        Ok(())
    }

    async fn ask_consent(
        &self,
        _address: &str,
        _origin: &str,
    ) -> Result<Option<u32>, HandshakeError> {
        Ok(None)
    }
}

#[derive(Debug, Clone)]
struct Lines(Arc<Network>, Arc<VirtualClock>);

impl Transport for Lines {
    fn connection(&self) -> Box<dyn Connection> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Connection for Lines {
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted> {
        let Self(network, clock) = self;
        // An answer takes a little while.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let left = |panics: u32| panics.checked_sub(1);
        let meets_bug = network
            .panics
            .try_update(Ordering::Relaxed, Ordering::Relaxed, left);
        assert!(meets_bug.is_err(), "a bug that a test asked for");
        let outcome = *lock(&network.answer);
        let body = &sending.committed.event.body;
        lock(&network.sent).push(Sent {
            at: clock.now(),
            filter: sending.committed.delivery.filter.clone(),
            body: String::from_utf8(body.to_vec()).unwrap(),
            accepted: outcome.is_accepted(),
            batch: sending
                .others
                .iter()
                .map(|other| String::from_utf8(other.event.body.to_vec()).unwrap())
                .collect(),
        });
        Some(Attempted {
            outcome,
            timings: Timings::default(),
            peer: None,
            answer_excerpt: None,
            transcript: None,
        })
    }
}

/// Takes letters, or not.
#[derive(Debug)]
struct PostOffice {
    clock: Arc<VirtualClock>,
    tried: Mutex<Vec<(u64, Letter, bool)>>,
    refusal: Mutex<Option<MailError>>,
    takes: Mutex<Duration>,
}

#[async_trait]
impl Mail for PostOffice {
    async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let takes = *lock(&self.takes);
        tokio::time::sleep(takes).await;
        let refusal = lock(&self.refusal).clone();
        let at = self.clock.now().since(after(0)).as_secs();
        lock(&self.tried).push((at, letter.clone(), refusal.is_none()));
        refusal.map_or(Ok(()), Err)
    }
}
