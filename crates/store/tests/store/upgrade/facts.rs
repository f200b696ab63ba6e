//! What a store knows, noun by noun and a line for each thing: read through the port, and told in
//! words that do not depend on how the code spells it.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{ChatQuery, JobQuery, MessageQuery, Page, Slice};
use hookyard_domain::{
    Account, AccountId, Chat, ChatKind, ClientId, Delivery, Event, EventId, Person, PersonId,
    Subscription, Timestamp, TokenHash, TokenKind,
};
use hookyard_store::SqliteStore;

use super::{sending, words};

/// More than there is of anything.
const ALL: u32 = 10_000;
const BEGINNING: Timestamp = Timestamp::from_millis(0);
const END: Timestamp = Timestamp::from_millis(4_000_000_000_000);

/// Adds a line.
macro_rules! tell {
    ($facts:expr, $($what:tt)*) => {
        writeln!($facts.text, $($what)*).unwrap()
    };
}

/// Everything that is known of the first account. `credentials` tells the secrets by which some of
/// it is found.
pub(super) async fn of(store: &SqliteStore, credentials: &HashMap<String, String>) -> String {
    let account = store.first_account().await.unwrap().unwrap();
    let mut facts = Facts {
        store,
        account: account.id,
        text: String::new(),
    };
    let persons = facts.identity(&account, credentials).await;
    facts.apps(credentials, &persons).await;
    let chats = facts.chats(&persons).await;
    facts.posts(&chats).await;
    facts.messages(&persons).await;
    facts.incoming_webhooks().await;
    facts.bins().await;
    facts.events().await;
    facts.event_types().await;
    facts.subscriptions().await;
    facts.deliveries().await;
    facts.jobs().await;
    tell!(facts, "next number {}", store.ids().next(BEGINNING));
    facts.text
}

struct Facts<'a> {
    store: &'a SqliteStore,
    account: AccountId,
    text: String,
}

impl Facts<'_> {
    async fn identity(
        &mut self,
        account: &Account,
        credentials: &HashMap<String, String>,
    ) -> Vec<Person> {
        let (id, name, at) = (account.id, &account.name, account.created_at);
        tell!(self, "account {id} {name:?} of {at}");
        let persons = self.store.persons(self.account, ALL).await.unwrap();
        for person in &persons {
            tell!(self, "person {}", words::person(person));
            let presence = self.store.presence(self.account, person.id).await.unwrap();
            if let Some(presence) = presence {
                tell!(self, "  presence {}", words::presence(&presence));
            }
            let Some(email) = &person.email else { continue };
            let found = self.store.password_of(email).await.unwrap();
            let hash = found.map(|(_, hash)| words::digest(hash.reveal().as_bytes()));
            tell!(self, "  password {hash:?}");
        }
        let jwt = TokenHash::of(&credentials["RC_USER_JWT"]);
        let jwt = self.store.credential_of(jwt).await.unwrap().unwrap();
        let (person, client, revoked) = (jwt.person, jwt.client_id, jwt.revoked_at);
        tell!(self, "jwt of {person} for {client:?}, revoked {revoked:?}");
        let url = &credentials["HOOKYARD_CONSOLE_URL"];
        let (_, code) = url.split_once("code=").unwrap();
        let code = self.store.sign_in_code(TokenHash::of(code), BEGINNING);
        tell!(self, "sign-in code of {:?}", code.await.unwrap());
        persons
    }

    async fn apps(&mut self, credentials: &HashMap<String, String>, persons: &[Person]) {
        for id in [&credentials["RC_APP_CLIENT_ID"], ClientId::CONSOLE] {
            let client = ClientId(id.into());
            let app = self.store.app(&client).await.unwrap().unwrap();
            let known = TokenHash::of(&credentials["RC_APP_CLIENT_SECRET"]);
            let secret = app.secrets.first().map(|secret| secret.hash == known);
            let (name, scopes) = (&app.name, app.scopes);
            tell!(self, "app {id} {name:?} secret {secret:?} scopes {scopes}");
            for person in persons {
                self.sessions(&client, person.id).await;
            }
        }
    }

    async fn sessions(&mut self, client: &ClientId, person: PersonId) {
        let sessions = self.store.sessions(self.account, person, client).await;
        for session in sessions.unwrap() {
            let (id, scopes, generation) = (session.id, session.scopes, session.generation);
            let (device, at) = (&session.endpoint_id, session.created_at);
            tell!(
                self,
                "  session {id} of {person} on {device} generation {generation} of {at} scopes {scopes}"
            );
            for generation in 1..=generation {
                for kind in [TokenKind::Access, TokenKind::Refresh] {
                    let token = self
                        .store
                        .token_of_generation(self.account, id, kind, generation);
                    let Some(token) = token.await.unwrap() else {
                        continue;
                    };
                    let (until, used) = (token.expires_at, words::maybe(token.used_at));
                    tell!(
                        self,
                        "    {kind:?} token {generation} until {until} used {used}"
                    );
                }
            }
        }
    }

    async fn chats(&mut self, persons: &[Person]) -> Vec<Chat> {
        let mut chats = BTreeMap::new();
        for person in persons {
            let query = ChatQuery {
                account: self.account,
                person: person.id,
                kinds: Vec::new(),
                joinable: true,
                page: Page::First,
                limit: ALL,
            };
            let found = self.store.chats(query).await.unwrap();
            chats.extend(found.into_iter().map(|chat| (chat.id, chat)));
        }
        let everyone = self.store.everyone_chat(self.account).await.unwrap();
        assert!(everyone.is_some_and(|chat| chats.contains_key(&chat.id)));
        for chat in chats.values() {
            tell!(self, "chat {}", words::chat(chat));
            if matches!(chat.kind, ChatKind::Direct | ChatKind::Group) {
                let found = self.store.conversation(self.account, &chat.members);
                assert_eq!(found.await.unwrap().map(|found| found.id), Some(chat.id));
            }
        }
        chats.into_values().collect()
    }

    async fn posts(&mut self, chats: &[Chat]) {
        for chat in chats {
            let posts = self.store.posts(self.account, chat.id, Page::First, ALL);
            for post in posts.await.unwrap() {
                tell!(self, "post {}", words::post(&post));
                let event = self.store.event_of_post(self.account, post.id).await;
                tell!(
                    self,
                    "  told by {:?}",
                    event.unwrap().map(|event| event.id.0)
                );
            }
        }
    }

    async fn messages(&mut self, persons: &[Person]) {
        for person in persons {
            let query = MessageQuery {
                account: self.account,
                owner: person.id,
                direction: None,
                read_status: None,
                availability: None,
                conversation: None,
                from: BEGINNING,
                to: END,
                slice: Slice {
                    offset: 0,
                    limit: ALL,
                },
            };
            let (messages, _) = self.store.messages(query).await.unwrap();
            for message in messages {
                tell!(self, "message {}", words::message(&message));
            }
        }
    }

    async fn incoming_webhooks(&mut self) {
        for webhook in self.store.webhooks(self.account, None).await.unwrap() {
            tell!(self, "webhook {}", words::webhook(&webhook));
            let token = TokenHash::of(webhook.token.reveal());
            let target = self.store.webhook_by_token(token).await.unwrap().unwrap();
            assert_eq!(target.webhook.id, webhook.id);
        }
        let requests = self.store.requests(self.account, None, Page::First, ALL);
        for request in requests.await.unwrap() {
            tell!(self, "request {}", words::request(&request));
        }
    }

    async fn bins(&mut self) {
        let bins = self.store.bins(self.account, Page::First, ALL).await;
        for (bin, kept) in bins.unwrap() {
            tell!(self, "bin {} keeps {kept}", words::bin(&bin));
            let token = TokenHash::of(bin.token.reveal());
            let found = self.store.bin_by_token(token).await.unwrap();
            assert_eq!(found.map(|found| found.id), Some(bin.id));
            let requests = self
                .store
                .bin_requests(self.account, bin.id, Page::First, ALL);
            for request in requests.await.unwrap() {
                tell!(self, "  request {}", words::bin_request(&request));
            }
        }
    }

    async fn events(&mut self) {
        let events = self.store.events_after(self.account, EventId(0), ALL);
        for event in events.await.unwrap() {
            tell!(self, "event {}", words::event(&event));
            self.publication(&event).await;
            let deliveries = self.store.deliveries_of_event(self.account, event.id);
            let deliveries = deliveries.await.unwrap();
            let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.id.0).collect();
            if !ids.is_empty() {
                tell!(self, "  deliveries {ids:?}");
            }
        }
        let oldest = self.store.oldest_event().await.unwrap();
        tell!(self, "oldest event of {}", words::maybe(oldest));
    }

    /// By the id that its publisher gave it.
    async fn publication(&mut self, event: &Event) {
        let said = event.attributes.as_deref();
        let Some(id) = said.and_then(|said| said.id.as_deref()) else {
            return;
        };
        let source = said.and_then(|said| said.source.as_deref());
        let source = source.unwrap_or_default();
        let found = self.store.publication(self.account, source, id).await;
        if let Some(publication) = found.unwrap() {
            let digest = words::digest(&publication.digest);
            let same = publication.event == event.id;
            tell!(self, "  publication {digest} of this event: {same}");
        }
    }

    async fn event_types(&mut self) {
        for known in self.store.custom_types(self.account).await.unwrap() {
            tell!(self, "event type {}", words::event_type(&known));
            for version in &known.versions {
                tell!(self, "  version {}", words::type_version(version));
            }
        }
    }

    async fn subscriptions(&mut self) {
        let mut all = Vec::new();
        for place in self.store.subscription_places().await.unwrap() {
            let found = self.store.subscription(place.account, place.subscription);
            all.push(found.await.unwrap().unwrap());
        }
        all.sort_by_key(|subscription| (subscription.created_at, subscription.id.0));
        for subscription in &all {
            self.subscription(subscription).await;
        }
        let work = self.store.subscriptions_with_work().await.unwrap();
        let mut work: Vec<_> = work.iter().map(|one| one.id.to_string()).collect();
        work.sort();
        tell!(self, "with work {work:?}");
        let hours = self.store.statistics_by_hour(self.account, BEGINNING).await;
        let mut hours = hours.unwrap();
        hours.sort_by_key(|(id, at, _)| (id.0, *at));
        for (id, at, sums) in hours {
            tell!(self, "hour {at} of {id}: {}", sending::sums(&sums));
        }
    }

    async fn subscription(&mut self, subscription: &Subscription) {
        let id = subscription.id;
        tell!(self, "subscription {}", sending::subscription(subscription));
        tell!(self, "  mode {}", sending::mode(&subscription.mode));
        tell!(self, "  policy {}", sending::policy(&subscription.policy));
        for disabled in &subscription.disabled_filters {
            let (filter, reason) = (&disabled.filter, &disabled.reason);
            let message = &disabled.message;
            tell!(self, "  disabled {filter} {reason} {message:?}");
        }
        if let Some(endpoint) = &subscription.endpoint {
            for line in sending::endpoint(endpoint) {
                tell!(self, "  {line}");
            }
        }
        let history = self.store.subscription_history(self.account, id).await;
        for entry in history.unwrap() {
            let (at, milestone, detail) = (entry.at, entry.milestone.name(), entry.detail);
            tell!(self, "  {milestone} at {at} {detail:?}");
        }
        let waiting = self.store.waiting_deliveries(id, None, ALL).await.unwrap();
        tell!(self, "  waiting {}", waiting.len());
        let buckets = self.store.statistics(self.account, id, BEGINNING, END);
        for bucket in buckets.await.unwrap() {
            let statistics = sending::statistics(&bucket.statistics);
            tell!(self, "  statistics {} {statistics}", bucket.begins_at);
        }
    }

    async fn deliveries(&mut self) {
        let all = self.store.deliveries(self.account, None, Page::First, ALL);
        for delivery in all.await.unwrap() {
            self.delivery(&delivery).await;
        }
    }

    async fn delivery(&mut self, delivery: &Delivery) {
        tell!(self, "delivery {}", sending::delivery(delivery));
        let attempts = self.store.attempts(self.account, delivery.id).await;
        for attempt in attempts.unwrap() {
            tell!(self, "  attempt {}", sending::attempt(&attempt));
            if let Some(transcript) = &attempt.transcript {
                tell!(self, "    {}", sending::transcript(transcript));
            }
        }
    }

    async fn jobs(&mut self) {
        let query = JobQuery {
            account: self.account,
            status: None,
            kind: None,
            endpoint: None,
            before: None,
            limit: ALL,
        };
        for job in self.store.jobs(query).await.unwrap() {
            tell!(self, "job {}", sending::job(&job));
            tell!(self, "  {}", sending::work(&job.work));
        }
        let running = self.store.running_jobs().await.unwrap();
        let running: Vec<_> = running.iter().map(|job| job.id.0).collect();
        tell!(self, "running {running:?}");
    }
}
