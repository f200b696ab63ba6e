//! Lists of people in requests: `{"id": …}` or `{"email": …}`.

use hookyard_domain::kernel::limits::MEMBERS_PER_CALL_MAX;
use hookyard_domain::{Person, PersonId, PersonKind, Problem};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::Api;
use crate::identity::caller::Caller;
use crate::kernel::problem::ApiResult;
use crate::operations::wire::AskedId;

/// One person, by id or by e-mail address.
#[derive(Debug, Deserialize, JsonSchema)]
pub(crate) struct MemberRef {
    #[schemars(with = "Option<AskedId>")]
    id: Option<PersonId>,
    email: Option<String>,
}

impl Api {
    /// The persons that `members` names. Somebody outside the account is nobody.
    pub(crate) async fn members(
        &self,
        caller: &Caller,
        members: &[MemberRef],
    ) -> ApiResult<Vec<PersonId>> {
        if members.len() > MEMBERS_PER_CALL_MAX {
            return Err(Problem::invalid("members").into());
        }
        let mut found = Vec::with_capacity(members.len());
        for (place, member) in members.iter().enumerate() {
            let (field, person) = self.member(caller, member).await?;
            let person = person
                .filter(|person| person.kind != PersonKind::Integration)
                .ok_or_else(|| Problem::invalid(format!("members[{place}].{field}")))?;
            found.push(person.id);
        }
        Ok(found)
    }

    async fn member(
        &self,
        caller: &Caller,
        member: &MemberRef,
    ) -> ApiResult<(&'static str, Option<Person>)> {
        Ok(match (member.id, &member.email) {
            (Some(id), _) => ("id", self.store.person(caller.account, id).await?),
            (None, Some(email)) => {
                let found = self.store.person_by_email(caller.account, email.trim());
                ("email", found.await?)
            }
            (None, None) => ("id", None),
        })
    }
}
