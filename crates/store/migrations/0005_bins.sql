-- Scratch URLs, and what they received.

create table bins (
    id integer primary key,
    account_id integer not null references accounts (id),
    name text not null,
    token_hash blob not null,
    token_sealed blob not null,
    -- What callers are answered, as JSON.
    answer text not null,
    -- The number of the newest request, also of one that is no longer kept.
    last_number integer not null,
    -- How many answers of the sequence were taken.
    turns integer not null,
    created_at integer not null,
    version integer not null
) strict;
create unique index bins_by_token on bins (token_hash);
create index bins_by_account on bins (account_id, id);

create table bin_requests (
    id integer primary key,
    account_id integer not null references accounts (id),
    bin_id integer not null references bins (id) on delete cascade,
    number integer not null,
    turn integer,
    received_at integer not null,
    method text not null,
    path text not null,
    query text not null,
    -- All headers as JSON, sealed: among them are the sender's credentials.
    headers_sealed blob not null,
    body blob not null,
    body_bytes integer not null,
    remote_address text not null,
    signature_verified integer,
    signature_endpoint blob
) strict;
create unique index bin_requests_by_number on bin_requests (bin_id, number);
