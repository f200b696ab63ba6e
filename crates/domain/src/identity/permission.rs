//! What a person may subscribe to, through an app (contract sections 1.6 and 4.12).

use crate::events::event::EventKind;
use crate::identity::person::{Person, PersonKind};
use crate::identity::scope::Scopes;
use crate::kernel::problem::{Code, Problem};
use crate::subscriptions::filter::{EventFilter, Place};

/// The extension that a filter watches, as far as the decision needs it.
#[derive(Debug, Clone, Copy)]
pub struct Watched<'a> {
    pub person: &'a Person,
    /// Whether its owner lets others see its presence.
    pub shows_presence: bool,
}

/// Decides whether `subscriber` may use `filter` through an app with `scopes`. `watched` is the
/// extension that the filter names, if the account has it; needed only for those of others.
///
/// # Errors
///
/// The problem that tells why not; it goes into `disabledFilters`.
pub fn permit(
    filter: &EventFilter,
    subscriber: &Person,
    scopes: Scopes,
    watched: Option<Watched<'_>>,
) -> Result<(), Problem> {
    if let Some(scope) = filter.form().scope
        && !scopes.allow(scope)
    {
        return Err(Problem::of(Code::AppPermissionMissing).with("permission", scope.name()));
    }
    match filter.place() {
        Place::Owner | Place::Subscription => Ok(()),
        Place::Extension(person) if person == subscriber.id => Ok(()),
        Place::Extension(_) => permit_other(filter.kind(), subscriber, watched),
        Place::Account => permit_widely(filter.kind(), subscriber),
    }
}

fn permit_other(
    kind: EventKind,
    subscriber: &Person,
    watched: Option<Watched<'_>>,
) -> Result<(), Problem> {
    let watched = watched.ok_or_else(|| Problem::of(Code::UnknownUser))?;
    match kind {
        EventKind::MessageStore
        | EventKind::InstantMessage
        | EventKind::Voicemail
        | EventKind::Fax => Err(Problem::of(Code::MessagesOfOthers)),
        EventKind::MissedCall => Err(Problem::of(Code::MissedCallsOfOthers)),
        EventKind::Presence | EventKind::PresenceLine
            if watched.person.kind == PersonKind::Integration =>
        {
            Err(Problem::of(Code::PresenceDisabled))
        }
        EventKind::Presence | EventKind::PresenceLine if !watched.shows_presence => {
            Err(Problem::of(Code::PresenceForbidden))
        }
        // Colleagues see each other's presence, as they do in the application.
        EventKind::Presence => Ok(()),
        _ => permit_widely(kind, subscriber),
    }
}

/// What concerns others is for administrators.
fn permit_widely(kind: EventKind, subscriber: &Person) -> Result<(), Problem> {
    if subscriber.admin {
        return Ok(());
    }
    let permission = match kind {
        EventKind::Presence | EventKind::PresenceLine => "HUD",
        EventKind::TelephonySession => "FullCallLog",
        _ => "ReadExtensions",
    };
    Err(Problem::of(Code::ExtensionPermissionMissing).with("permission", permission))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::person::PersonStatus;
    use crate::identity::scope::Scope;
    use crate::kernel::ids::{AccountId, PersonId};
    use crate::kernel::time::Timestamp;

    fn person(id: u64, kind: PersonKind) -> Person {
        Person {
            account: AccountId(1),
            id: PersonId(id),
            kind,
            first_name: String::new(),
            last_name: String::new(),
            email: None,
            extension_number: None,
            admin: false,
            operator: false,
            status: PersonStatus::Enabled,
            created_at: Timestamp::default(),
            modified_at: Timestamp::default(),
            version: 1,
        }
    }

    /// What a plain person is told who asks for `path` of extension 2.
    fn told(path: &str, watched: Option<(PersonKind, bool)>) -> Option<&'static str> {
        let owner = person(1, PersonKind::User);
        let text = format!("/restapi/v1.0/account/~/extension/{path}");
        let filter = EventFilter::parse(&text, owner.account, owner.id).expect("a filter");
        let other = watched.map(|(kind, shows)| (person(2, kind), shows));
        let watched = other.as_ref().map(|(person, shows_presence)| Watched {
            person,
            shows_presence: *shows_presence,
        });
        permit(&filter, &owner, Scopes::all(), watched)
            .err()
            .map(|problem| problem.code.name())
    }

    #[test]
    fn what_concerns_others_is_refused_with_its_code() {
        let user = Some((PersonKind::User, true));
        for (path, watched, expect) in [
            ("~/presence", None, None),
            ("1/message-store", None, None),
            ("2/presence", None, Some("SUB-408")),
            ("2/presence", user, None),
            (
                "2/presence",
                Some((PersonKind::Integration, true)),
                Some("SUB-402"),
            ),
            (
                "2/presence",
                Some((PersonKind::User, false)),
                Some("SUB-403"),
            ),
            ("2/presence/line", user, Some("SUB-412")),
            ("2/message-store", user, Some("SUB-405")),
            ("2/message-store/instant?type=SMS", user, Some("SUB-405")),
            ("2/voicemail", user, Some("SUB-405")),
            ("2/fax", user, Some("SUB-405")),
            ("2/missed-calls", user, Some("SUB-527")),
            ("2/telephony/sessions", user, Some("SUB-412")),
            ("2", user, Some("SUB-412")),
        ] {
            assert_eq!(told(path, watched), expect, "{path}");
        }
    }

    #[test]
    fn an_administrator_may_watch_the_account_and_an_app_needs_its_scope() {
        let mut admin = person(1, PersonKind::User);
        let text = "/restapi/v1.0/account/~/presence";
        let filter = EventFilter::parse(text, admin.account, admin.id).expect("a filter");
        let code = |admin: &Person, scopes| {
            let permitted = permit(&filter, admin, scopes, None);
            permitted.err().map(|problem| problem.code.name())
        };
        assert_eq!(code(&admin, Scopes::all()), Some("SUB-412"));
        admin.admin = true;
        assert_eq!(code(&admin, Scopes::all()), None);
        let messaging = [Scope::TeamMessaging].into_iter().collect();
        assert_eq!(code(&admin, messaging), Some("CMN-401"));
    }
}
