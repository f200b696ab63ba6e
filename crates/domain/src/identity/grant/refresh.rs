//! Exchanging refresh tokens: single use, with a grace in which the same exchange may be repeated
//! (contract 1.4). A client whose answer was lost asks again and gets the same tokens, so the
//! exchange is idempotent within it; who comes later replays a token that leaked.

use super::{Grant, Lifetimes, TokenSource, issue};
use crate::identity::app::ClientId;
use crate::identity::session::{Session, SessionWrite, Token, TokenKind};
use crate::kernel::change::{Change, Guard};
use crate::kernel::limits::{REFRESH_GRACE_UNUSED, REFRESH_GRACE_USED};
use crate::kernel::time::Timestamp;

/// What presenting a refresh token leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RefreshDecision {
    /// Current and unused: issue the next generation.
    Issue,
    /// Already exchanged, within its grace: hand out the same next generation again.
    Repeat,
    /// Exchanged too long ago: someone replays it. End the session.
    Replayed,
    Expired,
}

/// A token that is presented for exchange, with its session.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    pub session: &'a Session,
    pub token: &'a Token,
    /// The access token and the refresh token of the next generation, if it was issued.
    pub successors: (Option<&'a Token>, Option<&'a Token>),
}

impl Presented<'_> {
    /// Exchanges it for the tokens of the next generation. No grant for one that is no good. Of two
    /// that race, the second finds the work of the first, and gets the same tokens.
    pub fn exchange(
        self,
        client_id: &ClientId,
        lifetimes: Lifetimes,
        tokens: &dyn TokenSource,
        now: Timestamp,
    ) -> (Change, Option<Grant>) {
        let (session, token) = (self.session, self.token);
        let next = token.generation + 1;
        if token.kind != TokenKind::Refresh || session.client_id != *client_id {
            return (Change::default(), None);
        }
        let (access, refresh) = self.successors;
        let used_at = access.and_then(|access| access.used_at);
        match (refresh_at(token, used_at, now), access) {
            (RefreshDecision::Issue, _) => {
                let (change, grant) = self.issue_next(lifetimes, tokens, now);
                (change, Some(grant))
            }
            (RefreshDecision::Repeat, Some(access)) if session.generation == next => {
                let refresh_expires_at = refresh.map_or(now, |refresh| refresh.expires_at);
                let grant = Grant {
                    session: session.clone(),
                    access: tokens.token(TokenKind::Access, session.id, next),
                    access_expires_in: access.expires_at.since(now).as_secs(),
                    refresh: tokens.token(TokenKind::Refresh, session.id, next),
                    refresh_expires_in: refresh_expires_at.since(now).as_secs(),
                };
                (Change::default(), Some(grant))
            }
            (RefreshDecision::Expired, _) => (Change::default(), None),
            // Somebody holds a token that its owner has left behind long ago: end what it belongs
            // to.
            (RefreshDecision::Repeat | RefreshDecision::Replayed, _) => (session.end(), None),
        }
    }

    fn issue_next(
        self,
        lifetimes: Lifetimes,
        tokens: &dyn TokenSource,
        now: Timestamp,
    ) -> (Change, Grant) {
        let (session, generation) = (self.session, self.token.generation);
        let guard = Guard::version(session.account, session.id, generation);
        let exchanged = Token {
            used_at: Some(now),
            ..self.token.clone()
        };
        let session = Session {
            generation: self.token.generation + 1,
            ..self.session.clone()
        };
        let (issued, grant) = issue(session, lifetimes, tokens, now);
        let mut change = Change::of(SessionWrite::PutToken(exchanged)).given(guard);
        change.append(issued);
        (change, grant)
    }
}

/// Decides what a refresh token may still do at `now`.
///
/// `successor_used_at` is when the access token of the next generation was first used. Until then
/// the old refresh token stays good for an hour after its exchange; from then on, for ten seconds.
fn refresh_at(
    token: &Token,
    successor_used_at: Option<Timestamp>,
    now: Timestamp,
) -> RefreshDecision {
    if token.is_expired(now) {
        return RefreshDecision::Expired;
    }
    let Some(exchanged_at) = token.used_at else {
        return RefreshDecision::Issue;
    };
    let in_grace = match successor_used_at {
        Some(used_at) => now < used_at + REFRESH_GRACE_USED,
        None => now < exchanged_at + REFRESH_GRACE_UNUSED,
    };
    if in_grace {
        RefreshDecision::Repeat
    } else {
        RefreshDecision::Replayed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::grant::tests::{Plain, app, session};
    use crate::identity::secret::TokenHash;
    use crate::kernel::change::Write;
    use crate::kernel::ids::{AccountId, SessionId};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn token(kind: TokenKind, generation: u64, used_at: Option<i64>) -> Token {
        Token {
            account: AccountId(1),
            session: SessionId(1),
            kind,
            hash: TokenHash([0; 32]),
            generation,
            expires_at: at(604_800_000),
            used_at: used_at.map(at),
        }
    }

    fn check(used_at: Option<i64>, successor: Option<i64>, now: i64, expect: RefreshDecision) {
        let presented = token(TokenKind::Refresh, 1, used_at);
        assert_eq!(refresh_at(&presented, successor.map(at), at(now)), expect);
    }

    #[test]
    fn a_refresh_token_is_single_use_with_grace() {
        check(None, None, 1, RefreshDecision::Issue);
        check(Some(0), None, 3_599_999, RefreshDecision::Repeat);
        check(Some(0), None, 3_600_000, RefreshDecision::Replayed);
        check(Some(0), Some(5_000), 14_999, RefreshDecision::Repeat);
        check(Some(0), Some(5_000), 15_000, RefreshDecision::Replayed);
        check(None, None, 604_800_000, RefreshDecision::Expired);
    }

    /// What becomes of a refresh token of generation 1 while the session is at `generation`.
    fn exchange(generation: u64, token: &Token, now: i64) -> (Change, Option<Grant>) {
        let session = Session {
            generation,
            ..session(1)
        };
        let access = self::token(TokenKind::Access, 2, None);
        let refresh = self::token(TokenKind::Refresh, 2, None);
        let issued = generation > 1;
        let presented = Presented {
            session: &session,
            token,
            successors: (issued.then_some(&access), issued.then_some(&refresh)),
        };
        presented.exchange(&app().client_id, Lifetimes::DEFAULT, &Plain, at(now))
    }

    #[test]
    fn an_exchange_and_its_repetition_lead_to_the_same_tokens() {
        let (change, first) = exchange(1, &token(TokenKind::Refresh, 1, None), 0);
        assert!(matches!(
            change.guards[..],
            [Guard::Version { version: 1, .. }]
        ));
        assert_eq!(
            change.writes.len(),
            4,
            "the old token, the session, two tokens"
        );
        let (change, again) = exchange(2, &token(TokenKind::Refresh, 1, Some(0)), 1_000);
        assert!(change.is_empty());
        let (first, again) = (first.unwrap(), again.unwrap());
        assert_eq!((first.access, first.refresh), (again.access, again.refresh));
        assert_eq!(again.session.generation, 2);
    }

    #[test]
    fn a_token_from_long_ago_ends_its_session() {
        let ended = |(change, grant): (Change, Option<Grant>)| {
            grant.is_none()
                && matches!(
                    change.writes[..],
                    [Write::Session(SessionWrite::End { .. })]
                )
        };
        let old = token(TokenKind::Refresh, 1, Some(0));
        assert!(ended(exchange(2, &old, 3_600_000)));
        assert!(ended(exchange(3, &old, 1_000)), "two generations behind");
    }

    #[test]
    fn what_is_no_refresh_token_of_the_app_is_good_for_nothing() {
        let nothing =
            |(change, grant): (Change, Option<Grant>)| change.is_empty() && grant.is_none();
        assert!(nothing(exchange(1, &token(TokenKind::Access, 1, None), 0)));
        assert!(nothing(exchange(
            1,
            &token(TokenKind::Refresh, 1, None),
            604_800_000
        )));
        let (session, token) = (session(1), token(TokenKind::Refresh, 1, None));
        let presented = Presented {
            session: &session,
            token: &token,
            successors: (None, None),
        };
        let other = ClientId("other".to_owned());
        assert!(nothing(presented.exchange(
            &other,
            Lifetimes::DEFAULT,
            &Plain,
            at(0)
        )));
    }
}
