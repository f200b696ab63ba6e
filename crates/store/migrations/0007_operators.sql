-- Who looks after the whole installation. So that nobody is locked out of one that is there already,
-- it is the first administrator of the oldest account.

alter table persons add column operator integer not null default 0;
update persons set operator = 1 where id = (
    select id from persons where admin = 1 and kind = 'user' and status = 'Enabled'
    order by account_id, id limit 1
);
create index persons_operators on persons (id) where operator = 1;
