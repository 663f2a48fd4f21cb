//! Who may use the API.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::http::problem::Problem;

/// The configured keys: a name for the log and the SHA-256 of the key.
///
/// Keys are 32 random bytes, so a fast hash hides them well enough.
#[derive(Clone, Debug, Default)]
pub struct ApiKeys(Vec<(String, [u8; 32])>);

impl ApiKeys {
    /// Takes names and hashes.
    #[must_use]
    pub const fn new(keys: Vec<(String, [u8; 32])>) -> Self {
        Self(keys)
    }

    /// Whether there is no key, and therefore no API.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The name of the key that a request carries.
    ///
    /// # Errors
    /// [`Problem::ApiOff`] or [`Problem::Unauthorized`].
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<&str, Problem> {
        if self.is_empty() {
            return Err(Problem::ApiOff);
        }
        let presented = bearer(headers).ok_or(Problem::Unauthorized)?;
        let hash: [u8; 32] = Sha256::digest(presented).into();
        // All keys are compared whole: neither which one matches nor how far shows in the time.
        let mut found = None;
        for (name, expected) in &self.0 {
            if bool::from(expected.ct_eq(&hash)) {
                found = Some(name.as_str());
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

    fn ask(keys: &ApiKeys, authorization: Option<&str>) -> Result<String, Problem> {
        let header = authorization.map(|value| (AUTHORIZATION, value.parse().unwrap()));
        keys.authenticate(&HeaderMap::from_iter(header))
            .map(str::to_owned)
    }

    #[test]
    fn a_key_is_known_by_its_hash() {
        let keys = ["one", "two"].map(|key| (key.to_owned(), Sha256::digest(key).into()));
        let keys = ApiKeys::new(keys.into());
        assert_eq!(ask(&keys, Some("Bearer two")), Ok("two".to_owned()));
        assert_eq!(ask(&keys, Some("bearer  one ")), Ok("one".to_owned()));
        for wrong in [
            None,
            Some("Bearer three"),
            Some("Bearer"),
            Some("Basic one"),
            Some("one"),
        ] {
            assert_eq!(ask(&keys, wrong), Err(Problem::Unauthorized), "{wrong:?}");
        }
        assert_eq!(
            ask(&ApiKeys::default(), Some("Bearer one")),
            Err(Problem::ApiOff)
        );
    }
}
