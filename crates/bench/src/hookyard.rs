//! Hookyard as a child process, driven only through its command line, files and HTTP.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use bytes::Bytes;
use hyper::Method;
use tokio::time::Instant;

use crate::load::Target;
use crate::person::{POSTS, Person, call};
use crate::process::Process;

/// A first start makes keys and hashes a password; a slow machine may take its time.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server on its own data directory.
#[derive(Debug)]
pub(crate) struct Hookyard {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
    /// From starting the program to its answer on `/healthz`.
    pub(crate) ready_after: Duration,
    credentials: HashMap<String, String>,
}

/// A data directory that is deleted when dropped.
#[derive(Debug)]
pub(crate) struct DataDir(PathBuf);

impl Drop for DataDir {
    fn drop(&mut self) {
        // Left-over measurements are a nuisance, not a fault.
        let _failed = fs::remove_dir_all(&self.0);
    }
}

impl DataDir {
    /// An empty directory below `parent`.
    pub(crate) fn create(parent: &Path, name: &str) -> anyhow::Result<Self> {
        let path = parent.join(format!("{}-{name}", std::process::id()));
        fs::create_dir_all(&path)
            .with_context(|| format!("failed to create `{}`", path.display()))?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Hookyard {
    /// Starts `binary` on `data_dir` with a configuration in TOML, and waits until it answers.
    pub(crate) async fn start(
        binary: &Path,
        data_dir: &DataDir,
        config: &str,
    ) -> anyhow::Result<Self> {
        let data_dir = data_dir.path();
        let address_file = data_dir.join("address");
        // Left by an earlier run; its return tells that this one is ready.
        let _absent = fs::remove_file(&address_file);
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(data_dir.join("server.log"))?;
        let config_file = data_dir.join("bench.toml");
        fs::write(&config_file, config)?;
        let began = Instant::now();
        let child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(data_dir)
            .arg("--config")
            .arg(config_file)
            .env_remove("HOOKYARD_PUBLIC_URL")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("failed to start `{}`", binary.display()))?;
        let mut process = Process::new(child);
        let address = loop {
            if let Some(address) = read_address(&address_file) {
                break address;
            }
            let alive = process.is_alive() && began.elapsed() < START_TIMEOUT;
            anyhow::ensure!(alive, "server did not become ready:\n{}", tail(data_dir));
            tokio::time::sleep(Duration::from_millis(1)).await;
        };
        let (status, _) = call(address, Method::GET, "/healthz", &[], Bytes::new()).await?;
        let ready_after = began.elapsed();
        anyhow::ensure!(status == 200, "/healthz answered {status}");
        let credentials = fs::read_to_string(data_dir.join("credentials.env"))
            .context("failed to read `credentials.env`")?;
        Ok(Self {
            process,
            address,
            ready_after,
            credentials: credentials.lines().filter_map(variable).collect(),
        })
    }

    fn credential(&self, name: &str) -> anyhow::Result<&str> {
        self.credentials
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("credentials.env has no {name}"))
    }

    /// The first incoming webhook. The path counts: a restart on port 0 moves the server.
    pub(crate) fn hook(&self) -> anyhow::Result<Target> {
        let url = self.credential("HOOKYARD_HOOK_URL")?;
        let path = url
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))
            .context("the hook's URL has no path")?;
        Ok(Target::of_cards(self.address, path))
    }

    /// The first person, signed in with the JWT.
    pub(crate) async fn sign_in(&self) -> anyhow::Result<Person> {
        let client = format!(
            "{}:{}",
            self.credential("RC_APP_CLIENT_ID")?,
            self.credential("RC_APP_CLIENT_SECRET")?
        );
        Person::sign_in(self.address, &client, self.credential("RC_USER_JWT")?).await
    }

    /// Signs in and subscribes `receiver` to posts.
    pub(crate) async fn subscribe(&self, receiver: SocketAddr) -> anyhow::Result<()> {
        self.sign_in().await?.subscribe(POSTS, receiver).await
    }
}

fn read_address(file: &Path) -> Option<SocketAddr> {
    let text = fs::read_to_string(file).ok()?;
    text.trim().strip_prefix("http://")?.parse().ok()
}

fn variable(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let value = value.trim().trim_matches(['"', '\'']);
    Some((name.trim().to_owned(), value.to_owned()))
}

/// The end of the server's log, for an error that a person must understand.
fn tail(data_dir: &Path) -> String {
    let log = fs::read_to_string(data_dir.join("server.log")).unwrap_or_default();
    let lines: Vec<_> = log.lines().rev().take(20).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
