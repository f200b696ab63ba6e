//! The data directory: the database, the keys, the first credentials, the address.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use hookyard_domain::kernel::ports::Chance;
use hookyard_store::VaultKey;
use sha2::{Digest, Sha256};

/// A data directory that this process alone uses.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Held for as long as the server runs.
    _lock: File,
}

impl DataDir {
    /// Makes the directory when it is not there, and locks it.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        make_private(path)
            .with_context(|| format!("failed to make the data directory `{}`", path.display()))?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .with_context(|| format!("failed to open `{}`", lock_path.display()))?;
        if lock.try_lock().is_err() {
            bail!(
                "another server uses `{}`: stop it first, or choose another --data-dir",
                path.display()
            );
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("hookyard.db")
    }

    pub(crate) fn credentials(&self) -> PathBuf {
        self.path.join("credentials.env")
    }

    /// Says where the server listens, for scripts that start it on port 0.
    pub(crate) fn write_address(&self, address: &str) -> anyhow::Result<()> {
        replace(&self.path.join("address"), &format!("{address}\n"))
    }

    /// The key that all others are derived from; made at the first start.
    pub(crate) fn master_key(&self, chance: &dyn Chance) -> anyhow::Result<MasterKey> {
        let path = self.path.join("secret.key");
        if !path.exists() {
            if self.database().exists() {
                bail!(
                    "`{}` is missing, and without it the secrets in the database cannot be read: \
                     put it back from your backup",
                    path.display()
                );
            }
            let mut key = [0; 32];
            chance.fill(&mut key);
            let mut text = String::new();
            for byte in key {
                let _infallible = write!(text, "{byte:02x}");
            }
            replace(&path, &format!("{text}\n"))?;
        }
        let text = fs::read_to_string(&path)
            .with_context(|| format!("failed to read `{}`", path.display()))?;
        parse_key(text.trim()).with_context(|| {
            format!(
                "`{}` is not a key: put it back from your backup",
                path.display()
            )
        })
    }
}

/// Makes a directory that only its owner can enter; one that is there stays as it is.
fn make_private(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// 256 bits outside the database.
pub(crate) struct MasterKey([u8; 32]);

impl MasterKey {
    /// Seals secrets in the database.
    pub(crate) fn vault_key(&self) -> VaultKey {
        VaultKey(self.derive("vault"))
    }

    /// Makes tokens.
    pub(crate) fn token_key(&self) -> [u8; 32] {
        self.derive("tokens")
    }

    /// What clients of the PubNub-style transport present. No secret, but the same after a restart.
    pub(crate) fn subscribe_key(&self) -> String {
        let [a, b, c, d, ..] = self.derive("subscribe key");
        let number = u32::from_be_bytes([a, b, c, d]);
        format!("sub-c-{number:08x}-hookyard")
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(purpose.as_bytes());
        hash.finalize().into()
    }
}

fn parse_key(text: &str) -> Option<MasterKey> {
    let mut key = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(MasterKey(key))
}

/// Writes a file that only its owner can read, whole or not at all.
pub(crate) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let temporary = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let write = || -> std::io::Result<()> {
        let mut file = options.open(&temporary)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().with_context(|| format!("failed to write `{}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_64_hexadecimal_digits() {
        assert_eq!(parse_key(&"0f".repeat(32)).map(|key| key.0), Some([15; 32]));
        assert!(parse_key("0f").is_none());
        assert!(parse_key(&"zz".repeat(32)).is_none());
    }
}
