//! By which way SQLite comes to deliveries.

use hookyard_domain::kernel::ports::StateQuery;
use hookyard_domain::{AccountId, DeliveryId, DeliverySelection, SubscriptionId};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};
use uuid::Uuid;

use super::event::{EXISTS_IN_RANGE, EXISTS_LATE, OF_EVENT_IN_RANGE, OF_EVENT_LATE};
use super::search::search;
use crate::sqlite::{connection, migrations};

fn plan(db: &Connection, sql: &str) -> Vec<String> {
    let mut statement = db.prepare(&format!("explain query plan {sql}")).unwrap();
    let parameters = vec![Value::Null; statement.parameter_count()];
    let steps = statement.query_map(params_from_iter(parameters), |row| row.get(3));
    steps.unwrap().map(Result::unwrap).collect()
}

fn database() -> Connection {
    let mut db = connection::open_in_memory().unwrap();
    migrations::migrate(&mut db).unwrap();
    db
}

/// Replays ask for these of every event: a walk over the account would make them quadratic.
#[test]
fn deliveries_of_an_event_are_found_without_a_walk_over_all_others() {
    let db = database();
    let of_one = "SEARCH l USING PRIMARY KEY (event_id=?)";
    let by_id = "SEARCH d USING INTEGER PRIMARY KEY (rowid=?)";
    assert_eq!(plan(&db, EXISTS_LATE), [of_one, by_id]);
    assert_eq!(plan(&db, OF_EVENT_LATE), [of_one, by_id]);
    assert_eq!(
        plan(&db, OF_EVENT_IN_RANGE),
        ["SEARCH d USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]
    );
    assert_eq!(
        plan(&db, EXISTS_IN_RANGE),
        [
            "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH d USING INDEX deliveries_by_subscription \
                (subscription_key=? AND id>? AND id<?)",
        ]
    );
}

/// Pages of jobs go on where the last one ended, and need no sorting.
#[test]
fn a_page_of_deliveries_begins_where_the_last_one_ended() {
    let db = database();
    db.pragma_update(None, "foreign_keys", false).unwrap();
    let subscription = SubscriptionId(Uuid::from_bytes([7; 16]));
    let sql = "insert into subscriptions (key, id, account_id, owner_id, client_id, filters,
            address, policy, status, created_at, modified_at, expires_at, ttl_ms, version,
            transport, disabled_filters)
        values (1, ?1, 1, 1, '', '', '', '', 'Active', 0, 0, 0, 0, 1, 'WebHook', '')";
    db.execute(sql, params![subscription.0.as_bytes()]).unwrap();
    let everything = DeliverySelection::default();
    let ours = DeliverySelection {
        subscription: Some(subscription),
        ..everything.clone()
    };
    let abandoned = DeliverySelection {
        state: Some(StateQuery::Abandoned),
        ..ours.clone()
    };
    for (selection, index) in [
        (
            everything,
            "deliveries_by_account (account_id=? AND id>? AND id<?)",
        ),
        (
            ours,
            "deliveries_by_subscription (subscription_key=? AND id>? AND id<?)",
        ),
        (
            abandoned,
            "deliveries_abandoned (subscription_key=? AND id>? AND id<?)",
        ),
    ] {
        let query = selection.query(AccountId(1), None, 200);
        let search = search(&db, &query, Some(DeliveryId(5))).unwrap().unwrap();
        let sql = format!("select d.filter {} order by d.id asc", search.clauses);
        let expect = [
            format!("SEARCH d USING INDEX {index}"),
            "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)".to_owned(),
        ];
        assert_eq!(plan(&db, &sql), expect);
    }
}
