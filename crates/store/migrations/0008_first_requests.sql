-- The first request of a caller with a key, and its answer for those that repeat it.

create table first_requests (
    account_id integer not null references accounts (id),
    person_id integer not null,
    client_id text not null,
    -- SHA-256 of the key.
    key blob not null,
    -- Counts the requests of one caller, and all bytes of their answers before this one: so the
    -- oldest of too many are found without counting.
    number integer not null,
    bytes integer not null,
    -- SHA-256 of what was asked for.
    digest blob not null,
    at integer not null,
    -- Status, headers and body as sealed JSON; null where nobody knows them.
    answer_sealed blob,
    primary key (account_id, person_id, client_id, key)
) strict;
create unique index first_requests_by_number
    on first_requests (account_id, person_id, client_id, number);
create index first_requests_by_bytes
    on first_requests (account_id, person_id, client_id, bytes);
create index first_requests_by_age on first_requests (at);
