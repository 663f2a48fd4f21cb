//! Opening a WebSocket as a client: the request, and whether the answer is an upgrade
//! ([RFC 6455, 4.1]).
//!
//! [RFC 6455, 4.1]: https://www.rfc-editor.org/rfc/rfc6455#section-4.1

use std::fmt::Display;

use data_encoding::BASE64;
use thiserror::Error;
use zeroize::Zeroizing;

use super::head::Head;
use super::request::{BadCookie, Extra, head};
use crate::target::{RequestPath, Subprotocol};
use crate::ws::{KEY_LEN, VERSION, accept_key, protocols};

/// What opens a WebSocket.
#[derive(Debug)]
pub struct Opening<'a> {
    /// The path with its query.
    pub path: &'a RequestPath,
    /// The subprotocols on offer, the liked ones first. There may be none.
    pub protocols: &'a [Subprotocol],
    /// The key, in base64.
    key: String,
}

/// Why an answer is not the upgrade that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BadAnswer {
    /// HTTP older than 1.1, which knows no upgrade.
    #[error("the answer is older than HTTP/1.1")]
    HttpVersion,
    /// `Upgrade` is not `websocket`.
    #[error("the Upgrade header does not say websocket")]
    NotWebSocket,
    /// `Connection` does not list `upgrade`.
    #[error("the Connection header does not say upgrade")]
    NotUpgrade,
    /// `Sec-WebSocket-Accept` does not answer our key: it may be the answer to somebody else.
    #[error("the Sec-WebSocket-Accept does not answer the key")]
    Accept,
    /// An extension that was not asked for.
    #[error("an extension that was not asked for")]
    Extension,
    /// A subprotocol that was not offered.
    #[error("a subprotocol that was not offered")]
    Protocol,
}

impl<'a> Opening<'a> {
    /// An opening with a key of its own, which nobody can foresee.
    #[must_use]
    pub fn new(path: &'a RequestPath, protocols: &'a [Subprotocol], key: [u8; KEY_LEN]) -> Self {
        let key = BASE64.encode(&key);
        Self {
            path,
            protocols,
            key,
        }
    }

    /// The bytes of the request. `authority` is host and port.
    ///
    /// # Errors
    /// [`BadCookie`].
    pub fn request(
        &self,
        authority: &impl Display,
        extra: Extra<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, BadCookie> {
        let protocols: Vec<&str> = self.protocols.iter().map(Subprotocol::as_str).collect();
        let ours = [
            ("Host", &*authority.to_string()),
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", VERSION),
            ("Sec-WebSocket-Key", &self.key),
            ("Sec-WebSocket-Protocol", &protocols.join(", ")),
        ];
        head("GET", self.path, &ours, extra)
    }

    /// The subprotocol that an answer with status 101 has chosen, if it has chosen one.
    ///
    /// # Errors
    /// What keeps the answer from being the upgrade; the first of it, in the order of [`BadAnswer`].
    pub fn check(&self, answer: &Head) -> Result<Option<&'a Subprotocol>, BadAnswer> {
        if !answer.http_1_1 {
            return Err(BadAnswer::HttpVersion);
        }
        if !answer.field("upgrade").eq_ignore_ascii_case("websocket") {
            return Err(BadAnswer::NotWebSocket);
        }
        if !protocols(&answer.field("connection")).any(|it| it.eq_ignore_ascii_case("upgrade")) {
            return Err(BadAnswer::NotUpgrade);
        }
        if accept_key(&self.key).as_ref() != Ok(&answer.field("sec-websocket-accept")) {
            return Err(BadAnswer::Accept);
        }
        if !answer.field("sec-websocket-extensions").is_empty() {
            return Err(BadAnswer::Extension);
        }
        match answer.field("sec-websocket-protocol").as_str() {
            "" => Ok(None),
            chosen => {
                let mut offered = self.protocols.iter();
                let found = offered.find(|it| it.as_str() == chosen);
                found.map(Some).ok_or(BadAnswer::Protocol)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http1::head::HeadReader;
    use crate::secret::Secret;
    use crate::token::credentials::Header;
    use crate::wire::Reader;
    use crate::ws::UpgradeRequest;

    /// The key of RFC 6455, 1.3.
    const KEY: &[u8; KEY_LEN] = b"the sample nonce";

    const GOOD: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    fn answer(text: &str) -> Head {
        let read = HeadReader::default().step(&mut Reader::new(text.as_bytes()));
        read.unwrap().unwrap()
    }

    fn protocols() -> [Subprotocol; 2] {
        ["binary", "plain.kubevirt.io"].map(|it| it.parse().unwrap())
    }

    #[test]
    fn the_request_is_the_example_of_the_rfc_and_what_the_grant_adds() {
        let path = "/ticket/1".parse().unwrap();
        let headers = [Header::new("Authorization", Secret::new("Bearer b")).unwrap()];
        let cookie = Secret::new("c=d");
        let extra = Extra {
            cookie: Some(&cookie),
            headers: &headers,
        };
        let protocols = protocols();
        let sent = Opening::new(&path, &protocols, *KEY).request(&"esx-1:443", extra);
        let expected = "GET /ticket/1 HTTP/1.1\r\nHost: esx-1:443\r\nUpgrade: websocket\r\n\
            Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
            Sec-WebSocket-Protocol: binary, plain.kubevirt.io\r\nCookie: c=d\r\n\
            Authorization: Bearer b\r\n\r\n";
        assert_eq!(str::from_utf8(&sent.unwrap()), Ok(expected));
        let least = Opening::new(&path, &[], *KEY).request(&"esx-1:443", Extra::default());
        assert!(
            least
                .unwrap()
                .ends_with(b"dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        );
    }

    #[test]
    fn our_own_server_side_takes_the_request_and_its_answer_is_taken() {
        let path = "/".parse().unwrap();
        let opening = Opening::new(&path, &[], [7; KEY_LEN]);
        let request = UpgradeRequest {
            method: "GET",
            http_1_1: true,
            upgrade: "websocket",
            connection: "Upgrade",
            version: VERSION,
            key: &opening.key,
        };
        let accept = request.accept().unwrap();
        let theirs = GOOD.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", &accept);
        assert_eq!(opening.check(&answer(&theirs)), Ok(None));
        assert_eq!(opening.check(&answer(GOOD)), Err(BadAnswer::Accept));
    }

    #[test]
    fn only_the_upgrade_that_was_asked_for_is_taken() {
        let path = "/".parse().unwrap();
        let protocols = protocols();
        let opening = Opening::new(&path, &protocols, *KEY);
        let check = |text: &str| opening.check(&answer(text));
        let with = |line: &str| check(&GOOD.replace("\r\n\r\n", &format!("\r\n{line}\r\n\r\n")));
        let instead = |old: &str, new: &str| check(&GOOD.replace(old, new));
        assert_eq!(check(GOOD), Ok(None));
        assert_eq!(instead("n: Upgrade", "n: keep-alive, upgrade"), Ok(None));
        assert_eq!(instead("websocket", "WebSocket"), Ok(None));
        let chosen = with("Sec-WebSocket-Protocol: plain.kubevirt.io");
        assert_eq!(chosen, Ok(Some(&protocols[1])));

        let unasked = |name: &str| with(&format!("Sec-WebSocket-{name}"));
        #[rustfmt::skip]
        let table = [
            (instead("HTTP/1.1", "HTTP/1.0"), BadAnswer::HttpVersion),
            (instead("websocket", ""), BadAnswer::NotWebSocket),
            (instead("websocket", "h2c, websocket"), BadAnswer::NotWebSocket),
            (instead("n: Upgrade", "n: close"), BadAnswer::NotUpgrade),
            (instead("s3pPLM", "S3pPLM"), BadAnswer::Accept),
            (instead("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", ""), BadAnswer::Accept),
            (unasked("Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), BadAnswer::Accept),
            (unasked("Extensions: permessage-deflate"), BadAnswer::Extension),
            (unasked("Protocol: base64"), BadAnswer::Protocol),
            (unasked("Protocol: Binary"), BadAnswer::Protocol),
            (unasked("Protocol: binary, plain.kubevirt.io"), BadAnswer::Protocol),
        ];
        for (index, (found, expected)) in table.into_iter().enumerate() {
            assert_eq!(found, Err(expected), "row {index}");
        }
    }
}
