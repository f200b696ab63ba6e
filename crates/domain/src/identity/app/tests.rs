use super::*;
use crate::identity::person::{Person, PersonKind, PersonStatus};
use crate::identity::scope::Scope;
use crate::kernel::change::Write;
use crate::kernel::ids::IdSequence;
use crate::messaging::Act;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn admin() -> Person {
    Person {
        account: AccountId(9),
        id: PersonId(1),
        kind: PersonKind::User,
        first_name: "Ann".to_owned(),
        last_name: "Other".to_owned(),
        email: None,
        extension_number: None,
        operator: false,
        admin: true,
        status: PersonStatus::Enabled,
        created_at: NOW,
        modified_at: NOW,
        version: 1,
    }
}

fn acting<T>(act: impl FnOnce(&Act<'_>) -> T) -> T {
    let ids = IdSequence::starting_after(1);
    act(&Act {
        account: AccountId(9),
        person: PersonId(1),
        now: NOW,
        ids: &ids,
    })
}

fn secret(id: &str) -> ClientSecret {
    ClientSecret::of(&Secret::new(format!("secret-{id}")), id.to_owned(), NOW)
}

fn kept() -> KeptSecret {
    KeptSecret {
        secret: Secret::new("kept"),
        created_at: NOW,
    }
}

fn settings(kind: AppKind) -> AppSettings {
    AppSettings {
        name: " Billing ".to_owned(),
        kind,
        scopes: [Scope::TeamMessaging].into_iter().collect(),
        redirect_uris: Vec::new(),
        public_keys: KeySet::default(),
        outbound_url: None,
    }
}

fn made(kind: AppKind) -> App {
    let id = ClientId("billing".to_owned());
    let made = acting(|act| {
        let (by, all) = (admin(), Scopes::all());
        App::create(act, &by, all, settings(kind), (id, secret("a"), kept()))
    });
    made.unwrap().1
}

#[test]
fn only_apps_that_can_keep_a_secret_get_one() {
    for (kind, count) in [
        (AppKind::Server, 1),
        (AppKind::Bot, 1),
        (AppKind::Browser, 0),
    ] {
        let app = made(kind);
        assert_eq!(app.secrets.len(), count, "{}", kind.name());
        assert_eq!(app.name, "Billing");
        assert_eq!(app.outbound_secret, None, "nothing is sent to it");
    }
    let refused =
        acting(|act| made(AppKind::Browser).add_secret(act, &admin(), Scopes::all(), secret("b")));
    assert_eq!(refused.unwrap_err(), AppError::KeepsNoSecrets);
}

#[test]
fn an_app_has_one_secret_or_two() {
    acting(|act| {
        let (by, all) = (admin(), Scopes::all());
        let one = made(AppKind::Server);
        assert_eq!(
            one.remove_secret(act, &by, "a").unwrap_err(),
            AppError::OnlySecret
        );
        let (change, two) = one.add_secret(act, &by, all, secret("b")).unwrap();
        assert!(
            change.guards.contains(&one.unchanged()),
            "of two who add, one does"
        );
        assert!(two.secret(TokenHash::of("secret-b")).is_some());
        assert_eq!(
            two.add_secret(act, &by, all, secret("c")).unwrap_err(),
            AppError::SecretsFull
        );
        let (_, left) = two.remove_secret(act, &by, "a").unwrap();
        assert!(left.secret(TokenHash::of("secret-a")).is_none());
        let none = Scopes::default();
        assert_eq!(
            left.add_secret(act, &by, none, secret("c")).unwrap_err(),
            AppError::GivesMore(Scope::TeamMessaging)
        );
    });
}

#[test]
fn the_first_outbound_url_brings_a_secret_that_stays() {
    acting(|act| {
        let (by, all) = (admin(), Scopes::all());
        let app = made(AppKind::Server);
        let with_url = |url: Option<&str>| AppSettings {
            outbound_url: url.map(str::to_owned),
            ..settings(AppKind::Server)
        };
        let first = with_url(Some("https://example.com/"));
        let (_, app) = app.change(act, &by, all, first, kept()).unwrap();
        assert_eq!(app.outbound_secret, Some(kept()));
        let other = KeptSecret {
            secret: Secret::new("other"),
            created_at: NOW,
        };
        let (_, app) = app
            .change(act, &by, all, with_url(None), other.clone())
            .unwrap();
        assert_eq!(app.outbound_url, None);
        let again = with_url(Some("https://example.com/b"));
        let (_, app) = app.change(act, &by, all, again, other).unwrap();
        assert_eq!(app.outbound_secret, Some(kept()));
    });
}

#[test]
fn what_is_built_in_is_nobodys_to_change() {
    acting(|act| {
        let by = admin();
        let app = App::personal(AccountId(9));
        assert_eq!(app.delete(act, &by).unwrap_err(), AppError::BuiltIn);
        let token = app.set_verification_token(act, &by, Some(kept()));
        assert_eq!(token.unwrap_err(), AppError::BuiltIn);
    });
}

#[test]
fn deleting_an_app_ends_what_hangs_on_it_in_one_change() {
    let change = acting(|act| made(AppKind::Bot).delete(act, &admin())).unwrap();
    let nouns: Vec<_> = change
        .writes
        .iter()
        .map(|write| match write {
            Write::App(_) => "app",
            Write::Session(_) => "sessions",
            Write::Credential(_) => "credentials",
            Write::Subscription(_) => "subscriptions",
            _ => "other",
        })
        .collect();
    assert_eq!(nouns, ["app", "sessions", "credentials", "subscriptions"]);
}
