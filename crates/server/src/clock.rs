//! Time as the machine tells it.

use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::Timestamp;
use hookyard_domain::kernel::ports::Clock;

/// How long a clock that was set may go unnoticed.
const CLOCK_LOOK_PERIOD: Duration = Duration::from_secs(600);

/// The machine's clock, and real sleeping.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that everyone else asks"
    )]
    fn now(&self) -> Timestamp {
        let since_1970 = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp::from_millis(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, until: Timestamp) {
        loop {
            let left = until.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(CLOCK_LOOK_PERIOD)).await;
        }
    }
}
