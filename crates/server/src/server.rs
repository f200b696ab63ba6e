//! Wiring: the store, the dispatcher, the live gateway and the API become one running server.
//!
//! It begins in steps, each of which takes what the steps before it made: the ground, the ways out,
//! what runs in the background, who listens live, and last the door. It ends the other way round.

mod background;
mod door;
mod ground;
mod outbound;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use hookyard_api::DevelopmentMode;
use hookyard_delivery::{Letter, Mail as _};
use hookyard_domain::kernel::component::{Components, Stage};
use hookyard_domain::kernel::ports::{Chance, Clock};
use hookyard_store::SqliteStore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::door::Door;
use self::ground::Ground;
use self::outbound::Outbound;
use crate::bootstrap::Welcome;
use crate::chance::OsChance;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::data_dir::DataDir;

/// A running server.
#[derive(Debug)]
pub struct Server {
    public_url: String,
    local_url: String,
    development: DevelopmentMode,
    credentials: PathBuf,
    welcome: Welcome,
    store: Arc<SqliteStore>,
    components: Arc<Components>,
    /// Unlocked when the server is dropped.
    _data_dir: DataDir,
}

impl Server {
    /// Opens the data directory, listens, and continues what an earlier run left unfinished.
    ///
    /// # Errors
    ///
    /// When the directory is in use, the address is taken, or the store cannot be opened.
    pub async fn start(config: Config) -> anyhow::Result<Self> {
        Self::start_with(config, Arc::new(SystemClock), Arc::new(OsChance)).await
    }

    /// The same with another clock and other chance, for tests.
    ///
    /// # Errors
    ///
    /// As for [`Self::start`].
    pub async fn start_with(
        config: Config,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> anyhow::Result<Self> {
        let ground = Ground::open(config, clock, chance).await?;
        let outbound = Outbound::build(&ground).await?;
        let development = outbound.development.clone();
        background::start(&ground, &outbound).await?;
        Door::prepare(&ground, outbound).open(&ground.config, ground.listener);
        ground.data_dir.write_address(&ground.local_url)?;
        Ok(Self {
            public_url: ground.public_url,
            local_url: ground.local_url,
            development,
            credentials: ground.data_dir.credentials(),
            welcome: ground.welcome,
            store: ground.store,
            components: ground.components,
            _data_dir: ground.data_dir,
        })
    }

    /// Where it listens, as a URL without a trailing slash.
    pub fn local_url(&self) -> &str {
        &self.local_url
    }

    /// What the start has to say to whoever started it.
    pub fn greeting(&self) -> String {
        let mut lines = vec![format!("Hookyard is ready on {}", self.local_url)];
        if self.public_url != self.local_url {
            lines.push(format!("The world reaches it as {}", self.public_url));
        }
        if self.public_url.contains("//0.0.0.0") || self.public_url.contains("//[::]") {
            lines.push(
                "No browser reaches that address: set --public-url to what people open, or nobody \
                 can sign in"
                    .into(),
            );
        }
        if self.development.is_on() {
            lines.push(
                "Development mode: subscriptions may use http and addresses on this machine; set \
                 --public-url for production"
                    .into(),
            );
        }
        let first = self.welcome.hook_url.is_some();
        let how = if first { " (signs you in, once)" } else { "" };
        lines.push(format!(
            "\n  Console{how}:\n    {}",
            self.welcome.console_url
        ));
        if let Some(hook_url) = &self.welcome.hook_url {
            lines.push(format!(
                "\n  Post a card, and watch it appear:\n    curl -H 'Content-Type: application/json' \\\n      \
                 -d '{SAMPLE_CARD}' \\\n      {hook_url}"
            ));
        }
        lines.push(format!(
            "\n  Credentials for SDKs and scripts:\n    {}\n",
            self.credentials.display()
        ));
        lines.join("\n") + "\n"
    }

    /// Waits until the store can no longer make data durable.
    pub async fn store_failed(&self) {
        self.store.failed().await;
    }

    /// How everything that runs stands.
    pub fn components(&self) -> &Components {
        &self.components
    }

    /// Stops cleanly: no new requests, those in progress finish, sends in flight are recorded, the
    /// store is closed with nothing in doubt.
    pub async fn stop(self) {
        while let Some(stage) = self.components.pop() {
            stop(stage).await;
        }
    }
}

/// Stops what belongs to one stage, all at once.
async fn stop(stage: Stage) {
    let deadline = Instant::now() + stage.patience;
    let mut stopping = JoinSet::new();
    for component in stage.components {
        stopping.spawn(async move { component.stop(deadline.into_std()).await });
    }
    // One that panics does not keep the others from stopping.
    while stopping.join_next().await.is_some() {}
}

/// What the printed `curl` posts.
const SAMPLE_CARD: &str = r##"{"activity":"Build server","title":"**Build 412** is green","attachments":[{"type":"Card","color":"#2aa876","title":"main: all 128 tests passed","text":"Deployed to *staging* in 4 min 12 s.","fields":[{"title":"Branch","value":"main","style":"Short"},{"title":"Author","value":"Grace","style":"Short"}],"footnote":{"text":"Posted with curl"}}]}"##;

/// Looks at what `config` names outside itself, without starting anything.
///
/// # Errors
///
/// When a push service's key cannot be read or used, or a mail server cannot.
pub fn check(config: &Config) -> anyhow::Result<()> {
    outbound::check(config, &(Arc::new(SystemClock) as _))
}

/// Sends a letter to `address` by the mail server of `config`, to see that it takes them.
///
/// # Errors
///
/// When there is no mail server, or it does not take the letter.
pub async fn try_mail(config: &Config, address: &str) -> anyhow::Result<()> {
    let public_url = config.public_url.as_deref().unwrap_or_default();
    let mail = outbound::mail(config, &outbound::strict_egress(), public_url)?;
    let mail = mail.context("no mail server is set: write a section [smtp]")?;
    let now = SystemClock.now();
    let letter = Letter {
        to: address.to_owned(),
        subject: "Hookyard can send e-mail".to_owned(),
        body: format!(
            "This letter was sent to try the mail server that Hookyard is configured with.\n\
             {public_url}\n"
        ),
        at: now,
        id: format!("trial.{}", now.as_millis()),
    };
    let sent = mail.send(&letter).await;
    sent.with_context(|| format!("the mail server did not take the letter to `{address}`"))
}
