//! Passwords: Argon2id, a few at a time, and as slow for a name that nobody has.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};
use hookyard_domain::Secret;
use hookyard_domain::kernel::ports::Chance;
use tokio::sync::Semaphore;

/// Hashes made at once: each takes 19 MiB and a core for some 20 ms.
const HASHES_MAX: usize = 2;

static PERMITS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(HASHES_MAX)));

/// The Argon2id hash of `password` under a fresh salt, in PHC string format.
pub fn hash_password(password: &Secret, chance: &dyn Chance) -> Secret {
    hash_with(password, salt(chance))
}

fn salt(chance: &dyn Chance) -> [u8; 16] {
    let mut salt = [0; 16];
    chance.fill(&mut salt);
    salt
}

/// Does what [`hash_password`] does while others are served; `None` when the server is stopping.
pub(crate) async fn hash_chosen_password(password: Secret, chance: &dyn Chance) -> Option<Secret> {
    let salt = salt(chance);
    let _permit = Arc::clone(&PERMITS).acquire_owned().await.ok()?;
    tokio::task::spawn_blocking(move || hash_with(&password, salt))
        .await
        .ok()
}

fn hash_with(password: &Secret, salt: [u8; 16]) -> Secret {
    let hash = Argon2::default()
        .hash_password_with_salt(password.reveal().as_bytes(), &salt)
        .expect("salt and length are within Argon2's bounds");
    Secret::new(hash.to_string())
}

/// Whether `password` is the one behind `hash`. Without a hash it takes as long and is wrong.
pub(crate) async fn verify_password(password: Secret, hash: Option<Secret>) -> bool {
    let Ok(_permit) = Arc::clone(&PERMITS).acquire_owned().await else {
        return false;
    };
    tokio::task::spawn_blocking(move || verify(&password, hash.as_ref()))
        .await
        .unwrap_or(false)
}

/// A hash that no password has been made for.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn verify(password: &Secret, hash: Option<&Secret>) -> bool {
    let known = hash.is_some();
    let text = hash.map_or(NOBODYS, Secret::reveal);
    let Ok(parsed) = PasswordHash::new(text) else {
        return false;
    };
    let right = Argon2::default()
        .verify_password(password.reveal().as_bytes(), &parsed)
        .is_ok();
    right && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Fixed;
    impl Chance for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(3);
        }
    }

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let hash = hash_password(&Secret::new("correct horse"), &Fixed);
        assert!(verify_password(Secret::new("correct horse"), Some(hash.clone())).await);
        assert!(!verify_password(Secret::new("battery staple"), Some(hash)).await);
        assert!(!verify_password(Secret::new(""), None).await);
        assert!(
            PasswordHash::new(NOBODYS).is_ok(),
            "the stand-in costs as much as a real one"
        );
    }
}
