use super::*;
use crate::identity::app::{ClientId, Scopes};
use crate::identity::person::PersonStatus;
use crate::kernel::change::Write;
use crate::kernel::ids::{CredentialId, PersonId};
use crate::subscriptions::sample::{ACCOUNT, OWNER, at, person};

/// Tokens that say what they are.
pub(super) struct Plain;

impl TokenSource for Plain {
    fn token(&self, kind: TokenKind, session: SessionId, generation: u64) -> Secret {
        Secret::new(format!("{kind:?}-{session}-{generation}"))
    }
}

pub(super) fn app() -> App {
    App::supplied(ACCOUNT, ClientId("app".to_owned()), "App", None, at(0))
}

pub(super) fn session(id: u64) -> Session {
    Session {
        account: ACCOUNT,
        id: SessionId(id),
        person: OWNER,
        client_id: app().client_id,
        origin: SessionOrigin::SignIn,
        scopes: Scopes::all(),
        endpoint_id: "device".to_owned(),
        created_at: at(0),
        generation: 1,
    }
}

fn opened(
    person: &Person,
    others: &[Session],
    device: &str,
) -> Result<(Change, Grant), GrantError> {
    let sign_in = SignIn {
        app: &app(),
        person,
        others,
        id: SessionId(99),
        origin: SessionOrigin::SignIn,
        device: Some(device),
        random: [0; 32],
        lifetimes: Lifetimes::DEFAULT,
    };
    sign_in.open(&Plain, at(0))
}

#[test]
fn passwords_are_for_the_console_alone() {
    let console = App {
        client_id: ClientId(ClientId::CONSOLE.to_owned()),
        ..app()
    };
    for kind in GrantType::ALL {
        assert_eq!(GrantType::from_name(kind.name()), Some(kind));
        let refused = kind == GrantType::Password;
        assert_eq!(kind.permit(&app()).is_err(), refused, "{kind:?}");
        assert_eq!(kind.permit(&console), Ok(()));
    }
}

#[test]
fn a_credential_is_exchanged_by_the_app_that_it_was_made_for() {
    let credential = Credential {
        account: ACCOUNT,
        id: CredentialId::from_random([1; 16]),
        kind: CredentialKind::Jwt,
        name: "ci".to_owned(),
        person: OWNER,
        client_id: None,
        scopes: None,
        hash: TokenHash([0; 32]),
        hint: String::new(),
        created_at: at(0),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    let expired = Credential {
        expires_at: Some(at(1)),
        ..credential.clone()
    };
    let personal = Credential {
        kind: CredentialKind::PersonalAccessToken,
        ..credential.clone()
    };
    let for_app = |name: &str| Credential {
        client_id: Some(ClientId(name.to_owned())),
        ..credential.clone()
    };
    let revoked = Credential {
        revoked_at: Some(at(1)),
        ..credential.clone()
    };
    let of_another_account = Credential {
        account: AccountId(8),
        ..credential.clone()
    };
    assert_eq!(credential.admit(&app(), at(1)), Ok(()));
    assert_eq!(for_app("app").admit(&app(), at(1)), Ok(()));
    assert_eq!(expired.admit(&app(), at(0)), Ok(()));
    for refused in [
        for_app("other"),
        revoked,
        expired,
        personal,
        of_another_account,
    ] {
        assert_eq!(refused.admit(&app(), at(1)), Err(GrantError::BadAssertion));
    }
}

#[test]
fn an_app_is_known_by_either_of_its_secrets() {
    let secret = |text: &str| {
        let secret = Secret::new(text);
        crate::identity::app::ClientSecret::of(&secret, text.to_owned(), at(0))
    };
    let mut both = App {
        kind: crate::identity::app::AppKind::Server,
        secrets: vec![secret("a"), secret("b")],
        ..app()
    };
    let hash = |text| Some(TokenHash::of(text));
    for text in ["a", "b"] {
        let used = both.admit(hash(text), at(0)).unwrap();
        assert!(used.is_some(), "its first use is noted");
    }
    both.secrets[0].last_used_at = Some(at(0));
    assert!(both.admit(hash("a"), at(59)).unwrap().is_none());
    assert!(both.admit(hash("a"), at(60)).unwrap().is_some());
    for wrong in [hash("c"), None] {
        assert_eq!(both.admit(wrong, at(0)).err(), Some(GrantError::BadClient));
    }
    assert!(app().admit(None, at(0)).unwrap().is_none(), "it has none");
    let personal = App::personal(ACCOUNT);
    assert!(personal.admit(None, at(0)).is_err());
}

#[test]
fn lifetimes_are_clamped_and_nonsense_means_the_default() {
    let default = Lifetimes::DEFAULT;
    for (access, refresh, expect) in [
        (None, None, (3_600, 604_800)),
        (Some(-1), Some(-1), (3_600, 604_800)),
        (Some(1), Some(1), (600, 1)),
        (Some(3_600), Some(2_592_000), (3_600, 2_592_000)),
        (Some(3_601), Some(2_592_001), (3_600, 604_800)),
        (Some(700), Some(0), (700, 604_800)),
    ] {
        let lifetimes = Lifetimes::asked(access, refresh);
        let told = (lifetimes.access.as_secs(), lifetimes.refresh.as_secs());
        assert_eq!(told, expect, "{access:?} {refresh:?}");
    }
    assert_eq!(Lifetimes::asked(None, None), default);
}

#[test]
fn signing_in_is_guarded_against_who_is_disabled_meanwhile() {
    let (change, grant) = opened(&person(1, false), &[], "phone").unwrap();
    assert!(matches!(
        change.guards[..],
        [
            Guard::PersonEnabled {
                person: PersonId(1),
                ..
            },
            Guard::Exists(_)
        ]
    ));
    assert_eq!(grant.session.endpoint_id, "phone");
    assert_eq!(
        (grant.access_expires_in, grant.refresh_expires_in),
        (3_600, 604_800)
    );
    let disabled = Person {
        status: PersonStatus::Disabled,
        ..person(1, false)
    };
    let refused = opened(&disabled, &[], "phone");
    assert_eq!(refused.err(), Some(GrantError::PersonDisabled));
}

#[test]
fn one_session_too_many_ends_the_oldest() {
    let ended = |count: u64| {
        let others: Vec<_> = (1..=count).map(session).collect();
        let (change, _) = opened(&person(1, false), &others, "phone").unwrap();
        let ended = change.writes.into_iter().filter_map(|write| match write {
            Write::Session(SessionWrite::End { session, .. }) => Some(session.0),
            _ => None,
        });
        ended.collect::<Vec<_>>()
    };
    let most = u64::try_from(SESSIONS_MAX).unwrap();
    assert_eq!(ended(most - 1), [0; 0]);
    assert_eq!(ended(most), [1]);
    assert_eq!(ended(most + 1), [1, 2]);
}

#[test]
fn a_device_has_a_plain_name_or_gets_one() {
    let long = "d".repeat(DEVICE_ID_CHARS_MAX + 1);
    for device in ["dëvice", &long] {
        let (_, grant) = opened(&person(1, false), &[], device).unwrap();
        assert_eq!(grant.session.endpoint_id, "A".repeat(22));
    }
}
