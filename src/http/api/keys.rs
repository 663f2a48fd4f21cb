//! Who may use the API.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use crate::audit::{Act, Event};
use crate::http::Client;
use crate::http::api::scope::{Scope, Scopes};
use crate::http::problem::Problem;
use crate::tls::clients::ClientNames;

/// One key, or a certificate that stands in for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Whose it is, for the log and the audit.
    pub name: String,
    /// What has to be presented.
    pub proof: Proof,
    /// What it is good for.
    pub scopes: Scopes,
}

/// What shows who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A key with this SHA-256. Keys are 32 random bytes, so a fast hash hides them well enough.
    Key([u8; 32]),
    /// A certificate for this name: see [`ClientNames`].
    Certificate(String),
}

/// Somebody whose key or certificate was checked.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The name of the key.
    pub key: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// Cancelled when the entry of the key is there no more as it was: what lasts ends then.
    pub withdrawn: CancellationToken,
}

impl Caller {
    /// Whether what they have is good for `scope`.
    ///
    /// # Errors
    /// [`Problem::MissingScope`].
    pub fn demand(&self, scope: Scope) -> Result<(), Problem> {
        if !self.scopes.allow(scope) {
            return Err(Problem::MissingScope(scope));
        }
        Ok(())
    }

    /// Something that they do from this client's address, for the audit log.
    pub(super) fn does(&self, act: Act, client: &Client) -> Event {
        Event {
            key: Some(self.key.clone()),
            client: Some(client.address.ip()),
            ..Event::new(act)
        }
    }
}

/// The configured keys.
#[derive(Clone, Debug, Default)]
pub struct ApiKeys(Vec<Entry>);

/// A key, for as long as it stands in the configuration unchanged.
#[derive(Clone, Debug)]
struct Entry {
    key: ApiKey,
    withdrawn: CancellationToken,
}

impl ApiKeys {
    /// Takes the keys.
    #[must_use]
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Self::instead_of(&Self::default(), keys)
    }

    /// Takes the keys in place of those `before`: what lasts goes on for each that is the same.
    #[must_use]
    pub fn instead_of(before: &Self, keys: Vec<ApiKey>) -> Self {
        let entries = keys.into_iter().map(|key| {
            let same = before.0.iter().find(|entry| entry.key == key);
            let withdrawn = same.map(|entry| entry.withdrawn.clone());
            Entry {
                key,
                withdrawn: withdrawn.unwrap_or_default(),
            }
        });
        Self(entries.collect())
    }

    /// Ends what lasts for each that is not among those `now`.
    pub fn withdraw(&self, now: &Self) {
        for entry in &self.0 {
            if !now.0.iter().any(|other| other.key == entry.key) {
                entry.withdrawn.cancel();
            }
        }
    }

    /// Whether there is no key, and therefore no API.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Who asks, by the key of the request, or without a key by the certificate of its connection. Who
    /// presents a key is known by that alone.
    ///
    /// # Errors
    /// [`Problem::ApiOff`] or [`Problem::Unauthorized`].
    pub fn authenticate(
        &self,
        headers: &HeaderMap,
        certificate: Option<&ClientNames>,
    ) -> Result<Caller, Problem> {
        let Entry { key, withdrawn } = self.find(headers, certificate)?;
        Ok(Caller {
            key: key.name.clone(),
            scopes: key.scopes,
            withdrawn: withdrawn.clone(),
        })
    }

    fn find(
        &self,
        headers: &HeaderMap,
        certificate: Option<&ClientNames>,
    ) -> Result<&Entry, Problem> {
        if self.is_empty() {
            return Err(Problem::ApiOff);
        }
        if let Some(names) = certificate
            && !headers.contains_key(AUTHORIZATION)
        {
            let mut keys = self.0.iter();
            let found = keys.find(|entry| match &entry.key.proof {
                Proof::Certificate(name) => names.has(name),
                Proof::Key(_) => false,
            });
            return found.ok_or(Problem::Unauthorized);
        }
        let presented = bearer(headers).ok_or(Problem::Unauthorized)?;
        let hash: [u8; 32] = Sha256::digest(presented).into();
        // All keys are compared whole: neither which one matches nor how far shows in the time.
        let mut found = None;
        for entry in &self.0 {
            if let Proof::Key(known) = &entry.key.proof
                && bool::from(known.ct_eq(&hash))
            {
                found = Some(entry);
            }
        }
        found.ok_or(Problem::Unauthorized)
    }
}

/// The credentials behind `Bearer`, whose case does not matter ([RFC 9110, 11.1]).
///
/// [RFC 9110, 11.1]: https://www.rfc-editor.org/rfc/rfc9110#section-11.1
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(keys: &ApiKeys, authorization: Option<&str>, scope: Scope) -> Result<String, Problem> {
        let header = authorization.map(|value| (AUTHORIZATION, value.parse().unwrap()));
        let caller = keys.authenticate(&HeaderMap::from_iter(header), None)?;
        caller.demand(scope)?;
        Ok(caller.key)
    }

    #[test]
    fn a_key_is_known_by_its_hash_and_good_for_its_scopes() {
        let keys = [("one", Scope::Mint), ("two", Scope::SessionsEnd)].map(|(key, scope)| ApiKey {
            name: key.to_owned(),
            proof: Proof::Key(Sha256::digest(key).into()),
            scopes: Scopes::from_iter([scope]),
        });
        let keys = ApiKeys::new(keys.into());
        let (mint, end) = (Scope::Mint, Scope::SessionsEnd);
        assert_eq!(ask(&keys, Some("Bearer two"), end), Ok("two".to_owned()));
        assert_eq!(ask(&keys, Some("bearer  one "), mint), Ok("one".to_owned()));
        assert_eq!(
            ask(&keys, Some("Bearer two"), mint),
            Err(Problem::MissingScope(mint))
        );
        for wrong in [
            None,
            Some("Bearer three"),
            Some("Bearer"),
            Some("Basic one"),
            Some("one"),
        ] {
            let asked = ask(&keys, wrong, mint);
            assert_eq!(asked, Err(Problem::Unauthorized), "{wrong:?}");
        }
        assert_eq!(
            ask(&ApiKeys::default(), Some("Bearer one"), mint),
            Err(Problem::ApiOff)
        );
    }
}
