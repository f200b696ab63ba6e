-- Webhook endpoints: subscriptions by type, with settings of their own; types that accounts
-- register; what is published with an id.

-- SQLite cannot change a check in place.
create table subscriptions_next (
    key integer primary key,
    id blob not null,
    account_id integer not null references accounts (id),
    owner_id integer not null,
    client_id text not null,
    filters text not null,
    address text not null,
    secret_sealed blob,
    policy text not null,
    status text not null check (status in ('Active', 'Suspended', 'Blacklisted', 'Errored')),
    created_at integer not null,
    modified_at integer not null,
    expires_at integer not null,
    ttl_ms integer not null,
    blacklisted_at integer,
    blacklisted_reason text,
    version integer not null,
    transport text not null check (transport in ('WebHook', 'PubNub', 'RC/APNS', 'RC/GCM')),
    certificate_name text,
    disabled_filters text not null,
    ended_at integer,
    failing_since integer,
    paused_at integer,
    catch_up_after integer,
    -- The settings of an endpoint, sealed as a whole: many of them are secret.
    endpoint_sealed blob
) strict;
insert into subscriptions_next
    select key, id, account_id, owner_id, client_id, filters, address, secret_sealed, policy, status,
        created_at, modified_at, expires_at, ttl_ms, blacklisted_at, blacklisted_reason, version,
        transport, certificate_name, disabled_filters, ended_at, failing_since, paused_at,
        catch_up_after, null
    from subscriptions;
drop table subscriptions;
alter table subscriptions_next rename to subscriptions;
create unique index subscriptions_by_id on subscriptions (id);
create index subscriptions_by_owner on subscriptions (account_id, owner_id, client_id);
create unique index subscriptions_by_channel on subscriptions (address) where transport = 'PubNub';
create index endpoints_by_account on subscriptions (account_id, created_at)
    where endpoint_sealed is not null;

-- What a publisher said beside the data, as JSON.
alter table events add column attributes text;

create table publications (
    account_id integer not null,
    source text not null,
    id text not null,
    event_id integer not null,
    digest blob not null,
    primary key (account_id, source, id)
) strict, without rowid;
create index publications_by_event on publications (event_id);

create table event_types (
    account_id integer not null,
    name text not null,
    description text not null,
    deprecated_at integer,
    deprecation_note text,
    -- A JSON array, the oldest first.
    versions text not null,
    created_at integer not null,
    version integer not null,
    primary key (account_id, name)
) strict, without rowid;

-- A delivery that is sent again by hand begins a new round.
alter table deliveries add column round_at integer;
alter table deliveries add column attempts_before integer not null default 0;
alter table deliveries add column tried_since integer;
-- How the last attempt ended.
alter table deliveries add column last_outcome text;
alter table deliveries add column last_status integer;
-- Of endpoints that take one event after the other.
alter table deliveries add column ordered integer not null default 0;
create index deliveries_in_order on deliveries (subscription_key, id)
    where state = 'waiting' and ordered = 1;

alter table attempts add column dns_us integer not null default 0;
alter table attempts add column tls_us integer not null default 0;
alter table attempts add column wait_us integer not null default 0;
-- What was said on both sides, as JSON; of endpoints only.
alter table attempts add column transcript text;
