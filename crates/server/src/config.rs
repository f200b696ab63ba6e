//! Configuration: a TOML file, then the environment, then flags; the last one wins. Only this file
//! and the command line read the environment.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use hookyard_delivery::{PushKey, SmtpSecurity, SmtpSettings};
use hookyard_domain::Secret;
use hookyard_domain::kernel::limits::{
    SOCKET_ABSOLUTE_TIMEOUT_DEFAULT, SOCKET_IDLE_TIMEOUT_DEFAULT, SOCKET_PING_PERIOD_DEFAULT,
    SOCKET_RECOVERY_TIMEOUT_DEFAULT, SOCKETS_PER_SESSION_MAX_DEFAULT, SUBSCRIPTIONS_MAX_DEFAULT,
};
use hookyard_gateway::SocketSettings;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};
use url::Url;

/// What the configuration file may hold. Unknown keys are refused.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    listen: Option<String>,
    data_dir: Option<PathBuf>,
    public_url: Option<String>,
    log: Option<String>,
    delivery: Delivery,
    subscriptions: Subscriptions,
    pubnub: PubNub,
    push: Push,
    websocket: WebSocket,
    retention: Retention,
    smtp: Option<Smtp>,
    api: Api,
}

/// Mobile push services. None is used unless it is named here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Push {
    pub apns: Vec<Apns>,
    pub fcm: Vec<Fcm>,
}

/// One app at Apple's push service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apns {
    /// By which subscriptions choose it.
    pub certificate_name: String,
    /// Apple's `.p8` file.
    pub key_file: PathBuf,
    pub key_id: String,
    pub team_id: String,
    /// The app's bundle id.
    pub topic: String,
    #[serde(default)]
    pub sandbox: bool,
    /// Another address than Apple's.
    #[serde(default)]
    pub address: Option<String>,
}

/// One app at Google's push service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fcm {
    /// By which subscriptions choose it.
    pub certificate_name: String,
    /// The service account's JSON file.
    pub service_account_file: PathBuf,
    /// Another address than Google's.
    #[serde(default)]
    pub address: Option<String>,
}

impl Push {
    /// Reads the key files.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub fn keys(&self) -> anyhow::Result<Vec<PushKey>> {
        let read = |path: &Path| {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("failed to read the push key `{}`", path.display()))?;
            anyhow::Ok(Secret::new(text))
        };
        let mut keys = Vec::new();
        for apns in &self.apns {
            keys.push(PushKey::Apns {
                certificate_name: apns.certificate_name.clone(),
                key: read(&apns.key_file)?,
                key_id: apns.key_id.clone(),
                team_id: apns.team_id.clone(),
                topic: apns.topic.clone(),
                sandbox: apns.sandbox,
                address: apns.address.clone(),
            });
        }
        for fcm in &self.fcm {
            keys.push(PushKey::Fcm {
                certificate_name: fcm.certificate_name.clone(),
                service_account: read(&fcm.service_account_file)?,
                address: fcm.address.clone(),
            });
        }
        Ok(keys)
    }
}

/// The PubNub-style transport.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PubNub {
    /// Let programs subscribe with it, and answer their polls.
    pub enabled: bool,
}

/// How patient the WebSocket gateway is, in seconds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebSocket {
    /// How long a session without a connection can be recovered.
    pub recovery_timeout_s: u64,
    /// A connection ends when its client has said nothing for so long.
    pub idle_timeout_s: u64,
    /// A connection ends when it is so old.
    pub absolute_timeout_s: u64,
    /// Pause between pings.
    pub ping_period_s: u64,
    /// WebSocket sessions of one sign-in.
    pub connections_per_session_max: usize,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self {
            recovery_timeout_s: SOCKET_RECOVERY_TIMEOUT_DEFAULT.as_secs(),
            idle_timeout_s: SOCKET_IDLE_TIMEOUT_DEFAULT.as_secs(),
            absolute_timeout_s: SOCKET_ABSOLUTE_TIMEOUT_DEFAULT.as_secs(),
            ping_period_s: SOCKET_PING_PERIOD_DEFAULT.as_secs(),
            connections_per_session_max: SOCKETS_PER_SESSION_MAX_DEFAULT,
        }
    }
}

impl WebSocket {
    /// The longest time that any of them may be: a week. Past it a dead session only costs memory.
    const TIME_S_MAX: u64 = 604_800;

    fn check(&self) -> anyhow::Result<()> {
        for (name, time) in [
            ("recovery_timeout_s", self.recovery_timeout_s),
            ("idle_timeout_s", self.idle_timeout_s),
            ("absolute_timeout_s", self.absolute_timeout_s),
            ("ping_period_s", self.ping_period_s),
        ] {
            if !(1..=Self::TIME_S_MAX).contains(&time) {
                bail!(
                    "`websocket.{name}` must be between 1 and {}",
                    Self::TIME_S_MAX
                );
            }
        }
        Ok(())
    }

    /// The same for the gateway.
    pub fn settings(&self) -> SocketSettings {
        SocketSettings {
            recovery_timeout: Duration::from_secs(self.recovery_timeout_s),
            idle_timeout: Duration::from_secs(self.idle_timeout_s),
            absolute_timeout: Duration::from_secs(self.absolute_timeout_s),
            ping_period: Duration::from_secs(self.ping_period_s),
            per_session_max: self.connections_per_session_max,
            ..SocketSettings::default()
        }
    }
}

/// What subscriptions may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Subscriptions {
    /// Subscriptions of one person through one app.
    pub per_app_max: u32,
    /// Probe blacklisted addresses, and put them into use when they are in order again.
    pub heal: bool,
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self {
            per_app_max: SUBSCRIPTIONS_MAX_DEFAULT,
            heal: true,
        }
    }
}

/// How long what happened is kept, in days, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Calls to incoming webhooks.
    pub requests_days: u64,
    /// Events; posts stay.
    pub events_days: u64,
    /// Deliveries that are settled, with their attempts.
    pub attempts_days: u64,
    /// What bins received.
    pub bins_days: u64,
    /// What the database may use, in MiB; the oldest of the above goes first. 0 for no limit.
    pub size_max_mib: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            requests_days: 30,
            events_days: 30,
            attempts_days: 30,
            bins_days: 7,
            size_max_mib: 0,
        }
    }
}

impl Retention {
    /// The longest time: ten years.
    const DAYS_MAX: u64 = 3_650;
    /// A database that is empty uses some.
    const SIZE_MIN_MIB: u64 = 16;

    fn check(&self) -> anyhow::Result<()> {
        for (name, days) in [
            ("requests_days", self.requests_days),
            ("events_days", self.events_days),
            ("attempts_days", self.attempts_days),
            ("bins_days", self.bins_days),
        ] {
            if !(1..=Self::DAYS_MAX).contains(&days) {
                bail!(
                    "`retention.{name}` must be between 1 and {}",
                    Self::DAYS_MAX
                );
            }
        }
        if self.size_max_mib > 0 && self.size_max_mib < Self::SIZE_MIN_MIB {
            bail!(
                "`retention.size_max_mib` must be 0, for no limit, or at least {}",
                Self::SIZE_MIN_MIB
            );
        }
        Ok(())
    }

    /// The same as times and bytes.
    pub fn settings(&self) -> hookyard_domain::kernel::retention::Retention {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        hookyard_domain::kernel::retention::Retention {
            requests: days(self.requests_days),
            events: days(self.events_days),
            attempts: days(self.attempts_days),
            bins: days(self.bins_days),
            bytes_max: (self.size_max_mib > 0).then(|| self.size_max_mib.saturating_mul(1 << 20)),
        }
    }
}

/// The mail server that takes letters to owners of endpoints. Without it none are written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    pub host: String,
    /// 465 for implicit TLS, 587 for STARTTLS and 25 without, unless told.
    pub port: Option<u16>,
    #[serde(default)]
    pub tls: SmtpTls,
    pub username: Option<String>,
    /// The environment may say it instead.
    #[serde(default, deserialize_with = "secret")]
    pub password: Option<Secret>,
    /// Whom letters come from, such as `Hookyard <hooks@example.com>`.
    pub from: String,
}

/// How the connection to the mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SmtpTls {
    Implicit,
    #[default]
    StartTls,
    None,
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Option::<String>::deserialize(from).map(|text| text.map(Secret::new))
}

impl Smtp {
    fn check(&self) -> anyhow::Result<()> {
        if self.username.is_some() != self.password.is_some() {
            bail!(
                "`smtp.username` needs `smtp.password`, or HOOKYARD_SMTP_PASSWORD, and the other \
                 way round"
            );
        }
        let here = is_this_machine(&self.host);
        if self.tls == SmtpTls::None && self.password.is_some() && !here {
            bail!(
                "`smtp.tls` is `none`: the password would be sent for everybody to read; use \
                 `starttls` or `implicit`"
            );
        }
        Ok(())
    }

    /// The same for who sends.
    pub fn settings(&self, public_url: &str) -> SmtpSettings {
        let (security, port) = match self.tls {
            SmtpTls::Implicit => (SmtpSecurity::Implicit, 465),
            SmtpTls::StartTls => (SmtpSecurity::StartTls, 587),
            SmtpTls::None => (SmtpSecurity::None, 25),
        };
        SmtpSettings {
            host: self.host.clone(),
            port: self.port.unwrap_or(port),
            security,
            credentials: self.username.clone().zip(self.password.clone()),
            from: self.from.clone(),
            public_url: public_url.to_owned(),
        }
    }
}

/// The mail server's password, as the environment says it. There is no flag for it: what stands in a
/// command line can be read by everybody on the machine.
pub fn smtp_password() -> Option<Secret> {
    #[expect(clippy::disallowed_methods, reason = "this file reads the environment")]
    let said = std::env::var("HOOKYARD_SMTP_PASSWORD").ok();
    said.filter(|text| !text.is_empty()).map(Secret::new)
}

/// Whether what is sent there does not leave this machine.
fn is_this_machine(host: &str) -> bool {
    let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// How the API treats its callers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Enforce the platform's request rates.
    pub rate_limits: bool,
}

/// How events are delivered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Delivery {
    /// How long a receiver may take to answer, in milliseconds.
    pub timeout_ms: u64,
    /// Sends in flight to one subscriber.
    pub concurrency: u32,
    /// Private ranges that subscriptions may still point at, such as `10.1.0.0/16`.
    pub allowed_ranges: Vec<IpNet>,
}

impl Default for Delivery {
    fn default() -> Self {
        Self {
            timeout_ms: 3_000,
            concurrency: 16,
            allowed_ranges: Vec::new(),
        }
    }
}

/// What the command line and the environment may say.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub listen: Option<String>,
    pub data_dir: Option<PathBuf>,
    pub public_url: Option<String>,
    pub log: Option<String>,
    /// Means nothing without a mail server.
    pub smtp_password: Option<Secret>,
}

/// The configuration in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where the database and the keys are.
    pub data_dir: PathBuf,
    /// How the world reaches the server, without a trailing slash; `None` for the address it
    /// listens on.
    pub public_url: Option<String>,
    /// What is logged, in the words of `tracing`, such as `info` or `hookyard_delivery=debug`.
    pub log: String,
    pub delivery: Delivery,
    pub subscriptions: Subscriptions,
    pub pubnub: PubNub,
    pub push: Push,
    pub websocket: WebSocket,
    pub retention: Retention,
    pub smtp: Option<Smtp>,
    pub api: Api,
}

impl Config {
    /// Reads `file`, if there is one, and lays `overrides` over it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, has unknown keys, or a value makes no sense.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> anyhow::Result<Self> {
        let file = match file {
            Some(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("failed to read `{}`", path.display()))?;
                toml::from_str::<File>(&text)
                    .with_context(|| format!("`{}` is not a valid configuration", path.display()))?
            }
            None => File::default(),
        };
        Self::from_parts(file, overrides)
    }

    fn from_parts(file: File, overrides: Overrides) -> anyhow::Result<Self> {
        let listen = overrides
            .listen
            .or(file.listen)
            .unwrap_or_else(|| "127.0.0.1:8080".into());
        let public_url = overrides.public_url.or(file.public_url);
        let mut smtp = file.smtp;
        if let (Some(smtp), Some(password)) = (&mut smtp, overrides.smtp_password) {
            smtp.password = Some(password);
        }
        let config = Self {
            listen: parse_listen(&listen)?,
            data_dir: overrides
                .data_dir
                .or(file.data_dir)
                .unwrap_or_else(|| "./data".into()),
            public_url: public_url.as_deref().map(parse_public_url).transpose()?,
            log: overrides.log.or(file.log).unwrap_or_else(|| "info".into()),
            delivery: file.delivery,
            subscriptions: file.subscriptions,
            pubnub: file.pubnub,
            push: file.push,
            websocket: file.websocket,
            retention: file.retention,
            smtp,
            api: file.api,
        };
        config.websocket.check()?;
        config.retention.check()?;
        config.smtp.as_ref().map_or(Ok(()), Smtp::check)?;
        if config.delivery.concurrency == 0 {
            bail!("`delivery.concurrency` must be at least 1");
        }
        if !(100..=60_000).contains(&config.delivery.timeout_ms) {
            bail!("`delivery.timeout_ms` must be between 100 and 60000");
        }
        Ok(config)
    }
}

/// `ADDR:PORT`, or a port alone for loopback.
fn parse_listen(text: &str) -> anyhow::Result<SocketAddr> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    let named = text
        .strip_prefix("localhost:")
        .map(|port| format!("127.0.0.1:{port}"));
    named.as_deref().unwrap_or(text).parse().with_context(|| {
        format!(
            "`{text}` is not an address to listen on: write ADDRESS:PORT, such as 127.0.0.1:8080"
        )
    })
}

fn parse_public_url(text: &str) -> anyhow::Result<String> {
    let url = Url::parse(text).with_context(|| format!("`{text}` is not a URL"))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        bail!("`{text}` must begin with http:// or https:// and name a host");
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
        bail!("`{text}` must have no query, fragment or user name");
    }
    if url.path() != "/" {
        bail!("`{text}` must have no path: the server answers at the root of its host");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, overrides: Overrides) -> anyhow::Result<Config> {
        Config::from_parts(toml::from_str(toml)?, overrides)
    }

    #[test]
    fn flags_win_over_the_file() {
        let overrides = Overrides {
            listen: Some("127.0.0.1:1".into()),
            ..Overrides::default()
        };
        let config = load(
            "listen = '127.0.0.1:2'\npublic_url = 'https://hooks.example.com/'",
            overrides,
        )
        .unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(
            config.public_url.as_deref(),
            Some("https://hooks.example.com")
        );
    }

    #[test]
    fn rates_are_enforced_only_where_the_file_says_so() {
        let enforced = |toml| load(toml, Overrides::default()).unwrap().api.rate_limits;
        assert!(!enforced(""));
        assert!(enforced("[api]\nrate_limits = true"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for toml in [
            "lisen = '127.0.0.1:2'",
            "listen = 'nowhere'",
            "public_url = 'ftp://example.com'",
            "public_url = 'https://example.com/path'",
            "public_url = 'https://user@example.com'",
            "[api]\nrate_limits = 40",
            "[delivery]\nconcurrency = 0",
            "[delivery]\ntimeout_ms = 5",
            "[websocket]\nping_period_s = 0",
            "[websocket]\nidle_timeout_s = 604801",
            "[retention]\nevents_days = 0",
            "[retention]\nsize_max_mib = 1",
            "[delivery]\nallowed_ranges = ['10.0.0.0/99']",
            "[smtp]\nhost = 'mail.example.com'",
            "[smtp]\nfrom = 'hooks@example.com'",
            "[smtp]\nhost = 'mail.example.com'\nfrom = 'a@example.com'\ntls = 'yes'",
            "[smtp]\nhost = 'mail.example.com'\nfrom = 'a@example.com'\nusername = 'a'",
            "[smtp]\nhost = 'mail.example.com'\nfrom = 'a@example.com'\npassword = 'a'",
            "[smtp]\nhost = 'mail.example.com'\nfrom = 'a@example.com'\ntls = 'none'\n\
             username = 'a'\npassword = 'b'",
        ] {
            assert!(load(toml, Overrides::default()).is_err(), "{toml}");
        }
    }

    #[test]
    fn a_push_key_that_cannot_be_used_is_named() {
        let apns = |name: &str, key_file: &str| {
            format!(
                "[[push.apns]]\ncertificate_name = '{name}'\nkey_file = '{key_file}'\n\
                 key_id = 'ABC123DEFG'\nteam_id = 'DEF123GHIJ'\ntopic = 'com.example.app'\n"
            )
        };
        let fcm = |file: &str| {
            format!("[[push.fcm]]\ncertificate_name = 'app'\nservice_account_file = '{file}'\n")
        };
        let key = "../delivery/tests/push/keys/apns.p8";
        let told = |toml: &str| {
            let config = load(toml, Overrides::default()).unwrap();
            crate::check(&config)
                .err()
                .map(|error| format!("{error:#}"))
        };
        assert_eq!(told(&(apns("one", key) + &apns("two", key))), None);
        for (toml, expect) in [
            (
                apns("app", "nowhere.p8"),
                "failed to read the push key `nowhere.p8`: ",
            ),
            (
                apns("app", "Cargo.toml"),
                "push certificate `app` for RC/APNS cannot be used: there is no private key",
            ),
            (
                apns("app", key) + &apns("app", key),
                "push certificate `app` for RC/APNS cannot be used: another one has the same name",
            ),
            (
                fcm(key),
                "push certificate `app` for RC/GCM cannot be used: the file is not a service",
            ),
        ] {
            let told = told(&toml).unwrap();
            assert!(told.starts_with(expect), "{told}");
        }
    }

    #[test]
    fn the_mail_servers_password_may_come_from_the_environment_and_is_not_shown() {
        let toml = "[smtp]\nhost = 'mail.example.com'\nfrom = 'a@example.com'\nusername = 'a'";
        let overrides = Overrides {
            smtp_password: Some(Secret::new("s3cret")),
            ..Overrides::default()
        };
        let config = load(toml, overrides).unwrap();
        assert!(!format!("{config:#?}").contains("s3cret"));
        let settings = config.smtp.unwrap().settings("https://hooks.example.com");
        assert_eq!(settings.port, 587);
        assert_eq!(settings.security, SmtpSecurity::StartTls);
        let (name, password) = settings.credentials.unwrap();
        assert_eq!((name.as_str(), password.reveal()), ("a", "s3cret"));
    }

    #[test]
    fn a_mail_server_that_cannot_be_used_is_named() {
        let told = |smtp: &str| {
            let config = load(&format!("[smtp]\n{smtp}"), Overrides::default()).unwrap();
            crate::check(&config).err().map(|error| error.to_string())
        };
        assert_eq!(
            told("host = 'mail.example.com'\nfrom = 'A <a@example.com>'"),
            None
        );
        assert_eq!(
            told("host = '127.0.0.1'\nfrom = 'a@example.com'\ntls = 'none'\nport = 1025"),
            None
        );
        let told = told("host = 'mail.example.com'\nfrom = 'somebody'").unwrap();
        assert!(
            told.starts_with("`smtp.from` must be an e-mail address"),
            "{told}"
        );
    }

    #[test]
    fn the_example_holds_the_defaults() {
        let example = include_str!("../../../config.example.toml");
        let mut config = load(example, Overrides::default()).unwrap();
        config.public_url = None;
        config.delivery.allowed_ranges = Vec::new();
        assert_eq!(config, load("", Overrides::default()).unwrap());
    }
}
