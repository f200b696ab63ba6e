//! On one node the feed of commits is the writer: it tells each batch after the sync, and before it
//! answers the callers.

use std::sync::Arc;

use hookyard_domain::kernel::feed::Feed;
use hookyard_domain::kernel::ports::CommitListener;

use super::SqliteStore;

impl Feed for SqliteStore {
    fn follow(&self, listener: Arc<dyn CommitListener>) {
        self.listen(listener);
    }
}
