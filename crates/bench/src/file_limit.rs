//! How many files a process may open, which sockets count as.

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that a server keeps for other ends than clients, and some for the tool.
const OTHER_FILES: u64 = 2_100;

/// Lets this process, and the servers that it starts, open as many files as the system allows;
/// refuses a run whose sessions are more than that.
pub(crate) fn raise(sessions: u32) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    // The server gives WebSockets two files of three.
    let needed = u64::from(sessions) * 3 / 2 + OTHER_FILES;
    if let Some(hard) = limit.maximum.filter(|hard| *hard < needed) {
        anyhow::bail!(
            "{sessions} WebSocket sessions need {needed} open files in one process, and the \
             system allows {hard}: raise the hard limit (`ulimit -Hn`), or measure fewer with \
             `--sessions`"
        );
    }
    if limit.current.is_some_and(|soft| soft < needed) {
        let raised = Rlimit {
            current: limit.maximum.or(Some(needed)),
            maximum: limit.maximum,
        };
        setrlimit(Resource::Nofile, raised).context("failed to raise the limit of open files")?;
    }
    Ok(())
}
