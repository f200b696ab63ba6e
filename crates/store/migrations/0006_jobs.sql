-- Work in the background that somebody asked for, and how endpoints fare.

create table jobs (
    id integer primary key,
    account_id integer not null references accounts (id),
    kind text not null,
    -- The endpoint or other subscription that it is about, if it is about one.
    subscription_id blob,
    -- What it does, as JSON.
    work text not null,
    status text not null check (status in ('running', 'done', 'failed', 'cancelled')),
    total integer,
    done integer not null,
    sent integer not null,
    cursor integer,
    created_at integer not null,
    finished_at integer,
    error text,
    version integer not null
) strict;
create index jobs_by_account on jobs (account_id, id);
create index jobs_running on jobs (id) where status = 'running';

-- Five minutes of one endpoint. The sums are what lists of endpoints need; the rest is JSON.
create table endpoint_statistics (
    subscription_key integer not null,
    begins_at integer not null,
    delivered integer not null,
    abandoned integer not null,
    attempts integer not null,
    failed_attempts integer not null,
    -- How many attempts ended how: {"200": 7, "timed-out": 1}.
    outcomes text not null,
    -- How many answers took how long, by slot.
    latency text not null,
    primary key (subscription_key, begins_at)
) strict, without rowid;

-- What was given up of one subscription: few among many.
create index deliveries_abandoned on deliveries (subscription_key, id) where state = 'abandoned';
