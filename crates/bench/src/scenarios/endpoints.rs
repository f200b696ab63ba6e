//! Events of a type that the account registered, published to endpoints and delivered signed, against
//! the control under the same load.

use serde::Serialize;

use super::connections;
use super::progress;
use super::rates;
use super::{Comparison, Run};
use crate::load::Pace;
use crate::measure::Figures;
use crate::message::Content;
use crate::signature::SAMPLED;

/// Endpoints that get every event.
const ENDPOINTS: [u32; 2] = [1, 10];
/// Connections that publish.
const CONNECTIONS: [u32; 2] = [32, 128];

/// Publishing to endpoints, each way beside the control.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Endpoints {
    pub(crate) rounds: Vec<Published>,
}

/// Publishing to so many endpoints with so many connections.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Published {
    pub(crate) endpoints: u32,
    pub(crate) connections: u32,
    /// Of Hookyard, *delivered* counts what arrives at all endpoints.
    pub(crate) comparison: Comparison,
    /// Signatures that the receiver checked, and how many of them were missing or wrong.
    pub(crate) signatures: u64,
    pub(crate) signatures_wrong: u64,
}

impl Published {
    /// Events that arrived at every endpoint, to what the control forwards in the same time.
    pub(crate) fn events_ratio(&self) -> f64 {
        self.deliveries_ratio() / f64::from(self.endpoints)
    }

    /// Requests that arrived, to what the control forwards in the same time.
    pub(crate) fn deliveries_ratio(&self) -> f64 {
        let ours = self.comparison.hookyard.as_ref();
        let delivered_per_s = ours.map_or(0.0, |figures| figures.delivered_per_s);
        delivered_per_s / self.comparison.control.delivered_per_s.max(1e-9)
    }

    /// Lost, duplicated, refused, and signatures that are not right or were not seen.
    pub(crate) fn faults(&self) -> u64 {
        let ours = self.comparison.hookyard.as_ref();
        let faults = ours.map_or(0, |figures| {
            figures.lost + figures.duplicated + figures.not_accepted
        });
        let arrived = ours.map_or(0, |figures| figures.accepted * u64::from(self.endpoints));
        let unseen = (arrived / u64::from(SAMPLED)).saturating_sub(self.signatures);
        faults + self.signatures_wrong + unseen
    }
}

impl Run {
    pub(super) async fn measure_endpoints(&self) -> anyhow::Result<Endpoints> {
        let mut rounds = Vec::new();
        for endpoints in ENDPOINTS {
            for connections in CONNECTIONS {
                rounds.push(self.compare_endpoints(endpoints, connections).await?);
            }
        }
        Ok(Endpoints { rounds })
    }

    async fn compare_endpoints(
        &self,
        endpoints: u32,
        connections: u32,
    ) -> anyhow::Result<Published> {
        let pace = Pace::ClosedFor {
            connections,
            duration: self.plan.duration,
        };
        let many = if endpoints == 1 { "" } else { "s" };
        let name = format!("events to {endpoints} endpoint{many}, {connections} connections");
        progress(&format!("control, {name}"));
        let control = self.measure_control(Content::Event, pace).await?;
        progress(&rates(&control));
        progress(&format!("hookyard, {name}"));
        let hookyard = self.measure_publishing(endpoints, pace).await?;
        progress(&rates(&hookyard));
        let (signatures, signatures_wrong) = self.receiver.signatures.read();
        Ok(Published {
            endpoints,
            connections,
            comparison: Comparison {
                name,
                control,
                hookyard: Some(hookyard),
            },
            signatures,
            signatures_wrong,
        })
    }

    async fn measure_publishing(&self, endpoints: u32, pace: Pace) -> anyhow::Result<Figures> {
        let data_dir = self.data_dir("endpoints")?;
        let server = self.start(&data_dir).await?;
        let person = server.sign_in().await?;
        person.register_type().await?;
        let receiver = self.receiver.address;
        for number in 0..endpoints {
            let url = format!("http://{receiver}/hook/{endpoints}/{number}");
            person.make_endpoint(&url).await?;
        }
        let target = person.publishing(Content::Event, endpoints);
        self.instruments.warm_up(&target, connections(pace)).await;
        self.receiver.signatures.reset();
        self.instruments
            .measure(&target, &server.process, pace)
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(accepted: u64, delivered_per_s: f64) -> Figures {
        Figures {
            accepted,
            delivered_per_s,
            ..Figures::default()
        }
    }

    #[test]
    fn a_round_counts_events_once_and_deliveries_at_each_endpoint() {
        let mut round = Published {
            endpoints: 10,
            connections: 32,
            comparison: Comparison {
                name: String::new(),
                control: figures(1_000, 1_000.0),
                hookyard: Some(figures(640, 500.0)),
            },
            signatures: 100,
            signatures_wrong: 0,
        };
        assert!((round.deliveries_ratio() - 0.5).abs() < 1e-9);
        assert!((round.events_ratio() - 0.05).abs() < 1e-9);
        assert_eq!(round.faults(), 0);
        round.signatures = 98;
        round.signatures_wrong = 1;
        assert_eq!(round.faults(), 3);
    }
}
