//! Apps and credentials, and the sessions that hang on them.

use std::time::Duration;

use hookyard_domain::identity::app::KeySet;
use hookyard_domain::kernel::ports::prelude::*;
use hookyard_domain::kernel::ports::{CommitError, CredentialQuery};
use hookyard_domain::{
    AccountId, App, AppKind, AppUsage, AppWrite, Change, ClientId, ClientSecret, Credential,
    CredentialId, CredentialKind, CredentialWrite, Guard, KeptSecret, PersonStatus, PersonWrite,
    Scope, Scopes, Secret, Session, SessionId, SessionOrigin, SessionWrite, Set, SubscriptionWrite,
    TokenHash, TokenKind,
};

use crate::world::{ACCOUNT, ALICE, BOB, World, on_every_backend};

const OTHER: AccountId = AccountId(999);

fn app(world: &World, id: &str) -> App {
    let secret = ClientSecret::of(&Secret::new("secret"), "a".into(), world.now());
    App::supplied(
        ACCOUNT,
        ClientId(id.into()),
        "Billing",
        Some(secret),
        world.now(),
    )
}

fn put(app: &App) -> Change {
    Change::of(AppWrite::Put(Box::new(app.clone())))
}

fn credential(world: &World, number: u8, kind: CredentialKind) -> Credential {
    Credential {
        account: ACCOUNT,
        id: CredentialId::from_random([number; 16]),
        kind,
        name: "ci".into(),
        person: ALICE,
        client_id: Some(ClientId("billing".into())),
        scopes: (kind == CredentialKind::PersonalAccessToken).then(Scopes::all),
        hash: TokenHash::of(&format!("token-{number}")),
        hint: "en-1".into(),
        created_at: world.now() + Duration::from_millis(number.into()),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }
}

fn put_credential(credential: &Credential) -> Change {
    Change::of(CredentialWrite::Put(Box::new(credential.clone())))
}

fn query(kind: Option<CredentialKind>) -> CredentialQuery {
    CredentialQuery {
        account: ACCOUNT,
        person: ALICE,
        kind,
    }
}

fn opened(world: &World, number: u64, origin: SessionOrigin) -> (Session, Change) {
    let session = Session {
        id: SessionId(number),
        client_id: ClientId("billing".into()),
        origin,
        ..world.session()
    };
    let token = world.token(&session, &format!("access-{number}"), TokenKind::Access);
    let change = Change::of(SessionWrite::Put(session.clone())).and(SessionWrite::PutToken(token));
    (session, change)
}

async fn is_signed_in(world: &World, number: u64) -> bool {
    let hash = TokenHash::of(&format!("access-{number}"));
    world.store.token(hash).await.unwrap().is_some()
}

on_every_backend! {
    /// Everything of an app is read as it was written, and by its account alone.
    async fn an_app_is_read_as_it_was_written(world: World) {
        let mut app = app(&world, "billing");
        let key = serde_json::json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)});
        app.kind = AppKind::Bot;
        app.redirect_uris = vec!["https://example.com/".into()];
        app.public_keys = KeySet::read("keys", vec![key]).unwrap();
        app.outbound_url = Some("https://example.com/out".into());
        let kept = |text: &str| Some(KeptSecret { secret: Secret::new(text), created_at: world.now() });
        app.outbound_secret = kept("outbound");
        app.verification_token = kept("verification");
        app.creator = Some(ALICE);
        world.commit(put(&app)).await;
        assert_eq!(world.store.app(&app.client_id).await.unwrap().as_ref(), Some(&app));
        assert_eq!(world.store.apps(ACCOUNT).await.unwrap(), std::slice::from_ref(&app));
        assert_eq!(world.store.apps(OTHER).await.unwrap(), []);
        let tokens = world.store.verification_tokens().await.unwrap();
        assert_eq!(tokens.get(&app.client_id), Some(&Secret::new("verification")));
    }

    /// Writing an app does not undo what was noted of its secrets, and removes those that went.
    async fn when_a_secret_was_used_stays_known(world: World) {
        let mut app = app(&world, "billing");
        world.commit(put(&app)).await;
        let used = |account, at| AppWrite::SecretUsed {
            account,
            client_id: ClientId("billing".into()),
            secret: "a".into(),
            at,
        };
        let at = world.now();
        world.commit(Change::of(used(OTHER, at + Duration::from_secs(9)))).await;
        world.commit(Change::of(used(ACCOUNT, at))).await;
        world.commit(Change::of(used(ACCOUNT, at - Duration::from_secs(9)))).await;
        app.secrets.push(ClientSecret::of(&Secret::new("b"), "b".into(), at));
        world.commit(put(&app)).await;
        let found = world.store.app(&app.client_id).await.unwrap().unwrap();
        assert_eq!(found.secrets[0].last_used_at, Some(at));
        app.secrets.remove(0);
        world.commit(put(&app)).await;
        let found = world.store.app(&app.client_id).await.unwrap().unwrap();
        assert_eq!(found.secrets, app.secrets);
    }

    /// Apps and credentials have their guards: version, presence and room.
    async fn guards_know_apps_and_credentials(world: World) {
        let app = app(&world, "billing");
        let absent = Guard::version(ACCOUNT, app.client_id.clone(), 0);
        let room = |max| Guard::Room { of: Set::Apps(ACCOUNT), max };
        world.commit(put(&app).given(absent.clone()).given(room(1))).await;
        let conflicts = async |change: Change| {
            matches!(world.store.commit(change).await, Err(CommitError::Conflict))
        };
        assert!(conflicts(put(&app).given(absent)).await);
        assert!(conflicts(put(&app).given(room(1))).await);
        assert!(conflicts(put(&app).given(Guard::exists(OTHER, app.client_id.clone()))).await);
        let mut known = credential(&world, 1, CredentialKind::Jwt);
        known.expires_at = Some(world.now());
        world.commit(put_credential(&known)).await;
        let other = credential(&world, 2, CredentialKind::Jwt);
        let set = |live_at, max| Guard::Room {
            of: Set::Credentials { account: ACCOUNT, person: ALICE, live_at },
            max,
        };
        assert!(conflicts(put_credential(&other).given(set(None, 1))).await);
        world.commit(put_credential(&other).given(set(Some(world.now()), 1))).await;
        assert!(conflicts(put(&app).given(set(Some(world.now()), 1))).await);
        world.commit(put(&app).given(Guard::exists(ACCOUNT, other.id))).await;
        let (account, at) = (ACCOUNT, world.now());
        world.commit(Change::of(CredentialWrite::Revoke { account, credential: other.id, at })).await;
        assert!(conflicts(put(&app).given(Guard::exists(ACCOUNT, other.id))).await, "it was revoked");
    }

    /// A credential is found by its token, is listed newest first, and changes part by part.
    async fn a_credential_is_read_as_it_was_written(world: World) {
        let jwt = credential(&world, 1, CredentialKind::Jwt);
        let mut personal = credential(&world, 2, CredentialKind::PersonalAccessToken);
        world.commit(put_credential(&jwt)).await;
        world.commit(put_credential(&personal)).await;
        let store = &world.store;
        assert_eq!(store.credential_of(jwt.hash).await.unwrap().as_ref(), Some(&jwt));
        assert_eq!(store.credential(OTHER, jwt.id).await.unwrap(), None);
        let both = [personal.clone(), jwt.clone()];
        assert_eq!(store.credentials(query(None)).await.unwrap(), both);
        let only = store.credentials(query(Some(CredentialKind::Jwt))).await.unwrap();
        assert_eq!(only, std::slice::from_ref(&jwt));
        let (account, credential, at) = (ACCOUNT, personal.id, world.now());
        let name = "other".to_owned();
        world.commit(Change::of(CredentialWrite::Rename { account, credential, name })
            .and(CredentialWrite::Used { account, credential, at })
            .and(CredentialWrite::Revoke { account, credential, at })
            .and(CredentialWrite::Revoke { account, credential, at: at + Duration::from_secs(1) })).await;
        personal.name = "other".into();
        personal.last_used_at = Some(at);
        personal.revoked_at = Some(at);
        assert_eq!(store.credential(ACCOUNT, personal.id).await.unwrap(), Some(personal));
        let same = Credential { id: CredentialId::from_random([3; 16]), ..jwt.clone() };
        assert!(world.store.commit(put_credential(&same)).await.is_err(), "a token lets in once");
        world.commit(Change::of(CredentialWrite::Delete { account, credential: jwt.id })).await;
        assert_eq!(store.credential_of(jwt.hash).await.unwrap(), None);
    }

    /// Sessions end with the credential that opened them, and nobody else's do.
    async fn a_credential_ends_what_it_opened(world: World) {
        let [first, second] = [1, 2].map(|n| credential(&world, n, CredentialKind::Jwt).id);
        for (number, origin) in [
            (1, SessionOrigin::Jwt(first)),
            (2, SessionOrigin::Jwt(second)),
            (3, SessionOrigin::SignIn),
        ] {
            let (session, change) = opened(&world, number, origin);
            world.commit(change).await;
            let found = world.store.session(ACCOUNT, session.id).await.unwrap();
            assert_eq!(found, Some(session));
            assert!(is_signed_in(&world, number).await);
        }
        let end = |account| SessionWrite::EndAllOpenedBy { account, credential: first };
        world.commit(Change::of(end(OTHER))).await;
        assert!(is_signed_in(&world, 1).await);
        world.commit(Change::of(end(ACCOUNT))).await;
        assert!(!is_signed_in(&world, 1).await, "also from the cache");
        assert!(is_signed_in(&world, 2).await && is_signed_in(&world, 3).await);
        assert!(world.heard().sessions_ended().eq([&SessionId(1)]));
    }

    /// Personal tokens are not among what a person signed in to; they rest while their person is
    /// disabled.
    async fn personal_tokens_rest_with_their_person(world: World) {
        let mut alice = world.store.person(ACCOUNT, ALICE).await.unwrap().unwrap();
        let id = credential(&world, 1, CredentialKind::PersonalAccessToken).id;
        let (session, change) = opened(&world, 1, SessionOrigin::PersonalToken(id));
        world.commit(change).await;
        world.commit(opened(&world, 2, SessionOrigin::SignIn).1).await;
        let listed = world.store.sessions(ACCOUNT, ALICE, &session.client_id).await.unwrap();
        assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [SessionId(2)]);
        alice.status = PersonStatus::Disabled;
        let end = SessionWrite::EndAllOf { account: ACCOUNT, person: ALICE };
        world.commit(Change::of(PersonWrite::Put(alice.clone())).and(end)).await;
        assert!(!is_signed_in(&world, 1).await && !is_signed_in(&world, 2).await);
        assert_eq!(world.store.session(ACCOUNT, session.id).await.unwrap(), None);
        assert_eq!(world.heard().sessions_ended().count(), 2, "what they keep open must close");
        alice.status = PersonStatus::Enabled;
        world.commit(Change::of(PersonWrite::Put(alice))).await;
        assert!(is_signed_in(&world, 1).await && !is_signed_in(&world, 2).await);
    }

    /// What an app may no longer do its sessions may not either.
    async fn a_session_may_do_what_its_app_still_may(world: World) {
        let mut app = app(&world, "billing");
        world.commit(put(&app)).await;
        world.commit(opened(&world, 1, SessionOrigin::SignIn).1).await;
        let scopes = async || {
            let found = world.store.token(TokenHash::of("access-1")).await.unwrap();
            found.unwrap().0.scopes
        };
        assert_eq!(scopes().await, Scopes::all());
        app.scopes = [Scope::ReadMessages].into_iter().collect();
        world.commit(put(&app)).await;
        assert_eq!(scopes().await, app.scopes);
    }

    /// A subscription whose app is deleted in the same batch is not there afterwards, whichever came
    /// first; an endpoint needs no app, and personal access tokens have none.
    async fn nothing_begins_through_an_app_that_is_deleted(world: World) {
        let world = world.with_app().await;
        let posts = ["/restapi/v1.0/glip/posts"];
        let (first, late) = (world.subscription(ALICE, &posts), world.subscription(ALICE, &posts));
        let (account, client_id, at) = (ACCOUNT, first.client_id.clone(), world.now());
        let delete = Change::of(AppWrite::Delete { account, client_id: client_id.clone() })
            .and(SubscriptionWrite::DeleteAllThrough { account, client_id, at, reason: "gone" });
        let store = &world.store;
        let (created, deleted, refused) = tokio::join!(
            store.commit(first.create(9)),
            store.commit(delete),
            store.commit(late.create(9)),
        );
        assert!(created.is_ok() && deleted.is_ok());
        assert!(matches!(refused, Err(CommitError::Conflict)));
        for id in [first.id, late.id] {
            assert!(store.subscription(ACCOUNT, id).await.unwrap().is_none());
        }
        let mut personal = world.subscription(ALICE, &posts);
        personal.client_id = ClientId(ClientId::PERSONAL.into());
        world.commit(personal.create(9)).await;
        world.commit(world.endpoint("https://a.example/").create(9)).await;
    }

    /// What hangs on an app is counted, and goes with it; endpoints stay.
    async fn what_hangs_on_an_app_is_counted_and_goes_with_it(world: World) {
        let app = app(&world, "billing");
        world.commit(put(&app)).await;
        let jwt = credential(&world, 1, CredentialKind::Jwt);
        let mut subscription = world.subscription(ALICE, &["/restapi/v1.0/glip/posts"]);
        subscription.client_id = app.client_id.clone();
        let others = world.subscription(BOB, &["/restapi/v1.0/glip/posts"]);
        world.commit(put_credential(&jwt).and(SubscriptionWrite::Put(subscription.clone().into()))
            .and(SubscriptionWrite::Put(others.clone().into()))).await;
        world.commit(opened(&world, 1, SessionOrigin::Jwt(jwt.id)).1).await;
        let usage = world.store.app_usage(ACCOUNT).await.unwrap();
        let expect = AppUsage { subscriptions: 1, endpoints: 0, sessions: 1, credentials: 1 };
        assert_eq!(usage.get(&app.client_id), Some(&expect));
        assert!(world.store.app_usage(OTHER).await.unwrap().is_empty());
        let (account, client_id, at) = (ACCOUNT, app.client_id.clone(), world.now());
        let delete = Change::of(AppWrite::Delete { account, client_id: client_id.clone() })
            .and(SessionWrite::EndAllThrough { account, client_id: client_id.clone() })
            .and(CredentialWrite::DeleteAllThrough { account, client_id: client_id.clone() })
            .and(SubscriptionWrite::DeleteAllThrough { account, client_id, at, reason: "gone" });
        world.commit(delete).await;
        let store = &world.store;
        assert_eq!(store.app(&app.client_id).await.unwrap(), None);
        assert!(!is_signed_in(&world, 1).await);
        assert_eq!(store.credential_of(jwt.hash).await.unwrap(), None);
        assert!(store.subscription(ACCOUNT, subscription.id).await.unwrap().is_none());
        assert!(store.subscription(ACCOUNT, others.id).await.unwrap().is_some());
        assert!(world.heard().subscriptions_ended().eq([&subscription.id]));
    }
}
