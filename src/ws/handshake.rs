//! Is this request a WebSocket upgrade, and what is the answer to its key ([RFC 6455, 4.2]); over
//! HTTP/2 there is none ([RFC 8441, 5]).
//!
//! [RFC 6455, 4.2]: https://www.rfc-editor.org/rfc/rfc6455#section-4.2
//! [RFC 8441, 5]: https://www.rfc-editor.org/rfc/rfc8441#section-5

use data_encoding::BASE64;
use sha1::{Digest, Sha1};
use thiserror::Error;

/// What the server appends to the client's key before it hashes ([1.3]).
///
/// [1.3]: https://www.rfc-editor.org/rfc/rfc6455#section-1.3
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The one version of the protocol there is.
pub const VERSION: &str = "13";

/// The length of a key once decoded, in bytes.
pub const KEY_LEN: usize = 16;

/// Why a request is not a WebSocket upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadUpgrade {
    /// The method is not GET.
    #[error("the method is not GET")]
    Method,
    /// HTTP older than 1.1, which knows no upgrade.
    #[error("the request is older than HTTP/1.1")]
    HttpVersion,
    /// `Upgrade` does not list `websocket`.
    #[error("the Upgrade header does not say websocket")]
    NotWebSocket,
    /// `Connection` does not list `upgrade`: a proxy in between may have dropped it.
    #[error("the Connection header does not say upgrade")]
    NotUpgrade,
    /// `Sec-WebSocket-Version` is not 13. The answer to this one names the version that is.
    #[error("the WebSocket version is not 13")]
    Version,
    /// `Sec-WebSocket-Key` is not 16 bytes in canonical base64.
    #[error("the Sec-WebSocket-Key is not 16 bytes in base64")]
    Key,
}

/// What of an HTTP request decides whether it is a WebSocket upgrade.
///
/// A header that comes in several lines is given as one, joined with `", "`; an absent one is
/// empty.
#[derive(Clone, Copy, Debug)]
pub struct UpgradeRequest<'a> {
    /// The request method.
    pub method: &'a str,
    /// Whether the request is HTTP/1.1.
    pub http_1_1: bool,
    /// `Upgrade`.
    pub upgrade: &'a str,
    /// `Connection`.
    pub connection: &'a str,
    /// `Sec-WebSocket-Version`.
    pub version: &'a str,
    /// `Sec-WebSocket-Key`.
    pub key: &'a str,
}

/// What of a CONNECT over HTTP/2 decides whether it opens a WebSocket.
#[derive(Clone, Copy, Debug)]
pub struct ExtendedConnect<'a> {
    /// `:protocol`, which makes a CONNECT an extended one; empty without.
    pub protocol: &'a str,
    /// `Sec-WebSocket-Version`.
    pub version: &'a str,
}

impl ExtendedConnect<'_> {
    /// Whether it opens one.
    ///
    /// # Errors
    ///
    /// [`BadUpgrade::NotWebSocket`] or [`BadUpgrade::Version`].
    pub fn accept(&self) -> Result<(), BadUpgrade> {
        if self.protocol != "websocket" {
            return Err(BadUpgrade::NotWebSocket);
        }
        if trim(self.version) != VERSION {
            return Err(BadUpgrade::Version);
        }
        Ok(())
    }
}

impl UpgradeRequest<'_> {
    /// The `Sec-WebSocket-Accept` that takes the upgrade.
    ///
    /// # Errors
    ///
    /// What keeps the request from being an upgrade; the first of it, in the order of
    /// [`BadUpgrade`].
    pub fn accept(&self) -> Result<String, BadUpgrade> {
        if self.method != "GET" {
            return Err(BadUpgrade::Method);
        }
        if !self.http_1_1 {
            return Err(BadUpgrade::HttpVersion);
        }
        if !lists(self.upgrade, "websocket") {
            return Err(BadUpgrade::NotWebSocket);
        }
        if !lists(self.connection, "upgrade") {
            return Err(BadUpgrade::NotUpgrade);
        }
        if trim(self.version) != VERSION {
            return Err(BadUpgrade::Version);
        }
        accept_key(trim(self.key))
    }
}

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`: base64 of SHA-1, 28 characters.
///
/// # Errors
///
/// [`BadUpgrade::Key`] when the key is not the canonical base64 of 16 bytes.
pub fn accept_key(key: &str) -> Result<String, BadUpgrade> {
    match BASE64.decode(key.as_bytes()) {
        Ok(bytes) if bytes.len() == KEY_LEN => {}
        _ => return Err(BadUpgrade::Key),
    }
    let digest = Sha1::new()
        .chain_update(key.as_bytes())
        .chain_update(GUID.as_bytes())
        .finalize();
    Ok(BASE64.encode(&digest))
}

/// The sub-protocols that a `Sec-WebSocket-Protocol` header offers, in the client's order.
pub fn protocols(header: &str) -> impl Iterator<Item = &str> {
    header
        .split(',')
        .map(trim)
        .filter(|protocol| !protocol.is_empty())
}

/// Whether a comma-separated header names a token, in whatever case.
fn lists(header: &str, token: &str) -> bool {
    protocols(header).any(|item| item.eq_ignore_ascii_case(token))
}

/// Takes off the white space that HTTP allows around a value: spaces and tabs.
fn trim(value: &str) -> &str {
    value.trim_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: UpgradeRequest<'static> = UpgradeRequest {
        method: "GET",
        http_1_1: true,
        upgrade: "websocket",
        connection: "Upgrade",
        version: "13",
        key: "dGhlIHNhbXBsZSBub25jZQ==",
    };

    #[test]
    fn the_example_of_the_rfc() {
        assert_eq!(GOOD.accept().as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn over_http_2_protocol_and_version_count() {
        let accept = |protocol, version| ExtendedConnect { protocol, version }.accept();
        assert_eq!(accept("websocket", "13"), Ok(()));
        assert_eq!(accept("", "13"), Err(BadUpgrade::NotWebSocket));
        assert_eq!(accept("connect-udp", "13"), Err(BadUpgrade::NotWebSocket));
        assert_eq!(accept("websocket", "8"), Err(BadUpgrade::Version));
    }

    #[test]
    fn what_browsers_and_proxies_write_is_taken() {
        for request in [
            UpgradeRequest {
                connection: "keep-alive, Upgrade",
                ..GOOD
            },
            UpgradeRequest {
                connection: "keep-alive\t,\tupgrade",
                upgrade: "WebSocket",
                ..GOOD
            },
            UpgradeRequest {
                upgrade: "h2c, websocket",
                version: " 13 ",
                ..GOOD
            },
        ] {
            assert!(request.accept().is_ok(), "{request:?}");
        }
    }

    #[test]
    fn everything_that_is_missing_has_its_name() {
        use BadUpgrade::{HttpVersion, Key, Method, NotUpgrade, NotWebSocket, Version};
        #[rustfmt::skip]
        let table = [
            (UpgradeRequest { method: "POST", ..GOOD }, Method),
            (UpgradeRequest { method: "get", ..GOOD }, Method),
            (UpgradeRequest { http_1_1: false, ..GOOD }, HttpVersion),
            (UpgradeRequest { upgrade: "", ..GOOD }, NotWebSocket),
            (UpgradeRequest { upgrade: "websockets", ..GOOD }, NotWebSocket),
            (UpgradeRequest { connection: "", ..GOOD }, NotUpgrade),
            (UpgradeRequest { connection: "close", ..GOOD }, NotUpgrade),
            (UpgradeRequest { version: "", ..GOOD }, Version),
            (UpgradeRequest { version: "8", ..GOOD }, Version),
            (UpgradeRequest { version: "13, 13", ..GOOD }, Version),
            (UpgradeRequest { key: "", ..GOOD }, Key),
        ];
        for (request, expected) in table {
            assert_eq!(request.accept(), Err(expected), "{request:?}");
        }
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_canonical_base64() {
        for key in [
            "dGhlIHNhbXBsZSBub25jZQ",             // no padding
            "dGhlIHNhbXBsZSBub25jZR==",           // bits set behind the last byte
            "dGhlIHNhbXBsZSBub25j",               // 15 bytes
            "dGhlIHNhbXBsZSBub25jZSE=",           // 17 bytes
            "dGhlIHNhbXBsZSBub25j\nZQ==",         // a line break
            "dGhlIHNhbXBsZSBub25jZQ==, dGhlIQ==", // two of them
            "dGhlIHNhbXBsZSBub25j_w==",           // the other alphabet
        ] {
            assert_eq!(accept_key(key), Err(BadUpgrade::Key), "{key}");
        }
    }

    #[test]
    fn offers_keep_their_order_and_case() {
        let offers: Vec<_> = protocols(" binary,, fanlight.1\t,Base64 , ").collect();
        assert_eq!(offers, ["binary", "fanlight.1", "Base64"]);
        assert_eq!(protocols("").count(), 0);
    }
}
