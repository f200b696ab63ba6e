//! What guards ask.

use hookyard_domain::{Claim, Guard, Object, ObjectRef, PersonStatus, Set};
use rusqlite::Connection;

use super::delivery::jobs;
use super::endpoints;
use super::error::Fault;
use super::events::{custom_types, publications};
use super::first_requests;
use super::identity::{accounts, apps, credentials, operators, sessions};
use super::inbound::{bins, webhooks};
use super::messaging::{chats, messages, posts, presences};
use super::subscriptions;

/// Whether a guard holds.
pub(super) fn holds(db: &Connection, guard: &Guard) -> Result<bool, Fault> {
    Ok(match guard {
        Guard::Version { of, version } => version_of(db, of)?.unwrap_or(0) == *version,
        Guard::Exists(of) => version_of(db, of)?.is_some(),
        Guard::PersonEnabled { account, person } => {
            accounts::status(db, *account, *person)? == Some(PersonStatus::Enabled)
        }
        Guard::CodeUnspent { account, hash } => sessions::has_code(db, *account, *hash)?,
        Guard::Room { of, max } => count(db, of)? < *max,
        Guard::Beyond { of, min } => count(db, of)? > *min,
        Guard::Free(claim) => is_free(db, claim)?,
    })
}

/// The version of an object that is there.
fn version_of(db: &Connection, of: &ObjectRef) -> Result<Option<u64>, Fault> {
    let account = of.account;
    match &of.object {
        Object::Person(id) => accounts::version(db, account, *id),
        Object::App(id) => apps::version(db, account, id),
        Object::Credential(id) => credentials::version(db, account, *id),
        Object::Session(id) => sessions::generation(db, account, *id),
        Object::Chat(id) => chats::version(db, account, *id),
        Object::Post(id) => posts::version(db, account, *id),
        Object::Message(id) => messages::version(db, account, *id),
        Object::Webhook(id) => webhooks::version(db, account, *id),
        Object::Bin(id) => bins::version(db, account, *id),
        Object::CustomType(name) => custom_types::version(db, account, name),
        Object::Subscription(id) => subscriptions::version(db, account, *id),
        Object::Job(id) => jobs::version(db, account, *id),
        Object::Presence(person) => presences::sequence(db, account, *person),
    }
}

/// How many a set has.
fn count(db: &Connection, of: &Set) -> Result<u32, Fault> {
    match of {
        Set::Apps(account) => apps::count_of(db, *account),
        Set::Credentials {
            account,
            person,
            live_at,
        } => credentials::count_of(db, *account, *person, *live_at),
        Set::Operators => operators::count(db),
        Set::Bins(account) => bins::count_of(db, *account),
        Set::Endpoints(account) => endpoints::count(db, *account),
        Set::Subscriptions {
            account,
            owner,
            client_id,
            at,
        } => subscriptions::count(db, *account, *owner, client_id, *at),
    }
}

/// Whether nobody else has it.
fn is_free(db: &Connection, claim: &Claim) -> Result<bool, Fault> {
    Ok(match claim {
        Claim::Email { account, email, by } => {
            let taken = accounts::person_by_email(db, *account, email)?;
            taken.is_none_or(|person| person.id == *by)
        }
        Claim::ExtensionNumber {
            account,
            number,
            by,
        } => {
            let taken = accounts::person_by_extension_number(db, *account, number)?;
            taken.is_none_or(|person| person.id == *by)
        }
        Claim::Conversation { account, members } => {
            chats::conversation(db, *account, members)?.is_none()
        }
        Claim::Publication {
            account,
            source,
            id,
        } => publications::publication(db, *account, source, id)?.is_none(),
        Claim::Request { key, now } => first_requests::is_free(db, key, *now)?,
    })
}
