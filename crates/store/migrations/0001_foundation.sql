-- Times are milliseconds since 1970 in UTC. Ids are unique in the whole store and grow with time.
-- Sealed columns hold nonce and ciphertext; the key is outside the database.

create table meta (
    key text primary key,
    value text not null
) strict, without rowid;

create table accounts (
    id integer primary key,
    name text not null,
    created_at integer not null
) strict;

create table persons (
    id integer primary key,
    account_id integer not null references accounts (id),
    kind text not null check (kind in ('user', 'bot', 'integration')),
    first_name text not null,
    last_name text not null,
    email text collate nocase,
    extension_number text,
    admin integer not null,
    created_at integer not null,
    modified_at integer not null
) strict;
create unique index persons_by_email on persons (account_id, email) where email is not null;
create unique index persons_by_extension on persons (account_id, extension_number) where extension_number is not null;
create index persons_by_account on persons (account_id, id);

create table passwords (
    person_id integer primary key references persons (id),
    hash text not null
) strict;

create table apps (
    client_id text primary key,
    account_id integer not null references accounts (id),
    name text not null,
    secret_hash blob,
    scopes text not null,
    created_at integer not null
) strict, without rowid;

create table jwt_credentials (
    hash blob primary key,
    account_id integer not null references accounts (id),
    person_id integer not null references persons (id),
    client_id text,
    created_at integer not null,
    revoked_at integer
) strict, without rowid;

create table sign_in_codes (
    hash blob primary key,
    account_id integer not null references accounts (id),
    person_id integer not null references persons (id),
    expires_at integer not null
) strict, without rowid;

create table sessions (
    id integer primary key,
    account_id integer not null references accounts (id),
    person_id integer not null references persons (id),
    client_id text not null,
    scopes text not null,
    endpoint_id text not null,
    generation integer not null,
    created_at integer not null
) strict;
create index sessions_by_person on sessions (account_id, person_id, client_id);

create table tokens (
    hash blob primary key,
    account_id integer not null,
    session_id integer not null references sessions (id) on delete cascade,
    kind text not null check (kind in ('access', 'refresh')),
    generation integer not null,
    expires_at integer not null,
    used_at integer
) strict, without rowid;
create index tokens_by_session on tokens (session_id, kind, generation);

create table chats (
    id integer primary key,
    account_id integer not null references accounts (id),
    kind text not null check (kind in ('Personal', 'Direct', 'Group', 'Team', 'Everyone')),
    name text,
    description text,
    public integer not null,
    status text not null check (status in ('Active', 'Archived')),
    -- The members of a Personal, Direct or Group chat, ascending: there is one chat for each set.
    member_key text,
    created_at integer not null,
    modified_at integer not null,
    version integer not null
) strict;
create unique index conversations on chats (account_id, member_key) where member_key is not null;
create unique index chats_everyone on chats (account_id) where kind = 'Everyone';
create index chats_public on chats (account_id, id) where public = 1;

create table chat_members (
    account_id integer not null,
    chat_id integer not null references chats (id) on delete cascade,
    person_id integer not null references persons (id),
    admin integer not null,
    primary key (account_id, chat_id, person_id)
) strict, without rowid;
create index chat_members_by_person on chat_members (account_id, person_id, chat_id);

create table posts (
    id integer primary key,
    account_id integer not null,
    chat_id integer not null,
    kind text not null,
    creator_id integer not null,
    content text not null,
    request_id integer,
    created_at integer not null,
    modified_at integer not null,
    version integer not null
) strict;
create index posts_by_chat on posts (account_id, chat_id, id);

create table webhooks (
    id blob primary key,
    account_id integer not null references accounts (id),
    chat_id integer not null references chats (id) on delete cascade,
    creator_id integer not null,
    token_hash blob not null,
    token_sealed blob not null,
    status text not null check (status in ('Active', 'Suspended')),
    created_at integer not null,
    modified_at integer not null,
    version integer not null
) strict, without rowid;
create unique index webhooks_by_token on webhooks (token_hash);
create index webhooks_by_chat on webhooks (account_id, chat_id, created_at);

create table requests (
    id integer primary key,
    account_id integer not null,
    webhook_id blob not null,
    received_at integer not null,
    method text not null,
    content_type text,
    headers text not null,
    body blob not null,
    body_bytes integer not null,
    remote_address text not null,
    answer_status integer not null,
    answer_body text not null,
    findings text,
    post_id integer
) strict;
create index requests_by_webhook on requests (account_id, webhook_id, id);

create table events (
    id integer primary key,
    account_id integer not null,
    kind text not null,
    event_type text not null,
    -- The persons who may learn of it, as JSON; null for the members of chat_id.
    audience text,
    chat_id integer,
    post_id integer,
    request_id integer,
    occurred_at integer not null,
    body blob not null,
    sealed integer not null,
    -- The writer numbers an event's deliveries without gaps of its own: this range holds them all.
    delivery_first integer,
    delivery_last integer
) strict;
create index events_by_account on events (account_id, id);

create table subscriptions (
    key integer primary key,
    id blob not null,
    account_id integer not null references accounts (id),
    owner_id integer not null,
    client_id text not null,
    filters text not null,
    address text not null,
    verification_token_sealed blob,
    policy text not null,
    status text not null check (status in ('Active', 'Suspended', 'Blacklisted')),
    created_at integer not null,
    modified_at integer not null,
    expires_at integer not null,
    ttl_ms integer not null,
    blacklisted_at integer,
    blacklisted_reason text,
    version integer not null
) strict;
create unique index subscriptions_by_id on subscriptions (id);
create index subscriptions_by_owner on subscriptions (account_id, owner_id, client_id);

create table deliveries (
    id integer primary key,
    account_id integer not null,
    subscription_key integer not null,
    subscription_id blob not null,
    event_id integer not null,
    filter text not null,
    state text not null check (state in ('waiting', 'delivered', 'abandoned')),
    due_at integer not null,
    finished_at integer,
    reason text,
    attempts integer not null,
    possible_repeat integer not null,
    created_at integer not null
) strict;
-- The queue: small and hot, whatever the size of the log around it.
create index deliveries_waiting on deliveries (subscription_key, due_at, id) where state = 'waiting';
create index deliveries_by_subscription on deliveries (subscription_key, id);
create index deliveries_by_account on deliveries (account_id, id);

create table attempts (
    delivery_id integer not null,
    number integer not null,
    account_id integer not null,
    started_at integer not null,
    connect_us integer not null,
    total_us integer not null,
    -- 'accepted', 'refused', or why the receiver was unreachable.
    outcome text not null,
    status integer,
    retry_after_ms integer,
    peer text,
    answer_excerpt text,
    primary key (delivery_id, number)
) strict, without rowid;
