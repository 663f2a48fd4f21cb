//! The path of an HTTP request to a host.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::secret::Secret;

/// The longest path with its query, in bytes.
pub const MAX_REQUEST_PATH: usize = 1024;

/// A path with an optional query, as a request line has it: 1 to [`MAX_REQUEST_PATH`] bytes, none
/// of which ends a line or a word.
///
/// It may be a ticket, so it is never shown. Two are compared where targets are; nothing that a
/// peer sends is ever compared to one.
#[derive(Clone)]
pub struct RequestPath(Secret);

/// Why a text is not such a path. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a percent-encoded path from \"/\" on, of at most {MAX_REQUEST_PATH} bytes")]
pub struct BadRequestPath;

impl RequestPath {
    /// The path itself, for the request line alone.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose()
    }

    /// Whether the query has a key of that name, however it is encoded.
    #[must_use]
    pub fn has_key(&self, name: &str) -> bool {
        let mut parts = self.expose().splitn(2, |byte| *byte == b'?');
        let query = parts.nth(1).unwrap_or_default();
        query
            .split(|byte| matches!(byte, b'&' | b';'))
            .filter_map(|pair| pair.split(|byte| *byte == b'=').next())
            .any(|key| decoded(key).eq_ignore_ascii_case(name.as_bytes()))
    }
}

impl FromStr for RequestPath {
    type Err = BadRequestPath;

    /// Takes what [RFC 3986, 3.3 and 3.4] allow.
    ///
    /// [RFC 3986, 3.3 and 3.4]: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
    fn from_str(text: &str) -> Result<Self, BadRequestPath> {
        let lawful =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
        if text.starts_with('/') && text.len() <= MAX_REQUEST_PATH && text.bytes().all(lawful) {
            Ok(Self(Secret::new(text)))
        } else {
            Err(BadRequestPath)
        }
    }
}

impl PartialEq for RequestPath {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for RequestPath {}

impl Hash for RequestPath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.expose().hash(state);
    }
}

/// `***`.
impl fmt::Debug for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Takes percent-encoding off. What is not well encoded stays as it is.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, more)) = rest.split_first() {
        let encoded = more.split_first_chunk::<2>().and_then(|(digits, behind)| {
            let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
            let value = u8::try_from(high? * 16 + low?).ok()?;
            (first == b'%').then_some((value, behind))
        });
        let (byte, behind) = encoded.unwrap_or((first, more));
        bytes.push(byte);
        rest = behind;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_hosts_ask_for_are_taken_up_to_the_limit() {
        for path in [
            "/",
            "/console?ref=OpaqueRef:5f1a-09",
            "/ticket/0123456789abcdef",
            "/api2/json/nodes/n/qemu/100/vncwebsocket?port=5900&vncticket=PVEVNC%3A6%2B%3D",
            "/apis/subresources.kubevirt.io/v1/namespaces/d/virtualmachineinstances/vm/vnc",
        ] {
            assert_eq!(
                path.parse::<RequestPath>().unwrap().expose(),
                path.as_bytes()
            );
        }
        let path = |len: usize| format!("/{}", "a".repeat(len - 1)).parse::<RequestPath>();
        assert!(path(MAX_REQUEST_PATH).is_ok());
        assert!(path(MAX_REQUEST_PATH + 1).is_err());
    }

    #[test]
    fn nothing_that_ends_a_path_is_taken() {
        for path in [
            "",
            "console",
            "*",
            "h:443",
            "/a b",
            "/a\tb",
            "/a#b",
            "/a\"b",
            "/a\r\nb",
            "/\n",
            "/\r",
            "/a\0",
            "/\u{7f}",
            "/\u{85}",
            "/\u{2028}",
            "/\u{1f512}",
        ] {
            assert_eq!(path.parse::<RequestPath>(), Err(BadRequestPath), "{path:?}");
        }
    }

    #[test]
    fn a_key_of_the_query_is_found_however_it_is_written() {
        let has = |path: &str| path.parse::<RequestPath>().unwrap().has_key("session_id");
        assert!(has("/console?session_id=x"));
        assert!(has("/console?uuid=1&session%5fid=x"));
        assert!(has("/console?uuid=1;SESSION_ID"));
        assert!(!has("/session_id=x/console?uuid=session_id"));
        assert!(!has("/console"));
        assert!(!has("/console?session%5=%"));
    }

    #[test]
    fn a_path_is_not_shown() {
        let path = "/ticket/s3cret".parse::<RequestPath>().unwrap();
        assert_eq!(format!("{path:?}"), "***");
        assert_eq!(path, path.clone());
        assert_ne!(path, "/ticket/other".parse().unwrap());
    }
}
