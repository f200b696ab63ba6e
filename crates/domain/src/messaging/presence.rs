//! Whether a person is there and wants to be called. There is no telephony here, so what is shown
//! of calls is always that there are none.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::events::event::{Audience, Event, EventKind};
use crate::identity::person::Person;
use crate::kernel::change::{Change, Guard, Object};
use crate::kernel::ids::{AccountId, EventId, PersonId};
use crate::kernel::limits::PRESENCE_MESSAGE_CHARS_MAX;
use crate::kernel::ports::{Slice, StoreError};
use crate::kernel::time::Timestamp;
use crate::messaging::json;

/// What a person says about being there; also what is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum UserStatus {
    Offline,
    Busy,
    #[default]
    Available,
}

impl UserStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Offline, Self::Busy, Self::Available];

    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offline => "Offline",
            Self::Busy => "Busy",
            Self::Available => "Available",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// Which calls a person takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum DndStatus {
    #[default]
    TakeAllCalls,
    DoNotAcceptAnyCalls,
    DoNotAcceptDepartmentCalls,
    TakeDepartmentCallsOnly,
}

impl DndStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [
        Self::TakeAllCalls,
        Self::DoNotAcceptAnyCalls,
        Self::DoNotAcceptDepartmentCalls,
        Self::TakeDepartmentCallsOnly,
    ];

    /// Name on the wire and in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TakeAllCalls => "TakeAllCalls",
            Self::DoNotAcceptAnyCalls => "DoNotAcceptAnyCalls",
            Self::DoNotAcceptDepartmentCalls => "DoNotAcceptDepartmentCalls",
            Self::TakeDepartmentCallsOnly => "TakeDepartmentCallsOnly",
        }
    }

    /// The status with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }

    /// The status that takes these two sorts of calls: newer clients set each by itself.
    pub const fn taking(personal: bool, queues: bool) -> Self {
        match (personal, queues) {
            (true, true) => Self::TakeAllCalls,
            (true, false) => Self::DoNotAcceptDepartmentCalls,
            (false, true) => Self::TakeDepartmentCallsOnly,
            (false, false) => Self::DoNotAcceptAnyCalls,
        }
    }

    /// Whether calls to the person's own number are taken.
    pub const fn takes_personal_calls(self) -> bool {
        matches!(self, Self::TakeAllCalls | Self::DoNotAcceptDepartmentCalls)
    }

    /// Whether calls to a queue that the person is in are taken.
    pub const fn takes_queue_calls(self) -> bool {
        matches!(self, Self::TakeAllCalls | Self::TakeDepartmentCallsOnly)
    }
}

/// A person's presence. Who has never set one has the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    pub account: AccountId,
    pub person: PersonId,
    pub user_status: UserStatus,
    pub dnd_status: DndStatus,
    /// What the person says about it, such as where they are.
    pub message: Option<String>,
    /// Whether others of the account may see it.
    pub visible: bool,
    pub ring_on_monitored_call: bool,
    pub pick_up_calls_on_hold: bool,
    /// Counts the changes; 0 until the first.
    pub sequence: u64,
}

/// What to change about a presence; absent parts stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PresencePatch {
    pub user_status: Option<UserStatus>,
    pub dnd_status: Option<DndStatus>,
    /// Empty for none.
    pub message: Option<String>,
    pub visible: Option<bool>,
    pub ring_on_monitored_call: Option<bool>,
    pub pick_up_calls_on_hold: Option<bool>,
}

/// The message about it is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message is too long")]
pub struct MessageTooLong;

impl Presence {
    /// The presence of somebody who has never set one.
    pub fn unset(account: AccountId, person: PersonId) -> Self {
        Self {
            account,
            person,
            user_status: UserStatus::default(),
            dnd_status: DndStatus::default(),
            message: None,
            visible: true,
            ring_on_monitored_call: false,
            pick_up_calls_on_hold: false,
            sequence: 0,
        }
    }

    /// What others are shown: who takes no calls is busy, and who is away is away.
    pub fn shown_status(&self) -> UserStatus {
        match self.user_status {
            UserStatus::Available if self.dnd_status == DndStatus::DoNotAcceptAnyCalls => {
                UserStatus::Busy
            }
            status => status,
        }
    }

    /// Whether `viewer` may see it: a hidden one is for its owner and for administrators, who may
    /// subscribe to the presence of the whole account too.
    pub fn is_visible_to(&self, viewer: &Person) -> bool {
        self.visible || viewer.id == self.person || viewer.admin
    }

    /// Changes it and tells so; nothing when all is as asked already.
    pub fn patch(
        &self,
        patch: PresencePatch,
        now: Timestamp,
    ) -> Result<(Change, Self), MessageTooLong> {
        let message = match patch.message {
            Some(text) if text.chars().count() > PRESENCE_MESSAGE_CHARS_MAX => {
                return Err(MessageTooLong);
            }
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => self.message.clone(),
        };
        let mut next = Self {
            user_status: patch.user_status.unwrap_or(self.user_status),
            dnd_status: patch.dnd_status.unwrap_or(self.dnd_status),
            message,
            visible: patch.visible.unwrap_or(self.visible),
            ring_on_monitored_call: patch
                .ring_on_monitored_call
                .unwrap_or(self.ring_on_monitored_call),
            pick_up_calls_on_hold: patch
                .pick_up_calls_on_hold
                .unwrap_or(self.pick_up_calls_on_hold),
            ..self.clone()
        };
        if next == *self {
            return Ok((Change::default(), next));
        }
        next.sequence += 1;
        let guard = Guard::version(self.account, Object::Presence(self.person), self.sequence);
        let change = Change::of(PresenceWrite::Put(next.clone()))
            .given(guard)
            .announcing(next.event(now));
        Ok((change, next))
    }

    fn event(&self, now: Timestamp) -> Event {
        Event {
            account: self.account,
            id: EventId::PENDING,
            kind: EventKind::Presence,
            event_type: EventKind::Presence.name().into(),
            audience: Audience::Persons([self.person].into()),
            chat: None,
            post: None,
            request: None,
            occurred_at: now,
            body: json(&PresenceEventBody {
                extension_id: self.person,
                state: PresenceState::from(self),
                sequence: self.sequence,
                total_active_calls: 0,
                active_calls: [],
            }),
            confidential: false,
            attributes: None,
        }
    }
}

/// What the API and events tell of a presence.
#[derive(Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "so many does the platform tell"
)]
#[serde(rename_all = "camelCase")]
pub struct PresenceState<'a> {
    pub telephony_status: &'static str,
    pub presence_status: UserStatus,
    pub user_status: UserStatus,
    pub meeting_status: &'static str,
    pub dnd_status: DndStatus,
    pub dnd_status_personal: DndStatus,
    pub accept_call_queue_calls: bool,
    pub message: Option<&'a str>,
    pub allow_see_my_presence: bool,
    pub ring_on_monitored_call: bool,
    pub pick_up_calls_on_hold: bool,
}

impl<'a> From<&'a Presence> for PresenceState<'a> {
    fn from(presence: &'a Presence) -> Self {
        let dnd_status = presence.dnd_status;
        let personal = dnd_status.takes_personal_calls();
        Self {
            telephony_status: "NoCall",
            presence_status: presence.shown_status(),
            user_status: presence.user_status,
            meeting_status: "Disconnected",
            dnd_status,
            dnd_status_personal: DndStatus::taking(personal, personal),
            accept_call_queue_calls: dnd_status.takes_queue_calls(),
            message: presence.message.as_deref(),
            allow_see_my_presence: presence.visible,
            ring_on_monitored_call: presence.ring_on_monitored_call,
            pick_up_calls_on_hold: presence.pick_up_calls_on_hold,
        }
    }
}

/// The body of a presence event. Its calls reach only those who asked for them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PresenceEventBody<'a> {
    extension_id: PersonId,
    #[serde(flatten)]
    state: PresenceState<'a>,
    sequence: u64,
    total_active_calls: u32,
    active_calls: [(); 0],
}

/// What is written of presences.
#[derive(Debug, Clone)]
pub enum PresenceWrite {
    Put(Presence),
}

/// Reads of presences.
#[async_trait]
pub trait Presences: Send + Sync {
    /// The presence of a person; `None` when they have never set one, or are not there.
    async fn presence(
        &self,
        account: AccountId,
        person: PersonId,
    ) -> Result<Option<Presence>, StoreError>;
    /// Enabled persons and their presence in order of their ids, and how many there are in all.
    /// Integrations are left out, and what is hidden from `viewer`, when there is one.
    async fn presences(
        &self,
        account: AccountId,
        viewer: Option<PersonId>,
        slice: Slice,
    ) -> Result<(Vec<(Person, Presence)>, u64), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::person::{PersonKind, PersonStatus};

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn presence() -> Presence {
        Presence::unset(AccountId(9), PersonId(11))
    }

    fn shown(user_status: UserStatus, dnd_status: DndStatus) -> UserStatus {
        Presence {
            user_status,
            dnd_status,
            ..presence()
        }
        .shown_status()
    }

    #[test]
    fn who_takes_no_calls_is_busy_and_who_is_away_is_away() {
        let (available, offline) = (UserStatus::Available, UserStatus::Offline);
        assert_eq!(shown(available, DndStatus::TakeAllCalls), available);
        assert_eq!(
            shown(available, DndStatus::TakeDepartmentCallsOnly),
            available
        );
        assert_eq!(
            shown(available, DndStatus::DoNotAcceptAnyCalls),
            UserStatus::Busy
        );
        assert_eq!(shown(offline, DndStatus::DoNotAcceptAnyCalls), offline);
        assert_eq!(
            shown(UserStatus::Busy, DndStatus::TakeAllCalls),
            UserStatus::Busy
        );
    }

    #[test]
    fn the_two_sorts_of_calls_make_every_status() {
        for status in DndStatus::ALL {
            let (personal, queues) = (status.takes_personal_calls(), status.takes_queue_calls());
            assert_eq!(DndStatus::taking(personal, queues), status);
            assert_eq!(DndStatus::from_name(status.name()), Some(status));
        }
    }

    #[test]
    fn a_change_is_told_with_a_growing_sequence() {
        let patch = PresencePatch {
            user_status: Some(UserStatus::Busy),
            message: Some("In a meeting".to_owned()),
            ..PresencePatch::default()
        };
        let (change, next) = presence().patch(patch.clone(), NOW).unwrap();
        assert_eq!(next.sequence, 1);
        assert_eq!(
            change.guards,
            [Guard::version(
                AccountId(9),
                Object::Presence(PersonId(11)),
                0
            )]
        );
        let event = &change.events[0];
        assert_eq!(event.audience, Audience::Persons([PersonId(11)].into()));
        assert_eq!(
            std::str::from_utf8(&event.body).unwrap(),
            r#"{"extensionId":"11","telephonyStatus":"NoCall","presenceStatus":"Busy","userStatus":"Busy","meetingStatus":"Disconnected","dndStatus":"TakeAllCalls","dndStatusPersonal":"TakeAllCalls","acceptCallQueueCalls":true,"message":"In a meeting","allowSeeMyPresence":true,"ringOnMonitoredCall":false,"pickUpCallsOnHold":false,"sequence":1,"totalActiveCalls":0,"activeCalls":[]}"#
        );
        let (again, same) = next.patch(patch, NOW).unwrap();
        assert!(again.is_empty(), "nothing has changed");
        assert_eq!(same, next);
    }

    #[test]
    fn a_message_has_a_limit_and_an_empty_one_is_none() {
        let patch = |text: &str| PresencePatch {
            message: Some(text.to_owned()),
            ..PresencePatch::default()
        };
        let (_, set) = presence()
            .patch(patch(&"é".repeat(PRESENCE_MESSAGE_CHARS_MAX)), NOW)
            .unwrap();
        let too_long = "é".repeat(PRESENCE_MESSAGE_CHARS_MAX + 1);
        assert_eq!(
            presence().patch(patch(&too_long), NOW).unwrap_err(),
            MessageTooLong
        );
        let (_, cleared) = set.patch(patch(""), NOW).unwrap();
        assert_eq!(cleared.message, None);
    }

    #[test]
    fn a_hidden_presence_is_for_its_owner_and_administrators() {
        let hidden = Presence {
            visible: false,
            ..presence()
        };
        let viewer = |id, admin| Person {
            account: AccountId(9),
            id: PersonId(id),
            kind: PersonKind::User,
            first_name: String::new(),
            last_name: String::new(),
            email: None,
            extension_number: None,
            admin,
            operator: false,
            status: PersonStatus::Enabled,
            created_at: NOW,
            modified_at: NOW,
            version: 1,
        };
        assert!(hidden.is_visible_to(&viewer(11, false)));
        assert!(hidden.is_visible_to(&viewer(12, true)));
        assert!(!hidden.is_visible_to(&viewer(12, false)));
        assert!(presence().is_visible_to(&viewer(12, false)));
    }
}
