//! What components of a test begin with.

use std::sync::Arc;

use hookyard_domain::kernel::component::Ports;
use hookyard_domain::kernel::feed::Feed;
use hookyard_domain::kernel::ownership::SoleOwner;
use hookyard_domain::kernel::ports::Store;

use crate::{SeededChance, VirtualClock};

/// The ports of a node alone, whose store is its feed.
pub fn ports<S: Store + Feed + 'static>(
    store: &Arc<S>,
    clock: &Arc<VirtualClock>,
    seed: u64,
) -> Ports {
    Ports {
        store: Arc::clone(store) as _,
        feed: Arc::clone(store) as _,
        ownership: Arc::new(SoleOwner),
        clock: Arc::clone(clock) as _,
        chance: Arc::new(SeededChance::new(seed)),
    }
}
