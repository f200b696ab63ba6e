//! The first start: an account, its administrator, a team, an app, a credential and one incoming
//! webhook, and a file that holds what clients need.

use std::fmt::Write as _;

use anyhow::Context;
use hookyard_domain::identity::secret::token_from;
use hookyard_domain::kernel::limits::SIGN_IN_CODE_TTL;
use hookyard_domain::kernel::ports::{Chance, Clock, Store};
use hookyard_domain::{
    Account, AccountId, AccountWrite, App, AppWrite, Change, Chat, ChatId, ChatKind, ChatStatus,
    ChatWrite, ClientId, ClientSecret, Credential, CredentialId, CredentialKind, CredentialWrite,
    IdSequence, IncomingWebhook, Person, PersonId, PersonKind, PersonStatus, PersonWrite, Secret,
    SignInCodeWrite, Timestamp, TokenHash, WebhookId, WebhookStatus, WebhookWrite,
};

use crate::data_dir::{DataDir, replace};

/// What a start announces.
#[derive(Debug)]
pub(crate) struct Welcome {
    /// Where people read; after the first start it signs the administrator in, once.
    pub(crate) console_url: String,
    /// The first incoming webhook; only after the first start.
    pub(crate) hook_url: Option<String>,
}

/// Everything that a first start needs.
pub(crate) struct FirstStart<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) chance: &'a dyn Chance,
    pub(crate) ids: &'a IdSequence,
    pub(crate) public_url: &'a str,
    pub(crate) data_dir: &'a DataDir,
}

impl FirstStart<'_> {
    /// Fills an empty store; on a store that has an account, only brings the addresses in the
    /// credentials file up to date.
    pub(crate) async fn run(&self) -> anyhow::Result<Welcome> {
        if self.store.first_account().await?.is_some() {
            readdress(self.data_dir, self.public_url)?;
            return Ok(Welcome {
                console_url: format!("{}/", self.public_url),
                hook_url: None,
            });
        }
        let secrets = Secrets::draw(self.chance);
        let change = self.decide(&secrets);
        // The file first: a store whose credentials nobody has would be locked for good, while a
        // file without its store is written again at the next start.
        replace(
            &self.data_dir.credentials(),
            &secrets.as_env(self.public_url),
        )?;
        self.store
            .commit(change)
            .await
            .context("failed to write the first account")?;
        Ok(Welcome {
            console_url: secrets.console_url(self.public_url),
            hook_url: Some(secrets.hook_url(self.public_url)),
        })
    }

    fn decide(&self, secrets: &Secrets) -> Change {
        let now = self.clock.now();
        let account = Account {
            id: AccountId(self.ids.next(now)),
            name: "Hookyard".into(),
            created_at: now,
        };
        let admin = self.person(&account, PersonKind::User, ["Yard", "Admin"], now);
        let integration = self.person(
            &account,
            PersonKind::Integration,
            ["Incoming", "Webhook"],
            now,
        );
        let team = self.chat(ChatKind::Team, "General", &admin, now);
        let everyone = self.chat(ChatKind::Everyone, "Everyone", &admin, now);
        let webhook = self.webhook(&team, &admin, secrets);
        let console = ClientId(ClientId::CONSOLE.into());
        let secret = ClientSecret::of(&secrets.client_secret, "first".to_owned(), now);
        let app = |client_id, name, secret| {
            let app = App::supplied(account.id, client_id, name, secret, now);
            AppWrite::Put(Box::new(app))
        };
        let client_id = ClientId(secrets.client_id.clone());
        Change::of(AccountWrite::Put(account.clone()))
            .and(PersonWrite::Put(admin.clone()))
            .and(PersonWrite::Put(integration))
            .and(PersonWrite::PutPassword {
                account: account.id,
                person: admin.id,
                hash: hookyard_api::hash_password(&secrets.password, self.chance),
            })
            .and(app(client_id.clone(), "First app", Some(secret)))
            .and(app(console, "Hookyard console", None))
            .and(self.jwt(&admin, client_id, &secrets.jwt))
            .and(SignInCodeWrite::Put {
                account: account.id,
                person: admin.id,
                hash: TokenHash::of(secrets.sign_in_code.reveal()),
                expires_at: now + SIGN_IN_CODE_TTL,
            })
            .and(ChatWrite::Put(team))
            .and(ChatWrite::Put(everyone))
            .and(WebhookWrite::Put(webhook))
    }

    fn person(
        &self,
        account: &Account,
        kind: PersonKind,
        name: [&str; 2],
        now: Timestamp,
    ) -> Person {
        let user = kind == PersonKind::User;
        Person {
            account: account.id,
            id: PersonId(self.ids.next(now)),
            kind,
            first_name: name[0].into(),
            last_name: name[1].into(),
            email: user.then(|| USERNAME.into()),
            extension_number: user.then(|| "101".into()),
            admin: user,
            operator: user,
            status: PersonStatus::Enabled,
            created_at: now,
            modified_at: now,
            version: 1,
        }
    }

    fn chat(&self, kind: ChatKind, name: &str, admin: &Person, now: Timestamp) -> Chat {
        Chat {
            account: admin.account,
            id: ChatId(self.ids.next(now)),
            kind,
            name: Some(name.into()),
            description: None,
            public: kind == ChatKind::Team,
            status: ChatStatus::Active,
            members: vec![admin.id],
            admins: vec![admin.id],
            created_at: now,
            modified_at: now,
            version: 1,
        }
    }

    fn jwt(&self, admin: &Person, client_id: ClientId, jwt: &Secret) -> CredentialWrite {
        let mut id = [0; 16];
        self.chance.fill(&mut id);
        CredentialWrite::Put(Box::new(Credential {
            account: admin.account,
            id: CredentialId::from_random(id),
            kind: CredentialKind::Jwt,
            name: "First JWT credential".to_owned(),
            person: admin.id,
            client_id: Some(client_id),
            scopes: None,
            hash: TokenHash::of(jwt.reveal()),
            hint: jwt.hint(),
            created_at: admin.created_at,
            expires_at: None,
            last_used_at: None,
            revoked_at: None,
        }))
    }

    fn webhook(&self, team: &Chat, admin: &Person, secrets: &Secrets) -> IncomingWebhook {
        let mut id = [0; 16];
        self.chance.fill(&mut id);
        IncomingWebhook {
            account: team.account,
            id: WebhookId::from_random(id),
            chat: team.id,
            creator: admin.id,
            token: secrets.hook_token.clone(),
            status: WebhookStatus::Active,
            created_at: team.created_at,
            modified_at: team.created_at,
            version: 1,
        }
    }
}

/// How the administrator signs in.
const USERNAME: &str = "admin@hookyard.local";

/// What the first start makes up. Only hashes of it are stored, but for the webhook's token.
struct Secrets {
    client_id: String,
    client_secret: Secret,
    jwt: Secret,
    hook_token: Secret,
    sign_in_code: Secret,
    password: Secret,
}

impl Secrets {
    fn draw(chance: &dyn Chance) -> Self {
        let token = || {
            let mut bytes = [0; 32];
            chance.fill(&mut bytes);
            token_from(bytes)
        };
        let short = |length: usize| token().reveal().replace(['-', '_'], "x")[..length].to_owned();
        Self {
            client_id: short(22),
            client_secret: token(),
            jwt: CredentialKind::Jwt.token(&token()),
            hook_token: token(),
            sign_in_code: token(),
            password: Secret::new(short(20)),
        }
    }

    fn console_url(&self, public_url: &str) -> String {
        format!("{public_url}/sign-in#code={}", self.sign_in_code.reveal())
    }

    fn hook_url(&self, public_url: &str) -> String {
        format!("{public_url}/webhook/v2/{}", self.hook_token.reveal())
    }

    fn as_env(&self, public_url: &str) -> String {
        let mut text = String::from(
            "# Made at the first start. Official SDKs and samples run with these unchanged.\n",
        );
        let lines = [
            ("RC_SERVER_URL", public_url.to_owned()),
            ("RC_APP_CLIENT_ID", self.client_id.clone()),
            (
                "RC_APP_CLIENT_SECRET",
                self.client_secret.reveal().to_owned(),
            ),
            ("RC_USER_JWT", self.jwt.reveal().to_owned()),
            ("HOOKYARD_HOOK_URL", self.hook_url(public_url)),
            ("HOOKYARD_CONSOLE_URL", self.console_url(public_url)),
            ("HOOKYARD_USERNAME", USERNAME.to_owned()),
            ("HOOKYARD_PASSWORD", self.password.reveal().to_owned()),
        ];
        for (name, value) in lines {
            let _ = writeln!(text, "{name}={value}");
        }
        text
    }
}

/// Brings the addresses in the credentials file up to date: the port may be another this time.
fn readdress(data_dir: &DataDir, public_url: &str) -> anyhow::Result<()> {
    let path = data_dir.credentials();
    let Ok(text) = std::fs::read_to_string(&path) else {
        // The operator has put it elsewhere.
        return Ok(());
    };
    let readdressed = readdressed(&text, public_url);
    if readdressed == text {
        Ok(())
    } else {
        replace(&path, &readdressed)
    }
}

fn readdressed(text: &str, public_url: &str) -> String {
    let mut old = text
        .lines()
        .filter_map(|line| line.strip_prefix("RC_SERVER_URL="));
    let Some(old) = old.next().filter(|old| !old.is_empty()) else {
        return text.to_owned();
    };
    text.replace(&format!("={old}"), &format!("={public_url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_port_changes_every_address_and_nothing_else() {
        let text = "RC_SERVER_URL=http://127.0.0.1:1\nRC_USER_JWT=a.b.c\nHOOKYARD_HOOK_URL=http://127.0.0.1:1/webhook/v2/x\n";
        assert_eq!(
            readdressed(text, "http://127.0.0.1:2"),
            "RC_SERVER_URL=http://127.0.0.1:2\nRC_USER_JWT=a.b.c\nHOOKYARD_HOOK_URL=http://127.0.0.1:2/webhook/v2/x\n"
        );
    }
}
