//! Wiring: the store, the dispatcher, the live gateway and the API become one running server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hookyard_api::{
    Api, ApiSettings, DevelopmentMode, ListenerLimits, RateLimits, SubscriptionSettings, TokenMint,
};
use hookyard_delivery::{
    AppTokens, ByMode, Dispatcher, Egress, EgressRules, Jobs, Letter, Lifecycle, Mail as _,
    Notices, OwnBins, Purger, PushKey, PushTransport, SmtpMail, WebhookHandshake, WebhookTransport,
};
use hookyard_domain::kernel::ports::{Chance, Clock, Store};
use hookyard_domain::{PushProvider, RetryPolicy};
use hookyard_gateway::{LiveGateway, PubNub, SocketGateway, SocketSettings, Sockets};
use hookyard_store::{Options, SqliteStore};
use ipnet::IpNet;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

use crate::backstage::{socket_gateway, socket_routes};
use crate::bootstrap::{FirstStart, Welcome};
use crate::chance::OsChance;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::console;
use crate::data_dir::DataDir;
use crate::open_files;

/// How long requests in progress may take when the server stops.
const REQUESTS_FINISH_MAX: Duration = Duration::from_secs(10);
/// How long sends in flight may take when the server stops.
const SENDS_FINISH_MAX: Duration = Duration::from_secs(10);

/// A running server.
#[derive(Debug)]
pub struct Server {
    public_url: String,
    local_url: String,
    development: DevelopmentMode,
    credentials: PathBuf,
    welcome: Welcome,
    store: Arc<SqliteStore>,
    dispatcher: Arc<Dispatcher>,
    lifecycle: Arc<Lifecycle>,
    purger: Purger,
    jobs: Arc<Jobs>,
    notices: Option<Notices>,
    live: LiveGateway,
    pubnub: Option<Arc<PubNub>>,
    gateway: SocketGateway,
    stopping: CancellationToken,
    serving: tokio::task::JoinHandle<()>,
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
        let data_dir = DataDir::open(&config.data_dir)?;
        let key = data_dir.master_key(&*chance)?;
        let options = Options {
            vault_key: key.vault_key(),
            clock: Arc::clone(&clock),
            chance: Arc::clone(&chance),
        };
        let store = Arc::new(SqliteStore::open(&data_dir.database(), options)?);
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("failed to listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let local_url = format!("http://{address}");
        let public_url = config
            .public_url
            .clone()
            .unwrap_or_else(|| local_url.clone());

        let welcome = FirstStart {
            store: &*store,
            clock: &*clock,
            chance: &*chance,
            ids: &store.ids(),
            public_url: &public_url,
            data_dir: &data_dir,
        }
        .run()
        .await?;

        let ranges = config.delivery.allowed_ranges.clone();
        let development_on = is_loopback(&public_url) && address.ip().is_loopback();
        let own_bins = OwnBins::new(&public_url, address);
        let egress = Egress::new(rules(development_on, &ranges)).with_own_bins(own_bins);
        let egress = Arc::new(egress);
        let tightened = Arc::clone(&egress);
        let development = DevelopmentMode::new(development_on, move || {
            tightened.set_rules(rules(false, &ranges));
        });

        let live = LiveGateway::default();
        let sockets = Sockets::new(Arc::clone(&clock));
        let (push, push_certificates) = push(&config, &egress, &clock)?;
        let app_tokens = Arc::new(AppTokens::default());
        store.listen(Arc::clone(&app_tokens) as _);
        app_tokens.start(&*store).await?;
        let webhooks = WebhookTransport::new(Arc::clone(&egress)).with_app_tokens(app_tokens);
        let transport = ByMode::new(Arc::new(webhooks), Arc::new(push));
        let notices = mail(&config, &egress, &public_url)?
            .map(|mail| Notices::new(Arc::new(mail), Arc::clone(&clock), public_url.clone()));
        let dispatcher = Arc::new(Dispatcher::new(
            Arc::new(transport),
            Arc::clone(&clock),
            Arc::clone(&chance),
        ));
        let handshake = Arc::new(WebhookHandshake::new(
            egress,
            Duration::from_millis(config.delivery.timeout_ms),
        ));
        let lifecycle = Arc::new(Lifecycle::new(
            Arc::clone(&clock),
            Arc::clone(&chance),
            Arc::clone(&handshake) as _,
            config.subscriptions.heal,
        ));
        dispatcher.report_to(Arc::clone(&lifecycle) as _);
        store.listen(Arc::new(live.clone()));
        store.listen(Arc::new(sockets.clone()));
        store.listen(Arc::clone(&dispatcher) as _);
        store.listen(Arc::clone(&lifecycle) as _);
        let jobs = Arc::new(Jobs::new(Arc::clone(&clock)));
        store.listen(Arc::clone(&jobs) as _);
        if let Some(notices) = &notices {
            store.listen(notices.listener());
        }
        dispatcher
            .start(Arc::clone(&store) as Arc<dyn Store>)
            .await?;
        lifecycle
            .start(Arc::clone(&store) as Arc<dyn Store>)
            .await?;
        jobs.start(Arc::clone(&store) as Arc<dyn Store>).await?;
        if let Some(notices) = &notices {
            notices.start(Arc::clone(&store) as Arc<dyn Store>).await?;
        }

        let retry_policy = RetryPolicy {
            timeout_ms: config.delivery.timeout_ms,
            concurrency_max: config.delivery.concurrency,
            ..RetryPolicy::default()
        };
        let pubnub = config.pubnub.enabled.then(|| {
            let port = Arc::clone(&store) as Arc<dyn Store>;
            let ids = store.ids();
            let pubnub = PubNub::new(port, Arc::clone(&clock), &ids, key.subscribe_key());
            let pubnub = Arc::new(pubnub);
            store.listen(Arc::clone(&pubnub) as _);
            pubnub
        });
        let api = Arc::new(Api {
            store: Arc::clone(&store) as _,
            clock,
            chance,
            ids: store.ids(),
            handshake,
            live: Arc::new(live.clone()),
            sockets: Arc::new(sockets.clone()),
            tokens: TokenMint::new(key.token_key()),
            settings: ApiSettings {
                retry_policy,
                rate_limits: if config.api.rate_limits {
                    RateLimits::enforced()
                } else {
                    RateLimits::default()
                },
                subscriptions: SubscriptionSettings {
                    count_max: config.subscriptions.per_app_max,
                    pubnub_key: pubnub.is_some().then(|| key.subscribe_key()),
                    push_certificates,
                },
                ..ApiSettings::new(public_url.clone(), development.clone())
            },
        });
        let purger = Purger::start(
            Arc::clone(&store) as _,
            Arc::clone(&api.clock),
            config.retention.settings(),
        );
        let room = open_files::claim();
        let socket_settings = SocketSettings {
            connections_max: room.sockets,
            ..config.websocket.settings()
        };
        let gateway = socket_gateway(&api, sockets, socket_settings);
        let mut page = console::routes().merge(socket_routes(gateway.clone()));
        if let Some(pubnub) = &pubnub {
            page = page.merge(crate::pubnub::routes(Arc::clone(pubnub)));
        }
        let router = hookyard_api::router(api, page);
        let stopping = CancellationToken::new();
        let stop = stopping.clone();
        let serving = tokio::spawn(hookyard_api::serve(
            listener,
            ListenerLimits {
                connections_max: room.connections,
                ..ListenerLimits::default()
            },
            router,
            stop,
            REQUESTS_FINISH_MAX,
        ));
        data_dir.write_address(&local_url)?;
        Ok(Self {
            public_url,
            local_url,
            development,
            credentials: data_dir.credentials(),
            welcome,
            store,
            dispatcher,
            lifecycle,
            purger,
            jobs,
            notices,
            live,
            pubnub,
            gateway,
            stopping,
            serving,
            _data_dir: data_dir,
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

    /// Stops cleanly: no new requests, those in progress finish, sends in flight are recorded, the
    /// store is closed with nothing in doubt.
    pub async fn stop(self) {
        self.stopping.cancel();
        self.live.close();
        if let Some(pubnub) = &self.pubnub {
            pubnub.close();
        }
        let finish = Instant::now() + REQUESTS_FINISH_MAX;
        let _ = tokio::join!(self.gateway.stop(finish), self.serving);
        if let Some(notices) = &self.notices {
            notices.stop().await;
        }
        self.purger.stop().await;
        self.jobs.stop().await;
        self.lifecycle.stop().await;
        self.dispatcher
            .stop(Instant::now() + SENDS_FINISH_MAX)
            .await;
        self.store.close().await;
    }
}

/// What the printed `curl` posts.
const SAMPLE_CARD: &str = r##"{"activity":"Build server","title":"**Build 412** is green","attachments":[{"type":"Card","color":"#2aa876","title":"main: all 128 tests passed","text":"Deployed to *staging* in 4 min 12 s.","fields":[{"title":"Branch","value":"main","style":"Short"},{"title":"Author","value":"Grace","style":"Short"}],"footnote":{"text":"Posted with curl"}}]}"##;

/// The push services of the configuration, and the names by which they are chosen.
fn push(
    config: &Config,
    egress: &Arc<Egress>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(PushTransport, Vec<(PushProvider, String)>)> {
    let keys = config.push.keys()?;
    let named = |key: &PushKey| {
        let (provider, name) = key.names();
        (provider, name.to_owned())
    };
    let names = keys.iter().map(named).collect();
    let transport = PushTransport::new(egress, clock, keys)?;
    Ok((transport, names))
}

/// Who sends letters, if there is a mail server.
fn mail(
    config: &Config,
    egress: &Arc<Egress>,
    public_url: &str,
) -> anyhow::Result<Option<SmtpMail>> {
    let Some(smtp) = &config.smtp else {
        return Ok(None);
    };
    let mail = SmtpMail::new(Arc::clone(egress), smtp.settings(public_url))?;
    Ok(Some(mail))
}

/// Looks at what `config` names outside itself, without starting anything.
///
/// # Errors
///
/// When a push service's key cannot be read or used, or a mail server cannot.
pub fn check(config: &Config) -> anyhow::Result<()> {
    let egress = Arc::new(Egress::new(EgressRules::default()));
    push(config, &egress, &(Arc::new(SystemClock) as _))?;
    mail(config, &egress, "").map(|_| ())
}

/// Sends a letter to `address` by the mail server of `config`, to see that it takes them.
///
/// # Errors
///
/// When there is no mail server, or it does not take the letter.
pub async fn try_mail(config: &Config, address: &str) -> anyhow::Result<()> {
    let egress = Arc::new(Egress::new(EgressRules::default()));
    let public_url = config.public_url.as_deref().unwrap_or_default();
    let mail = mail(config, &egress, public_url)?;
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

fn rules(development: bool, ranges: &[IpNet]) -> EgressRules {
    EgressRules {
        allow_private: development,
        allow_http: development,
        allowed_ranges: ranges.to_vec(),
    }
}

fn is_loopback(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else {
        return false;
    };
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_loopback() {
        for url in [
            "http://127.0.0.1:8080",
            "http://localhost:1",
            "http://[::1]:1",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://hooks.example.com",
            "http://0.0.0.0:1",
            "http://localhost.example.com",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
