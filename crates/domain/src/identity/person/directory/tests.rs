use super::*;
use crate::identity::person::PersonWrite;
use crate::identity::session::SessionWrite;
use crate::kernel::change::Write;
use crate::kernel::ids::{AccountId, ChatId, IdSequence};
use crate::kernel::time::Timestamp;
use crate::messaging::chat::{ChatKind, ChatStatus, ChatWrite};
use crate::subscriptions::ports::SubscriptionWrite;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const LATER: Timestamp = Timestamp::from_millis(1_800_000_060_000);

fn person(id: u64, admin: bool) -> Person {
    Person {
        account: AccountId(9),
        id: PersonId(id),
        kind: PersonKind::User,
        first_name: "Ann".to_owned(),
        last_name: "Other".to_owned(),
        email: Some(format!("p{id}@example.com")),
        extension_number: Some(format!("10{id}")),
        admin,
        operator: false,
        status: PersonStatus::Enabled,
        created_at: NOW,
        modified_at: NOW,
        version: 1,
    }
}

fn acting<T>(act: impl FnOnce(&Act<'_>) -> T) -> T {
    let ids = IdSequence::starting_after(1 << 52);
    act(&Act {
        account: AccountId(9),
        person: PersonId(1),
        now: LATER,
        ids: &ids,
    })
}

fn everyone() -> Chat {
    Chat {
        account: AccountId(9),
        id: ChatId(31),
        kind: ChatKind::Everyone,
        name: Some("Everyone".to_owned()),
        description: None,
        public: false,
        status: ChatStatus::Active,
        members: vec![PersonId(1)],
        admins: vec![],
        created_at: NOW,
        modified_at: NOW,
        version: 4,
    }
}

fn newcomer() -> NewPerson {
    NewPerson {
        first_name: "New".to_owned(),
        last_name: "Comer".to_owned(),
        email: Some("new@example.com".to_owned()),
        extension_number: Some("107".to_owned()),
        password: Some(Secret::new("$argon2id$")),
    }
}

fn patched(by: &Person, patch: PersonPatch) -> Result<(Change, Person), DirectoryError> {
    acting(|act| person(2, false).patch(act, by, patch))
}

#[test]
fn a_new_person_is_in_the_chat_of_all() {
    let (change, made) =
        acting(|act| Person::take_in(act, &person(1, true), newcomer(), Some(&everyone())))
            .unwrap();
    let Write::Chat(ChatWrite::Put(chat)) = &change.writes[2] else {
        panic!("the chat is written last")
    };
    assert_eq!(chat.members, [PersonId(1), made.id]);
    let told: Vec<_> = change
        .events
        .iter()
        .map(|event| (event.event_type.as_ref(), &event.audience))
        .collect();
    let made = Audience::Persons([made.id].into());
    assert_eq!(
        told,
        [
            ("Create", &made),
            ("GroupJoined", &made),
            ("GroupChanged", &Audience::ChatMembers(ChatId(31)))
        ]
    );
}

#[test]
fn only_administrators_take_somebody_in() {
    let refused = acting(|act| Person::take_in(act, &person(2, false), newcomer(), None));
    assert_eq!(refused.unwrap_err(), DirectoryError::NotAnAdmin);
}

#[test]
fn what_is_known_of_a_person_has_a_form() {
    let check = |patch: PersonPatch, expect| {
        let found = patched(&person(1, true), patch.clone()).err();
        assert_eq!(found, expect, "{patch:?}");
    };
    let email = |text: &str| PersonPatch {
        email: Some(text.to_owned()),
        ..PersonPatch::default()
    };
    let number = |text: &str| PersonPatch {
        extension_number: Some(text.to_owned()),
        ..PersonPatch::default()
    };
    let name = |first: &str, last: &str| PersonPatch {
        first_name: Some(first.to_owned()),
        last_name: Some(last.to_owned()),
        ..PersonPatch::default()
    };
    check(email("a@b"), None);
    check(email(""), None);
    let longest = format!("{}@b", "a".repeat(EMAIL_CHARS_MAX - 2));
    check(email(&longest), None);
    for bad in ["a", "@b", "a@", "a b@c", &format!("a{longest}")] {
        check(email(bad), Some(DirectoryError::BadEmail));
    }
    check(number(&"1".repeat(EXTENSION_NUMBER_DIGITS_MAX)), None);
    check(number(""), None);
    for bad in ["1a", "+1", &"1".repeat(EXTENSION_NUMBER_DIGITS_MAX + 1)] {
        check(number(bad), Some(DirectoryError::BadExtensionNumber));
    }
    let longest = "é".repeat(PERSON_NAME_CHARS_MAX);
    check(name(&longest, &longest), None);
    check(name("", "x"), None);
    check(name(" ", ""), Some(DirectoryError::NoName));
    check(
        name(&format!("{longest}x"), ""),
        Some(DirectoryError::BadFirstName),
    );
    check(
        name("", &format!("{longest}x")),
        Some(DirectoryError::BadLastName),
    );
    for (length, fits) in [
        (PASSWORD_CHARS_MIN - 1, false),
        (PASSWORD_CHARS_MIN, true),
        (PASSWORD_CHARS_MAX, true),
        (PASSWORD_CHARS_MAX + 1, false),
    ] {
        assert_eq!(is_password(&"é".repeat(length)), fits, "{length}");
    }
}

#[test]
fn people_change_their_own_names_and_administrators_the_rest() {
    let own = person(2, false);
    let renamed = PersonPatch {
        first_name: Some("Anna".to_owned()),
        ..PersonPatch::default()
    };
    let (change, next) = patched(&own, renamed.clone()).unwrap();
    assert_eq!((next.version, next.modified_at), (2, LATER));
    assert_eq!(change.guards, [own.unchanged()]);
    let body = std::str::from_utf8(&change.events[0].body).unwrap();
    assert_eq!(
        body,
        r#"{"extensionId":"2","eventType":"Update","hints":["ExtensionInfo"]}"#
    );
    assert_eq!(
        patched(&person(3, false), renamed).unwrap_err(),
        DirectoryError::NotAnAdmin
    );
    for patch in [
        PersonPatch {
            extension_number: Some("200".to_owned()),
            ..PersonPatch::default()
        },
        PersonPatch {
            status: Some(PersonStatus::Disabled),
            ..PersonPatch::default()
        },
        PersonPatch {
            admin: Some(true),
            ..PersonPatch::default()
        },
    ] {
        assert_eq!(
            patched(&own, patch.clone()).unwrap_err(),
            DirectoryError::NotAnAdmin
        );
        assert!(patched(&person(1, true), patch).is_ok());
    }
}

#[test]
fn nothing_is_told_when_nothing_changes() {
    let same = PersonPatch {
        first_name: Some("Ann".to_owned()),
        status: Some(PersonStatus::Enabled),
        ..PersonPatch::default()
    };
    assert!(patched(&person(2, false), same).unwrap().0.is_empty());
}

#[test]
fn disabling_ends_sessions_and_subscriptions() {
    let admin = person(1, true);
    let (change, next) = acting(|act| person(2, false).disable(act, &admin)).unwrap();
    assert_eq!(next.status, PersonStatus::Disabled);
    assert!(matches!(
        change.writes[..],
        [
            Write::Person(PersonWrite::Put(_)),
            Write::Session(SessionWrite::EndAllOf { .. }),
            Write::Subscription(SubscriptionWrite::DeleteAllOf { .. })
        ]
    ));
    assert_eq!(change.events[0].event_type, "Delete");
    assert_eq!(
        change.guards,
        [person(2, false).unchanged(), admin.unchanged()],
        "of two administrators who disable one another, one remains"
    );
    let again = acting(|act| next.disable(act, &admin)).unwrap();
    assert!(again.0.is_empty(), "it is so already");
    let back = PersonPatch {
        status: Some(PersonStatus::Enabled),
        ..PersonPatch::default()
    };
    let (change, _) = acting(|act| next.patch(act, &admin, back)).unwrap();
    assert_eq!(change.writes.len(), 1);
}

#[test]
fn nobody_locks_themselves_out() {
    let admin = person(1, true);
    let disabled = acting(|act| admin.disable(act, &admin));
    assert_eq!(disabled.unwrap_err(), DirectoryError::Oneself);
    for patch in [
        PersonPatch {
            status: Some(PersonStatus::Disabled),
            ..PersonPatch::default()
        },
        PersonPatch {
            admin: Some(false),
            ..PersonPatch::default()
        },
    ] {
        let refused = acting(|act| admin.patch(act, &admin, patch));
        assert_eq!(refused.unwrap_err(), DirectoryError::Oneself);
    }
}

#[test]
fn an_integration_is_nobodys_to_change() {
    let hook = Person {
        kind: PersonKind::Integration,
        ..person(3, false)
    };
    let refused = acting(|act| hook.disable(act, &person(1, true)));
    assert_eq!(refused.unwrap_err(), DirectoryError::NotAPerson);
}

#[test]
fn another_password_ends_what_the_old_one_opened() {
    let hash = || Secret::new("$argon2id$");
    let change =
        acting(|act| person(2, false).reset_password(act, &person(1, true), hash())).unwrap();
    assert!(matches!(
        change.writes[..],
        [
            Write::Person(PersonWrite::PutPassword { .. }),
            Write::Session(SessionWrite::EndAllOf { .. })
        ]
    ));
    let refused = acting(|act| person(2, false).reset_password(act, &person(2, false), hash()));
    assert_eq!(refused.unwrap_err(), DirectoryError::NotAnAdmin);
}
