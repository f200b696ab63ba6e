use super::*;
use crate::delivery::job::{JobWork, JobWrite};
use crate::endpoints::endpoint::{
    Authorization, HandshakeKind, PayloadFormat, RateLimit, policy_default,
};
use crate::events::type_name::TypePattern;
use crate::kernel::change::{Guard, Write};
use crate::kernel::ids::JobId;
use crate::subscriptions::mode::DeliveryMode;
use crate::subscriptions::sample::{ACCOUNT, APP, OWNER, at, web_hook};

const SEED: SecretSeed = SecretSeed {
    id: [1; 8],
    key: [2; 32],
};

fn settled() -> Settled {
    Settled {
        mode: web_hook(),
        policy: policy_default(),
        endpoint: Endpoint {
            description: "Ledger".to_owned(),
            types: vec![TypePattern::parse("*").unwrap()],
            content: None,
            headers: Vec::new(),
            authorization: Authorization::None,
            handshake: HandshakeKind::None,
            format: PayloadFormat::Standard,
            secrets: Vec::new(),
            failure_threshold: 10,
            batching: None,
            batch_max_kept: None,
            rate: None,
            ordered: false,
            request_origin: None,
            error: None,
        },
        signed: true,
        secret: None,
    }
}

fn made(granted: &Granted) -> (Change, Subscription) {
    let maker = Maker {
        account: ACCOUNT,
        person: OWNER,
        client_id: ClientId(APP.to_owned()),
        id: SubscriptionId::from_random([1; 16]),
    };
    Endpoint::create(maker, settled(), granted, SEED, at(0))
}

fn endpoint() -> Subscription {
    made(&Granted::default()).1
}

/// Milestones in the history, and events.
fn told(change: &Change) -> (Vec<Milestone>, Vec<String>) {
    let milestones = change.writes.iter().filter_map(|write| match write {
        Write::History(HistoryWrite::Note(note)) => Some(note.milestone),
        _ => None,
    });
    let events = change.events.iter();
    (
        milestones.collect(),
        events.map(|event| event.event_type.to_string()).collect(),
    )
}

#[test]
fn a_new_endpoint_is_active_signs_and_is_limited_in_number() {
    let (change, made) = made(&Granted::default());
    assert_eq!(made.status, SubscriptionStatus::Active);
    assert_eq!(made.endpoint.as_ref().unwrap().secrets.len(), 1);
    let limited = |guard: &Guard| matches!(guard, Guard::Room { max, .. } if *max == ENDPOINTS_MAX);
    assert!(change.guards.iter().any(limited));
    let expect = (
        vec![Milestone::Created],
        vec!["endpoint.created".to_owned()],
    );
    assert_eq!(told(&change), expect);
}

#[test]
fn of_two_rates_the_slower_holds() {
    let rate = |count| RateLimit {
        count,
        per_ms: 60_000,
    };
    for (own, theirs, expect) in [
        (None, None, None),
        (Some(5), None, Some(5)),
        (None, Some(7), Some(7)),
        (Some(5), Some(7), Some(5)),
        (Some(9), Some(7), Some(7)),
    ] {
        let granted = Granted::by_options("here".to_owned(), theirs);
        let asked = Endpoint {
            rate: own.map(rate),
            ..settled().endpoint
        };
        let endpoint = asked.granted(&granted);
        assert_eq!(endpoint.rate, expect.map(rate), "{own:?} {theirs:?}");
        assert_eq!(endpoint.request_origin.as_deref(), Some("here"));
    }
}

#[test]
fn only_another_address_or_proof_is_asked_again() {
    let current = endpoint();
    assert!(!settled().need_consent(&current));
    let mut proven = settled();
    proven.endpoint.handshake = HandshakeKind::Echo;
    assert!(proven.need_consent(&current));
    let mut moved = settled();
    moved.mode = DeliveryMode::WebHook {
        address: "https://example.org/".to_owned(),
        verification_token: None,
    };
    assert!(moved.need_consent(&current));
}

#[test]
fn a_change_keeps_secrets_error_and_former_consent() {
    let (_, current) = made(&Granted::by_options("here".to_owned(), None));
    let errored = current.errored("broken".to_owned(), at(1));
    let former = errored.endpoint.as_ref().unwrap();
    let (change, changed) = former.change(&errored, settled(), None, SEED, at(2));
    let next = changed.endpoint.as_ref().unwrap();
    assert_eq!(next.secrets, former.secrets);
    assert_eq!(next.error.as_deref(), Some("broken"));
    assert_eq!(next.request_origin.as_deref(), Some("here"));
    assert_eq!(change.guards, [errored.unchanged()]);
    let unsigned = Settled {
        signed: false,
        ..settled()
    };
    let (_, bare) = former.change(&errored, unsigned, None, SEED, at(2));
    let bare_endpoint = bare.endpoint.as_ref().unwrap();
    assert_eq!(bare_endpoint.secrets, []);
    let (_, signed) = bare_endpoint.change(&bare, settled(), None, SEED, at(3));
    assert_eq!(signed.endpoint.unwrap().secrets.len(), 1);
}

#[test]
fn pauses_and_resumptions_change_nothing_twice() {
    let current = endpoint();
    let (change, paused) = Endpoint::pause(&current, at(1));
    let expect = (
        vec![Milestone::Suspended],
        vec!["endpoint.paused".to_owned()],
    );
    assert_eq!(told(&change), expect);
    assert!(Endpoint::pause(&paused, at(2)).0.is_empty());
    let (change, resumed) = Endpoint::resume(&paused, at(3));
    let expect = (
        vec![Milestone::Resumed],
        vec!["endpoint.resumed".to_owned()],
    );
    assert_eq!(told(&change), expect);
    assert_eq!(resumed.catch_up_after, None, "an endpoint misses nothing");
    assert!(Endpoint::resume(&resumed, at(4)).0.is_empty());
}

#[test]
fn a_rotated_secret_is_the_newest_and_the_former_stays_for_the_overlap() {
    let current = endpoint();
    let own = SigningSecret::from_random([7; 32]);
    let overlap = Duration::from_secs(60);
    let endpoint = current.endpoint.as_ref().unwrap();
    let rotated = endpoint.rotate_secret(&current, Some(own.clone()), overlap, SEED, at(1));
    let secrets = rotated.1.endpoint.as_ref().unwrap().secrets.clone();
    assert_eq!((&secrets[0].secret, secrets[0].expires_at), (&own, None));
    assert_eq!(secrets[1].expires_at, Some(at(61)));
}

#[test]
fn recovering_begins_where_the_trouble_began() {
    let current = endpoint();
    let failing = Subscription {
        failing_since: Some(at(10)),
        ..current.errored("broken".to_owned(), at(20))
    };
    let since = |current: &Subscription, asked| Endpoint::recovered_since(current, asked, at(30));
    assert_eq!(since(&failing, Some(at(5))), at(5));
    assert_eq!(since(&failing, None), at(10));
    assert_eq!(since(&current, None), at(30) - RECOVERED_DEFAULT);
    let work = JobWork::Recover {
        endpoint: failing.id,
        since: at(10),
    };
    let job = Job::begun(ACCOUNT, JobId(1), work, at(30));
    let has_job = |change: &Change| {
        let mut writes = change.writes.iter();
        writes.any(|write| matches!(write, Write::Job(JobWrite::Put(_))))
    };
    let recovered = Endpoint::recover(&failing, &job, at(30));
    assert!(has_job(&recovered));
    assert_eq!(told(&recovered).0, [Milestone::Resumed]);
    assert_eq!(recovered.guards, [failing.unchanged()]);
    let begun = Endpoint::recover(&current, &job, at(30));
    assert!(has_job(&begun) && begun.writes.len() == 1);
}

#[test]
fn deleting_is_noted_and_told_and_erasing_is_told_alone() {
    let current = endpoint();
    let deleted = || vec!["endpoint.deleted".to_owned()];
    let change = Endpoint::delete(&current, at(1));
    assert_eq!(told(&change), (vec![Milestone::Deleted], deleted()));
    let change = Endpoint::erase(&current, at(1));
    assert_eq!(told(&change), (Vec::new(), deleted()));
    assert_eq!(change.guards, [current.unchanged()]);
}
