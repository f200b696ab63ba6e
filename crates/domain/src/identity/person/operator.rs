//! Operators: persons who look after the whole installation, which is all accounts. An administrator
//! of one account never sees a figure that other accounts move.

use async_trait::async_trait;

use super::directory::DirectoryError;
use super::{Person, PersonKind, PersonWrite};
use crate::kernel::change::{Change, Guard, Set};
use crate::kernel::ids::PersonId;
use crate::kernel::limits::OPERATORS_MAX;
use crate::kernel::ports::StoreError;
use crate::kernel::time::Timestamp;

impl Person {
    /// Makes them an operator. `by` is one, or nobody: then it is done beside the API, by who has
    /// the data directory.
    ///
    /// # Errors
    ///
    /// When `by` is no operator, when this is not somebody who can sign in, or when there are as many
    /// as there may be. Bots cannot be operators: their credentials are in the hands of their
    /// account's administrators.
    pub fn make_operator(
        &self,
        by: Option<&Self>,
        operators: usize,
        now: Timestamp,
    ) -> Result<(Change, Self), DirectoryError> {
        check_operator(by)?;
        if self.kind != PersonKind::User || !self.is_enabled() {
            return Err(DirectoryError::NotAPerson);
        }
        let (change, next) = self.with_operator(true, by, now);
        if change.is_empty() {
            return Ok((change, next));
        }
        if operators >= OPERATORS_MAX as usize {
            return Err(DirectoryError::TooManyOperators);
        }
        let of = Set::Operators;
        let max = OPERATORS_MAX;
        Ok((change.given(Guard::Room { of, max }), next))
    }

    /// Takes the right away again, or gives it up; but somebody must keep it.
    ///
    /// # Errors
    ///
    /// When `by` is no operator, or this is the last of `operators`.
    pub fn unmake_operator(
        &self,
        by: &Self,
        operators: usize,
        now: Timestamp,
    ) -> Result<(Change, Self), DirectoryError> {
        check_operator(Some(by))?;
        let (change, next) = self.with_operator(false, Some(by), now);
        if change.is_empty() {
            return Ok((change, next));
        }
        if operators <= 1 {
            return Err(DirectoryError::LastOperator);
        }
        Ok((change.given(Guard::ANOTHER_OPERATOR), next))
    }

    fn with_operator(&self, operator: bool, by: Option<&Self>, now: Timestamp) -> (Change, Self) {
        if self.operator == operator {
            return (Change::default(), self.clone());
        }
        let next = Self {
            operator,
            modified_at: now,
            version: self.version + 1,
            ..self.clone()
        };
        let mut change = Change::of(PersonWrite::Put(next.clone())).given(self.unchanged());
        if let Some(by) = by.filter(|by| by.id != self.id) {
            change = change.given(by.unchanged());
        }
        (change, next)
    }
}

fn check_operator(by: Option<&Person>) -> Result<(), DirectoryError> {
    match by {
        Some(by) if !by.operator => Err(DirectoryError::NotAnOperator),
        _ => Ok(()),
    }
}

/// What only those read who look after all accounts.
#[async_trait]
pub trait Operators: Send + Sync {
    /// The operators of the installation, oldest first.
    async fn operators(&self) -> Result<Vec<Person>, StoreError>;
    /// A person of any account.
    async fn anybody(&self, person: PersonId) -> Result<Option<Person>, StoreError>;
    /// Persons of all accounts with an e-mail address, `limit` at most. Case does not matter.
    async fn anybody_at(&self, email: &str, limit: u32) -> Result<Vec<Person>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::person::PersonStatus;
    use crate::identity::person::directory::PersonPatch;
    use crate::identity::secret::Secret;
    use crate::kernel::change::Write;
    use crate::kernel::ids::{AccountId, IdSequence};
    use crate::messaging::Act;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn person(id: u64, account: u64) -> Person {
        Person {
            account: AccountId(account),
            id: PersonId(id),
            kind: PersonKind::User,
            first_name: "Ann".to_owned(),
            last_name: "Other".to_owned(),
            email: None,
            extension_number: None,
            admin: true,
            operator: false,
            status: PersonStatus::Enabled,
            created_at: NOW,
            modified_at: NOW,
            version: 3,
        }
    }

    fn operator(id: u64) -> Person {
        Person {
            operator: true,
            ..person(id, 1)
        }
    }

    fn put(change: &Change) -> &Person {
        let Some(Write::Person(PersonWrite::Put(person))) = change.writes.first() else {
            panic!("a person is written first: {change:?}");
        };
        person
    }

    #[test]
    fn an_operator_makes_another_of_any_account() {
        let (by, other) = (operator(1), person(2, 7));
        let (change, next) = other.make_operator(Some(&by), 1, NOW).unwrap();
        assert!(next.operator && put(&change) == &next && next.version == 4);
        let room = Guard::Room {
            of: Set::Operators,
            max: OPERATORS_MAX,
        };
        assert_eq!(change.guards, [other.unchanged(), by.unchanged(), room]);
        let many = OPERATORS_MAX as usize;
        let refused = other.make_operator(Some(&by), many, NOW).unwrap_err();
        assert_eq!(refused, DirectoryError::TooManyOperators);
        let (again, _) = next.make_operator(Some(&by), many, NOW).unwrap();
        assert!(again.is_empty());
    }

    #[test]
    fn no_administrator_makes_one_and_none_is_made_of_who_cannot_sign_in() {
        let by = person(1, 1);
        let refused = person(2, 1).make_operator(Some(&by), 1, NOW).unwrap_err();
        assert_eq!(refused, DirectoryError::NotAnOperator);
        let refused = operator(2).unmake_operator(&by, 2, NOW).unwrap_err();
        assert_eq!(refused, DirectoryError::NotAnOperator);
        let mut bot = person(2, 1);
        bot.kind = PersonKind::Bot;
        let mut disabled = person(3, 1);
        disabled.status = PersonStatus::Disabled;
        for nobody in [bot, disabled] {
            let refused = nobody.make_operator(None, 0, NOW).unwrap_err();
            assert_eq!(refused, DirectoryError::NotAPerson);
        }
    }

    #[test]
    fn the_right_goes_only_while_somebody_else_has_it() {
        let by = operator(1);
        for other in [operator(1), operator(2)] {
            let (change, next) = other.unmake_operator(&by, 2, NOW).unwrap();
            assert!(!next.operator && !put(&change).operator);
            assert!(change.guards.contains(&Guard::ANOTHER_OPERATOR));
        }
        let refused = by.unmake_operator(&by, 1, NOW).unwrap_err();
        assert_eq!(refused, DirectoryError::LastOperator);
        let (change, _) = person(2, 1).unmake_operator(&by, 1, NOW).unwrap();
        assert!(change.is_empty());
    }

    /// Who could give an operator a new password could sign in as one.
    #[test]
    fn administrators_who_are_no_operators_do_not_change_one() {
        let (admin, target) = (person(1, 1), operator(2));
        let ids = IdSequence::starting_after(1 << 52);
        let act = Act {
            account: AccountId(1),
            person: admin.id,
            now: NOW,
            ids: &ids,
        };
        let patch = PersonPatch {
            email: Some("mine@example.com".to_owned()),
            ..PersonPatch::default()
        };
        let refusals = [
            target.patch(&act, &admin, patch).map(drop),
            target.disable(&act, &admin).map(drop),
            target.erase(&act, &admin).map(drop),
            target
                .reset_password(&act, &admin, Secret::new("hash"))
                .map(drop),
        ];
        for refused in refusals {
            assert_eq!(refused, Err(DirectoryError::NotAnOperator));
        }
        let by = operator(1);
        let (change, next) = target.disable(&act, &by).unwrap();
        assert!(!next.is_enabled() && !put(&change).operator);
        assert!(change.guards.contains(&Guard::ANOTHER_OPERATOR));
    }
}
