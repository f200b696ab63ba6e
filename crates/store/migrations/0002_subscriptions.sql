-- Every transport, the whole life cycle, and the history of subscriptions.

alter table subscriptions rename column verification_token_sealed to secret_sealed;
alter table subscriptions add column transport text not null default 'WebHook'
    check (transport in ('WebHook', 'PubNub', 'RC/APNS', 'RC/GCM'));
alter table subscriptions add column certificate_name text;
alter table subscriptions add column disabled_filters text not null default '[]';
alter table subscriptions add column ended_at integer;
alter table subscriptions add column failing_since integer;
alter table subscriptions add column paused_at integer;
-- Events after this one are to be matched anew.
alter table subscriptions add column catch_up_after integer;
create unique index subscriptions_by_channel on subscriptions (address) where transport = 'PubNub';

create table subscription_history (
    subscription_id blob not null,
    number integer not null,
    account_id integer not null,
    owner_id integer not null,
    client_id text not null,
    at integer not null,
    milestone text not null,
    detail text,
    primary key (subscription_id, number)
) strict, without rowid;
create index subscription_history_by_time on subscription_history (at);

-- Deliveries that were made after their event was committed, outside the range that it names.
create table late_deliveries (
    event_id integer not null,
    delivery_id integer not null,
    primary key (event_id, delivery_id)
) strict, without rowid;

-- Apps that may do everything may do what is new as well.
update apps set scopes = scopes || ' SubscriptionPubNub SubscriptionAPNS SubscriptionGCM ReadPresence EditPresence ReadMessages InternalMessages ReadCallLog CallControl PublishEvents'
    where scopes = 'ReadAccounts EditExtensions TeamMessaging SubscriptionWebhook WebSocketsSubscription';
