//! What opens the way to a host and the host itself.

use std::fmt;

use crate::rfb::login::{BadLogin, Login};
use crate::secret::Secret;

/// The longest cookie, in bytes.
pub const MAX_COOKIE: usize = 2048;
/// The most headers.
pub const MAX_HEADERS: usize = 8;
/// The longest name of a header, in bytes.
pub const MAX_HEADER_NAME: usize = 64;
/// The longest value of a header, in bytes: a bearer token of Kubernetes has about 1200.
pub const MAX_HEADER_VALUE: usize = 2048;

/// All secrets of a grant, and whose they are.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    /// For the RFB server.
    pub login: Login,
    /// For a tunnel or a WebSocket: the value of the Cookie header, 1 to [`MAX_COOKIE`] bytes.
    pub cookie: Option<Secret>,
    /// For a tunnel or a WebSocket: headers such as Authorization, at most [`MAX_HEADERS`].
    pub headers: Vec<Header>,
}

/// A header of a request, with a value that nobody may see.
#[derive(Clone)]
pub struct Header {
    name: String,
    value: Secret,
}

/// Why credentials cannot stand in a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCredentials {
    /// For the RFB server.
    #[error(transparent)]
    Login(#[from] BadLogin),
    /// The cookie.
    #[error("a cookie has 1 to {MAX_COOKIE} printable ASCII characters")]
    Cookie,
    /// The name of a header.
    #[error("a header's name has 1 to {MAX_HEADER_NAME} of the characters that RFC 9110 allows")]
    HeaderName,
    /// The header belongs to the request itself.
    #[error("Cookie, Host and the headers of connection and framing are not for the caller to set")]
    HeaderReserved,
    /// The value of a header.
    #[error("a header's value has at most {MAX_HEADER_VALUE} printable ASCII characters")]
    HeaderValue,
    /// There are too many headers.
    #[error("a console has at most {MAX_HEADERS} headers")]
    Headers,
}

impl Credentials {
    /// A password alone.
    #[must_use]
    pub fn with_password(password: Option<Secret>) -> Self {
        Self {
            login: Login::with_password(password),
            ..Self::default()
        }
    }

    /// Whether all parts keep their bounds.
    ///
    /// # Errors
    /// [`BadCredentials`] for the first that does not.
    pub fn check(&self) -> Result<(), BadCredentials> {
        self.login.check()?;
        if let Some(cookie) = &self.cookie {
            let fits = (1..=MAX_COOKIE).contains(&cookie.len());
            if !fits || !cookie.expose().iter().all(is_printable) {
                return Err(BadCredentials::Cookie);
            }
        }
        if self.headers.len() > MAX_HEADERS {
            return Err(BadCredentials::Headers);
        }
        Ok(())
    }
}

impl Header {
    /// Checks a header: its name is a token ([RFC 9110, 5.1]) that does not decide about the
    /// connection or the request's framing.
    ///
    /// [RFC 9110, 5.1]: https://www.rfc-editor.org/rfc/rfc9110#section-5.1
    ///
    /// # Errors
    /// [`BadCredentials`].
    pub fn new(name: &str, value: Secret) -> Result<Self, BadCredentials> {
        let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if !(1..=MAX_HEADER_NAME).contains(&name.len()) || !name.bytes().all(is_token) {
            return Err(BadCredentials::HeaderName);
        }
        if is_reserved(name) {
            return Err(BadCredentials::HeaderReserved);
        }
        if value.len() > MAX_HEADER_VALUE || !value.expose().iter().all(is_printable) {
            return Err(BadCredentials::HeaderValue);
        }
        let name = name.to_owned();
        Ok(Self { name, value })
    }

    /// The name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &Secret {
        &self.value
    }
}

/// `Authorization: ***`.
impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.name, self.value)
    }
}

/// Whether a header makes the request what it is, so that nobody but whoever sends it may set it.
#[must_use]
pub fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("sec-websocket-")
        || matches!(
            name.as_str(),
            "connection"
                | "content-length"
                | "cookie"
                | "expect"
                | "host"
                | "keep-alive"
                | "proxy-connection"
                | "te"
                | "trailer"
                | "transfer-encoding"
                | "upgrade"
        )
}

/// Neither CR nor LF nor anything else that would end a header.
const fn is_printable(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_may_be_set() {
        for name in ["Authorization", "X-Auth-Token", "x!"] {
            let header = Header::new(name, Secret::new("Bearer s3cret")).unwrap();
            assert_eq!(header.name(), name);
            assert_eq!(format!("{header:?}"), format!("{name}: ***"));
        }
        assert!(Header::new("A", Secret::new("v".repeat(MAX_HEADER_VALUE))).is_ok());
    }

    #[test]
    fn headers_that_may_not_be_set() {
        let new = |name: &str, value: &str| Header::new(name, Secret::new(value)).unwrap_err();
        let long = "n".repeat(MAX_HEADER_NAME + 1);
        for name in ["", "a b", "a:", "a\r\nb", "ü", &long] {
            assert_eq!(new(name, "v"), BadCredentials::HeaderName, "{name:?}");
        }
        for name in ["Host", "COOKIE", "Sec-WebSocket-Key", "Transfer-Encoding"] {
            assert_eq!(new(name, "v"), BadCredentials::HeaderReserved, "{name}");
        }
        let long = "v".repeat(MAX_HEADER_VALUE + 1);
        for value in ["a\r\nHost: b", "a\nb", "a\0", "ü", &long] {
            assert_eq!(new("A", value), BadCredentials::HeaderValue, "{value:?}");
        }
    }

    #[test]
    fn cookies_and_the_number_of_headers_have_bounds() {
        let cookie = |text: &str| Credentials {
            cookie: Some(Secret::new(text)),
            ..Credentials::default()
        };
        assert_eq!(cookie("session_id=OpaqueRef:1").check(), Ok(()));
        let long = "c".repeat(MAX_COOKIE + 1);
        for text in ["", "a\r\nb", &long] {
            assert_eq!(cookie(text).check(), Err(BadCredentials::Cookie));
        }
        let header = Header::new("A", Secret::new("v")).unwrap();
        let many = Credentials {
            headers: vec![header; MAX_HEADERS + 1],
            ..Credentials::default()
        };
        assert_eq!(many.check(), Err(BadCredentials::Headers));
    }
}
