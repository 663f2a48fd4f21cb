//! The head of a request ([RFC 9112, 3]).
//!
//! [RFC 9112, 3]: https://www.rfc-editor.org/rfc/rfc9112#section-3

use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::target::RequestPath;
use crate::token::credentials::Header;

/// What a grant adds to a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct Extra<'a> {
    /// The value of the Cookie header.
    pub cookie: Option<&'a Secret>,
    /// More headers.
    pub headers: &'a [Header],
}

/// The cookie would end its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cookie has more than printable ASCII characters")]
pub struct BadCookie;

/// The bytes of a request without a body, in one allocation that is zeroised: no copy of a secret is
/// left behind. `ours` are the headers that make the request what it is; none is written that has
/// no value.
pub(super) fn head(
    method: &str,
    path: &RequestPath,
    ours: &[(&str, &str)],
    extra: Extra<'_>,
) -> Result<Zeroizing<Vec<u8>>, BadCookie> {
    let cookie = extra.cookie.map(Secret::expose).unwrap_or_default();
    if !cookie.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return Err(BadCookie);
    }
    let ours = ours.iter().map(|(name, value)| (*name, value.as_bytes()));
    let theirs = extra.headers.iter();
    let theirs = theirs.map(|header| (header.name(), header.value().expose()));
    let mut parts: Vec<&[u8]> = vec![method.as_bytes(), b" ", path.expose(), b" HTTP/1.1\r\n"];
    for (name, value) in ours.chain([("Cookie", cookie)]).chain(theirs) {
        if !value.is_empty() {
            parts.extend([name.as_bytes(), b": ", value, b"\r\n"]);
        }
    }
    parts.push(b"\r\n");
    let mut out = Zeroizing::new(Vec::with_capacity(parts.iter().map(|it| it.len()).sum()));
    for part in parts {
        out.extend_from_slice(part);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_lines_and_nothing_that_is_put_in_makes_one_more() {
        let path = "/a?b=c".parse().unwrap();
        let headers = [Header::new("X-A", Secret::new("b")).unwrap()];
        let cookie = Secret::new("c=d; e=f");
        let extra = Extra {
            cookie: Some(&cookie),
            headers: &headers,
        };
        let sent = head("GET", &path, &[("Host", "h:1"), ("None", "")], extra).unwrap();
        let expected = "GET /a?b=c HTTP/1.1\r\nHost: h:1\r\nCookie: c=d; e=f\r\nX-A: b\r\n\r\n";
        assert_eq!(str::from_utf8(&sent), Ok(expected));
        for broken in ["a\r\nX: y", "a\nX: y", "a\0", "a\u{7f}", "\u{e9}"] {
            let cookie = Secret::new(broken);
            let extra = Extra {
                cookie: Some(&cookie),
                headers: &[],
            };
            assert_eq!(head("GET", &path, &[], extra), Err(BadCookie), "{broken:?}");
        }
    }
}
