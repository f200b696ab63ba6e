//! Apps. Their secrets are hashed; what is shown again is sealed.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::kernel::news::NewsItem;
use hookyard_domain::kernel::ports::{Apps, StoreError};
use hookyard_domain::{
    AccountId, App, AppKind, AppUsage, AppWrite, ClientId, ClientSecret, KeptSecret, PersonId,
    Scopes, Secret, Timestamp, TokenHash,
};
use rusqlite::{Connection, Row, params};

use crate::records::{KeysRecord, RedirectUrisRecord, from_json, to_json};
use crate::sqlite::SqliteStore;
use crate::sqlite::error::Fault;
use crate::sqlite::query::{count, execute, many, one, unreadable};
use crate::sqlite::row::{Transaction, With};
use crate::vault::Vault;

const OUTBOUND_PLACE: &str = "apps.outbound_secret";
const VERIFICATION_PLACE: &str = "apps.verification_token";

/// What an app is kept as, beside what it holds itself.
#[derive(Debug, Default)]
pub(in crate::sqlite) struct Columns {
    redirect_uris: String,
    public_keys: String,
    outbound_sealed: Option<Vec<u8>>,
    verification_sealed: Option<Vec<u8>>,
}

pub(in crate::sqlite) type Encoded = With<AppWrite, Columns>;

pub(in crate::sqlite) fn encode(vault: &Vault, write: AppWrite) -> Encoded {
    let sealed = |place, kept: Option<&KeptSecret>| {
        kept.map(|kept| vault.seal(place, kept.secret.reveal().as_bytes()))
    };
    let columns = match &write {
        AppWrite::Put(app) => Columns {
            redirect_uris: to_json(&RedirectUrisRecord::from(&app.redirect_uris)),
            public_keys: to_json(&KeysRecord::from(&app.public_keys)),
            outbound_sealed: sealed(OUTBOUND_PLACE, app.outbound_secret.as_ref()),
            verification_sealed: sealed(VERIFICATION_PLACE, app.verification_token.as_ref()),
        },
        AppWrite::SecretUsed { .. } | AppWrite::Delete { .. } => Columns::default(),
    };
    Encoded { write, columns }
}

fn put(db: &Connection, app: &App, columns: &Columns) -> Result<(), Fault> {
    let sql = "insert into apps (client_id, account_id, name, kind, scopes, redirect_uris,
            public_keys, outbound_url, outbound_secret_sealed, outbound_secret_at,
            verification_token_sealed, verification_token_at, creator_id, created_at, modified_at,
            version)
        values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
        on conflict (client_id) do update set name = excluded.name, scopes = excluded.scopes,
            redirect_uris = excluded.redirect_uris, public_keys = excluded.public_keys,
            outbound_url = excluded.outbound_url,
            outbound_secret_sealed = excluded.outbound_secret_sealed,
            outbound_secret_at = excluded.outbound_secret_at,
            verification_token_sealed = excluded.verification_token_sealed,
            verification_token_at = excluded.verification_token_at,
            modified_at = excluded.modified_at, version = excluded.version";
    let since = |kept: Option<&KeptSecret>| kept.map(|kept| kept.created_at.as_millis());
    let values = params![
        app.client_id.0,
        app.account.as_i64(),
        app.name,
        app.kind.name(),
        app.scopes.to_string(),
        columns.redirect_uris,
        columns.public_keys,
        app.outbound_url,
        columns.outbound_sealed,
        since(app.outbound_secret.as_ref()),
        columns.verification_sealed,
        since(app.verification_token.as_ref()),
        app.creator.map(PersonId::as_i64),
        app.created_at.as_millis(),
        app.modified_at.as_millis(),
        app.version.cast_signed(),
    ];
    execute(db, sql, values)?;
    put_secrets(db, app)
}

/// Writes the secrets that are new and removes those that are no more.
fn put_secrets(db: &Connection, app: &App) -> Result<(), Fault> {
    let kept = |id: &str| app.secrets.iter().any(|secret| secret.id == id);
    let sql = "select id from app_secrets where client_id = ?1";
    let known = many(db, sql, [&app.client_id.0], |row| row.get::<_, String>(0))?;
    for gone in known.iter().filter(|id| !kept(id)) {
        let sql = "delete from app_secrets where client_id = ?1 and id = ?2";
        execute(db, sql, [&app.client_id.0, gone])?;
    }
    for secret in &app.secrets {
        let sql = "insert into app_secrets (client_id, id, hash, hint, created_at, last_used_at)
            values (?1, ?2, ?3, ?4, ?5, ?6) on conflict (client_id, id) do nothing";
        let values = params![
            app.client_id.0,
            secret.id,
            secret.hash.0,
            secret.hint,
            secret.created_at.as_millis(),
            secret.last_used_at.map(Timestamp::as_millis),
        ];
        execute(db, sql, values)?;
    }
    Ok(())
}

fn note_use(
    db: &Connection,
    account: AccountId,
    client_id: &ClientId,
    secret: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "update app_secrets set last_used_at = max(?3, coalesce(last_used_at, ?3))
        where client_id = ?1 and id = ?2
            and exists (select 1 from apps a where a.client_id = ?1 and a.account_id = ?4)";
    let values = params![client_id.0, secret, at.as_millis(), account.as_i64()];
    execute(db, sql, values)?;
    Ok(())
}

fn delete(db: &Connection, account: AccountId, client_id: &ClientId) -> Result<(), Fault> {
    let sql = "delete from apps where client_id = ?1 and account_id = ?2";
    execute(db, sql, params![client_id.0, account.as_i64()])?;
    Ok(())
}

pub(in crate::sqlite) fn version(
    db: &Connection,
    account: AccountId,
    client_id: &ClientId,
) -> Result<Option<u64>, Fault> {
    let sql = "select version from apps where client_id = ?1 and account_id = ?2";
    one(db, sql, params![client_id.0, account.as_i64()], |row| {
        row.get(0).map(i64::cast_unsigned)
    })
}

pub(in crate::sqlite) fn count_of(db: &Connection, account: AccountId) -> Result<u32, Fault> {
    let sql = "select count(*) from apps where account_id = ?1";
    let counted = count(db, sql, params![account.as_i64()])?;
    Ok(u32::try_from(counted).unwrap_or(u32::MAX))
}

pub(in crate::sqlite) fn read_scopes(text: &str) -> Scopes {
    let Ok(scopes) = text.parse();
    scopes
}

macro_rules! select_app {
    ($rest:literal) => {
        concat!(
            "select client_id, account_id, name, kind, scopes, redirect_uris, public_keys,
                outbound_url, outbound_secret_sealed, outbound_secret_at,
                verification_token_sealed, verification_token_at, creator_id, created_at,
                modified_at, version from apps ",
            $rest
        )
    };
}

/// The sealed text in column `at`, with its time in the next.
fn kept(
    row: &Row<'_>,
    vault: &Vault,
    at: usize,
    place: &str,
) -> rusqlite::Result<Option<KeptSecret>> {
    let Some(sealed) = row.get::<_, Option<Vec<u8>>>(at)? else {
        return Ok(None);
    };
    let opened = vault.open(place, &sealed);
    let text = opened.and_then(|text| String::from_utf8(text).ok());
    Ok(Some(KeptSecret {
        secret: Secret::new(text.ok_or_else(|| unreadable(at, "an app's secret"))?),
        created_at: Timestamp::from_millis(row.get(at + 1)?),
    }))
}

/// An app without its secrets.
fn read(vault: &Vault, row: &Row<'_>) -> rusqlite::Result<App> {
    let kind: String = row.get(3)?;
    let uris: String = row.get(5)?;
    let keys: String = row.get(6)?;
    Ok(App {
        client_id: ClientId(row.get(0)?),
        account: AccountId::from_i64(row.get(1)?),
        name: row.get(2)?,
        kind: AppKind::from_name(&kind).ok_or_else(|| unreadable(3, "an app's kind"))?,
        scopes: read_scopes(&row.get::<_, String>(4)?),
        redirect_uris: from_json::<RedirectUrisRecord<'_>, _>(uris)
            .ok_or_else(|| unreadable(5, "an app's redirect URIs"))?,
        secrets: Vec::new(),
        public_keys: from_json::<KeysRecord<'_>, _>(keys)
            .ok_or_else(|| unreadable(6, "an app's keys"))?,
        outbound_url: row.get(7)?,
        outbound_secret: kept(row, vault, 8, OUTBOUND_PLACE)?,
        verification_token: kept(row, vault, 10, VERIFICATION_PLACE)?,
        creator: row.get::<_, Option<i64>>(12)?.map(PersonId::from_i64),
        created_at: Timestamp::from_millis(row.get(13)?),
        modified_at: Timestamp::from_millis(row.get(14)?),
        version: row.get::<_, i64>(15)?.cast_unsigned(),
    })
}

fn with_secrets(db: &Connection, mut app: App) -> Result<App, Fault> {
    let sql = "select id, hash, hint, created_at, last_used_at from app_secrets
        where client_id = ?1 order by created_at, id";
    app.secrets = many(db, sql, params![app.client_id.0], |row| {
        Ok(ClientSecret {
            id: row.get(0)?,
            hash: TokenHash(row.get(1)?),
            hint: row.get(2)?,
            created_at: Timestamp::from_millis(row.get(3)?),
            last_used_at: row.get::<_, Option<i64>>(4)?.map(Timestamp::from_millis),
        })
    })?;
    Ok(app)
}

fn app(db: &Connection, vault: &Vault, client_id: &ClientId) -> Result<Option<App>, Fault> {
    let sql = select_app!("where client_id = ?1");
    let found = one(db, sql, params![client_id.0], |row| read(vault, row))?;
    found.map(|app| with_secrets(db, app)).transpose()
}

fn apps(db: &Connection, vault: &Vault, account: AccountId) -> Result<Vec<App>, Fault> {
    let sql = select_app!("where account_id = ?1 order by created_at desc, client_id desc");
    let found = many(db, sql, params![account.as_i64()], |row| read(vault, row))?;
    found.into_iter().map(|app| with_secrets(db, app)).collect()
}

fn verification_tokens(db: &Connection, vault: &Vault) -> Result<HashMap<ClientId, Secret>, Fault> {
    let sql = "select verification_token_sealed, verification_token_at, client_id from apps
        where verification_token_sealed is not null";
    let found = many(db, sql, [], |row| {
        let token = kept(row, vault, 0, VERIFICATION_PLACE)?;
        Ok((ClientId(row.get(2)?), token))
    })?;
    let tokens = found.into_iter();
    Ok(tokens
        .filter_map(|(client_id, token)| Some((client_id, token?.secret)))
        .collect())
}

fn usage(db: &Connection, account: AccountId) -> Result<HashMap<ClientId, AppUsage>, Fault> {
    type Counted = fn(&mut AppUsage) -> &mut u64;
    let counts: [(&str, Counted); 4] = [
        (
            "select client_id, count(*) from subscriptions
                where account_id = ?1 and endpoint_sealed is null group by client_id",
            |usage| &mut usage.subscriptions,
        ),
        (
            "select client_id, count(*) from subscriptions
                where account_id = ?1 and endpoint_sealed is not null group by client_id",
            |usage| &mut usage.endpoints,
        ),
        (
            "select client_id, count(*) from sessions
                where account_id = ?1 and personal = 0 group by client_id",
            |usage| &mut usage.sessions,
        ),
        (
            "select coalesce(client_id, 'hookyard-personal'), count(*) from credentials
                where account_id = ?1 and revoked_at is null
                    and (client_id is not null or kind = 'PersonalAccessToken')
                group by 1",
            |usage| &mut usage.credentials,
        ),
    ];
    let mut usage: HashMap<ClientId, AppUsage> = HashMap::new();
    for (sql, counted) in counts {
        let found = many(db, sql, params![account.as_i64()], |row| {
            Ok((ClientId(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned()))
        })?;
        for (client_id, count) in found {
            *counted(usage.entry(client_id).or_default()) = count;
        }
    }
    Ok(usage)
}

/// Applies what is written of apps.
pub(in crate::sqlite) fn write(tx: &mut Transaction<'_>, row: &Encoded) -> Result<(), Fault> {
    match &row.write {
        AppWrite::Put(app) => {
            put(tx.db, app, &row.columns)?;
            tx.scope.news.push(NewsItem::App(Arc::new((**app).clone())));
        }
        AppWrite::SecretUsed {
            account,
            client_id,
            secret,
            at,
        } => note_use(tx.db, *account, client_id, secret, *at)?,
        AppWrite::Delete { account, client_id } => {
            delete(tx.db, *account, client_id)?;
            tx.scope.news.push(NewsItem::AppEnded(client_id.clone()));
        }
    }
    Ok(())
}

#[async_trait]
impl Apps for SqliteStore {
    async fn app(&self, client_id: &ClientId) -> Result<Option<App>, StoreError> {
        let client_id = client_id.clone();
        self.read(move |db, vault| app(db, vault, &client_id)).await
    }

    async fn apps(&self, account: AccountId) -> Result<Vec<App>, StoreError> {
        self.read(move |db, vault| apps(db, vault, account)).await
    }

    async fn verification_tokens(&self) -> Result<HashMap<ClientId, Secret>, StoreError> {
        self.read(verification_tokens).await
    }

    async fn app_usage(
        &self,
        account: AccountId,
    ) -> Result<HashMap<ClientId, AppUsage>, StoreError> {
        self.read(move |db, _| usage(db, account)).await
    }
}
