//! The ways out: egress with its rules, transports, the handshake, and the mail server.

use std::sync::Arc;
use std::time::Duration;

use hookyard_api::DevelopmentMode;
use hookyard_delivery::{
    AppTokens, ByMode, Egress, EgressRules, OwnBins, PushKey, PushTransport, SmtpMail, Transport,
    WebhookHandshake, WebhookTransport,
};
use hookyard_domain::PushProvider;
use hookyard_domain::kernel::ports::{Clock, Handshake};
use ipnet::IpNet;
use url::{Host, Url};

use super::ground::Ground;
use crate::config::Config;

/// What leads out of the server.
pub(super) struct Outbound {
    pub(super) transport: Arc<dyn Transport>,
    pub(super) handshake: Arc<dyn Handshake>,
    /// If there is a mail server.
    pub(super) mail: Option<Arc<SmtpMail>>,
    /// The names by which push services are chosen.
    pub(super) push_certificates: Vec<(PushProvider, String)>,
    pub(super) development: DevelopmentMode,
}

impl Outbound {
    pub(super) async fn build(ground: &Ground) -> anyhow::Result<Self> {
        let Ground {
            config, public_url, ..
        } = ground;
        let ranges = config.delivery.allowed_ranges.clone();
        let is_local = is_loopback(public_url) && ground.address.ip().is_loopback();
        let own_bins = OwnBins::new(public_url, ground.address);
        let egress = Egress::new(rules(is_local, &ranges)).with_own_bins(own_bins);
        let egress = Arc::new(egress);
        let tightened = Arc::clone(&egress);
        let development = DevelopmentMode::new(is_local, move || {
            tightened.set_rules(rules(false, &ranges));
        });
        let (push, push_certificates) = push(config, &egress, &ground.ports.clock)?;
        let app_tokens = AppTokens::start(&ground.ports).await?;
        let webhook = WebhookTransport::new(Arc::clone(&egress)).with_app_tokens(app_tokens);
        let mail = mail(config, &egress, public_url)?;
        let timeout = Duration::from_millis(config.delivery.timeout_ms);
        Ok(Self {
            transport: Arc::new(ByMode::new(Arc::new(webhook), Arc::new(push))),
            handshake: Arc::new(WebhookHandshake::new(egress, timeout)),
            mail: mail.map(Arc::new),
            push_certificates,
            development,
        })
    }
}

/// Looks at what `config` names outside itself.
pub(super) fn check(config: &Config, clock: &Arc<dyn Clock>) -> anyhow::Result<()> {
    let egress = strict_egress();
    push(config, &egress, clock)?;
    mail(config, &egress, "").map(|_| ())
}

/// What a server in production opens sockets by.
pub(super) fn strict_egress() -> Arc<Egress> {
    Arc::new(Egress::new(EgressRules::default()))
}

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
pub(super) fn mail(
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
