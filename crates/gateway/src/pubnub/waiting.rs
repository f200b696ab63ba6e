//! Polls that are held until something is committed for their account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::AccountId;
use hookyard_domain::kernel::limits::POLLS_MAX;
use tokio::sync::watch;

/// Counts the commits of an account.
type Commits = watch::Sender<u64>;

/// A count that no account reaches: there will be no commit any more.
const CLOSED: u64 = u64::MAX;

/// Who waits, by account.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    accounts: Mutex<Accounts>,
}

#[derive(Debug, Default)]
struct Accounts {
    by_id: HashMap<AccountId, Arc<Commits>>,
    polls: usize,
    closed: bool,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place to wait in; `None` when there are too many.
    pub(super) fn enter(&self, account: AccountId) -> Option<Place<'_>> {
        let mut accounts = self.lock();
        if accounts.polls >= POLLS_MAX || accounts.closed {
            return None;
        }
        accounts.polls += 1;
        let commits = accounts
            .by_id
            .entry(account)
            .or_insert_with(|| Arc::new(watch::Sender::new(0)));
        Some(Place {
            commits: Arc::clone(commits),
            account,
            waiting: self,
        })
    }

    /// Something was committed for `account`.
    pub(super) fn tell(&self, account: AccountId) {
        if let Some(commits) = self.lock().by_id.get(&account) {
            commits.send_modify(|count| *count += 1);
        }
    }

    /// Something was committed, for whomever.
    pub(super) fn tell_all(&self) {
        for commits in self.lock().by_id.values() {
            commits.send_modify(|count| *count += 1);
        }
    }

    /// Ends all waiting.
    pub(super) fn close(&self) {
        let mut accounts = self.lock();
        accounts.closed = true;
        for commits in accounts.by_id.values() {
            commits.send_replace(CLOSED);
        }
    }

    /// Whether all waiting has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How many wait.
    pub(super) fn polls(&self) -> usize {
        self.lock().polls
    }
}

/// A poll's place; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Place<'a> {
    commits: Arc<Commits>,
    account: AccountId,
    waiting: &'a Waiting,
}

impl Place<'_> {
    /// Waits for the next commit from now on, now being when this is called. False when there will
    /// be none.
    pub(super) fn next_commit(&self) -> impl Future<Output = bool> + Send + use<> {
        let mut commits = self.commits.subscribe();
        let seen = *commits.borrow_and_update();
        async move {
            let count = commits.wait_for(|count| *count != seen).await;
            count.is_ok_and(|count| *count != CLOSED)
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut accounts = self.waiting.lock();
        accounts.polls -= 1;
        // The map's and ours: nobody else waits for this account.
        if Arc::strong_count(&self.commits) <= 2 {
            accounts.by_id.remove(&self.account);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_commits_of_the_account_wake() {
        let waiting = Waiting::default();
        let place = waiting.enter(AccountId(1)).expect("room");
        let commit = place.next_commit();
        waiting.tell(AccountId(2));
        waiting.tell(AccountId(1));
        assert!(commit.await);
        drop(place);
        assert_eq!(waiting.polls(), 0);
        assert!(waiting.lock().by_id.is_empty());
    }

    #[tokio::test]
    async fn closing_ends_all_waiting() {
        let waiting = Waiting::default();
        let place = waiting.enter(AccountId(1)).expect("room");
        let commit = place.next_commit();
        waiting.close();
        assert!(!commit.await);
        assert!(waiting.enter(AccountId(1)).is_none());
    }

    #[test]
    fn places_are_bounded_and_given_back() {
        let waiting = Waiting::default();
        let mut places: Vec<_> = (0..POLLS_MAX)
            .map(|number| waiting.enter(AccountId(number as u64 % 7)).expect("room"))
            .collect();
        assert!(waiting.enter(AccountId(1)).is_none());
        places.pop();
        assert!(waiting.enter(AccountId(1)).is_some());
    }
}
