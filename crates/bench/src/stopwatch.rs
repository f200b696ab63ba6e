//! The one clock of a run, and arithmetic on samples.

use std::time::Duration;

use tokio::time::Instant;

/// Microseconds since the run began. Sender and receiver share it, so their difference is real.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    began: Instant,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self {
            began: Instant::now(),
        }
    }

    pub(crate) fn now_us(self) -> u64 {
        u64::try_from(self.began.elapsed().as_micros())
            .expect("a run is shorter than 500,000 years")
    }

    /// The moment that [`Stopwatch::now_us`] calls `at_us`.
    pub(crate) fn instant(self, at_us: u64) -> Instant {
        self.began + Duration::from_micros(at_us)
    }
}

/// The number as a float; counts here are far below 2^53.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(crate) fn float(count: u64) -> f64 {
    count as f64
}

/// Microseconds as seconds.
pub(crate) fn seconds(us: u64) -> f64 {
    float(us) / 1e6
}

/// The difference of two clock readings as a sample; saturates after 71 minutes.
pub(crate) fn sample(from_us: u64, to_us: u64) -> u32 {
    u32::try_from(to_us.saturating_sub(from_us)).unwrap_or(u32::MAX)
}

/// Exact percentiles of a set of samples, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
#[expect(clippy::struct_field_names, reason = "a unit belongs to each name")]
pub(crate) struct Percentiles {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Percentiles {
    /// Of samples in microseconds; zeros when there are none.
    pub(crate) fn of(mut samples: Vec<u32>) -> Self {
        samples.sort_unstable();
        let at = |percent: usize| {
            let index = (samples.len() * percent).div_ceil(100).saturating_sub(1);
            samples.get(index).map_or(0.0, |us| f64::from(*us) / 1e3)
        };
        Self {
            p50_ms: at(50),
            p99_ms: at(99),
            max_ms: at(100),
        }
    }
}

/// The one in the middle, or the lower of the two there; zero of none.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len().saturating_sub(1) / 2;
    figures.get(middle).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_that_occurred() {
        let percentiles = Percentiles::of((1..=1_000).rev().collect());
        assert_eq!(
            percentiles,
            Percentiles {
                p50_ms: 0.5,
                p99_ms: 0.99,
                max_ms: 1.0
            }
        );
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }

    #[test]
    fn a_median_is_a_figure_that_occurred() {
        for (figures, expected) in [
            (vec![3.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0, 3.0, 2.0], 2.0),
            (Vec::new(), 0.0),
        ] {
            assert_eq!(median(figures).to_bits(), f64::to_bits(expected));
        }
    }
}
