//! Who may learn, as things are now, of an event that was committed before.

use std::sync::Arc;

use hookyard_domain::kernel::ports::{Store, StoreError};
use hookyard_domain::{Audience, Event, PersonId, Subscription};

/// The recipients of `event` as far as they matter to `subscription`, ascending; `None` when the
/// event was for one subscription alone, at its time: a reminder of an end that has passed, a test.
pub(crate) async fn recipients_now(
    store: &Arc<dyn Store>,
    subscription: &Subscription,
    event: &Event,
) -> Result<Option<Vec<PersonId>>, StoreError> {
    let recipients = match &event.audience {
        Audience::ChatMembers(chat) => {
            let chat = store.chat(subscription.account, *chat).await?;
            let member = chat.is_some_and(|chat| chat.has_member(subscription.owner));
            member.then_some(subscription.owner).into_iter().collect()
        }
        Audience::Persons(persons) => {
            let mut ascending = persons.to_vec();
            ascending.sort_unstable();
            ascending
        }
        Audience::Account => Vec::new(),
        Audience::Subscription(_) => return Ok(None),
    };
    Ok(Some(recipients))
}
