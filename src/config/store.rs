//! What gateways have to agree on: where it is kept.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::raw::{Typed, Value};
use super::reader::Reader;
use super::setting as s;
use super::value::{Setable, Wrong, quote};
use crate::secret::Secret;
use crate::store::{self, redis};

/// What gateways have to agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// Where several gateways keep it. Default: nowhere, and this one keeps it in memory.
    pub redis: Option<Redis>,
    /// What becomes of newcomers when it cannot be asked. Default: they are refused.
    pub when_away: WhenAway,
}

/// A Redis that gateways share. It costs about 3 kB for each session, and the length of its grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redis {
    /// Where it is.
    pub url: RedisUrl,
    /// Who we are there. Default: its default user.
    pub username: Option<UserName>,
    /// What proves it. Default: nothing.
    pub password_file: Option<PathBuf>,
    /// PEM: the authorities that are believed about it. Default: the system's.
    pub ca_file: Option<PathBuf>,
    /// How its keys and channels begin. Default: `fanlight:`.
    pub prefix: KeyPrefix,
    /// How long a call may take. Default: 2 s; 10 ms to 30 s.
    pub timeout: Duration,
}

/// What becomes of newcomers when the store cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenAway {
    /// They are refused for the time being.
    Refuse,
    /// They are let in unchecked.
    Allow,
}

/// Where a Redis is: `redis://` or `rediss://`, host, port, number of the database, and no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisUrl(String);

/// The name of a user of Redis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserName(String);

/// How keys begin: 1 to 64 letters, digits and some marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPrefix(String);

/// Which store it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Memory,
    Redis,
}

/// Why a store cannot be used as it is configured. The words hold no secret.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file cannot be read.
    #[error("cannot read {path} (setting {setting}): {error}")]
    File {
        /// The setting that names it.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// What it is given does not fit together.
    #[error(transparent)]
    Bad(#[from] redis::BadParams),
}

impl Store {
    /// What the store is opened with by the gateway of that name.
    ///
    /// # Errors
    /// [`StoreError::File`].
    pub fn params(&self, gateway: &str) -> Result<store::Params, StoreError> {
        let Some(redis) = &self.redis else {
            return Ok(store::Params::Memory);
        };
        let password = read(&s::STORE_PASSWORD_FILE, redis.password_file.as_ref())?;
        let password = password.map(|bytes| {
            let last = bytes.iter().rposition(|b| !b"\r\n".contains(b));
            let end = last.map_or(0, |last| last + 1);
            Secret::new(bytes.get(..end).unwrap_or_default())
        });
        Ok(store::Params::Redis(redis::Params {
            url: redis.url.0.clone(),
            username: redis.username.as_ref().map(|name| name.0.clone()),
            password,
            ca: read(&s::STORE_CA_FILE, redis.ca_file.as_ref())?,
            prefix: redis.prefix.0.clone(),
            timeout: redis.timeout,
            lease: store::LEASE,
            gateway: gateway.to_owned(),
        }))
    }

    /// Opens the store for the gateway of that name. It need not be there yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(&self, gateway: &str) -> Result<Arc<dyn store::Store>, StoreError> {
        Ok(store::open(&self.params(gateway)?)?)
    }
}

fn read(setting: &s::Setting, path: Option<&PathBuf>) -> Result<Option<Vec<u8>>, StoreError> {
    let Some(path) = path else { return Ok(None) };
    let bytes = std::fs::read(path).map_err(|error| StoreError::File {
        setting: setting.path,
        path: path.clone(),
        error,
    })?;
    Ok(Some(bytes))
}

/// `None` when the reader has noted a problem.
pub(super) fn resolve(r: &mut Reader) -> Option<Store> {
    let kind: Option<Kind> = r.take(&s::STORE_KIND);
    let url: Option<RedisUrl> = r.take(&s::STORE_URL);
    let username = r.take(&s::STORE_USERNAME);
    let password_file = r.take(&s::STORE_PASSWORD_FILE);
    let ca_file = r.take(&s::STORE_CA_FILE);
    let prefix = r.take(&s::STORE_PREFIX);
    let timeout = r.take_in_range(&s::STORE_TIMEOUT);
    let when_away = r.take(&s::STORE_WHEN_AWAY);
    if kind? == Kind::Memory {
        for setting in [
            &s::STORE_URL,
            &s::STORE_USERNAME,
            &s::STORE_PASSWORD_FILE,
            &s::STORE_CA_FILE,
        ] {
            if r.is_set(setting) {
                r.refuse(setting, "needs store.kind = \"redis\"");
            }
        }
        return Some(Store {
            redis: None,
            when_away: when_away?,
        });
    }
    if !r.is_set(&s::STORE_URL) {
        r.refuse(&s::STORE_KIND, "needs store.url as well");
    }
    let url = url?;
    if r.is_set(&s::STORE_CA_FILE) && !url.is_tls() {
        r.refuse(&s::STORE_CA_FILE, "needs a store.url with rediss://");
    }
    Some(Store {
        redis: Some(Redis {
            url,
            username,
            password_file,
            ca_file,
            prefix: prefix?,
            timeout: timeout?,
        }),
        when_away: when_away?,
    })
}

impl RedisUrl {
    fn is_tls(&self) -> bool {
        self.0.starts_with("rediss://")
    }
}

impl Setable for RedisUrl {
    const EXPECTED: &'static str =
        "redis://HOST:PORT/DB, or rediss:// for TLS; user and password have settings of their own";

    fn from_text(text: &str) -> Option<Self> {
        let rest = text
            .strip_prefix("redis://")
            .or_else(|| text.strip_prefix("rediss://"))?;
        let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
        let host = match authority.strip_prefix('[') {
            Some(v6) => {
                let (address, port) = v6.split_once(']')?;
                address.parse::<std::net::Ipv6Addr>().ok()?;
                good_port(port)?;
                address
            }
            None => {
                let at = authority.find(':').unwrap_or(authority.len());
                let (host, port) = authority.split_at_checked(at)?;
                good_port(port)?;
                host
            }
        };
        let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.:".contains(&b);
        let number = database.len() <= 3 && database.bytes().all(|b| b.is_ascii_digit());
        let good = !host.is_empty() && host.bytes().all(fits) && number;
        good.then(|| Self(text.to_owned()))
    }

    fn read(typed: &Typed) -> Result<Self, Vec<Wrong>> {
        let url = match &typed.value {
            Value::Text(text) => Self::from_text(text),
            _ => None,
        };
        // There may be a password in it, which is not repeated.
        let wrong = || Wrong::with(typed, format!("expected {}", Self::EXPECTED));
        url.ok_or_else(|| vec![wrong()])
    }

    fn to_toml(&self) -> String {
        quote(&self.0)
    }
}

/// Nothing, or a colon and a port.
fn good_port(text: &str) -> Option<()> {
    let Some(port) = text.strip_prefix(':') else {
        return text.is_empty().then_some(());
    };
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    let port: u16 = port.parse().ok()?;
    (digits && port > 0).then_some(())
}

impl Setable for UserName {
    const EXPECTED: &'static str = "1 to 128 characters without spaces";

    fn from_text(text: &str) -> Option<Self> {
        let fits = |c: char| !c.is_whitespace() && !c.is_control();
        let good = (1..=128).contains(&text.len()) && text.chars().all(fits);
        good.then(|| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quote(&self.0)
    }
}

impl Setable for KeyPrefix {
    const EXPECTED: &'static str = "1 to 64 letters, digits, colons, hyphens, underscores and dots";

    fn from_text(text: &str) -> Option<Self> {
        let fits = |b: u8| b.is_ascii_alphanumeric() || b":-_.".contains(&b);
        let good = (1..=64).contains(&text.len()) && text.bytes().all(fits);
        good.then(|| Self(text.to_owned()))
    }

    fn to_toml(&self) -> String {
        quote(&self.0)
    }
}

impl Setable for Kind {
    const EXPECTED: &'static str = "memory or redis";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "memory" => Some(Self::Memory),
            "redis" => Some(Self::Redis),
            _ => None,
        }
    }

    fn to_toml(&self) -> String {
        quote(match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
        })
    }
}

impl Setable for WhenAway {
    const EXPECTED: &'static str = "refuse or allow";

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refuse),
            "allow" => Some(Self::Allow),
            _ => None,
        }
    }

    fn to_toml(&self) -> String {
        quote(match self {
            Self::Refuse => "refuse",
            Self::Allow => "allow",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for (text, good) in [
            ("redis://redis.example", true),
            ("redis://127.0.0.1:6379/", true),
            ("rediss://[2001:db8::1]:6380/15", true),
            ("redis://", false),
            ("redis://:6379", false),
            ("redis://redis.example:", false),
            ("redis://redis.example:0", false),
            ("redis://redis.example:+1", false),
            ("redis://redis.example:65536", false),
            ("redis://[2001:db8::1", false),
            ("redis://[redis.example]", false),
            ("redis://user@redis.example", false),
            ("redis://:password@redis.example", false),
            ("redis://redis.example/0?protocol=3", false),
            ("rediss://redis.example/#insecure", false),
            ("redis://redis.example/a", false),
            ("redis://redis.example/0/1", false),
            ("redis+unix:///run/redis", false),
            ("unix:///run/redis", false),
            ("http://redis.example", false),
        ] {
            assert_eq!(RedisUrl::from_text(text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn a_password_file_holds_the_password_and_perhaps_a_line_end() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("password");
        for (text, password) in [("p w\r\n", "p w"), ("pw", "pw"), ("\n", ""), ("", "")] {
            std::fs::write(&file, text).unwrap();
            let store = Store {
                redis: Some(Redis {
                    url: RedisUrl("redis://redis.example".to_owned()),
                    username: None,
                    password_file: Some(file.clone()),
                    ca_file: None,
                    prefix: KeyPrefix("fanlight:".to_owned()),
                    timeout: Duration::from_secs(2),
                }),
                when_away: WhenAway::Refuse,
            };
            match store.params("one").unwrap() {
                store::Params::Redis(params) => {
                    let read = params.password.unwrap();
                    assert_eq!(read.expose(), password.as_bytes(), "{text:?}");
                }
                store::Params::Memory => panic!("it is a Redis"),
            }
        }
    }
}
