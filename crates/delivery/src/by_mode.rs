//! Chooses the transport by the subscription's mode.

use std::sync::Arc;

use async_trait::async_trait;
use hookyard_domain::{DeliveryMode, Timings, UnreachableReason};

use crate::transport::{Attempted, Connection, Sending, Transport};

/// Webhooks by one transport, push services by another.
#[derive(Debug)]
pub struct ByMode {
    webhooks: Arc<dyn Transport>,
    push: Arc<dyn Transport>,
}

impl ByMode {
    /// Sends by these.
    pub fn new(webhooks: Arc<dyn Transport>, push: Arc<dyn Transport>) -> Self {
        Self { webhooks, push }
    }
}

impl Transport for ByMode {
    fn connection(&self) -> Box<dyn Connection> {
        Box::new(ByModeConnection {
            webhooks: Arc::clone(&self.webhooks),
            push: Arc::clone(&self.push),
            chosen: None,
        })
    }
}

/// A worker serves one subscription, so the first choice stands.
#[derive(Debug)]
struct ByModeConnection {
    webhooks: Arc<dyn Transport>,
    push: Arc<dyn Transport>,
    chosen: Option<Box<dyn Connection>>,
}

#[async_trait]
impl Connection for ByModeConnection {
    async fn send(&mut self, sending: &Sending<'_>) -> Option<Attempted> {
        let transport = match sending.subscription.mode {
            DeliveryMode::WebHook { .. } => &self.webhooks,
            DeliveryMode::Push { .. } => &self.push,
            // Their subscribers fetch what they want.
            DeliveryMode::WebSocket { .. } | DeliveryMode::PubNub { .. } => {
                let reason = UnreachableReason::Forbidden;
                return Some(Attempted::unreachable(reason, Timings::default()));
            }
        };
        let connection = self.chosen.get_or_insert_with(|| transport.connection());
        connection.send(sending).await
    }
}
