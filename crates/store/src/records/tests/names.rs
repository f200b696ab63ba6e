//! Words that columns keep: `golden/words.json` lists them by column. A word that the domain calls
//! otherwise would not be found in former rows.

use std::collections::BTreeMap;

use hookyard_domain::messaging::message::{Availability, Direction, ReadStatus};
use hookyard_domain::{
    AbandonReason, AppKind, ChatKind, CredentialKind, DndStatus, EventKind, JobStatus, Milestone,
    PersonStatus, Scope, SubscriptionStatus, TransportType, UnreachableReason, UserStatus,
};

use super::golden;

/// The words of one column, in the order of what they name.
fn words<T: Copy + PartialEq + std::fmt::Debug, const N: usize>(
    all: [T; N],
    name: impl Fn(T) -> &'static str,
    from_name: impl Fn(&str) -> Option<T>,
) -> Vec<String> {
    let word = |one: T| {
        assert_eq!(from_name(name(one)), Some(one));
        name(one).to_owned()
    };
    all.map(word).to_vec()
}

macro_rules! words {
    ($type:ident) => {
        words($type::ALL, $type::name, $type::from_name)
    };
    ($type:ident: $($name:ident),*) => {
        words([$($type::$name),*], $type::name, $type::from_name)
    };
}

#[test]
fn words_are_what_they_were() {
    let chats = [
        ChatKind::Personal,
        ChatKind::Direct,
        ChatKind::Group,
        ChatKind::Team,
        ChatKind::Everyone,
    ];
    let ours = BTreeMap::from([
        ("apps.kind", words!(AppKind)),
        (
            "apps.scopes",
            Scope::ALL.map(|scope| scope.name().to_owned()).to_vec(),
        ),
        ("attempts.outcome", words!(UnreachableReason)),
        (
            "chats.kind",
            chats.map(|kind| kind.name().to_owned()).to_vec(),
        ),
        ("credentials.kind", words!(CredentialKind)),
        ("deliveries.reason", words!(AbandonReason)),
        ("events.kind", words!(EventKind)),
        ("jobs.status", words!(JobStatus)),
        (
            "messages.availability",
            words!(Availability: Alive, Deleted),
        ),
        ("messages.direction", words!(Direction: Inbound, Outbound)),
        ("messages.read_status", words!(ReadStatus: Read, Unread)),
        ("persons.status", words!(PersonStatus: Enabled, Disabled)),
        ("presences.dnd_status", words!(DndStatus)),
        ("presences.user_status", words!(UserStatus)),
        ("subscription_history.milestone", words!(Milestone)),
        (
            "subscriptions.status",
            words!(SubscriptionStatus: Active, Suspended, Blacklisted, Errored),
        ),
        ("subscriptions.transport", words!(TransportType)),
    ]);
    let golden: BTreeMap<&str, Vec<String>> = serde_json::from_str(golden!("words")).unwrap();
    assert_eq!(ours, golden);
}
