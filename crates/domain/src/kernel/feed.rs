//! What was committed, here or elsewhere: the one way by which those who act on commits hear of
//! them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::kernel::news::News;
use crate::kernel::ports::CommitListener;

/// Tells of every commit, in the order of commits.
///
/// Of a commit of this node listeners are told after the sync and before its caller is answered; of
/// one of another node soon after, from what the store holds. Either way each is told once, and no
/// listener may wait.
///
/// Who follows and then reads the store misses nothing: what is not in the one is in the other, and
/// some may be in both.
pub trait Feed: Send + Sync + fmt::Debug {
    /// Tells `listener` of every commit from now on.
    fn follow(&self, listener: Arc<dyn CommitListener>);
}

/// A listener that is told for as long as somebody else keeps it: a feed holds nothing alive.
impl<T: CommitListener> CommitListener for Weak<T> {
    fn committed(&self, news: &News) {
        if let Some(listener) = self.upgrade() {
            listener.committed(news);
        }
    }
}

/// The feed of a single process: whoever commits tells.
#[derive(Debug, Default)]
pub struct LocalFeed {
    listeners: Mutex<Vec<Arc<dyn CommitListener>>>,
}

impl Feed for LocalFeed {
    fn follow(&self, listener: Arc<dyn CommitListener>) {
        let mut listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        listeners.push(listener);
    }
}

impl CommitListener for LocalFeed {
    fn committed(&self, news: &News) {
        // Who is told may begin to follow, so the lock is not held meanwhile.
        let listeners = self
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for listener in listeners {
            listener.committed(news);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Debug, Default)]
    struct Heard(AtomicU32);

    impl CommitListener for Heard {
        fn committed(&self, _news: &News) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_listener_is_told_for_as_long_as_it_is_kept() {
        let feed = LocalFeed::default();
        let (first, second) = (Arc::new(Heard::default()), Arc::new(Heard::default()));
        feed.follow(Arc::new(Arc::downgrade(&first)));
        feed.committed(&News::default());
        feed.follow(Arc::new(Arc::downgrade(&second)));
        feed.committed(&News::default());
        assert_eq!(first.0.load(Ordering::Relaxed), 2);
        assert_eq!(second.0.load(Ordering::Relaxed), 1);
        let gone = Arc::downgrade(&first);
        drop(first);
        assert!(gone.upgrade().is_none(), "a feed keeps nobody");
        feed.committed(&News::default());
        assert_eq!(second.0.load(Ordering::Relaxed), 2);
    }
}
