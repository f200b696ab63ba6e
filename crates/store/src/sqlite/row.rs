//! Writes as rows: what the writer gets of each noun.

use hookyard_domain::{
    AccountWrite, AppWrite, ChatWrite, ErasureWrite, HistoryWrite, JwtCredentialWrite, PersonWrite,
    PresenceWrite, RetentionWrite, SessionWrite, SignInCodeWrite, StatisticsWrite,
    SubscriptionWrite, Write,
};
use rusqlite::Connection;

use super::delivery::jobs;
use super::endpoints::statistics;
use super::error::Fault;
use super::events::custom_types;
use super::identity::{accounts, apps, sessions};
use super::inbound::{bins, requests, webhooks};
use super::messaging::{chats, messages, posts, presences};
use super::subscriptions::{self, history};
use super::{erasure, retention};
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

/// A write of any noun.
#[derive(Debug)]
pub(super) enum Row {
    Account(AccountWrite),
    Person(PersonWrite),
    App(AppWrite),
    JwtCredential(JwtCredentialWrite),
    SignInCode(SignInCodeWrite),
    Session(SessionWrite),
    Chat(ChatWrite),
    Post(posts::Encoded),
    Presence(PresenceWrite),
    Message(messages::Encoded),
    Webhook(webhooks::Encoded),
    Request(requests::Encoded),
    Bin(bins::Encoded),
    CustomType(custom_types::Encoded),
    Subscription(SubscriptionWrite),
    History(HistoryWrite),
    Job(jobs::Encoded),
    Statistics(StatisticsWrite),
    Retention(RetentionWrite),
    Erasure(ErasureWrite),
}

impl Row {
    pub(super) fn encode(vault: &Vault, write: Write) -> Result<Self, Fault> {
        Ok(match write {
            Write::Account(write) => Self::Account(write),
            Write::Person(write) => Self::Person(write),
            Write::App(write) => Self::App(write),
            Write::JwtCredential(write) => Self::JwtCredential(write),
            Write::SignInCode(write) => Self::SignInCode(write),
            Write::Session(write) => Self::Session(write),
            Write::Chat(write) => Self::Chat(write),
            Write::Post(write) => Self::Post(posts::encode(write)?),
            Write::Presence(write) => Self::Presence(write),
            Write::Message(write) => Self::Message(messages::encode(write)?),
            Write::Webhook(write) => Self::Webhook(webhooks::encode(vault, write)),
            Write::Request(write) => Self::Request(requests::encode(write)?),
            Write::Bin(write) => Self::Bin(bins::encode(vault, write)?),
            Write::CustomType(write) => Self::CustomType(custom_types::encode(write)?),
            Write::Subscription(write) => Self::Subscription(write),
            Write::History(write) => Self::History(write),
            Write::Delivery(_) => return Err(Fault::plain("deliveries are written by the core")),
            Write::Job(write) => Self::Job(jobs::encode(write)?),
            Write::Statistics(write) => Self::Statistics(write),
            Write::Retention(write) => Self::Retention(write),
            Write::Erasure(write) => Self::Erasure(write),
        })
    }

    pub(super) fn write(&mut self, tx: &mut Transaction<'_>) -> Result<(), Refusal> {
        match self {
            Self::Account(write) => accounts::write_account(tx, write)?,
            Self::Person(write) => accounts::write_person(tx, write)?,
            Self::App(write) => apps::write_app(tx, write)?,
            Self::JwtCredential(write) => apps::write_jwt_credential(tx, write)?,
            Self::SignInCode(write) => sessions::write_code(tx, write)?,
            Self::Session(write) => sessions::write(tx, write)?,
            Self::Chat(write) => chats::write(tx, write)?,
            Self::Post(row) => posts::write(tx, row)?,
            Self::Presence(write) => presences::write(tx, write)?,
            Self::Message(row) => messages::write(tx, row)?,
            Self::Webhook(row) => webhooks::write(tx, row)?,
            Self::Request(row) => requests::write(tx, row)?,
            Self::Bin(row) => bins::write(tx, row)?,
            Self::CustomType(row) => custom_types::write(tx, row)?,
            Self::Subscription(write) => subscriptions::write(tx, write)?,
            Self::History(write) => history::write(tx, write)?,
            Self::Job(row) => jobs::write(tx, row)?,
            Self::Statistics(write) => statistics::write(tx, write)?,
            Self::Retention(write) => retention::write(tx, write)?,
            Self::Erasure(write) => erasure::write(tx, write)?,
        }
        Ok(())
    }
}
