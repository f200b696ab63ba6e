//! Writes as rows: what the writer gets of each noun.

use hookyard_domain::{
    AccountWrite, ChatWrite, CredentialWrite, ErasureWrite, HistoryWrite, PersonWrite,
    PresenceWrite, RetentionWrite, SessionWrite, SignInCodeWrite, StatisticsWrite,
    SubscriptionWrite, Write,
};
use rusqlite::Connection;

use super::delivery::jobs;
use super::endpoints::statistics;
use super::error::Fault;
use super::events::custom_types;
use super::identity::{accounts, apps, credentials, sessions};
use super::inbound::{bins, requests, webhooks};
use super::messaging::{chats, messages, posts, presences};
use super::subscriptions::{self, history};
use super::{erasure, first_requests, retention};
use crate::commit::{Refusal, Scope};
use crate::vault::Vault;

/// A write, and the columns that were made of it before.
#[derive(Debug)]
pub(super) struct With<W, C> {
    pub(super) write: W,
    pub(super) columns: C,
}

/// Where a row is written, and what its writing does in memory.
pub(super) struct Transaction<'a> {
    pub(super) db: &'a Connection,
    pub(super) scope: Scope<'a>,
}

macro_rules! rows {
    ($($noun:ident($row:ty) by $write:path $(, encoded by $encode:path)?;)*) => {
        /// A write of any noun.
        #[derive(Debug)]
        pub(super) enum Row {
            $($noun($row),)*
        }

        impl Row {
            pub(super) fn encode(vault: &Vault, write: Write) -> Result<Self, Fault> {
                Ok(match write {
                    $(Write::$noun(write) => {
                        Self::$noun(rows!(@encode vault, write $(, $encode)?))
                    })*
                    Write::Delivery(_) => {
                        return Err(Fault::plain("deliveries are written by the core"));
                    }
                })
            }

            pub(super) fn write(&mut self, tx: &mut Transaction<'_>) -> Result<(), Refusal> {
                match self {
                    $(Self::$noun(row) => $write(tx, row)?,)*
                }
                Ok(())
            }
        }
    };
    (@encode $vault:ident, $write:ident) => { $write };
    (@encode $vault:ident, $write:ident, $encode:path) => { $encode($vault, $write) };
}

rows! {
    Account(AccountWrite) by accounts::write_account;
    Person(PersonWrite) by accounts::write_person;
    App(apps::Encoded) by apps::write, encoded by apps::encode;
    Credential(CredentialWrite) by credentials::write;
    SignInCode(SignInCodeWrite) by sessions::write_code;
    Session(SessionWrite) by sessions::write;
    Chat(ChatWrite) by chats::write;
    Post(posts::Encoded) by posts::write, encoded by posts::encode;
    Presence(PresenceWrite) by presences::write;
    Message(messages::Encoded) by messages::write, encoded by messages::encode;
    Webhook(webhooks::Encoded) by webhooks::write, encoded by webhooks::encode;
    Request(requests::Encoded) by requests::write, encoded by requests::encode;
    Bin(bins::Encoded) by bins::write, encoded by bins::encode;
    CustomType(custom_types::Encoded) by custom_types::write, encoded by custom_types::encode;
    Subscription(SubscriptionWrite) by subscriptions::write;
    History(HistoryWrite) by history::write;
    Job(jobs::Encoded) by jobs::write, encoded by jobs::encode;
    Statistics(StatisticsWrite) by statistics::write;
    Retention(RetentionWrite) by retention::write;
    Erasure(ErasureWrite) by erasure::write;
    FirstRequest(first_requests::Encoded) by first_requests::write, encoded by first_requests::encode;
}
