//! Several rounds of one scenario, and which of them counts.

use super::{Comparison, Endpoints, Findings, Published, Scenario};

impl Scenario {
    /// A single round of these says little: a machine's speed drifts by a third.
    pub(super) const fn is_repeated(self) -> bool {
        matches!(self, Self::Closed | Self::Open | Self::Endpoints)
    }
}

impl Findings {
    /// Takes what the rounds of one scenario found: of each comparison the median, by deliveries.
    pub(super) fn take(&mut self, rounds: Vec<Self>) {
        let mut comparisons: Vec<Vec<Comparison>> = Vec::new();
        let mut endpoints: Vec<Vec<Published>> = Vec::new();
        for round in rounds {
            sort_in(&mut comparisons, round.comparisons);
            sort_in(
                &mut endpoints,
                round.endpoints.map_or_else(Vec::new, |found| found.rounds),
            );
            self.idle = round.idle.or(self.idle.take());
            self.backlog = round.backlog.or(self.backlog.take());
            self.starts = round.starts.or(self.starts.take());
            self.subscribers = round.subscribers.or(self.subscribers.take());
            self.refusals = round.refusals.or(self.refusals.take());
            self.sockets = round.sockets.or(self.sockets.take());
            self.million = round.million.or(self.million.take());
        }
        let medians = comparisons
            .into_iter()
            .filter_map(|of_one| middle(of_one, delivered));
        self.comparisons.extend(medians);
        let published = |round: &Published| delivered(&round.comparison);
        let medians = endpoints
            .into_iter()
            .filter_map(|of_one| middle(of_one, published));
        let rounds: Vec<_> = medians.collect();
        if !rounds.is_empty() {
            self.endpoints = Some(Endpoints { rounds });
        }
    }
}

/// Puts each figure of a round to those of the same kind.
fn sort_in<T>(kinds: &mut Vec<Vec<T>>, round: Vec<T>) {
    kinds.resize_with(kinds.len().max(round.len()), Vec::new);
    for (kind, found) in kinds.iter_mut().zip(round) {
        kind.push(found);
    }
}

fn middle<T>(mut rounds: Vec<T>, figure: impl Fn(&T) -> f64) -> Option<T> {
    rounds.sort_by(|a, b| figure(a).total_cmp(&figure(b)));
    let at = rounds.len() / 2;
    (at < rounds.len()).then(|| rounds.swap_remove(at))
}

fn delivered(comparison: &Comparison) -> f64 {
    let figures = comparison.hookyard.as_ref().unwrap_or(&comparison.control);
    figures.delivered_per_s
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(delivered: [f64; 2]) -> Findings {
        let comparison = |delivered_per_s| {
            let mut comparison = Comparison {
                name: "a load".to_owned(),
                ..Comparison::default()
            };
            comparison.control.delivered_per_s = delivered_per_s;
            comparison
        };
        Findings {
            comparisons: delivered.map(comparison).into(),
            ..Findings::default()
        }
    }

    #[test]
    fn each_comparison_has_a_median_of_its_own() {
        let mut findings = Findings::default();
        findings.take(vec![
            round([1.0, 9.0]),
            round([3.0, 8.0]),
            round([2.0, 7.0]),
        ]);
        let kept: Vec<f64> = findings.comparisons.iter().map(delivered).collect();
        assert_eq!(kept, [2.0, 8.0]);
    }

    #[test]
    fn nothing_measured_leaves_what_was_there() {
        let mut findings = round([1.0, 2.0]);
        findings.take(vec![Findings::default()]);
        assert_eq!(findings.comparisons.len(), 2);
        assert!(findings.endpoints.is_none());
    }
}
