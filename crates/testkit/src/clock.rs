//! A clock that follows tokio's timer, so that in a test with paused time timestamps, sleeps and
//! timeouts can never disagree. Its wall time can also jump, as real ones do.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use hookyard_domain::Timestamp;
use hookyard_domain::kernel::ports::Clock;
use tokio::time::Instant;

/// How long a jump may go unnoticed.
const LOOK_PERIOD: Duration = Duration::from_secs(3_600);

/// Wall time that begins at a given moment and passes with tokio's time.
#[derive(Debug)]
pub struct VirtualClock {
    began: Instant,
    /// Wall time at `began`, in milliseconds since 1970.
    wall_ms: AtomicI64,
}

impl VirtualClock {
    /// 2026-01-01T00:00:00Z.
    pub const BEGIN: Timestamp = Timestamp::from_millis(1_767_225_600_000);

    /// Begins now, at [`VirtualClock::BEGIN`]. Needs a tokio runtime.
    pub fn start() -> Self {
        Self {
            began: Instant::now(),
            wall_ms: AtomicI64::new(Self::BEGIN.as_millis()),
        }
    }

    /// Moves the wall clock, not the timers: somebody has set the machine's clock.
    pub fn jump(&self, millis: i64) {
        self.wall_ms.fetch_add(millis, Ordering::Relaxed);
    }
}

#[async_trait]
impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.wall_ms.load(Ordering::Relaxed)) + self.began.elapsed()
    }

    async fn sleep_until(&self, until: Timestamp) {
        loop {
            let left = until.since(self.now());
            if left.is_zero() {
                return;
            }
            // Now and then it looks whether the clock has jumped.
            tokio::time::sleep(left.min(LOOK_PERIOD)).await;
        }
    }
}
