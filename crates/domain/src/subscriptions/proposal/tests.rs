use super::*;
use crate::identity::app::Scope;
use crate::kernel::change::{Guard, Write};
use crate::subscriptions::ports::SubscriptionWrite;
use crate::subscriptions::sample::{ACCOUNT, APP, at, person, web_hook, web_socket};

const POSTS: &str = "/restapi/v1.0/glip/posts";
const REMINDER: &str = "/restapi/v1.0/subscription/~?threshold=300&interval=100";

fn asked(texts: &[&str], scopes: Scopes) -> Result<PermittedFilters, SubscribeError> {
    let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
    let (subscriber, other) = (person(1, false), person(2, false));
    let asked = AskedFilters::parse(&texts, &subscriber)?;
    let known = Watched {
        person: &other,
        shows_presence: true,
    };
    asked.permit(scopes, &[known])
}

#[test]
fn filters_are_refused_all_together() {
    let unknown = |texts: &[&str]| {
        let texts = texts.iter().map(|text| (*text).to_owned());
        SubscribeError::UnknownFilters(texts.collect())
    };
    let many = [POSTS; EVENT_FILTERS_MAX + 1];
    let again = "/restapi/v1.0/subscription/~?threshold=600&interval=100";
    for (texts, expect) in [
        (&[][..], SubscribeError::FilterCount),
        (&many, SubscribeError::FilterCount),
        (&[POSTS, "/a", "/b"], unknown(&["/a", "/b"])),
        (&[REMINDER], SubscribeError::OnlyReminder),
        (&[POSTS, REMINDER, again], SubscribeError::BadReminder),
        (
            &[POSTS, "/restapi/v1.0/subscription/~"],
            SubscribeError::BadReminder,
        ),
    ] {
        assert_eq!(asked(texts, Scopes::all()), Err(expect), "{texts:?}");
    }
}

#[test]
fn what_is_not_permitted_is_disabled_beside_what_is() {
    let others = "/restapi/v1.0/account/8/extension/1/presence";
    let told = asked(&[POSTS, others, POSTS], Scopes::all()).unwrap();
    assert_eq!(told.permitted.len(), 1, "the same filter counts once");
    let [disabled] = told.disabled.as_slice() else {
        panic!("one is disabled");
    };
    assert_eq!(disabled.filter, others);
    assert_eq!(disabled.reason, Code::OtherAccount.name());
}

#[test]
fn when_nothing_is_permitted_the_first_reason_is_told() {
    let presence: Scopes = [Scope::ReadPresence].into_iter().collect();
    let Err(SubscribeError::Denied(problem)) = asked(&[POSTS], presence) else {
        panic!("it is denied");
    };
    assert_eq!(problem.code, Code::AppPermissionMissing);
}

#[test]
fn extensions_of_others_are_looked_at_once() {
    let texts = [
        "/restapi/v1.0/account/~/extension/2/presence".to_owned(),
        "/restapi/v1.0/account/~/extension/2/presence/line".to_owned(),
        "/restapi/v1.0/account/~/extension/~/presence".to_owned(),
    ];
    let subscriber = person(1, false);
    let asked = AskedFilters::parse(&texts, &subscriber).unwrap();
    assert_eq!(asked.watched(), [PersonId(2)]);
}

fn proposal(mode: DeliveryMode, texts: &[&str], seconds: Option<u64>) -> Proposal {
    Proposal {
        account: ACCOUNT,
        owner: PersonId(1),
        client_id: ClientId(APP.to_owned()),
        filters: asked(texts, Scopes::all()).unwrap(),
        mode,
        policy: RetryPolicy::default(),
        asked: seconds.map(Duration::from_secs),
    }
}

#[test]
fn a_subscription_lives_as_long_as_was_granted() {
    let id = SubscriptionId::from_random([1; 16]);
    let begun = proposal(web_hook(), &[POSTS], Some(60)).begin(id, 30, at(5));
    let (change, made) = begun.unwrap();
    assert_eq!((made.created_at, made.expires_at), (at(5), at(65)));
    let [
        Write::Subscription(SubscriptionWrite::Put(put)),
        Write::History(HistoryWrite::Note(note)),
    ] = change.writes.as_slice()
    else {
        panic!("it is stored and noted");
    };
    assert_eq!(**put, made);
    let limited = |guard: &Guard| matches!(guard, Guard::Room { max: 30, .. });
    assert!(change.guards.iter().any(limited));
    let told = (note.milestone, note.detail.as_deref());
    assert_eq!(told, (Milestone::Created, Some("WebHook")));
}

#[test]
fn one_of_a_websocket_session_is_not_stored() {
    let id = SubscriptionId::from_random([1; 16]);
    let begun = proposal(web_socket(1), &[POSTS], None).begin(id, 30, at(0));
    let (change, made) = begun.unwrap();
    assert!(matches!(
        change.writes.as_slice(),
        [Write::History(HistoryWrite::Note(_))]
    ));
    assert!(made.gives_way_to(&web_socket(1)));
    assert!(!made.gives_way_to(&web_socket(2)));
    assert!(!made.gives_way_to(&web_hook()));
}

#[test]
fn a_reminder_fits_the_time_that_is_granted() {
    for (seconds, fits) in [(600, true), (599, false)] {
        let proposal = proposal(web_hook(), &[POSTS, REMINDER], Some(seconds));
        assert_eq!(proposal.granted().is_ok(), fits, "{seconds}");
    }
}
