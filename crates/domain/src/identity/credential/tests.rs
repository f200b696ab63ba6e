use std::time::Duration;

use super::*;
use crate::identity::person::PersonStatus;
use crate::identity::secret::token_from;
use crate::kernel::change::Write;
use crate::kernel::ids::IdSequence;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn person(id: u64, kind: PersonKind, admin: bool) -> Person {
    Person {
        account: AccountId(9),
        id: PersonId(id),
        kind,
        first_name: "Ann".to_owned(),
        last_name: "Other".to_owned(),
        email: None,
        extension_number: None,
        admin,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: NOW,
        modified_at: NOW,
        version: 1,
    }
}

fn new(kind: CredentialKind, scopes: Option<Scopes>) -> NewCredential {
    NewCredential {
        kind,
        name: "ci".to_owned(),
        app: None,
        scopes,
        expires_at: None,
    }
}

fn create(having: Scopes, new: &NewCredential) -> Result<(Change, Credential), CredentialError> {
    let ids = IdSequence::starting_after(1);
    let act = Act {
        account: AccountId(9),
        person: PersonId(1),
        now: NOW,
        ids: &ids,
    };
    let owner = person(1, PersonKind::User, false);
    let token = new.kind.token(&token_from([7; 32]));
    let id = CredentialId::from_random([1; 16]);
    Credential::create(&act, (&owner, &owner), having, new, (id, &token))
}

#[test]
fn a_personal_token_comes_with_its_session_and_a_jwt_without() {
    let scopes: Scopes = [Scope::ReadMessages].into_iter().collect();
    let personal = new(CredentialKind::PersonalAccessToken, Some(scopes));
    let (change, credential) = create(Scopes::all(), &personal).unwrap();
    let [
        Write::Credential(_),
        Write::Session(SessionWrite::Put(session)),
        Write::Session(SessionWrite::PutToken(token)),
    ] = change.writes.as_slice()
    else {
        panic!("{:?}", change.writes);
    };
    assert_eq!(session.scopes, scopes);
    assert_eq!(session.client_id.0, ClientId::PERSONAL);
    assert_eq!(session.origin, SessionOrigin::PersonalToken(credential.id));
    assert_eq!(token.hash, credential.hash);
    assert_eq!(token.expires_at, Timestamp::MAX);
    let jwt = new(CredentialKind::Jwt, None);
    assert_eq!(create(Scopes::all(), &jwt).unwrap().0.writes.len(), 1);
}

#[test]
fn a_jwt_for_any_app_takes_all_that_apps_may() {
    let most: Scopes = Scopes::all()
        .iter()
        .filter(|scope| *scope != Scope::PublishEvents)
        .collect();
    let refused = create(most, &new(CredentialKind::Jwt, None)).unwrap_err();
    assert_eq!(refused, CredentialError::GivesMore(Scope::PublishEvents));
}

#[test]
fn people_manage_their_own_and_administrators_those_of_bots() {
    let user = |id, admin| person(id, PersonKind::User, admin);
    let bot = person(3, PersonKind::Bot, false);
    assert_eq!(may_manage(&user(1, false), &user(1, false)), Ok(()));
    assert_eq!(may_manage(&user(1, true), &bot), Ok(()));
    let refused = may_manage(&user(1, true), &user(2, false));
    assert_eq!(refused, Err(CredentialError::NotABot));
    let refused = may_manage(&user(1, false), &bot);
    assert_eq!(refused, Err(CredentialError::NotAnAdmin));
}

#[test]
fn a_credential_is_good_until_it_is_revoked_or_has_run_out() {
    let mut jwt = new(CredentialKind::Jwt, None);
    jwt.expires_at = Some(NOW + Duration::from_millis(1));
    let (_, credential) = create(Scopes::all(), &jwt).unwrap();
    assert!(credential.is_live(NOW));
    assert!(!credential.is_live(NOW + Duration::from_millis(1)));
    let (change, revoked) = credential.revoke(NOW);
    assert_eq!(change.writes.len(), 2);
    assert!(!revoked.is_live(NOW));
    assert!(revoked.revoke(NOW).0.is_empty());
    jwt.expires_at = Some(NOW);
    assert!(matches!(
        create(Scopes::all(), &jwt),
        Err(CredentialError::Member(_))
    ));
}

#[test]
fn a_use_is_noted_once_a_minute() {
    assert!(is_use_due(None, NOW));
    assert!(!is_use_due(Some(NOW), NOW + Duration::from_millis(59_999)));
    assert!(is_use_due(Some(NOW), NOW + Duration::from_secs(60)));
}
