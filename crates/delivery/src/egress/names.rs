//! Resolving names by the system's resolver.
//!
//! It blocks a thread of the pool that reads of the store use too, for as long as it likes, also
//! when nobody waits for it any more. So those who ask for one name at the same time share one
//! question, and there is a bound on all of them: receivers whose names do not resolve cannot take
//! the threads of everybody else. Answers are not kept: each new connection is judged by a fresh
//! one.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hookyard_domain::kernel::limits::RESOLVES_AT_ONCE_MAX;
use tokio::net::lookup_host;
use tokio::sync::{Semaphore, watch};

/// What a question came to: addresses without a port, or nothing.
type Answer = Option<Arc<[SocketAddr]>>;
type Asked = HashMap<String, watch::Receiver<Option<Answer>>>;

pub(super) struct Names {
    asked: Arc<Mutex<Asked>>,
    turns: Arc<Semaphore>,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            asked: Arc::default(),
            turns: Arc::new(Semaphore::new(RESOLVES_AT_ONCE_MAX)),
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

fn lock(asked: &Mutex<Asked>) -> MutexGuard<'_, Asked> {
    asked.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets a question, however it ended.
struct Asking {
    asked: Arc<Mutex<Asked>>,
    name: String,
}

impl Drop for Asking {
    fn drop(&mut self) {
        lock(&self.asked).remove(&self.name);
    }
}

impl Names {
    /// All addresses of `name`, with `port`. `None` when it does not resolve.
    pub(super) async fn resolve(&self, name: &str, port: u16) -> Option<Vec<SocketAddr>> {
        let look_up = |name| async move { Ok(lookup_host((name, 0)).await?.collect()) };
        let found = self.resolve_by(name, look_up).await?;
        let with_port = |mut address: SocketAddr| {
            address.set_port(port);
            address
        };
        Some(found.iter().copied().map(with_port).collect())
    }

    /// Asks `lookup`, unless somebody waits for its answer already.
    async fn resolve_by<F>(&self, name: &str, lookup: impl FnOnce(String) -> F) -> Answer
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let mut answer = self.ask(name, lookup);
        let told = answer.wait_for(Option::is_some).await.ok()?;
        told.clone().flatten()
    }

    fn ask<F>(
        &self,
        name: &str,
        lookup: impl FnOnce(String) -> F,
    ) -> watch::Receiver<Option<Answer>>
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        let mut asked = lock(&self.asked);
        if let Some(answer) = asked.get(name) {
            return answer.clone();
        }
        let (tell, answer) = watch::channel(None);
        asked.insert(name.to_owned(), answer.clone());
        let asking = Asking {
            asked: Arc::clone(&self.asked),
            name: name.to_owned(),
        };
        let (turns, looking) = (Arc::clone(&self.turns), lookup(name.to_owned()));
        // A task of its own: it goes on, and keeps its turn, when nobody waits any more.
        tokio::spawn(async move {
            let _turn = turns.acquire().await;
            let found = looking.await.ok().map(Arc::from);
            // Who asks from now on asks anew.
            drop(asking);
            let _nobody_waits = tell.send(Some(found));
        });
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::oneshot;
    use tokio::time::timeout;

    use super::*;

    const LITTLE: Duration = Duration::from_millis(10);

    fn found() -> Vec<SocketAddr> {
        vec![SocketAddr::from(([192, 0, 2, 1], 0))]
    }

    #[tokio::test]
    async fn those_who_ask_for_one_name_share_one_question() {
        let names = Names::default();
        let questions = Arc::new(AtomicUsize::new(0));
        let (go, gone) = oneshot::channel::<()>();
        let mut gone = Some(gone);
        let mut ask = || {
            let questions = Arc::clone(&questions);
            let gone = gone.take();
            names.resolve_by("slow.example", move |_| async move {
                questions.fetch_add(1, Ordering::Relaxed);
                if let Some(gone) = gone {
                    let _ = gone.await;
                }
                Ok(found())
            })
        };
        // Those who give up leave the question asked.
        for _ in 0..100 {
            assert!(timeout(Duration::ZERO, ask()).await.is_err());
        }
        let waiting = ask();
        go.send(()).unwrap();
        assert_eq!(waiting.await.unwrap().len(), 1);
        assert_eq!(questions.load(Ordering::Relaxed), 1);
        // The answer is not kept.
        assert!(ask().await.is_some());
        assert_eq!(questions.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn names_that_never_resolve_take_their_share_and_no_more() {
        let names = Names::default();
        let asked = Arc::new(AtomicUsize::new(0));
        for number in 0..2 * RESOLVES_AT_ONCE_MAX {
            let asked = Arc::clone(&asked);
            let name = format!("{number}.example");
            let never = names.resolve_by(&name, |_| async move {
                asked.fetch_add(1, Ordering::Relaxed);
                std::future::pending().await
            });
            assert!(timeout(LITTLE, never).await.is_err());
        }
        assert_eq!(asked.load(Ordering::Relaxed), RESOLVES_AT_ONCE_MAX);
    }

    #[tokio::test]
    async fn a_name_is_asked_for_again_after_a_failure() {
        let names = Names::default();
        let failed = names.resolve_by("a.example", |_| async {
            Err(io::ErrorKind::NotFound.into())
        });
        assert!(failed.await.is_none());
        let panicked = names.resolve_by("a.example", |_| async { panic!("a bug") });
        assert!(panicked.await.is_none());
        assert!(
            names
                .resolve_by("a.example", |_| async { Ok(found()) })
                .await
                .is_some()
        );
    }

    #[tokio::test]
    async fn the_system_is_asked() {
        let names = Names::default();
        let found = names.resolve("localhost", 80).await.unwrap();
        assert!(!found.is_empty());
        assert!(
            found
                .iter()
                .all(|address| address.port() == 80 && address.ip().is_loopback())
        );
    }
}
