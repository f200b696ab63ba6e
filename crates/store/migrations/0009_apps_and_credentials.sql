-- Apps that people make, and what they let programs in with.

alter table apps add column kind text not null default 'Server' check (kind in ('Server', 'Browser', 'Bot'));
alter table apps add column redirect_uris text not null default '[]';
alter table apps add column public_keys text not null default '[]';
alter table apps add column outbound_url text;
alter table apps add column outbound_secret_sealed blob;
alter table apps add column outbound_secret_at integer;
alter table apps add column verification_token_sealed blob;
alter table apps add column verification_token_at integer;
alter table apps add column creator_id integer;
alter table apps add column modified_at integer not null default 0;
alter table apps add column version integer not null default 1;
update apps set modified_at = created_at,
    kind = case when secret_hash is null then 'Browser' else 'Server' end;
create index apps_by_account on apps (account_id, created_at);

create table app_secrets (
    client_id text not null references apps (client_id) on delete cascade,
    id text not null,
    hash blob not null,
    hint text not null,
    created_at integer not null,
    last_used_at integer,
    primary key (client_id, id)
) strict, without rowid;
insert into app_secrets select client_id, lower(hex(randomblob(8))), secret_hash, '', created_at, null
    from apps where secret_hash is not null;
alter table apps drop column secret_hash;

create table credentials (
    id blob primary key,
    account_id integer not null references accounts (id),
    person_id integer not null references persons (id),
    kind text not null check (kind in ('Jwt', 'PersonalAccessToken')),
    name text not null,
    -- The only client that it is for, if there is one.
    client_id text,
    -- What a personal access token may do; null for a JWT.
    scopes text,
    hash blob not null,
    hint text not null,
    created_at integer not null,
    expires_at integer,
    last_used_at integer,
    revoked_at integer
) strict, without rowid;
insert into credentials select randomblob(16), account_id, person_id, 'Jwt', 'JWT credential', client_id,
    null, hash, '', created_at, null, null, revoked_at from jwt_credentials;
drop table jwt_credentials;
create unique index credentials_by_hash on credentials (hash);
create index credentials_by_person on credentials (account_id, person_id, created_at);
create index credentials_by_app on credentials (account_id, client_id);

-- The credential that opened a session, and whether the session stands for a personal access token.
alter table sessions add column credential_id blob;
alter table sessions add column personal integer not null default 0;
create index sessions_by_app on sessions (account_id, client_id);
create index sessions_by_credential on sessions (credential_id) where credential_id is not null;

create index subscriptions_by_app on subscriptions (account_id, client_id);
