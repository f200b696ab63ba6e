//! What a batch changes in memory goes the way of its transaction.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hookyard_domain::kernel::ports::{Chance, Clock, CommitError};
use hookyard_domain::{
    Account, AccountWrite, Audience, Change, Chat, ChatKind, ChatStatus, ChatWrite, ClientId,
    DeliveryMode, EventFilter, EventKind, IncomingWebhook, Person, PersonKind, PersonStatus,
    PersonWrite, RetryPolicy, Secret, SubscriptionStatus, SubscriptionWrite, WebhookId,
    WebhookStatus, WebhookWrite,
};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::commit::{Caches, Core, Encoded, Outcome};
use crate::sqlite::{connection, migrations};
use crate::vault::VaultKey;

const ACCOUNT: AccountId = AccountId(1);
const OWNERS: [PersonId; 2] = [PersonId(10), PersonId(11)];
const CLIENTS: [&str; 2] = ["app", "other"];
const CHATS: [ChatId; 2] = [ChatId(20), ChatId(21)];

#[derive(Debug)]
struct Ticking(AtomicU64);

#[async_trait]
impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        let ticks = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(1_790_000_000_000 + ticks.cast_signed())
    }

    async fn sleep_until(&self, _: Timestamp) {
        std::future::pending::<()>().await;
    }
}

impl Chance for Ticking {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

/// A part of a change.
#[derive(Debug, Clone)]
enum Part {
    Put {
        id: u128,
        active: bool,
    },
    Delete(u128),
    DeleteAllOf(usize),
    DeleteAllThrough(usize),
    Members {
        chat: usize,
        both: bool,
    },
    DeleteChat(usize),
    /// An event that is told to the members of a chat, so that they are read.
    Tell(usize),
    /// A guard that does not hold.
    Stale,
    /// A write that breaks half-way: its token is taken.
    Break,
}

fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        4 => (0_u128..5, any::<bool>()).prop_map(|(id, active)| Part::Put { id, active }),
        2 => (0_u128..5).prop_map(Part::Delete),
        1 => (0_usize..2).prop_map(Part::DeleteAllOf),
        1 => (0_usize..2).prop_map(Part::DeleteAllThrough),
        2 => (0_usize..2, any::<bool>()).prop_map(|(chat, both)| Part::Members { chat, both }),
        1 => (0_usize..2).prop_map(Part::DeleteChat),
        3 => (0_usize..2).prop_map(Part::Tell),
        1 => Just(Part::Stale),
        1 => Just(Part::Break),
    ]
}

fn batches() -> impl Strategy<Value = Vec<Vec<Vec<Part>>>> {
    let change = prop::collection::vec(part(), 1..4);
    prop::collection::vec(prop::collection::vec(change, 1..6), 1..6)
}

/// A subscription of the first owner, when `id` is even, or of the second; through the first client,
/// when it is below 3, or the second.
fn subscription(id: u128, active: bool) -> Subscription {
    let created_at = Timestamp::from_millis(1_790_000_000_000);
    Subscription {
        account: ACCOUNT,
        id: SubscriptionId(Uuid::from_u128(id)),
        owner: OWNERS[usize::from(id % 2 == 1)],
        client_id: ClientId(CLIENTS[usize::from(id > 2)].into()),
        filters: vec![EventFilter::read("/restapi/v1.0/glip/posts").unwrap()],
        disabled_filters: Vec::new(),
        mode: DeliveryMode::WebHook {
            address: "http://127.0.0.1:1/".into(),
            verification_token: None,
        },
        policy: RetryPolicy::default(),
        status: if active {
            SubscriptionStatus::Active
        } else {
            SubscriptionStatus::Suspended
        },
        created_at,
        modified_at: created_at,
        expires_at: created_at + Duration::from_hours(1),
        ttl: Duration::from_hours(1),
        blacklisted: None,
        ended_at: None,
        failing_since: None,
        paused_at: None,
        catch_up_after: None,
        endpoint: None,
        version: 1,
    }
}

fn chat(at: usize, both: bool) -> Chat {
    Chat {
        account: ACCOUNT,
        id: CHATS[at],
        kind: ChatKind::Team,
        name: None,
        description: None,
        public: false,
        status: ChatStatus::Active,
        members: OWNERS[..if both { 2 } else { 1 }].to_vec(),
        admins: Vec::new(),
        created_at: Timestamp::default(),
        modified_at: Timestamp::default(),
        version: 1,
    }
}

fn webhook(id: u8, chat: ChatId) -> IncomingWebhook {
    IncomingWebhook {
        account: ACCOUNT,
        id: WebhookId::from_random([id; 16]),
        chat,
        creator: OWNERS[0],
        token: Secret::new("taken"),
        status: WebhookStatus::Active,
        created_at: Timestamp::default(),
        modified_at: Timestamp::default(),
        version: 1,
    }
}

fn event(chat: ChatId) -> Event {
    Event {
        account: ACCOUNT,
        id: EventId::PENDING,
        kind: EventKind::Post,
        event_type: "PostAdded".into(),
        audience: Audience::ChatMembers(chat),
        chat: Some(chat),
        post: None,
        request: None,
        occurred_at: Timestamp::default(),
        body: Bytes::from_static(b"{}"),
        confidential: false,
        attributes: None,
    }
}

fn change(parts: &[Part]) -> Change {
    let at = Timestamp::from_millis(1_790_000_000_000);
    parts
        .iter()
        .fold(Change::default(), |change, part| match *part {
            Part::Put { id, active } => {
                let put = Arc::new(subscription(id, active));
                change.and(SubscriptionWrite::Put(put))
            }
            Part::Delete(id) => change.and(SubscriptionWrite::Delete {
                account: ACCOUNT,
                subscription: SubscriptionId(Uuid::from_u128(id)),
                at,
            }),
            Part::DeleteAllOf(owner) => change.and(SubscriptionWrite::DeleteAllOf {
                account: ACCOUNT,
                owner: OWNERS[owner],
                at,
                reason: "a test",
            }),
            Part::DeleteAllThrough(client) => change.and(SubscriptionWrite::DeleteAllThrough {
                account: ACCOUNT,
                client_id: ClientId(CLIENTS[client].into()),
                at,
                reason: "a test",
            }),
            Part::Members { chat: at, both } => change.and(ChatWrite::Put(chat(at, both))),
            Part::DeleteChat(at) => change.and(ChatWrite::Delete {
                account: ACCOUNT,
                chat: CHATS[at],
            }),
            Part::Tell(at) => change.announcing(event(CHATS[at])),
            Part::Stale => change.given(Guard::version(ACCOUNT, OWNERS[0], 9)),
            Part::Break => change.and(WebhookWrite::Put(webhook(2, ChatId(30)))),
        })
}

fn core() -> (Core<Rows>, Vault) {
    let mut db = connection::open_in_memory().unwrap();
    migrations::migrate(&mut db).unwrap();
    let ticking = Arc::new(Ticking(AtomicU64::new(0)));
    let vault = Vault::new(VaultKey([3; 32]), ticking.clone());
    let rows = Rows {
        db,
        vault: vault.clone(),
        ids: Arc::new(IdSequence::starting_after(0)),
        checkpoints: None,
    };
    let mut core = Core::new(rows, ticking, Arc::new(Caches::default())).unwrap();
    let account = Account {
        id: ACCOUNT,
        name: String::new(),
        created_at: Timestamp::default(),
    };
    let home = Chat {
        id: ChatId(30),
        ..chat(0, true)
    };
    let persons = OWNERS
        .into_iter()
        .fold(Change::of(AccountWrite::Put(account)), |change, id| {
            change.and(PersonWrite::Put(person(id)))
        });
    let setting = persons
        .and(ChatWrite::Put(home))
        .and(WebhookWrite::Put(webhook(1, ChatId(30))));
    let outcome = commit(&mut core, &vault, [setting]);
    assert!(outcome.fates[0].is_ok());
    (core, vault)
}

fn person(id: PersonId) -> Person {
    Person {
        account: ACCOUNT,
        id,
        kind: PersonKind::User,
        first_name: String::new(),
        last_name: String::new(),
        email: None,
        extension_number: None,
        admin: false,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: Timestamp::default(),
        modified_at: Timestamp::default(),
        version: 1,
    }
}

fn commit(
    core: &mut Core<Rows>,
    vault: &Vault,
    changes: impl IntoIterator<Item = Change>,
) -> Outcome {
    let encoded = changes
        .into_iter()
        .map(|change| Encoded::new(vault, change).unwrap());
    core.commit(&mut encoded.collect::<Vec<_>>())
}

/// What stands in memory is what the store says.
fn assert_exact(core: &mut Core<Rows>) {
    let stored = core.backend_mut().taking().unwrap();
    let fresh = Fanout::of(stored);
    assert_eq!(core.fanout().contents(), fresh.contents());
    let known: Vec<_> = core
        .fanout()
        .known_members()
        .map(|(chat, members)| (chat, members.to_vec()))
        .collect();
    for (chat, members) in known {
        let stored = core.backend_mut().members(ACCOUNT, chat).unwrap();
        assert_eq!(members, stored, "the members of chat {chat}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is refused or undone, and with whom it shares a batch.
    #[test]
    fn the_index_is_what_the_store_says(batches in batches()) {
        let (mut core, vault) = core();
        for batch in batches {
            let outcome = commit(&mut core, &vault, batch.iter().map(|parts| change(parts)));
            for (parts, fate) in batch.iter().zip(&outcome.fates) {
                let refused = parts.iter().any(|part| matches!(part, Part::Stale | Part::Break));
                prop_assert_eq!(matches!(fate, Err(CommitError::Conflict)), refused);
                prop_assert_eq!(fate.is_ok(), !refused);
            }
            assert_exact(&mut core);
        }
    }
}

/// Some failures end the transaction, and with it the changes that were applied before.
#[test]
fn a_batch_whose_transaction_ends_is_taken_back() {
    let (mut core, vault) = core();
    let put = |id| {
        let active = true;
        change(&[Part::Put { id, active }, Part::Tell(0)])
    };
    assert!(commit(&mut core, &vault, [put(1)]).fates[0].is_ok());
    let trigger = "create trigger ends_it after delete on subscriptions
        begin select raise(rollback, 'the disk is gone'); end";
    core.backend().db.execute_batch(trigger).unwrap();
    let outcome = commit(
        &mut core,
        &vault,
        [put(2), change(&[Part::Delete(1)]), put(3)],
    );
    for fate in outcome.fates {
        assert!(matches!(fate, Err(CommitError::Store(_))), "{fate:?}");
    }
    assert!(outcome.news.is_empty() && !outcome.fatal);
    assert_exact(&mut core);
    assert_eq!(core.fanout().contents().len(), 1);
    let outcome = commit(&mut core, &vault, [put(4)]);
    assert!(outcome.fates[0].is_ok(), "the next batch begins anew");
}
