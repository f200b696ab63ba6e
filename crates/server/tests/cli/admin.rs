//! What is done to the data of a server that is stopped.

use crate::yard::Yard;

#[tokio::test]
async fn an_operator_is_made_of_somebody_while_the_server_is_stopped() {
    let mut yard = Yard::start().await;
    let grant = async |yard: &Yard, who: &str, folder: &str| {
        yard.run(&["admin", "grant-operator", who, "--data-dir", folder])
            .await
    };
    let admin = "admin@hookyard.local";
    let notes = grant(&yard, admin, "data").await.failed();
    assert!(notes.contains("while the server is stopped"), "{notes}");
    assert!(notes.contains("another server uses"), "{notes}");
    yard.stop().await;

    let notes = grant(&yard, "nobody@example.com", "data").await.failed();
    assert!(notes.contains("nobody has the e-mail address"), "{notes}");
    // The first administrator is one from the beginning.
    let said = grant(&yard, "ADMIN@hookyard.local", "data").await.good();
    assert!(said.starts_with("Yard Admin (id "), "{said}");
    assert!(said.contains("was already an operator."), "{said}");
    let notes = grant(&yard, admin, "nowhere").await.failed();
    assert!(
        notes.contains("there is no database in `nowhere`"),
        "{notes}"
    );
    assert!(!yard.folder.join("nowhere").exists());
}
