//! What everything else stands on: the data directory, the store in it, an address, and the ports.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use hookyard_domain::kernel::component::{Components, Ports, Stage};
use hookyard_domain::kernel::ownership::SoleOwner;
use hookyard_domain::kernel::ports::{Chance, Clock, Store};
use hookyard_store::{Options, SqliteStore, StoreComponent};
use tokio::net::TcpListener;

use crate::bootstrap::{FirstStart, Welcome};
use crate::config::Config;
use crate::data_dir::{DataDir, MasterKey};

/// How long the store may take to empty its log when the server stops.
const STORE_CLOSES_MAX: Duration = Duration::from_secs(60);

/// The ground.
pub(super) struct Ground {
    pub(super) config: Config,
    pub(super) data_dir: DataDir,
    pub(super) key: MasterKey,
    pub(super) store: Arc<SqliteStore>,
    pub(super) ports: Ports,
    pub(super) components: Arc<Components>,
    /// Bound, so that the address is known and ours; nobody is let in before the door opens.
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) local_url: String,
    pub(super) public_url: String,
    pub(super) welcome: Welcome,
}

impl Ground {
    pub(super) async fn open(
        config: Config,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
    ) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(&config.data_dir)?;
        let key = data_dir.master_key(&*chance)?;
        let options = Options {
            vault_key: key.vault_key(),
            clock: Arc::clone(&clock),
            chance: Arc::clone(&chance),
        };
        let store = Arc::new(SqliteStore::open(&data_dir.database(), options)?);
        let components = Arc::new(Components::default());
        components.add(Stage {
            components: vec![Arc::new(StoreComponent::start(
                &store,
                &data_dir.database(),
                &clock,
            ))],
            patience: STORE_CLOSES_MAX,
        });
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("failed to listen on {}", config.listen))?;
        let address = listener.local_addr()?;
        let local_url = format!("http://{address}");
        let public_url = config.public_url.clone();
        let public_url = public_url.unwrap_or_else(|| local_url.clone());
        let welcome = FirstStart {
            store: &*store,
            clock: &*clock,
            chance: &*chance,
            ids: &store.ids(),
            public_url: &public_url,
            data_dir: &data_dir,
        }
        .run()
        .await?;
        let ports = Ports {
            store: Arc::clone(&store) as Arc<dyn Store>,
            feed: Arc::clone(&store) as _,
            ownership: Arc::new(SoleOwner),
            clock,
            chance,
        };
        Ok(Self {
            config,
            data_dir,
            key,
            store,
            ports,
            components,
            listener,
            address,
            local_url,
            public_url,
            welcome,
        })
    }
}
