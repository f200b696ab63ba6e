-- Who is enabled, their presence, and what they write to one another.

alter table persons add column status text not null default 'Enabled'
    check (status in ('Enabled', 'Disabled'));
alter table persons add column version integer not null default 1;

create table presences (
    account_id integer not null references accounts (id),
    person_id integer not null references persons (id),
    user_status text not null,
    dnd_status text not null,
    message text,
    visible integer not null,
    ring_on_monitored_call integer not null,
    pick_up_calls_on_hold integer not null,
    sequence integer not null,
    primary key (account_id, person_id)
) strict, without rowid;

-- Everyone concerned has a copy of their own.
create table messages (
    id integer primary key,
    account_id integer not null references accounts (id),
    owner_id integer not null references persons (id),
    direction text not null check (direction in ('Inbound', 'Outbound')),
    -- Sender and receivers as they were called then, as JSON.
    sender text not null,
    receivers text not null,
    text text not null,
    conversation_id integer not null,
    read_status text not null check (read_status in ('Read', 'Unread')),
    availability text not null check (availability in ('Alive', 'Deleted')),
    created_at integer not null,
    modified_at integer not null,
    version integer not null
) strict;
create index messages_by_owner on messages (account_id, owner_id, id);

-- Apps that may do everything may do what is new as well.
update apps set scopes = replace(scopes, ' PublishEvents', ' EditMessages PublishEvents')
    where scopes like '% ReadMessages %' and scopes like '% PublishEvents';
