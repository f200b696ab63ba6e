//! The server's process: started, killed, stopped and started again on one data directory and one
//! port.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Posts;
use crate::http;
use crate::now;
use crate::operation_in;
use crate::pause;
use crate::receiver::{Receiver, VERIFICATION_TOKEN};

/// Ports below the range from which systems choose source ports: a client that dials a dead server
/// inside that range can end up connected to itself, and then the port is taken.
const PORTS: std::ops::Range<u16> = 10_000..20_000;
const START_TIMEOUT: Duration = Duration::from_secs(30);
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    data_dir: PathBuf,
    child: Option<Child>,
    credentials: HashMap<String, String>,
    access_token: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only when it is gone already.
            let _killed = child.kill();
            let _reaped = child.wait();
        }
        // A failing test leaves its data for whoever looks into it.
        if !std::thread::panicking() {
            let _failed = fs::remove_dir_all(&self.data_dir);
        }
    }
}

impl Server {
    /// Starts on an empty data directory and signs in.
    pub(crate) fn start(name: &str) -> Self {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let data_dir = parent.join(format!("crash-{name}-{}", std::process::id()));
        fs::create_dir_all(&data_dir).expect("the target directory is writable");
        let mut server = Self {
            address: free_address(),
            data_dir,
            child: None,
            credentials: HashMap::new(),
            access_token: String::new(),
        };
        server.spawn();
        server.wait_until_ready();
        let file = server.data_dir.join("credentials.env");
        let variables = fs::read_to_string(file).expect("a first start writes credentials");
        let variables = variables.lines().filter_map(|line| line.split_once('='));
        server.credentials = variables
            .map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned()))
            .collect();
        server.access_token = server.sign_in();
        server
    }

    /// Starts the program; it may not be ready yet.
    pub(crate) fn spawn(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.data_dir.join("server.log"))
            .expect("the data directory is writable");
        let child = Command::new(env!("CARGO_BIN_EXE_hookyard"))
            .args(["serve", "--listen", &self.address.to_string(), "--data-dir"])
            .arg(&self.data_dir)
            .env_remove("HOOKYARD_PUBLIC_URL")
            .env_remove("HOOKYARD_CONFIG")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .expect("the program starts");
        self.child = Some(child);
    }

    /// Waits until it answers.
    pub(crate) fn wait_until_ready(&mut self) {
        let deadline = now() + START_TIMEOUT;
        while self.healthy().is_err() {
            let child = self.child.as_mut().expect("it was started");
            let ended = child.try_wait().expect("a child can be asked");
            assert!(
                ended.is_none(),
                "it ended by itself: {ended:?}\n{}",
                self.log()
            );
            assert!(now() < deadline, "it is not ready\n{}", self.log());
            pause(Duration::from_millis(2));
        }
    }

    fn healthy(&self) -> io::Result<()> {
        let mut stream = http::connect(self.address)?;
        let answer = http::exchange(&mut stream, "GET /healthz", &[], b"")?;
        assert_eq!(answer.status(), 200, "{}", answer.head);
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.data_dir.join("server.log")).unwrap_or_default()
    }

    /// Kills it, without a chance to say goodbye.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it was started");
        let ended = child.try_wait().expect("a child can be asked");
        assert!(
            ended.is_none(),
            "it ended by itself: {ended:?}\n{}",
            self.log()
        );
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed child ends");
    }

    /// Asks it to stop and checks that it ends well.
    pub(crate) fn stop(&mut self) {
        let mut child = self.child.take().expect("it was started");
        let asked = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", child.id())])
            .status()
            .expect("there is a shell");
        assert!(asked.success());
        let deadline = now() + STOP_TIMEOUT;
        loop {
            if let Some(status) = child.try_wait().expect("a child can be asked") {
                assert!(status.success(), "{status}\n{}", self.log());
                return;
            }
            if now() > deadline {
                self.child = Some(child);
                panic!("it did not stop within {STOP_TIMEOUT:?}\n{}", self.log());
            }
            pause(Duration::from_millis(2));
        }
    }

    fn credential(&self, name: &str) -> &str {
        self.credentials.get(name).expect("credentials.env has it")
    }

    fn call(&self, line: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut stream = http::connect(self.address).expect("it listens");
        let answer = http::exchange(&mut stream, line, headers, body.as_bytes());
        let answer = answer.expect("it answers");
        let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
        (answer.status(), json)
    }

    fn sign_in(&self) -> String {
        let client = format!(
            "{}:{}",
            self.credential("RC_APP_CLIENT_ID"),
            self.credential("RC_APP_CLIENT_SECRET")
        );
        let basic = format!("Basic {}", STANDARD.encode(client));
        let form = format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={}",
            self.credential("RC_USER_JWT")
        );
        let headers = [
            ("Authorization", basic.as_str()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        let (status, answer) = self.call("POST /restapi/oauth/token", &headers, &form);
        assert_eq!(status, 200, "{answer}");
        let token = answer["access_token"].as_str();
        token.expect("a grant has an access token").to_owned()
    }

    /// What `Authorization` is.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.access_token)
    }

    /// Calls the API with the token from before the first kill: sessions survive too.
    fn api(&self, line: &str, body: &str) -> Value {
        let bearer = self.bearer();
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
        ];
        let (status, answer) = self.call(line, &headers, body);
        assert_eq!(status, 200, "{line}: {answer}");
        answer
    }

    /// Subscribes a receiver to posts.
    pub(crate) fn subscribe(&self, receiver: &Receiver) {
        let wanted = json!({
            "eventFilters": ["/team-messaging/v1/posts"],
            "expiresIn": 86_400,
            "deliveryMode": {
                "transportType": "WebHook",
                "address": format!("http://{}/events", receiver.address),
                "verificationToken": VERIFICATION_TOKEN,
            },
        });
        let answer = self.api("POST /restapi/v1.0/subscription", &wanted.to_string());
        assert_eq!(answer["status"], "Active", "{answer}");
    }

    /// Path of the first incoming webhook's URL.
    pub(crate) fn hook_path(&self) -> String {
        let url = self.credential("HOOKYARD_HOOK_URL");
        let host = format!("http://{}", self.address);
        url.strip_prefix(&host)
            .expect("the hook is on this server")
            .to_owned()
    }

    /// The webhook's chat.
    pub(crate) fn chat(&self) -> String {
        let webhooks = self.api("GET /team-messaging/v1/webhooks", "");
        let chat = webhooks["records"][0]["groupIds"][0].as_str();
        chat.expect("a webhook has a chat").to_owned()
    }

    /// Every post of the webhook's chat that a sender made, read page by page.
    pub(crate) fn posts(&self) -> Posts {
        let chat = self.chat();
        let mut posts = Posts::new();
        let mut page_token = String::new();
        loop {
            let line = format!(
                "GET /team-messaging/v1/chats/{chat}/posts?recordCount=250&pageToken={page_token}"
            );
            let page = self.api(&line, "");
            for post in page["records"].as_array().expect("a page has records") {
                let Some(operation) = post["text"].as_str().and_then(operation_in) else {
                    continue;
                };
                let id = post["id"].as_str().expect("a post has an id").to_owned();
                posts.entry(operation).or_default().push(id);
            }
            // Posts are newest first, and `prev` leads to what is older.
            let Some(token) = page["navigation"]["prevPageToken"].as_str() else {
                return posts;
            };
            page_token = percent_encoded(token);
        }
    }
}

fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        write!(encoded, "%{byte:02X}").expect("a text takes everything");
    }
    encoded
}

fn free_address() -> SocketAddr {
    // A port is only free until somebody takes it: tests of other processes and other tests of
    // this one begin their search elsewhere.
    static SERVERS: AtomicU32 = AtomicU32::new(0);
    let server = SERVERS.fetch_add(1, Ordering::Relaxed);
    let offset = (std::process::id() * 7 + server * 1_000) % 9_000;
    let offset = u16::try_from(offset).expect("below 9,000");
    let mut ports = (PORTS.start + offset..PORTS.end).chain(PORTS);
    ports
        .find_map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok())
        .and_then(|listener| listener.local_addr().ok())
        .expect("a port is free")
}
