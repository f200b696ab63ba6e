use super::*;
use crate::identity::app::{ClientId, Scopes};
use crate::identity::person::PersonStatus;
use crate::kernel::change::Write;
use crate::kernel::ids::PersonId;
use crate::subscriptions::sample::{ACCOUNT, OWNER, at, person};

/// Tokens that say what they are.
pub(super) struct Plain;

impl TokenSource for Plain {
    fn token(&self, kind: TokenKind, session: SessionId, generation: u64) -> Secret {
        Secret::new(format!("{kind:?}-{session}-{generation}"))
    }
}

pub(super) fn app() -> App {
    App {
        account: ACCOUNT,
        client_id: ClientId("app".to_owned()),
        name: "App".to_owned(),
        secret: None,
        scopes: Scopes::all(),
        created_at: at(0),
    }
}

pub(super) fn session(id: u64) -> Session {
    Session {
        account: ACCOUNT,
        id: SessionId(id),
        person: OWNER,
        client_id: app().client_id,
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
    let credential = JwtCredential {
        account: ACCOUNT,
        person: OWNER,
        client_id: None,
        hash: TokenHash([0; 32]),
        created_at: at(0),
        revoked_at: None,
    };
    let for_app = |name: &str| JwtCredential {
        client_id: Some(ClientId(name.to_owned())),
        ..credential.clone()
    };
    let revoked = JwtCredential {
        revoked_at: Some(at(1)),
        ..credential.clone()
    };
    let of_another_account = JwtCredential {
        account: AccountId(8),
        ..credential.clone()
    };
    assert_eq!(credential.admit(&app()), Ok(()));
    assert_eq!(for_app("app").admit(&app()), Ok(()));
    for refused in [for_app("other"), revoked, of_another_account] {
        assert_eq!(refused.admit(&app()), Err(GrantError::BadAssertion));
    }
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
        [Guard::PersonEnabled {
            person: PersonId(1),
            ..
        }]
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
