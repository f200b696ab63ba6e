//! The verification tokens of apps, which their subscriptions present that have none of their own.
//!
//! They are looked up when an attempt is made, so a token that was replaced is not sent again, and
//! no subscription is written because of it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};

use hookyard_domain::kernel::component::Ports;
use hookyard_domain::kernel::news::{News, NewsItem};
use hookyard_domain::kernel::ports::{CommitListener, StoreError};
use hookyard_domain::{ClientId, Secret};

/// What every app presents that has a token; follows commits.
#[derive(Debug, Default)]
pub struct AppTokens {
    /// Of an app that was heard of before all were read also that it has none: what is read later
    /// may be older.
    tokens: RwLock<HashMap<ClientId, Option<Secret>>>,
}

impl AppTokens {
    /// Follows commits, and reads what the store holds.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(ports: &Ports) -> Result<Arc<Self>, StoreError> {
        let known = Arc::new(Self::default());
        ports.feed.follow(Arc::new(Arc::downgrade(&known)));
        let read = ports.store.verification_tokens().await?;
        known.take_up(read);
        Ok(known)
    }

    fn lock(&self) -> RwLockWriteGuard<'_, HashMap<ClientId, Option<Secret>>> {
        self.tokens.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what was read, where nothing newer was heard.
    fn take_up(&self, read: HashMap<ClientId, Secret>) {
        let mut tokens = self.lock();
        for (client_id, token) in read {
            tokens.entry(client_id).or_insert(Some(token));
        }
    }

    /// The token of an app.
    pub fn of(&self, client_id: &ClientId) -> Option<Secret> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(client_id).cloned().flatten()
    }
}

impl CommitListener for AppTokens {
    fn committed(&self, news: &News) {
        for item in news {
            let (client_id, token) = match item {
                NewsItem::App(app) => (&app.client_id, app.verification_token.as_ref()),
                NewsItem::AppEnded(client_id) => (client_id, None),
                _ => continue,
            };
            let token = token.map(|kept| kept.secret.clone());
            self.lock().insert(client_id.clone(), token);
        }
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::{AccountId, App, KeptSecret, Timestamp};

    use super::*;

    fn app(token: Option<&str>) -> NewsItem {
        let client_id = ClientId("billing".to_owned());
        let now = Timestamp::from_millis(1);
        let mut app = App::supplied(AccountId(1), client_id, "Billing", None, now);
        app.verification_token = token.map(|token| KeptSecret {
            secret: Secret::new(token),
            created_at: now,
        });
        NewsItem::App(Arc::new(app))
    }

    #[test]
    fn what_is_read_takes_the_place_of_nothing_that_was_heard() {
        let client_id = ClientId("billing".to_owned());
        let read = || HashMap::from([(client_id.clone(), Secret::new("former"))]);
        let told = |items: Vec<NewsItem>| {
            let known = AppTokens::default();
            known.committed(&items.into_iter().collect());
            known.take_up(read());
            known.of(&client_id).map(|token| token.reveal().to_owned())
        };
        assert_eq!(told(Vec::new()).as_deref(), Some("former"));
        assert_eq!(told(vec![app(Some("newer"))]).as_deref(), Some("newer"));
        assert_eq!(told(vec![app(None)]), None);
        let ended = NewsItem::AppEnded(client_id.clone());
        assert_eq!(told(vec![app(Some("newer")), ended]), None);
    }
}
