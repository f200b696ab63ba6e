//! What runs in the background, in the order in which one needs the other.

use std::sync::Arc;
use std::time::Duration;

use hookyard_delivery::{Dispatcher, Jobs, Lifecycle, Notices, Purger};
use hookyard_domain::kernel::component::{Component, Stage};

use super::ground::Ground;
use super::outbound::Outbound;

/// How long what is under way may take when the server stops: sends above all.
const FINISHES_MAX: Duration = Duration::from_secs(10);

/// Begins everything that goes on by itself, with what an earlier run left unfinished.
///
/// # Errors
///
/// When the store cannot be read.
pub(super) async fn start(ground: &Ground, outbound: &Outbound) -> anyhow::Result<()> {
    let ports = &ground.ports;
    let begin = |components: Vec<Arc<dyn Component>>| {
        ground.components.add(Stage {
            components,
            patience: FINISHES_MAX,
        });
    };
    let handshake = Arc::clone(&outbound.handshake);
    let heals = ground.config.subscriptions.heal;
    let lifecycle = Lifecycle::start(ports, handshake, heals).await?;
    let health = lifecycle.health();
    begin(vec![Arc::new(lifecycle)]);

    let transport = Arc::clone(&outbound.transport);
    let dispatcher = Dispatcher::start(ports, transport, health).await?;
    begin(vec![Arc::new(dispatcher)]);

    let jobs = Jobs::start(ports).await?;
    let purger = Purger::start(ports, ground.config.retention.settings()).await?;
    begin(vec![Arc::new(jobs), Arc::new(purger)]);

    if let Some(mail) = &outbound.mail {
        let mail = Arc::clone(mail) as _;
        let notices = Notices::start(ports, mail, ground.public_url.clone()).await?;
        begin(vec![Arc::new(notices)]);
    }
    Ok(())
}
