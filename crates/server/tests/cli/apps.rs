//! `hookyard apps` and `hookyard credentials`, from the first app to the last secret.

use serde_json::Value;

use crate::yard::Yard;

#[tokio::test]
async fn an_app_is_made_changed_and_deleted() {
    let yard = Yard::start().await;
    let words = [
        "apps",
        "create",
        "Billing",
        "--permissions",
        "TeamMessaging",
        "--json",
    ];
    let made = yard.json(&words).await;
    let id = made["clientId"].as_str().unwrap();
    assert!(made["clientSecret"].as_str().unwrap().starts_with("hys_"));
    let list = yard.good(&["apps", "list"]).await;
    assert!(
        list.contains(id) && list.contains("hookyard-console"),
        "{list}"
    );
    let shown = yard
        .good(&[
            "apps",
            "change",
            id,
            "--permissions",
            "TeamMessaging,SubscriptionWebhook",
        ])
        .await;
    assert!(
        shown.contains("TeamMessaging,SubscriptionWebhook"),
        "{shown}"
    );
    let shown = yard
        .good(&[
            "apps",
            "change",
            id,
            "--outbound-url",
            "https://example.com/out",
        ])
        .await;
    assert!(shown.contains("https://example.com/out"), "{shown}");
    let outbound = yard.good(&["apps", "outbound-secret", id]).await;
    let rotated = yard
        .good(&["apps", "outbound-secret", id, "--rotate"])
        .await;
    assert!(outbound.starts_with("hyo_") && outbound != rotated);
    let notes = yard.run(&["apps", "verification-token", id]).await.failed();
    assert!(notes.contains("has no verification token"), "{notes}");
    let token = yard
        .good(&["apps", "verification-token", id, "--rotate"])
        .await;
    assert_eq!(yard.good(&["apps", "verification-token", id]).await, token);
    yard.good(&["apps", "verification-token", id, "--remove"])
        .await;

    let second = yard.good(&["apps", "secret", id]).await;
    assert!(second.starts_with("hys_"), "{second}");
    let notes = yard.run(&["apps", "secret", id]).await.failed();
    assert!(notes.contains("lastUsedTime"), "{notes}");
    let first = made["secrets"][0]["id"].as_str().unwrap();
    yard.good(&["apps", "delete-secret", id, first]).await;
    let shown = yard.json(&["apps", "show", id, "--json"]).await;
    assert_eq!(shown["secrets"].as_array().unwrap().len(), 1);
    yard.good(&["apps", "delete", id]).await;
    let notes = yard.run(&["apps", "show", id]).await.failed();
    assert!(notes.contains("404 CMN-102"), "{notes}");
}

#[tokio::test]
async fn a_credential_is_made_revoked_and_forgotten() {
    let yard = Yard::start().await;
    let words = [
        "credentials",
        "create",
        "nightly",
        "--permissions",
        "ReadMessages",
        "--days",
        "3",
    ];
    let token = yard.good(&words).await;
    assert!(token.starts_with("hyp_"), "{token}");
    let jwt = yard
        .good(&["credentials", "create", "ci", "--kind", "Jwt"])
        .await;
    assert_eq!(jwt.split('.').count(), 3, "{jwt}");
    let lines = yard.good(&["credentials", "list", "--json"]).await;
    let records: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(records.len(), 3, "the first start made one");
    let named = |name: &str| {
        let found = records.iter().find(|record| record["name"] == name);
        found.unwrap()["id"].as_str().unwrap()
    };
    yard.good(&["credentials", "revoke", named("nightly")])
        .await;
    yard.good(&["credentials", "delete", named("ci")]).await;
    let list = yard.good(&["credentials", "list"]).await;
    assert!(
        list.contains("revoked") && !list.contains(named("ci")),
        "{list}"
    );
    let jwts = yard.good(&["credentials", "list", "--kind", "Jwt"]).await;
    assert!(!jwts.contains("nightly"), "{jwts}");
    let ran = yard.run(&["credentials", "create", "x"]).await;
    assert_eq!(ran.code, 2, "{ran:?}");
    let words = ["credentials", "create", "x", "--permissions", "Everything"];
    let notes = yard.run(&words).await.failed();
    assert!(notes.contains("permissions[0]"), "{notes}");
}
