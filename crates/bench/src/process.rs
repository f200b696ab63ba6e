//! A measured child process: what it used, and its end.

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::Context;

/// Clock ticks of `/proc/PID/stat` in a second; fixed at 100 on Linux, whatever the kernel's own.
const TICKS_PER_SECOND: f64 = 100.0;
/// A server that has not stopped by then will not.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// A child that is killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only when it is gone already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Process {
    pub(crate) fn new(child: Child) -> Self {
        Self { child }
    }

    /// Whether it still runs.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks it to stop with SIGTERM and waits until it has.
    pub(crate) async fn stop(&mut self) -> anyhow::Result<()> {
        // The shell's own `kill`: the program of that name is not on every machine.
        let asked = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.child.id())])
            .status()?;
        anyhow::ensure!(asked.success(), "failed to signal the server");
        let deadline = tokio::time::Instant::now() + STOP_TIMEOUT;
        while self.is_alive() {
            anyhow::ensure!(
                tokio::time::Instant::now() < deadline,
                "server did not stop within {STOP_TIMEOUT:?} of SIGTERM"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(())
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let path = format!("/proc/{}/{file}", self.child.id());
        fs::read_to_string(&path).with_context(|| format!("failed to read `{path}`"))
    }

    /// User and system CPU time since its start, in seconds.
    pub(crate) fn cpu_s(&self) -> anyhow::Result<f64> {
        let stat = self.read("stat")?;
        // The second field is the program's name in parentheses, which may hold anything.
        let after_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
        let mut fields = after_name.split_ascii_whitespace().skip(11);
        let mut ticks = || fields.next().and_then(|field| field.parse::<f64>().ok());
        let user = ticks().context("failed to parse CPU time")?;
        let system = ticks().context("failed to parse CPU time")?;
        Ok((user + system) / TICKS_PER_SECOND)
    }

    /// Memory in use now, in MiB.
    pub(crate) fn rss_mib(&self) -> anyhow::Result<f64> {
        self.memory_mib("VmRSS:")
    }

    /// The most memory since [`Process::reset_peak`], in MiB.
    pub(crate) fn rss_peak_mib(&self) -> anyhow::Result<f64> {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, field: &str) -> anyhow::Result<f64> {
        let status = self.read("status")?;
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix(field))
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|digits| digits.trim().parse::<f64>().ok())
            .with_context(|| format!("failed to find {field} in the process status"))?;
        Ok(kib / 1_024.0)
    }

    /// Forgets the peak so far. Where the kernel refuses, the peak is that of the whole life.
    pub(crate) fn reset_peak(&self) {
        let _refused = fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }
}

/// Bytes of all files below `directory`, in MiB.
pub(crate) fn disk_mib(directory: &Path) -> anyhow::Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let about = entry.metadata()?;
        bytes += if about.is_dir() { 0 } else { about.len() };
    }
    Ok(crate::stopwatch::float(bytes) / 1_048_576.0)
}
