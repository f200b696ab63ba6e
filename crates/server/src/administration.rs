//! What is done to the data of a server that is stopped, by whoever has its files.

use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use hookyard_domain::identity::person::directory::DirectoryError;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{Chance, Clock};
use hookyard_domain::{Person, PersonId};
use hookyard_store::{Options, SqliteStore};

use crate::chance::OsChance;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::data_dir::DataDir;

/// Persons that are listed when an address means several.
const NAMESAKES_MAX: u32 = 10;

/// Makes the person with the e-mail address or the id `who` an operator, and tells who that is.
///
/// # Errors
///
/// When there is no such data directory, a server uses it, or nobody or more than one person is
/// meant.
pub async fn grant_operator(config: &Config, who: &str) -> anyhow::Result<String> {
    // Locked until the store is closed.
    let (_data_dir, store) = open(config)?;
    let granted = grant(&store, who).await;
    store.close().await;
    granted
}

fn open(config: &Config) -> anyhow::Result<(DataDir, SqliteStore)> {
    let path = &config.data_dir;
    ensure!(
        path.join("hookyard.db").is_file(),
        "there is no database in `{}`: name the server's --data-dir",
        path.display()
    );
    let data_dir = DataDir::open(path)
        .context("this is done while the server is stopped; an operator can do it while it runs")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let chance: Arc<dyn Chance> = Arc::new(OsChance);
    let options = Options {
        vault_key: data_dir.master_key(&*chance)?.vault_key(),
        clock,
        chance,
    };
    let store = SqliteStore::open(&data_dir.database(), options)?;
    Ok((data_dir, store))
}

async fn grant(store: &SqliteStore, who: &str) -> anyhow::Result<String> {
    let person = find(store, who).await?;
    let there_are = store.operators().await?.len();
    let (change, person) = match person.make_operator(None, there_are, SystemClock.now()) {
        Err(DirectoryError::NotAPerson) => bail!(
            "{} cannot sign in, so they cannot be an operator",
            told(&person)
        ),
        made => made?,
    };
    let already = change.is_empty();
    store.commit(change).await?;
    let is = if already { "was already" } else { "is now" };
    Ok(format!("{} {is} an operator.", told(&person)))
}

async fn find(store: &SqliteStore, who: &str) -> anyhow::Result<Person> {
    if let Ok(id) = who.parse::<PersonId>() {
        let person = store.anybody(id).await?;
        return person.with_context(|| format!("nobody has the id {id}"));
    }
    let mut found = store.anybody_at(who, NAMESAKES_MAX).await?;
    if found.len() > 1 {
        let people: Vec<_> = found.iter().map(told).collect();
        bail!(
            "several people have the address `{who}`: name one by their id\n  {}",
            people.join("\n  ")
        );
    }
    let person = found.pop();
    person.with_context(|| format!("nobody has the e-mail address `{who}`"))
}

fn told(person: &Person) -> String {
    let (name, id, account) = (person.name(), person.id, person.account);
    format!("{name} (id {id}, of account {account})")
}

#[cfg(test)]
mod tests {
    use hookyard_domain::{
        Account, AccountId, AccountWrite, Change, PersonKind, PersonStatus, PersonWrite, Timestamp,
    };
    use hookyard_store::VaultKey;

    use super::*;

    fn person(account: u64, id: u64, email: &str, kind: PersonKind) -> PersonWrite {
        PersonWrite::Put(Person {
            account: AccountId(account),
            id: PersonId(id),
            kind,
            first_name: format!("P{id}"),
            last_name: String::new(),
            email: Some(email.to_owned()),
            extension_number: None,
            admin: false,
            operator: false,
            status: PersonStatus::Enabled,
            created_at: Timestamp::default(),
            modified_at: Timestamp::default(),
            version: 1,
        })
    }

    async fn two_accounts() -> SqliteStore {
        let store = SqliteStore::inline(Options {
            vault_key: VaultKey([7; 32]),
            clock: Arc::new(SystemClock),
            chance: Arc::new(OsChance),
        });
        let store = store.unwrap();
        let account = |id| {
            AccountWrite::Put(Account {
                id: AccountId(id),
                name: "A".to_owned(),
                created_at: Timestamp::default(),
            })
        };
        let people = Change::of(account(1))
            .and(account(2))
            .and(person(1, 11, "ann@example.com", PersonKind::User))
            .and(person(2, 21, "Ann@example.com", PersonKind::User))
            .and(person(2, 22, "bot@example.com", PersonKind::Bot))
            .and(person(2, 23, "eve@example.com", PersonKind::User));
        store.commit(people).await.unwrap();
        store
    }

    #[tokio::test]
    async fn whoever_is_meant_alone_becomes_an_operator() {
        let store = two_accounts().await;
        let refused = grant(&store, "ann@example.com").await.unwrap_err();
        let refused = refused.to_string();
        assert!(
            refused.contains("several people have the address"),
            "{refused}"
        );
        assert!(refused.contains("P21 (id 21, of account 2)"), "{refused}");
        let refused = grant(&store, "bot@example.com").await.unwrap_err();
        assert!(refused.to_string().contains("cannot sign in"), "{refused}");
        let refused = grant(&store, "24").await.unwrap_err();
        assert!(
            refused.to_string().contains("nobody has the id 24"),
            "{refused}"
        );
        for (who, told) in [
            (
                "EVE@example.com",
                "P23 (id 23, of account 2) is now an operator.",
            ),
            ("11", "P11 (id 11, of account 1) is now an operator."),
            ("11", "P11 (id 11, of account 1) was already an operator."),
        ] {
            assert_eq!(grant(&store, who).await.unwrap(), told);
        }
        let operators = store.operators().await.unwrap();
        let ids: Vec<_> = operators.iter().map(|person| person.id.0).collect();
        assert_eq!(ids, [11, 23]);
    }
}
