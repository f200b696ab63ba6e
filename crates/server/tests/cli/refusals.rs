//! What people are told when it does not work.

use crate::yard::Yard;

#[tokio::test]
async fn what_is_wrong_comes_with_what_to_do() {
    let mut yard = Yard::start().await;
    for (words, code) in [
        (&["listen", "--types", "inv*"][..], 2),
        (&["publish"], 2),
        (&["publish", "a.b", "--data", "{a}"], 2),
        (&["publish", "a.b", "--data", "1", "--file", "x"], 2),
        (&["deliveries", "resend"], 1),
        (&["publish", "--file", "nowhere.ndjson"], 1),
        (&["trigger", "no.such.type"], 1),
    ] {
        let ran = yard.run(words).await;
        assert_eq!(ran.code, code, "{words:?} {ran:?}");
        assert!(!ran.notes.is_empty() && ran.out.is_empty(), "{ran:?}");
    }
    let notes = yard.run(&["trigger", "no.such.type"]).await.failed();
    assert!(notes.contains("hookyard publish no.such.type"), "{notes}");
    let file = yard.folder.join("data/credentials.env");
    let text = std::fs::read_to_string(&file).unwrap();
    let wrong = text.replace("RC_USER_JWT=", "RC_USER_JWT=x");
    std::fs::write(yard.folder.join("wrong.env"), wrong).unwrap();
    let words = ["endpoints", "list", "--credentials", "wrong.env"];
    let notes = yard.run(&words).await.failed();
    assert!(
        notes.contains("the credentials are not this server's"),
        "{notes}"
    );
    yard.stop().await;
    let notes = yard.run(&["listen"]).await.failed();
    assert!(
        notes.contains("see that the server runs (`hookyard serve`)"),
        "{notes}"
    );
    std::fs::remove_file(file).unwrap();
    let notes = yard.run(&["listen"]).await.failed();
    assert!(notes.contains("there are no credentials"), "{notes}");
}

#[tokio::test]
async fn a_reader_who_leaves_is_no_failure() {
    let yard = Yard::start().await;
    let mut child = yard
        .command(&["endpoints", "list", "--json"])
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn every_command_has_examples_in_its_help() {
    let yard = Yard::start().await;
    for command in [
        "listen",
        "trigger",
        "publish",
        "deliveries",
        "endpoints",
        "apps",
        "credentials",
    ] {
        let help = yard.good(&[command, "--help"]).await;
        assert!(help.contains("Examples:\n"), "{help}");
        assert!(!help.contains("--jwt"), "{help}");
    }
}
