//! Where the server is, and how to sign in to it: flags, then the environment, then the file that a
//! first start writes.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use hookyard_domain::Secret;

/// Where a server keeps its credentials when nobody said otherwise.
const CREDENTIALS_DEFAULT: &str = "data/credentials.env";
const SERVER_DEFAULT: &str = "http://127.0.0.1:8080";

/// What says where the server is and who calls it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Access {
    /// Where the server is; also `RC_SERVER_URL` [default: as the credentials file says, or
    /// <http://127.0.0.1:8080>].
    #[arg(long, global = true, value_name = "URL", env = "HOOKYARD_SERVER")]
    server: Option<String>,
    /// File with `RC_APP_CLIENT_ID`, `RC_APP_CLIENT_SECRET` and `RC_USER_JWT`; without it they are
    /// taken from the environment [default: ./data/credentials.env, if it is there].
    #[arg(long, global = true, value_name = "FILE")]
    credentials: Option<PathBuf>,
    #[arg(long, global = true, hide = true, env = "RC_SERVER_URL")]
    rc_server_url: Option<String>,
    #[arg(long, global = true, hide = true, env = "RC_APP_CLIENT_ID")]
    client_id: Option<String>,
    #[arg(
        long,
        global = true,
        hide = true,
        env = "RC_APP_CLIENT_SECRET",
        hide_env_values = true,
        value_parser = secret
    )]
    client_secret: Option<Secret>,
    #[arg(
        long,
        global = true,
        hide = true,
        env = "RC_USER_JWT",
        hide_env_values = true,
        value_parser = secret
    )]
    jwt: Option<Secret>,
}

/// An app and a person's credential for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) jwt: Secret,
}

impl Access {
    /// Reads the credentials file where one is needed or there, and decides.
    ///
    /// # Errors
    ///
    /// When something is missing, with what to do about it.
    pub(crate) fn resolve(&self) -> anyhow::Result<(String, Credentials)> {
        let (path, named) = match &self.credentials {
            Some(path) => (path.as_path(), true),
            None => (Path::new(CREDENTIALS_DEFAULT), false),
        };
        let file = match std::fs::read_to_string(path) {
            Ok(text) => Some(variables(&text)),
            Err(_) if !named => None,
            Err(error) => {
                return Err(error).with_context(|| format!("failed to read `{}`", path.display()));
            }
        };
        self.decide(file.as_ref().map(|variables| (variables, path)), named)
    }

    /// `named` says that the file was asked for, so that it goes before the environment.
    fn decide(
        &self,
        file: Option<(&HashMap<String, String>, &Path)>,
        named: bool,
    ) -> anyhow::Result<(String, Credentials)> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let in_file = |name: &str| {
            let value = file.and_then(|(variables, _)| variables.get(name));
            value.filter(|value| !value.is_empty()).cloned()
        };
        let own = [
            said(&self.client_id),
            self.client_secret.as_ref().map(|s| s.reveal().to_owned()),
            self.jwt.as_ref().map(|s| s.reveal().to_owned()),
        ]
        .map(|text| text.filter(|text| !text.is_empty()));
        // They belong together: half of one account with half of another signs nobody in.
        let from_file = named || own.iter().all(Option::is_none);
        let found = if from_file { NAMES.map(in_file) } else { own };
        if let Some((missing, _)) = NAMES.iter().zip(&found).find(|(_, value)| value.is_none()) {
            match (from_file, file) {
                (true, None) => bail!(
                    "there are no credentials: run this where `{CREDENTIALS_DEFAULT}` is, name the \
                     file with --credentials, or set RC_APP_CLIENT_ID, RC_APP_CLIENT_SECRET and \
                     RC_USER_JWT"
                ),
                (true, Some((_, path))) => bail!("`{}` does not say {missing}", path.display()),
                (false, _) => bail!("{missing} is not set, and belongs to those that are"),
            }
        }
        let [Some(client_id), Some(client_secret), Some(jwt)] = found else {
            unreachable!("what is missing was found above");
        };
        let elsewhere = said(&self.rc_server_url).filter(|_| !from_file || file.is_none());
        let server = said(&self.server)
            .or(elsewhere)
            .or_else(|| in_file("RC_SERVER_URL").filter(|_| from_file))
            .or_else(|| said(&self.rc_server_url))
            .unwrap_or_else(|| SERVER_DEFAULT.to_owned());
        let credentials = Credentials {
            client_id,
            client_secret: Secret::new(client_secret),
            jwt: Secret::new(jwt),
        };
        Ok((server.trim_end_matches('/').to_owned(), credentials))
    }
}

const NAMES: [&str; 3] = ["RC_APP_CLIENT_ID", "RC_APP_CLIENT_SECRET", "RC_USER_JWT"];

#[expect(
    clippy::unnecessary_wraps,
    reason = "the parser of an argument may refuse it"
)]
fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(text))
}

/// The variables of a file in the form that shells read: `NAME=value`, perhaps in quotes.
fn variables(text: &str) -> HashMap<String, String> {
    let lines = text.lines().map(str::trim);
    let set = lines
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let line = line.strip_prefix("export ").unwrap_or(line);
            line.split_once('=')
        });
    set.map(|(name, value)| {
        let value = value.trim();
        let unquoted = ['"', '\'']
            .iter()
            .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
        (name.trim().to_owned(), unquoted.unwrap_or(value).to_owned())
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# made\nRC_SERVER_URL=http://file:1\nexport RC_APP_CLIENT_ID=\"id\"\n\
                        RC_APP_CLIENT_SECRET='se=cret'\nRC_USER_JWT=a.b.c\n";

    fn decide(access: &Access, file: Option<&str>, named: bool) -> Result<String, String> {
        let variables = file.map(variables);
        let file = variables.as_ref().map(|found| (found, Path::new("x.env")));
        let decided = access.decide(file, named);
        decided
            .map(|(server, found)| {
                let secret = found.client_secret.reveal();
                format!(
                    "{server} {} {secret} {}",
                    found.client_id,
                    found.jwt.reveal()
                )
            })
            .map_err(|error| error.to_string())
    }

    fn in_environment() -> Access {
        Access {
            rc_server_url: Some("http://env:2".into()),
            client_id: Some("own".into()),
            client_secret: Some(Secret::new("s")),
            jwt: Some(Secret::new("j")),
            ..Access::default()
        }
    }

    #[test]
    fn the_file_says_it_all_when_nobody_else_says_anything() {
        let told = decide(&Access::default(), Some(FILE), false);
        assert_eq!(told.as_deref(), Ok("http://file:1 id se=cret a.b.c"));
    }

    #[test]
    fn the_environment_goes_before_the_file_that_was_found_and_after_the_one_that_was_named() {
        let access = in_environment();
        let told = decide(&access, Some(FILE), false);
        assert_eq!(told.as_deref(), Ok("http://env:2 own s j"));
        let told = decide(&access, Some(FILE), true);
        assert_eq!(told.as_deref(), Ok("http://file:1 id se=cret a.b.c"));
    }

    #[test]
    fn the_flag_says_where_the_server_is_whatever_others_say() {
        let access = Access {
            server: Some("https://yard.example.com/".into()),
            ..in_environment()
        };
        let told = decide(&access, Some(FILE), false);
        assert_eq!(told.as_deref(), Ok("https://yard.example.com own s j"));
    }

    #[test]
    fn the_environment_alone_says_where_the_server_is() {
        let alone = Access {
            rc_server_url: None,
            ..in_environment()
        };
        let told = decide(&alone, None, false);
        assert_eq!(told.as_deref(), Ok("http://127.0.0.1:8080 own s j"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let told = decide(&Access::default(), None, false).unwrap_err();
        assert!(
            told.starts_with("there are no credentials: run this where"),
            "{told}"
        );
        let told = decide(&Access::default(), Some("RC_USER_JWT=x"), false).unwrap_err();
        assert_eq!(told, "`x.env` does not say RC_APP_CLIENT_ID");
        let half = Access {
            jwt: None,
            ..in_environment()
        };
        let told = decide(&half, Some(FILE), false).unwrap_err();
        assert_eq!(
            told,
            "RC_USER_JWT is not set, and belongs to those that are"
        );
    }
}
