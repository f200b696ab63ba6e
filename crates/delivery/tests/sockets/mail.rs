//! Letters over SMTP, to a mail server on this machine.

use std::sync::Arc;

use hookyard_delivery::{
    Egress, EgressRules, Letter, Mail as _, MailError, Notices, SmtpMail, SmtpSecurity,
    SmtpSettings,
};
use hookyard_domain::kernel::component::Component as _;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::{Change, Endpoint, Secret, SubscriptionWrite, Timestamp};
use hookyard_store::{Options, SqliteStore, VaultKey};
use hookyard_testkit::{
    MailFault, MailSecurity, MailServer, ReceivedLetter, SeededChance, VirtualClock, ports, sample,
};

use crate::tls::{acceptor, certificate};

fn settings(server: &MailServer, security: SmtpSecurity) -> SmtpSettings {
    SmtpSettings {
        host: server.peer().ip().to_string(),
        port: server.peer().port(),
        security,
        credentials: None,
        from: "Hookyard <hooks@example.com>".to_owned(),
        public_url: "https://hooks.example.com".to_owned(),
    }
}

/// Receivers could not be called under these rules; the mail server is the operator's.
fn production() -> Arc<Egress> {
    Arc::new(Egress::trusting(EgressRules::default(), [certificate()]))
}

fn mail(settings: SmtpSettings) -> SmtpMail {
    SmtpMail::new(production(), settings).expect("good settings")
}

fn letter() -> Letter {
    Letter {
        to: "olivia@example.com".to_owned(),
        subject: "Größe".to_owned(),
        body: "one\n.\n.two\nthe end\n".to_owned(),
        at: Timestamp::from_millis(1_790_000_000_000),
        id: "errored.1".to_owned(),
    }
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_written() {
    let server = MailServer::start(MailSecurity::None).await;
    let mail = mail(settings(&server, SmtpSecurity::None));
    mail.send(&letter()).await.unwrap();
    let letters = server.letters();
    let [got] = &letters[..] else {
        panic!("one letter: {letters:?}");
    };
    assert_eq!(got.from, "hooks@example.com");
    assert_eq!(got.to, ["olivia@example.com"]);
    for (name, value) in [
        ("From", "Hookyard <hooks@example.com>"),
        ("To", "olivia@example.com"),
        ("Subject", "=?utf-8?b?R3LDtsOfZQ==?="),
        ("Date", "Mon, 21 Sep 2026 14:13:20 +0000"),
        ("Message-ID", "<errored.1@example.com>"),
        ("Auto-Submitted", "auto-generated"),
        ("Content-Type", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(got.header(name).as_deref(), Some(value), "{name}");
    }
    let (_, body) = got.text.split_once("\r\n\r\n").unwrap();
    assert_eq!(body.trim_end(), "one\r\n.\r\n.two\r\nthe end");
    assert!(!got.secure);
}

#[tokio::test]
async fn tls_comes_before_names_and_passwords() {
    for (offered, security) in [
        (MailSecurity::Implicit(acceptor()), SmtpSecurity::Implicit),
        (MailSecurity::StartTls(acceptor()), SmtpSecurity::StartTls),
    ] {
        let server = MailServer::start(offered).await;
        server.require_login("hooks", "pass word");
        let mut settings = settings(&server, security);
        let refused = mail(settings.clone()).send(&letter()).await;
        assert!(matches!(refused, Err(MailError::Never(_))), "{refused:?}");
        settings.credentials = Some(("hooks".to_owned(), Secret::new("wrong")));
        let refused = mail(settings.clone()).send(&letter()).await;
        let Err(MailError::Later(reason)) = refused else {
            panic!("{refused:?}");
        };
        assert!(reason.contains("does not let us in"), "{reason}");
        assert!(!reason.contains("wrong"), "{reason}");
        settings.credentials = Some(("hooks".to_owned(), Secret::new("pass word")));
        mail(settings).send(&letter()).await.unwrap();
        let letters = server.letters();
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert!(letters[0].secure, "{security:?}");
    }
}

#[tokio::test]
async fn a_server_without_tls_or_with_a_strangers_certificate_gets_nothing() {
    let plain = MailServer::start(MailSecurity::None).await;
    let told = mail(settings(&plain, SmtpSecurity::StartTls))
        .send(&letter())
        .await;
    let reason = "it answered `502 no TLS here`".to_owned();
    assert_eq!(told, Err(MailError::Later(reason)));
    assert_eq!(plain.letters(), []);

    let server = MailServer::start(MailSecurity::StartTls(acceptor())).await;
    let stranger = Arc::new(Egress::new(EgressRules::default()));
    let settings = settings(&server, SmtpSecurity::StartTls);
    let told = SmtpMail::new(stranger, settings).unwrap();
    let told = told.send(&letter()).await;
    let reason = "the certificate is not valid".to_owned();
    assert_eq!(told, Err(MailError::Later(reason)));
    assert_eq!(server.letters(), []);
}

#[tokio::test]
async fn failures_that_pass_and_failures_that_stay_are_told_apart() {
    let server = MailServer::start(MailSecurity::None).await;
    let mail = mail(settings(&server, SmtpSecurity::None));
    for (fault, later) in [
        (MailFault::Close, true),
        (MailFault::Answer("EHLO", "421 not now"), true),
        (MailFault::Answer("MAIL", "451 greylisted"), true),
        (MailFault::Answer("RCPT", "550 5.1.1 no such person"), false),
        (MailFault::Answer("DATA", "554 spam"), false),
        (MailFault::Answer("DATA", "garbage"), true),
    ] {
        server.fail(fault);
        let told = mail.send(&letter()).await;
        let as_expected = match told {
            Err(MailError::Later(_)) => later,
            Err(MailError::Never(_)) => !later,
            Ok(()) => false,
        };
        assert!(as_expected, "{fault:?}: {told:?}");
    }
    assert_eq!(server.letters(), []);
    let peer = server.peer();
    drop(server);
    while tokio::net::TcpStream::connect(peer).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let told = mail.send(&letter()).await;
    let reason = "nothing answers at the address".to_owned();
    assert_eq!(told, Err(MailError::Later(reason)));
}

/// What the head of a letter consists of.
const HEADERS: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

fn names(letter: &ReceivedLetter) -> Vec<String> {
    let name = |line: &String| line.split(':').next().unwrap_or_default().to_owned();
    letter.headers().iter().map(name).collect()
}

#[tokio::test]
async fn nobody_writes_into_the_head_of_a_letter() {
    let server = MailServer::start(MailSecurity::None).await;
    let mail = mail(settings(&server, SmtpSecurity::None));
    for text in [
        "x\r\nBcc: eve@example.com",
        "x\nBcc: eve@example.com\n\nhello",
        "x\r\n\r\nBcc: eve@example.com",
        "x\r\n.\r\nMAIL FROM:<eve@example.com>",
    ] {
        let subject = Letter {
            subject: text.to_owned(),
            body: text.to_owned(),
            ..letter()
        };
        mail.send(&subject).await.unwrap();
        let to = Letter {
            to: text.to_owned(),
            ..letter()
        };
        let refused = mail.send(&to).await;
        assert!(matches!(refused, Err(MailError::Never(_))), "{refused:?}");
    }
    let letters = server.letters();
    assert_eq!(letters.len(), 4);
    for letter in letters {
        assert_eq!(letter.to, ["olivia@example.com"]);
        assert_eq!(letter.from, "hooks@example.com");
        assert_eq!(names(&letter), HEADERS, "{letter:?}");
    }
}

#[tokio::test]
async fn an_owner_is_told_over_smtp_whatever_the_endpoint_is_called() {
    let clock = Arc::new(VirtualClock::start());
    let options = Options {
        vault_key: VaultKey([7; 32]),
        clock: Arc::clone(&clock) as _,
        chance: Arc::new(SeededChance::new(1)),
    };
    let store = Arc::new(SqliteStore::inline(options).unwrap());
    store.commit(sample::yard()).await.unwrap();
    let server = MailServer::start(MailSecurity::None).await;
    let mail = mail(settings(&server, SmtpSecurity::None));
    let ports = ports(&store, &clock, 2);
    let notices = Notices::start(&ports, Arc::new(mail), "https://a.example").await;
    let notices = notices.unwrap();
    let mut endpoint = sample::endpoint(1, "https://receiver.example.com/%0d%0aBcc:%20eve?a=b");
    let mut settings = Endpoint::clone(endpoint.endpoint.as_ref().unwrap());
    settings.description = "Rech\u{202e}nungen\r\nBcc: eve@example.com\r\n\r\n".repeat(20);
    endpoint.endpoint = Some(Arc::new(settings));
    let reason = "It answered 500\r\nBcc: eve@example.com".to_owned();
    let errored = endpoint.errored(reason, VirtualClock::BEGIN);
    for subscription in [endpoint, errored] {
        let put = SubscriptionWrite::Put(Arc::new(subscription));
        store.commit(Change::of(put)).await.unwrap();
    }
    let letters = server.received(1).await;
    assert_eq!(letters[0].to, ["olivia@example.com"]);
    assert_eq!(names(&letters[0]), HEADERS, "{}", letters[0].text);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    notices.stop(deadline.into_std()).await;
}
