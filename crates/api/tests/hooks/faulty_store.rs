//! A store that fails, or conflicts, as often as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use hookyard_domain::kernel::change::CommittedDelivery;
use hookyard_domain::kernel::ports::{
    ChatQuery, CommitError, DeliveryQuery, EventQuery, FoundDelivery, HookTarget, JobQuery,
    MessageQuery, Page, PersonQuery, Publication, Slice, Store, StoreError,
};
use hookyard_domain::kernel::retention::Kept;
use hookyard_domain::{
    Account, AccountId, App, Attempt, Bin, BinId, BinRequest, BinRequestId, Change, Chat, ChatId,
    ChatKind, ClientId, CustomType, Delivery, DeliveryId, ErasureCounts, ErasureSubject, Event,
    EventId, HistoryEntry, HookRequest, HourSums, IncomingWebhook, Job, JobId, JwtCredential,
    Message, MessageId, Person, PersonId, Post, PostId, Presence, RequestId, Secret, Session,
    SessionId, StatisticsBucket, Subscription, SubscriptionId, Timestamp, Token, TokenHash,
    TokenKind, TypeName, WebhookId,
};
use hookyard_store::SqliteStore;

/// Passes everything on, but for the commits that it was told to spoil.
#[derive(Debug)]
pub(crate) struct FaultyStore {
    pub(crate) inner: Arc<SqliteStore>,
    /// Commits that conflict from now on.
    pub(crate) conflicts: AtomicU32,
    /// Commits that fail from now on.
    pub(crate) failures: AtomicU32,
}

fn take_one(count: &AtomicU32) -> bool {
    let less = |left: u32| left.checked_sub(1);
    count
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
        .is_ok()
}

macro_rules! passing_on {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for FaultyStore {
            async fn commit_numbering(&self, change: Change) -> Result<Vec<EventId>, CommitError> {
                if take_one(&self.conflicts) {
                    return Err(CommitError::Conflict);
                }
                if take_one(&self.failures) {
                    let context = "the disk is gone".to_owned();
                    return Err(StoreError { context, source: None }.into());
                }
                self.inner.commit_numbering(change).await
            }

            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                self.inner.$name($($argument),*).await
            })*
        }
    };
}

passing_on! {
    fn event_of_post(account: AccountId, post: PostId) -> Option<Event>;
    fn account(account: AccountId) -> Option<Account>;
    fn first_account() -> Option<Account>;
    fn person(account: AccountId, person: PersonId) -> Option<Person>;
    fn persons(account: AccountId, limit: u32) -> Vec<Person>;
    fn person_by_email(account: AccountId, email: &str) -> Option<Person>;
    fn person_by_extension_number(account: AccountId, number: &str) -> Option<Person>;
    fn persons_matching(query: PersonQuery) -> (Vec<Person>, u64);
    fn presence(account: AccountId, person: PersonId) -> Option<Presence>;
    fn presences(account: AccountId, viewer: Option<PersonId>, slice: Slice) -> (Vec<(Person, Presence)>, u64);
    fn message(account: AccountId, owner: PersonId, message: MessageId) -> Option<Message>;
    fn messages(query: MessageQuery) -> (Vec<Message>, u64);
    fn password_of(name: &str) -> Option<(Person, Secret)>;
    fn app(client_id: &ClientId) -> Option<App>;
    fn jwt_credential(hash: TokenHash) -> Option<JwtCredential>;
    fn sign_in_code(hash: TokenHash, now: Timestamp) -> Option<(AccountId, PersonId)>;
    fn token(hash: TokenHash) -> Option<Arc<(Session, Token)>>;
    fn token_of_generation(account: AccountId, session: SessionId, kind: TokenKind, generation: u64) -> Option<Token>;
    fn session(account: AccountId, session: SessionId) -> Option<Session>;
    fn sessions(account: AccountId, person: PersonId, client_id: &ClientId) -> Vec<Session>;
    fn chat(account: AccountId, chat: ChatId) -> Option<Arc<Chat>>;
    fn chats(query: ChatQuery) -> Vec<Chat>;
    fn conversation(account: AccountId, members: &[PersonId]) -> Option<Chat>;
    fn everyone_chat(account: AccountId) -> Option<Chat>;
    fn recent_chats(account: AccountId, person: PersonId, kinds: &[ChatKind], limit: u32) -> Vec<(Chat, Timestamp)>;
    fn post(account: AccountId, chat: ChatId, post: PostId) -> Option<Post>;
    fn posts(account: AccountId, chat: ChatId, page: Page, limit: u32) -> Vec<Post>;
    fn webhook(account: AccountId, webhook: WebhookId) -> Option<IncomingWebhook>;
    fn webhook_by_token(hash: TokenHash) -> Option<Arc<HookTarget>>;
    fn webhooks(account: AccountId, chat: Option<ChatId>) -> Vec<IncomingWebhook>;
    fn request(account: AccountId, request: RequestId) -> Option<HookRequest>;
    fn requests(account: AccountId, webhook: Option<WebhookId>, page: Page, limit: u32) -> Vec<HookRequest>;
    fn bin(account: AccountId, bin: BinId) -> Option<(Bin, u64)>;
    fn bin_by_token(hash: TokenHash) -> Option<Bin>;
    fn bins(account: AccountId, page: Page, limit: u32) -> Vec<(Bin, u64)>;
    fn bin_request(account: AccountId, request: BinRequestId) -> Option<BinRequest>;
    fn bin_requests(account: AccountId, bin: BinId, page: Page, limit: u32) -> Vec<BinRequest>;
    fn event(account: AccountId, event: EventId) -> Option<Event>;
    fn events_after(account: AccountId, after: EventId, limit: u32) -> Vec<Event>;
    fn subscription(account: AccountId, subscription: SubscriptionId) -> Option<Arc<Subscription>>;
    fn subscriptions(account: AccountId, owner: PersonId, client_id: &ClientId) -> Vec<Subscription>;
    fn subscription_count(account: AccountId, owner: PersonId, client_id: &ClientId, now: Timestamp) -> u32;
    fn subscriptions_of_person(account: AccountId, owner: PersonId) -> Vec<Subscription>;
    fn all_subscriptions() -> Vec<Arc<Subscription>>;
    fn subscription_by_channel(channel: &str) -> Option<Arc<Subscription>>;
    fn subscription_history(account: AccountId, subscription: SubscriptionId) -> Vec<HistoryEntry>;
    fn delivery(account: AccountId, delivery: DeliveryId) -> Option<Delivery>;
    fn deliveries(account: AccountId, subscription: Option<SubscriptionId>, page: Page, limit: u32) -> Vec<Delivery>;
    fn deliveries_of_event(account: AccountId, event: EventId) -> Vec<Delivery>;
    fn attempts(account: AccountId, delivery: DeliveryId) -> Vec<Attempt>;
    fn endpoints(account: AccountId) -> Vec<Arc<Subscription>>;
    fn endpoints_addressing(account: AccountId, part: &str) -> Vec<Arc<Subscription>>;
    fn custom_type(account: AccountId, name: &TypeName) -> Option<Arc<CustomType>>;
    fn custom_types(account: AccountId) -> Vec<CustomType>;
    fn publication(account: AccountId, source: &str, id: &str) -> Option<Publication>;
    fn find_deliveries(query: DeliveryQuery) -> Vec<FoundDelivery>;
    fn find_deliveries_after(query: DeliveryQuery, after: DeliveryId) -> Vec<FoundDelivery>;
    fn count_deliveries(query: DeliveryQuery) -> u64;
    fn has_delivery(account: AccountId, event: EventId, subscription: SubscriptionId) -> bool;
    fn find_events(query: EventQuery) -> Vec<Event>;
    fn kept_range(kept: Kept, after: u64, before: Timestamp, limit: u32) -> Option<(u64, u64)>;
    fn erasable(account: AccountId, subject: ErasureSubject, after: u64, last: u64) -> ErasureCounts;
    fn erasure_page(after: u64, limit: u32) -> Option<u64>;
    fn used_bytes() -> u64;
    fn oldest_event() -> Option<Timestamp>;
    fn count_events(query: EventQuery) -> u64;
    fn job(account: AccountId, job: JobId) -> Option<Job>;
    fn jobs(query: JobQuery) -> Vec<Job>;
    fn running_jobs() -> Vec<Job>;
    fn statistics(account: AccountId, endpoint: SubscriptionId, from: Timestamp, to: Timestamp) -> Vec<StatisticsBucket>;
    fn statistics_by_hour(account: AccountId, from: Timestamp) -> Vec<(SubscriptionId, Timestamp, HourSums)>;
    fn subscriptions_with_work() -> Vec<Arc<Subscription>>;
    fn waiting_deliveries(subscription: SubscriptionId, after: Option<(Timestamp, DeliveryId)>, limit: u32) -> Vec<CommittedDelivery>;
}
