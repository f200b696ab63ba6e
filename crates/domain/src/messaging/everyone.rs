//! The chat of all persons of an account.

use crate::events::event::Audience;
use crate::kernel::change::Change;
use crate::messaging::chat::{Chat, ChatEventType, ChatWrite};
use crate::messaging::teams::{TeamError, check_description, check_name, next_version};
use crate::messaging::{Act, chat_event};

impl Chat {
    /// Renames the Everyone chat. Whether the person may is for the caller to know: it takes an
    /// admin of the account.
    pub fn patch_everyone(
        &self,
        act: &Act<'_>,
        name: Option<String>,
        description: Option<String>,
    ) -> Result<(Change, Self), TeamError> {
        if let Some(name) = &name {
            check_name(name)?;
        }
        if let Some(description) = &description {
            check_description(description)?;
        }
        let (mut next, guard) = next_version(act, self);
        next.name = name.or(next.name);
        next.description = description.or(next.description);
        if (&next.name, &next.description) == (&self.name, &self.description) {
            return Ok((Change::default(), self.clone()));
        }
        let members = Audience::ChatMembers(next.id);
        let renamed = chat_event(act, &next, ChatEventType::GroupRenamed, members);
        let change = Change::of(ChatWrite::Put(next.clone()))
            .given(guard)
            .announcing(renamed);
        Ok((change, next))
    }
}
