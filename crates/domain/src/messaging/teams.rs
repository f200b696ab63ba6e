//! Teams: named chats that people join, leave, rename and archive.

use crate::events::event::Audience;
use crate::kernel::change::{Change, Guard};
use crate::kernel::ids::{ChatId, PersonId, PostId};
use crate::kernel::limits::{TEAM_DESCRIPTION_CHARS_MAX, TEAM_NAME_CHARS_MAX};
use crate::messaging::chat::{Chat, ChatEventType, ChatKind, ChatStatus, ChatWrite};
use crate::messaging::post::{Post, PostContent, PostEventType, PostKind, PostWrite};
use crate::messaging::{Act, chat_event, persons, post_event, sorted};

/// Why a team cannot be changed as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TeamError {
    #[error("the name is empty or too long")]
    BadName,
    #[error("the description is too long")]
    DescriptionTooLong,
    #[error("only a team's admins may do this")]
    NotAnAdmin,
    #[error("the team is archived")]
    Archived,
}

/// What a new team is made of.
#[derive(Debug, Clone, Default)]
pub struct NewTeam {
    pub name: String,
    pub description: Option<String>,
    pub public: bool,
    /// Others; whoever makes the team is in it anyway.
    pub members: Vec<PersonId>,
}

/// What to change about a team; absent parts stay.
#[derive(Debug, Clone, Default)]
pub struct TeamPatch {
    pub name: Option<String>,
    pub description: Option<String>,
    pub public: Option<bool>,
}

pub(super) fn check_name(name: &str) -> Result<(), TeamError> {
    let fits = !name.trim().is_empty() && name.chars().count() <= TEAM_NAME_CHARS_MAX;
    fits.then_some(()).ok_or(TeamError::BadName)
}

pub(super) fn check_description(description: &str) -> Result<(), TeamError> {
    let fits = description.chars().count() <= TEAM_DESCRIPTION_CHARS_MAX;
    fits.then_some(()).ok_or(TeamError::DescriptionTooLong)
}

/// The chat's next version, and the guard that nobody else makes it.
pub(crate) fn next_version(act: &Act<'_>, chat: &Chat) -> (Chat, Guard) {
    let guard = Guard::version(chat.account, chat.id, chat.version);
    let next = Chat {
        version: chat.version + 1,
        modified_at: act.now,
        ..chat.clone()
    };
    (next, guard)
}

fn members_of(chat: &Chat) -> Audience {
    Audience::ChatMembers(chat.id)
}

impl Chat {
    /// Makes a team; its maker is its first admin. Everyone in it is told that they joined.
    pub fn create_team(act: &Act<'_>, new: NewTeam) -> Result<(Change, Self), TeamError> {
        check_name(&new.name)?;
        check_description(new.description.as_deref().unwrap_or_default())?;
        let mut members = new.members;
        members.push(act.person);
        let team = Self {
            account: act.account,
            id: ChatId(act.next_id()),
            kind: ChatKind::Team,
            name: Some(new.name),
            description: new.description,
            public: new.public,
            status: ChatStatus::Active,
            members: sorted(members),
            admins: vec![act.person],
            created_at: act.now,
            modified_at: act.now,
            version: 1,
        };
        let joined = chat_event(
            act,
            &team,
            ChatEventType::GroupJoined,
            persons(&team.members),
        );
        let change = Change::of(ChatWrite::Put(team.clone())).announcing(joined);
        Ok((change, team))
    }

    fn check_admin(&self, act: &Act<'_>) -> Result<(), TeamError> {
        let admin = self.has_admin(act.person);
        admin.then_some(()).ok_or(TeamError::NotAnAdmin)
    }

    fn check_active(&self) -> Result<(), TeamError> {
        match self.status {
            ChatStatus::Active => Ok(()),
            ChatStatus::Archived => Err(TeamError::Archived),
        }
    }

    /// Changes name, description or privacy; nothing when all is as asked already.
    pub fn patch_team(&self, act: &Act<'_>, patch: TeamPatch) -> Result<(Change, Self), TeamError> {
        self.check_admin(act)?;
        self.check_active()?;
        if let Some(name) = &patch.name {
            check_name(name)?;
        }
        if let Some(description) = &patch.description {
            check_description(description)?;
        }
        let (mut next, guard) = next_version(act, self);
        next.name = patch.name.or(next.name);
        next.description = patch.description.or(next.description);
        next.public = patch.public.unwrap_or(next.public);
        let renamed = (&next.name, &next.description) != (&self.name, &self.description);
        let opened = next.public != self.public;
        if !renamed && !opened {
            return Ok((Change::default(), self.clone()));
        }
        let mut change = Change::of(ChatWrite::Put(next.clone())).given(guard);
        for (happened, event_type) in [
            (renamed, ChatEventType::GroupRenamed),
            (opened, ChatEventType::GroupChanged),
        ] {
            if happened {
                change = change.announcing(chat_event(act, &next, event_type, members_of(&next)));
            }
        }
        Ok((change, next))
    }

    /// Deletes the team with all that is in it. Who was in it is told that they left.
    pub fn delete_team(&self, act: &Act<'_>) -> Result<Change, TeamError> {
        self.check_admin(act)?;
        let (_, guard) = next_version(act, self);
        let left = chat_event(act, self, ChatEventType::GroupLeft, persons(&self.members));
        let delete = ChatWrite::Delete {
            account: self.account,
            chat: self.id,
        };
        Ok(Change::of(delete).given(guard).announcing(left))
    }

    /// Joins a public team. `None` for who is in it already.
    pub fn join_team(&self, act: &Act<'_>) -> Result<Option<Change>, TeamError> {
        self.check_active()?;
        if self.has_member(act.person) {
            return Ok(None);
        }
        let joined = vec![act.person];
        Ok(Some(self.taking_in(act, &joined, PostKind::PersonJoined)))
    }

    /// Leaves the team. `None` for who is not in it.
    pub fn leave_team(&self, act: &Act<'_>) -> Result<Option<Change>, TeamError> {
        self.check_active()?;
        if !self.has_member(act.person) {
            return Ok(None);
        }
        Ok(Some(self.letting_go(
            act,
            &[act.person],
            PostKind::PersonLeft,
        )))
    }

    /// Adds persons; those who are in the team already are passed over.
    pub fn add_to_team(&self, act: &Act<'_>, added: Vec<PersonId>) -> Result<Change, TeamError> {
        self.check_admin(act)?;
        self.check_active()?;
        let mut added = sorted(added);
        added.retain(|person| !self.has_member(*person));
        if added.is_empty() {
            return Ok(Change::default());
        }
        Ok(self.taking_in(act, &added, PostKind::PersonsAdded))
    }

    /// Removes persons; those who are not in the team are passed over.
    pub fn remove_from_team(
        &self,
        act: &Act<'_>,
        removed: Vec<PersonId>,
    ) -> Result<Change, TeamError> {
        self.check_admin(act)?;
        self.check_active()?;
        let mut removed = sorted(removed);
        removed.retain(|person| self.has_member(*person));
        if removed.is_empty() {
            return Ok(Change::default());
        }
        Ok(self.letting_go(act, &removed, PostKind::PersonsRemoved))
    }

    /// Archives or reopens the team. `None` when it is in that state already.
    pub fn set_team_status(
        &self,
        act: &Act<'_>,
        status: ChatStatus,
    ) -> Result<Option<Change>, TeamError> {
        self.check_admin(act)?;
        if self.status == status {
            return Ok(None);
        }
        let (mut next, guard) = next_version(act, self);
        next.status = status;
        let changed = chat_event(act, &next, ChatEventType::GroupChanged, members_of(&next));
        let change = Change::of(ChatWrite::Put(next))
            .given(guard)
            .announcing(changed);
        Ok(Some(change))
    }

    fn taking_in(&self, act: &Act<'_>, joined: &[PersonId], kind: PostKind) -> Change {
        let (mut next, guard) = next_version(act, self);
        next.members.extend_from_slice(joined);
        next.members = sorted(next.members);
        let told = chat_event(act, &next, ChatEventType::GroupJoined, persons(joined));
        let changed = chat_event(act, &next, ChatEventType::GroupChanged, members_of(&next));
        let change = Change::of(ChatWrite::Put(next))
            .given(guard)
            .announcing(told)
            .announcing(changed);
        self.with_notice(act, change, kind, joined)
    }

    fn letting_go(&self, act: &Act<'_>, left: &[PersonId], kind: PostKind) -> Change {
        let (mut next, guard) = next_version(act, self);
        next.members.retain(|person| !left.contains(person));
        next.admins.retain(|person| !left.contains(person));
        if next.admins.is_empty() {
            // A team without an admin could never be changed again.
            next.admins = next.members.first().copied().into_iter().collect();
        }
        let told = chat_event(act, &next, ChatEventType::GroupLeft, persons(left));
        let changed = chat_event(act, &next, ChatEventType::GroupChanged, members_of(&next));
        let change = Change::of(ChatWrite::Put(next))
            .given(guard)
            .announcing(told)
            .announcing(changed);
        self.with_notice(act, change, kind, left)
    }

    /// Adds the post by which the others read who came or went.
    fn with_notice(
        &self,
        act: &Act<'_>,
        change: Change,
        kind: PostKind,
        persons: &[PersonId],
    ) -> Change {
        let person_ids = match kind {
            PostKind::PersonsAdded | PostKind::PersonsRemoved => persons.to_vec(),
            PostKind::TextMessage | PostKind::PersonJoined | PostKind::PersonLeft => Vec::new(),
        };
        let post = Post {
            account: self.account,
            chat: self.id,
            id: PostId(act.next_id()),
            kind,
            creator: act.person,
            content: PostContent {
                person_ids,
                ..PostContent::default()
            },
            request: None,
            created_at: act.now,
            modified_at: act.now,
            version: 1,
        };
        let added = post_event(&post, PostEventType::PostAdded, act.now);
        change.and(PostWrite::Put(post)).announcing(added)
    }
}
