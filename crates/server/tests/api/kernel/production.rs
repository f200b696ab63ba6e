//! A whole server in production mode, as the program starts it: everything outside must be https and
//! public.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without")]

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hookyard_server::{Config, Overrides, Server};
use serde_json::{Value, json};

use crate::client::Client;

pub(crate) const PUBLIC_URL: &str = "https://hooks.invalid";
/// How long a test waits for something that should happen at once.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Production {
    folder: PathBuf,
    server: Option<Server>,
    pub(crate) alice: Client,
}

impl Drop for Production {
    fn drop(&mut self) {
        let _failed = std::fs::remove_dir_all(&self.folder);
    }
}

impl Production {
    pub(crate) async fn start(name: &str) -> Self {
        Self::start_with(name, "").await
    }

    /// Starts with a configuration file of this text.
    pub(crate) async fn start_with(name: &str, file: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("production-{name}-{}", std::process::id()));
        let overrides = Overrides {
            listen: Some("127.0.0.1:0".to_owned()),
            data_dir: Some(folder.clone()),
            public_url: Some(PUBLIC_URL.to_owned()),
            ..Overrides::default()
        };
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("hookyard.toml");
        std::fs::write(&path, file).unwrap();
        let config = Config::load(Some(&path), overrides).unwrap();
        let server = Server::start(config).await.unwrap();
        let address = server.local_url().trim_start_matches("http://");
        let nobody = Client {
            address: address.parse().unwrap(),
            token: None,
        };
        let credentials = std::fs::read_to_string(folder.join("credentials.env")).unwrap();
        let credentials: HashMap<_, _> = credentials
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name, value.trim_matches('"')))
            .collect();
        let fields = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ("assertion", credentials["RC_USER_JWT"]),
            ("client_id", credentials["RC_APP_CLIENT_ID"]),
            ("client_secret", credentials["RC_APP_CLIENT_SECRET"]),
        ];
        let granted = nobody.form("/restapi/oauth/token", &fields).await.json();
        let token = granted["access_token"].as_str().unwrap().to_owned();
        Self {
            folder,
            server: Some(server),
            alice: Client {
                token: Some(token),
                ..nobody
            },
        }
    }

    pub(crate) fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// A new bin: its path in the API, and its URL.
    pub(crate) async fn bin(&self, answer: &Value) -> (String, String) {
        let body = json!({ "answer": answer });
        let made = self.alice.post("/api/v1/bins", &body).await;
        let url = made.json()["url"].as_str().unwrap().to_owned();
        (format!("/api/v1/bins/{}", made.id()), url)
    }

    pub(crate) async fn publish(&self) {
        let event = json!({"type": "invoice.paid", "data": {"amount": 5}});
        let published = self
            .alice
            .post("/api/v1/events?autoRegister=true", &event)
            .await;
        assert_eq!(published.status, 201, "{published:?}");
    }

    /// What a bin received, oldest first, once there are `count`.
    pub(crate) async fn received(&self, bin: &str, count: usize) -> Vec<Value> {
        let waiting = async {
            loop {
                let listed = self.alice.get(&format!("{bin}/requests")).await.json();
                let mut records = listed["records"].as_array().unwrap().clone();
                if records.len() >= count {
                    records.reverse();
                    return records;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let received = tokio::time::timeout(PATIENCE, waiting).await;
        received.expect("it arrives in time")
    }

    pub(crate) async fn stop(mut self) {
        self.server.take().unwrap().stop().await;
    }
}
