//! Who may use the API: names, and hashes of keys.

use std::fmt;
use std::net::IpAddr;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use sha2::{Digest, Sha256};

use super::raw::{Typed, Value};
use super::value::{Item, Wrong, quote};
use crate::http::api::scope::{BadScope, Scope, Scopes};

/// One key of the API, or a certificate that stands in for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose it is, for the log: 1 to 64 letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What has to be presented.
    pub proof: ApiProof,
    /// What it is good for. Default: minting alone.
    pub scopes: Scopes,
}

/// What shows whose request it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiProof {
    /// A key that hashes to this.
    Key(ApiKeyHash),
    /// A certificate with this name in its subjectAltName: a DNS name, in lower case, or a URI, which has
    /// a colon.
    Certificate(String),
}

impl ApiProof {
    /// What stands in the file, secrets shortened.
    fn to_toml(&self) -> String {
        match self {
            Self::Key(hash) => format!("hash = {}", quote(&format!("{hash:?}"))),
            Self::Certificate(name) => format!("certificate = {}", quote(name)),
        }
    }
}

/// SHA-256 of an API key's text. The keys are 32 random bytes, so that no slow hash is needed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApiKeyHash([u8; 32]);

/// What stands before the hexadecimal digits.
const ALGORITHM: &str = "sha256:";

/// What stands before the name of a certificate in a variable.
const CERTIFICATE: &str = "certificate:";

/// The longest name of a certificate, in bytes.
const MAX_CERTIFICATE: usize = 512;

/// The longest name, in bytes.
const MAX_NAME: usize = 64;

impl ApiKeyHash {
    /// How the text of every key begins.
    pub const KEY_PREFIX: &str = "fl_";

    /// The hash of a key, as the configuration has it.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    /// The 32 bytes, to compare with in constant time.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As the configuration has it: `sha256:` and 64 hexadecimal digits.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{ALGORITHM}{}", HEXLOWER.encode(&self.0))
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(ALGORITHM)?;
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok()?;
        bytes.try_into().map(Self).ok()
    }
}

impl fmt::Debug for ApiKeyHash {
    /// Shortened: enough to tell keys apart, too little to search for them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, ..] = self.0;
        write!(f, "{ALGORITHM}{}***", HEXLOWER.encode(&[a, b, c]))
    }
}

/// Whether a text can be the name of a key.
#[must_use]
pub fn is_key_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

/// What is wrong is never repeated: it may be the key itself, put where its hash belongs.
impl Item for ApiKey {
    const LIST: &'static str =
        "a list such as [{ name = \"cloud\", hash = \"sha256:…\" }] (see `fanlight keys api`)";

    fn read_item(typed: &Typed) -> Result<Self, Wrong> {
        let (name, proof, scopes) = match &typed.value {
            Value::Text(text) => {
                let (name, rest) = text.split_once('=').ok_or_else(|| {
                    Wrong::with(typed, "expected name=sha256:… each, commas between")
                })?;
                let (hash, scopes) = match rest.split_once('+') {
                    Some((hash, scopes)) => {
                        let scopes = scopes.split('+').map(|scope| read_scope(typed, scope));
                        (hash, scopes.collect::<Result<_, _>>()?)
                    }
                    None => (rest, Scopes::default()),
                };
                let proof = match hash.strip_prefix(CERTIFICATE) {
                    Some(certificate) => read_certificate(typed, certificate)?,
                    None => read_hash(typed, hash)?,
                };
                (read_name(typed, name)?, proof, scopes)
            }
            Value::Table(entries) => {
                let (mut name, mut hash, mut certificate) = (None, None, None);
                let mut scopes = Scopes::default();
                for (key, place, value) in entries {
                    match (key.as_str(), &value.value) {
                        ("name", Value::Text(text)) => name = Some(read_name(value, text)?),
                        ("hash", Value::Text(text)) => hash = Some(read_hash(value, text)?),
                        ("certificate", Value::Text(text)) => {
                            certificate = Some(read_certificate(value, text)?);
                        }
                        ("scopes", _) => scopes = read_scopes(value)?,
                        ("name" | "hash" | "certificate", _) => {
                            return Err(Wrong::with(
                                value,
                                format!("expected {key} to be a string"),
                            ));
                        }
                        _ => {
                            return Err(Wrong {
                                place: place.clone(),
                                message: "a key has name, hash (or certificate) and scopes and nothing else"
                                    .to_owned(),
                            });
                        }
                    }
                }
                let missing = |what| Wrong::with(typed, format!("a key needs a {what}"));
                let proof = match (hash, certificate) {
                    (Some(_), Some(_)) => {
                        return Err(Wrong::with(typed, "a key has a hash or a certificate"));
                    }
                    (hash, certificate) => hash.or(certificate),
                };
                (
                    name.ok_or_else(|| missing("name"))?,
                    proof.ok_or_else(|| missing("hash or a certificate"))?,
                    scopes,
                )
            }
            _ => {
                return Err(Wrong::with(
                    typed,
                    "expected { name = \"…\", hash = \"sha256:…\" }",
                ));
            }
        };
        Ok(Self {
            name,
            proof,
            scopes,
        })
    }

    fn clash(items: &[Self]) -> Option<String> {
        items.iter().enumerate().find_map(|(index, key)| {
            let before = items.get(..index)?;
            let same_name = before.iter().any(|other| other.name == key.name);
            let same_proof = before.iter().any(|other| other.proof == key.proof);
            match &key.proof {
                _ if same_name => Some(format!("two keys are named {}", key.name)),
                ApiProof::Certificate(name) if same_proof => {
                    Some(format!("two keys have the certificate {name}"))
                }
                _ => None,
            }
        })
    }

    fn item_to_toml(&self) -> String {
        let scopes = self.scopes.iter().map(|scope| quote(scope.as_str()));
        format!(
            "{{ name = {}, {}, scopes = [{}] }}",
            quote(&self.name),
            self.proof.to_toml(),
            scopes.collect::<Vec<_>>().join(", ")
        )
    }
}

fn read_name(typed: &Typed, text: &str) -> Result<String, Wrong> {
    let name = is_key_name(text).then(|| text.to_owned());
    name.ok_or_else(|| {
        Wrong::with(
            typed,
            "expected a name of 1 to 64 letters, digits, hyphens, underscores and dots",
        )
    })
}

fn read_certificate(typed: &Typed, text: &str) -> Result<ApiProof, Wrong> {
    // A key in the wrong place is not repeated.
    if text.starts_with(ApiKeyHash::KEY_PREFIX) {
        return Err(Wrong::with(typed, "expected a name, not a key"));
    }
    if text.contains('*') {
        let words = "a certificate is known by a name as it stands: there are no wildcards";
        return Err(Wrong::with(typed, words));
    }
    if text.parse::<IpAddr>().is_ok() {
        let words = "a certificate is known by a DNS name or a URI, and not by an address";
        return Err(Wrong::with(typed, words));
    }
    let fits = |it: &&str| (1..=MAX_CERTIFICATE).contains(&it.len());
    let name = Some(text).filter(fits).and_then(|text| {
        if text.contains(':') {
            let uri = text.bytes().all(|b| b.is_ascii_graphic());
            return uri.then(|| text.to_owned());
        }
        let of_dns = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        text.bytes().all(of_dns).then(|| text.to_ascii_lowercase())
    });
    name.map(ApiProof::Certificate).ok_or_else(|| {
        Wrong::with(
            typed,
            "expected a DNS name such as cloud.example or a URI such as spiffe://cloud.example/mint",
        )
    })
}

fn read_hash(typed: &Typed, text: &str) -> Result<ApiProof, Wrong> {
    ApiKeyHash::parse(text).map(ApiProof::Key).ok_or_else(|| {
        Wrong::with(
            typed,
            "expected the hash of a key: sha256: and 64 hexadecimal digits (see `fanlight keys api`)",
        )
    })
}

/// At least one: a key that is good for nothing is a mistake.
fn read_scopes(typed: &Typed) -> Result<Scopes, Wrong> {
    let Value::List(list) = &typed.value else {
        return Err(Wrong::with(
            typed,
            "expected scopes to be a list of strings",
        ));
    };
    if list.is_empty() {
        return Err(Wrong::with(
            typed,
            "a key needs a scope to be good for anything",
        ));
    }
    let scopes = list.iter().map(|item| match &item.value {
        Value::Text(text) => read_scope(item, text),
        _ => Err(Wrong::with(item, BadScope.to_string())),
    });
    scopes.collect()
}

fn read_scope(typed: &Typed, text: &str) -> Result<Scope, Wrong> {
    text.parse()
        .map_err(|error: BadScope| Wrong::with(typed, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_and_prints_shortened() {
        let hash = ApiKeyHash::of("abc");
        // The example of FIPS 180-2, B.1.
        assert_eq!(
            hash.to_text(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(ApiKeyHash::parse(&hash.to_text()), Some(hash));
        assert_eq!(format!("{hash:?}"), "sha256:ba7816***");
    }
}
