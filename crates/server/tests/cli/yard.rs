//! A server on a free port, and the program that calls it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hookyard_server::{Config, Overrides, Server};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

/// How long a test waits for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the environment of a test must not say.
const VARIABLES: [&str; 7] = [
    "HOOKYARD_SERVER",
    "HOOKYARD_SIGNING_SECRET",
    "RC_SERVER_URL",
    "RC_APP_CLIENT_ID",
    "RC_APP_CLIENT_SECRET",
    "RC_USER_JWT",
    "NO_COLOR",
];

/// A folder, and the server that keeps its data in it.
pub(crate) struct Yard {
    pub(crate) folder: PathBuf,
    server: Option<Server>,
}

impl Drop for Yard {
    fn drop(&mut self) {
        // A failing test leaves its data for whoever looks into it.
        if !std::thread::panicking() {
            let _failed = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl Yard {
    pub(crate) async fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut yard = Self {
            folder,
            server: None,
        };
        yard.serve("127.0.0.1:0").await;
        yard
    }

    async fn serve(&mut self, listen: &str) {
        let overrides = Overrides {
            listen: Some(listen.to_owned()),
            // Where the program looks for credentials when nobody says otherwise.
            data_dir: Some(self.folder.join("data")),
            ..Overrides::default()
        };
        let config = Config::load(None, overrides).unwrap();
        self.server = Some(Server::start(config).await.unwrap());
    }

    /// Stops the server and starts another on the same data and port.
    pub(crate) async fn restart(&mut self) {
        let server = self.server.take().unwrap();
        let address = server.local_url().trim_start_matches("http://").to_owned();
        server.stop().await;
        self.serve(&address).await;
    }

    /// Stops the server for good.
    pub(crate) async fn stop(&mut self) {
        self.server.take().unwrap().stop().await;
    }

    /// The program in the folder, with `words` as arguments and nothing in its environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hookyard"));
        command
            .args(words)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    /// Runs it to its end.
    pub(crate) async fn run(&self, words: &[&str]) -> Ran {
        ended(self.command(words).spawn().unwrap()).await
    }

    /// The same with something on standard input.
    pub(crate) async fn run_with(&self, words: &[&str], input: &str) -> Ran {
        let mut command = self.command(words);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        ended(child).await
    }

    /// Runs it, sees that it ends well, and returns what it wrote.
    pub(crate) async fn good(&self, words: &[&str]) -> String {
        self.run(words).await.good()
    }

    /// The same for the one JSON object that it wrote.
    pub(crate) async fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.good(words).await).unwrap()
    }

    /// Starts `hookyard listen` and waits until it is ready.
    pub(crate) async fn listen(&self, words: &[&str]) -> Listening {
        let words = [&["listen"], words].concat();
        let mut child = self.command(&words).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let notes = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut listening = Listening {
            child,
            lines,
            notes,
        };
        let note = listening.note().await;
        assert!(note.starts_with("Ready: "), "{note}");
        listening
    }
}

async fn ended(child: Child) -> Ran {
    let output = timeout(PATIENCE, child.wait_with_output()).await;
    Ran::from(output.expect("it ends").unwrap())
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) notes: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            notes: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    pub(crate) fn good(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// What it said was wrong.
    pub(crate) fn failed(self) -> String {
        assert_eq!(self.code, 1, "{self:?}");
        self.notes
    }
}

/// A program that listens.
pub(crate) struct Listening {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    notes: Lines<BufReader<ChildStderr>>,
}

impl Listening {
    /// The next line of output.
    pub(crate) async fn line(&mut self) -> String {
        let line = timeout(PATIENCE, self.lines.next_line()).await;
        line.expect("a line in time").unwrap().expect("a line")
    }

    /// The next line for people.
    pub(crate) async fn note(&mut self) -> String {
        let note = timeout(PATIENCE, self.notes.next_line()).await;
        note.expect("a note in time").unwrap().expect("a note")
    }

    /// Presses Ctrl+C, and returns its last note.
    pub(crate) async fn interrupt(mut self) -> String {
        let id = self.child.id().expect("it runs");
        let told = Command::new("sh")
            .args(["-c", &format!("kill -INT {id}")])
            .status()
            .await
            .unwrap();
        assert!(told.success());
        let note = self.note().await;
        let status = timeout(PATIENCE, self.child.wait()).await;
        assert!(status.expect("it ends").unwrap().success());
        note
    }
}
