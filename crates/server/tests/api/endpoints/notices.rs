//! A server with a mail server: owners of endpoints that fail are told by e-mail.

use hookyard_server::{Config, Overrides, try_mail};
use hookyard_testkit::{MailFault, MailSecurity, MailServer};
use serde_json::json;

use crate::kernel::production::Production;

fn section(server: &MailServer) -> String {
    format!(
        "[smtp]\nhost = '127.0.0.1'\nport = {}\ntls = 'none'\nfrom = 'Yard <yard@example.com>'\n\
         username = 'yard'\npassword = 'pass'",
        server.peer().port()
    )
}

#[tokio::test]
async fn an_endpoint_that_fails_makes_one_letter_to_its_owner() {
    let mail = MailServer::start(MailSecurity::None).await;
    mail.require_login("yard", "pass");
    let yard = Production::start_with("notices", &section(&mail)).await;
    let (_, url) = yard.bin(&json!({"status": 503})).await;
    let endpoint = json!({
        "url": url, "eventTypes": ["invoice.*"], "failureThreshold": 1,
        "description": "Billing\r\nBcc: eve@example.com",
    });
    // What the API refuses is not the letters' last defence.
    let made = yard.alice.post("/api/v1/endpoints", &endpoint).await;
    let made = if made.status == 201 {
        made
    } else {
        assert_eq!(made.brief(), "400 CMN-101 [description]");
        let mut endpoint = endpoint;
        endpoint["description"] = json!("Billing");
        yard.alice.post("/api/v1/endpoints", &endpoint).await
    };
    let id = made.id();
    yard.publish().await;
    let letters = mail.received(1).await;
    let letter = &letters[0];
    let me = yard.alice.get("/restapi/v1.0/account/~/extension/~").await;
    let address = me.json()["contact"]["email"].clone();
    assert_eq!(json!(letter.to), json!([address]));
    let subject = letter.header("Subject").expect("a subject");
    assert!(
        subject.contains("Billing") && subject.ends_with("503 Service Unavailable"),
        "{subject}"
    );
    assert_eq!(letter.header("Bcc"), None);
    let page = format!("https://hooks.invalid/settings/webhooks/{id}");
    assert!(
        letter.text.replace("=\r\n", "").contains(&page),
        "{}",
        letter.text
    );
    let endpoint = yard.alice.get(&format!("/api/v1/endpoints/{id}")).await;
    assert_eq!(endpoint.json()["status"], "Errored");
    yard.stop().await;
    assert_eq!(mail.letters().len(), 1);
}

#[tokio::test]
async fn a_mail_server_that_hangs_holds_nothing_up() {
    let mail = MailServer::start(MailSecurity::None).await;
    mail.fail(MailFault::Hang);
    let yard = Production::start_with("hanging", &section(&mail)).await;
    let (_, failing) = yard.bin(&json!({"status": 503})).await;
    let (healthy, url) = yard.bin(&json!({})).await;
    for (url, threshold) in [(failing, 1), (url, 0)] {
        let endpoint = json!({
            "url": url, "eventTypes": ["invoice.*"], "failureThreshold": threshold,
        });
        let made = yard.alice.post("/api/v1/endpoints", &endpoint).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    yard.publish().await;
    yard.received(&healthy, 1).await;
    let connecting = async {
        while mail.connections() == 0 {
            tokio::task::yield_now().await;
        }
    };
    let connected = tokio::time::timeout(crate::kernel::production::PATIENCE, connecting).await;
    connected.expect("it is told of the failing one");
    yard.publish().await;
    yard.received(&healthy, 2).await;
    // Nor does it hold up the end.
    let stopped = tokio::time::timeout(std::time::Duration::from_secs(5), yard.stop()).await;
    stopped.expect("it stops in time");
}

#[tokio::test]
async fn the_mail_server_can_be_tried() {
    let mail = MailServer::start(MailSecurity::None).await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let path = folder.join(format!("try-mail-{}.toml", std::process::id()));
    std::fs::write(&path, section(&mail)).unwrap();
    let config = Config::load(Some(&path), Overrides::default()).unwrap();
    std::fs::remove_file(&path).unwrap();
    let refused = try_mail(&config, "olivia@example.com").await;
    let told = format!("{:#}", refused.unwrap_err());
    assert!(told.contains("it does not let us in"), "{told}");
    mail.require_login("yard", "pass");
    try_mail(&config, "olivia@example.com").await.unwrap();
    assert_eq!(mail.letters()[0].to, ["olivia@example.com"]);
    let without = Config::load(None, Overrides::default()).unwrap();
    let told = try_mail(&without, "olivia@example.com").await.unwrap_err();
    assert!(
        told.to_string().starts_with("no mail server is set"),
        "{told}"
    );
}
