//! The verification tokens of apps, which their subscriptions present that have none of their own.
//!
//! They are looked up when an attempt is made, so a token that was replaced is not sent again, and
//! no subscription is written because of it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use hookyard_domain::kernel::news::{News, NewsItem};
use hookyard_domain::kernel::ports::{Apps, CommitListener, StoreError};
use hookyard_domain::{ClientId, Secret};

/// What every app presents that has a token; follows commits.
#[derive(Debug, Default)]
pub struct AppTokens {
    tokens: RwLock<HashMap<ClientId, Secret>>,
}

impl AppTokens {
    /// Reads what the store holds. Listen to commits first: what is read never takes the place of
    /// what was heard.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn start(&self, store: &dyn Apps) -> Result<(), StoreError> {
        let read = store.verification_tokens().await?;
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        for (client_id, token) in read {
            tokens.entry(client_id).or_insert(token);
        }
        Ok(())
    }

    /// The token of an app.
    pub fn of(&self, client_id: &ClientId) -> Option<Secret> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        tokens.get(client_id).cloned()
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
            let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
            match token {
                Some(kept) => tokens.insert(client_id.clone(), kept.secret.clone()),
                None => tokens.remove(client_id),
            };
        }
    }
}
