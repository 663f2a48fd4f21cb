//! The request for a tunnel, as XAPI understands it.
//!
//! XenServer and XCP-ng give a console to whoever sends `CONNECT` with the console's path in place
//! of an authority ([XAPI, consoles]). Their limit for a request's head is about 1006 bytes.
//!
//! [XAPI, consoles]: https://xapi-project.github.io/xen-api/consoles.html

use std::fmt::Display;

use zeroize::Zeroizing;

use super::request::{BadCookie, Extra, head};
use crate::secret::Secret;
use crate::target::RequestPath;

/// The longest request, in bytes.
pub const MAX_REQUEST: usize = 1000;

/// Keys of the path's query that hosts take for a login, and write into their logs.
const LOGINS: [&str; 2] = ["session_id", "pool_secret"];

/// Why a request cannot be made of what a grant says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadRequest {
    /// Hosts would answer it with a refusal, or not at all.
    #[error("the request for the tunnel has {0} bytes, and {MAX_REQUEST} are the most")]
    TooLong(usize),
    /// Hosts log paths with their queries.
    #[error("the tunnel's path holds a session, which belongs into the cookie")]
    SessionInPath,
    /// Hosts cut cookies at `;` and `&` without trimming them, so that a second one hides the
    /// session.
    #[error("the cookie for a tunnel has to be one name=value, such as session_id=OpaqueRef:1")]
    Cookie,
}

impl From<BadCookie> for BadRequest {
    fn from(_: BadCookie) -> Self {
        Self::Cookie
    }
}

/// The bytes of the request, at most [`MAX_REQUEST`]. `authority` is host and port.
///
/// # Errors
/// [`BadRequest`].
pub fn request(
    authority: &impl Display,
    path: &RequestPath,
    extra: Extra<'_>,
) -> Result<Zeroizing<Vec<u8>>, BadRequest> {
    if LOGINS.iter().any(|key| path.has_key(key)) {
        return Err(BadRequest::SessionInPath);
    }
    if !extra.cookie.is_none_or(is_alone) {
        return Err(BadRequest::Cookie);
    }
    let request = head("CONNECT", path, &[("Host", &authority.to_string())], extra)?;
    if request.len() > MAX_REQUEST {
        return Err(BadRequest::TooLong(request.len()));
    }
    Ok(request)
}

/// Whether a cookie is one pair, of the characters that [RFC 6265, 4.1.1] allows in its value.
///
/// [RFC 6265, 4.1.1]: https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1
fn is_alone(cookie: &Secret) -> bool {
    let bytes = cookie.expose();
    let lawful = |byte: &u8| byte.is_ascii_graphic() && !b"\",;\\&".contains(byte);
    let named = bytes.iter().position(|byte| *byte == b'=');
    named.is_some_and(|at| at > 0) && bytes.iter().all(lawful)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::credentials::Header;

    fn bytes(path: &str, cookie: Option<&str>) -> Result<Vec<u8>, BadRequest> {
        let cookie = cookie.map(Secret::new);
        let extra = Extra {
            cookie: cookie.as_ref(),
            headers: &[],
        };
        request(&"xen-1:443", &path.parse().unwrap(), extra).map(|it| it.to_vec())
    }

    #[test]
    fn the_session_stands_alone_in_its_cookie() {
        let expected = b"CONNECT /console?ref=OpaqueRef:1 HTTP/1.1\r\nHost: xen-1:443\r\nCookie: session_id=OpaqueRef:2\r\n\r\n";
        let sent = bytes("/console?ref=OpaqueRef:1", Some("session_id=OpaqueRef:2"));
        assert_eq!(sent.unwrap(), expected);
        let without = b"CONNECT /console?uuid=1 HTTP/1.1\r\nHost: xen-1:443\r\n\r\n";
        assert_eq!(bytes("/console?uuid=1", None).unwrap(), without);
        for cookie in [
            "",
            "session_id",
            "=x",
            "a=1; session_id=x",
            "session_id=x;a=1",
            "session_id=x&a=1",
            "session_id= x",
            "session_id=x\r\nHost: y",
            "session_id=x\n",
            "session_id=\u{e9}",
        ] {
            let made = bytes("/console", Some(cookie));
            assert_eq!(made, Err(BadRequest::Cookie), "{cookie:?}");
        }
        for path in ["/console?session_id=x", "/console?uuid=1&pool%5Fsecret=x"] {
            assert_eq!(bytes(path, None), Err(BadRequest::SessionInPath), "{path}");
        }
    }

    #[test]
    fn a_request_over_the_hosts_limit_is_not_made() {
        let frame = bytes("/", Some("s=1")).unwrap().len();
        let path = |len| format!("/{}", "p".repeat(len));
        let longest = bytes(&path(MAX_REQUEST - frame), Some("s=1")).unwrap();
        assert_eq!(longest.len(), MAX_REQUEST);
        let error = bytes(&path(MAX_REQUEST - frame + 1), Some("s=1")).unwrap_err();
        assert_eq!(error, BadRequest::TooLong(MAX_REQUEST + 1));
        // Other headers count as well.
        let headers = [Header::new("A", Secret::new("v".repeat(MAX_REQUEST))).unwrap()];
        let extra = Extra {
            cookie: None,
            headers: &headers,
        };
        let error = request(&"xen-1:443", &"/".parse().unwrap(), extra).unwrap_err();
        assert!(matches!(error, BadRequest::TooLong(len) if len > MAX_REQUEST));
    }
}
