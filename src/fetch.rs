//! One HTTP request to a server elsewhere: a webhook's receiver, or a gateway's API.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::HOST;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use crate::host::dial::{DialError, dial};
use crate::host::resolve::{ResolveError, Resolver};
use crate::listener::unix;
use crate::rfb::SwapError;
use crate::stream::Duplex;
use crate::target::{Endpoint, WebSocketUrl};
use crate::tls::connect::Connector;

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    endpoint: Endpoint,
    tls: bool,
    /// As the Host header has it.
    authority: String,
    /// From the slash on, with the query.
    path: String,
    /// The Unix socket where the server is, in place of the endpoint.
    socket: Option<PathBuf>,
}

/// Why a text is not such a URL. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL such as https://host:443/path, without a user and a fragment")]
pub struct BadUrl;

impl Url {
    /// The same server, and `rest` behind the path.
    #[must_use]
    pub fn join(&self, rest: &str) -> Self {
        Self {
            path: format!("{}{rest}", self.path.trim_end_matches('/')),
            ..self.clone()
        }
    }

    /// The same at a Unix socket: nothing is resolved, and what is in the URL is who should be there.
    #[must_use]
    pub fn at(self, socket: PathBuf) -> Self {
        Self {
            socket: Some(socket),
            ..self
        }
    }

    /// Whether TLS is spoken.
    #[must_use]
    pub const fn is_https(&self) -> bool {
        self.tls
    }
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let (scheme, rest) = text.split_once("://").ok_or(BadUrl)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => "wss",
            "http" => "ws",
            _ => return Err(BadUrl),
        };
        // A WebSocket's URL is the same but for the scheme.
        let url: WebSocketUrl = format!("{scheme}://{rest}").parse().map_err(|_| BadUrl)?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, _) = rest.split_at_checked(end).ok_or(BadUrl)?;
        let path = String::from_utf8(url.path.expose().to_vec()).map_err(|_| BadUrl)?;
        Ok(Self {
            endpoint: url.endpoint,
            tls: url.tls,
            authority: authority.to_owned(),
            path,
            socket: None,
        })
    }
}

/// Without the query, which may be a ticket.
impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        let path = self.path.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{}{path}", self.authority)?;
        match &self.socket {
            Some(socket) => write!(f, " at unix:{}", socket.display()),
            None => Ok(()),
        }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked for.
    pub method: Method,
    /// Headers beside Host and those of framing.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer. Each says all that is known by itself.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The name has no address.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address took the connection.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// Nobody answers at the Unix socket.
    #[error("the socket cannot be connected to: {0}")]
    Socket(io::Error),
    /// Whoever answered is not the server.
    #[error("{0}")]
    Server(SwapError),
    /// Whoever answered speaks no TLS, or no TLS of ours.
    #[error("TLS: {0}")]
    Tls(SwapError),
    /// What came is not HTTP, or not all of it.
    #[error(transparent)]
    Http(#[from] hyper::Error),
    /// The request cannot be made.
    #[error("the request cannot be made: {0}")]
    Request(axum::http::Error),
    /// The body broke off, or is longer than was to be read.
    #[error("the answer's body: {0}")]
    Body(axum::Error),
    /// It took too long.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

impl From<SwapError> for FetchError {
    fn from(error: SwapError) -> Self {
        match error {
            SwapError::Certificate(_) | SwapError::Identity(_) => Self::Server(error),
            SwapError::Failed(_) => Self::Tls(error),
        }
    }
}

/// Asks servers, each on a connection of its own.
#[derive(Clone, Debug)]
pub struct Fetcher {
    /// Who knows their addresses.
    pub resolver: Resolver,
    /// Who knows whether they are who they should be.
    pub tls: Connector,
    /// How long an answer may take in all.
    pub within: Duration,
}

impl Fetcher {
    /// Asks and reads the whole answer, with a body of `max_body` bytes at most. Redirections are not
    /// followed.
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// # Cancel safety
    /// Cancel safe: the connection is closed; the request may have arrived.
    pub async fn fetch(
        &self,
        url: &Url,
        question: Question,
        max_body: usize,
    ) -> Result<(StatusCode, Bytes), FetchError> {
        self.ask(url, question, async |answer| {
            let (head, body) = answer.into_parts();
            let body = to_bytes(Body::new(body), max_body).await;
            Ok((head.status, body.map_err(FetchError::Body)?))
        })
        .await
    }

    /// Asks and reads the head of the answer. Whatever its body is, the connection is closed on it.
    ///
    /// # Errors
    /// [`FetchError`].
    ///
    /// # Cancel safety
    /// Cancel safe: the connection is closed; the request may have arrived.
    pub async fn status(&self, url: &Url, question: Question) -> Result<StatusCode, FetchError> {
        self.ask(url, question, async |answer| Ok(answer.status()))
            .await
    }

    async fn ask<T>(
        &self,
        url: &Url,
        question: Question,
        read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, FetchError>,
    ) -> Result<T, FetchError> {
        let exchange = async {
            let stream: Box<dyn Duplex> = match &url.socket {
                Some(socket) => {
                    let connected = unix::connect(socket).await;
                    Box::new(connected.map_err(FetchError::Socket)?)
                }
                None => {
                    let addresses = self.resolver.resolve(&url.endpoint.host).await?;
                    let (stream, _) = dial(&addresses, url.endpoint.port.get()).await?;
                    Box::new(stream)
                }
            };
            let stream: Box<dyn Duplex> = if url.tls {
                let (stream, _) = self.tls.connect(&url.endpoint.host, stream).await?;
                Box::new(stream)
            } else {
                stream
            };
            converse(stream, url, question, read).await
        };
        timeout(self.within, exchange)
            .await
            .unwrap_or(Err(FetchError::Timeout(self.within)))
    }
}

/// Asks over a stream that is there for nothing else.
async fn converse<T>(
    stream: Box<dyn Duplex>,
    url: &Url,
    question: Question,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, FetchError>,
) -> Result<T, FetchError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::builder()
        .method(question.method)
        .uri(&url.path)
        .body(Body::from(question.body))
        .map_err(FetchError::Request)?;
    *request.headers_mut() = question.headers;
    let host =
        HeaderValue::try_from(&url.authority).map_err(|error| FetchError::Request(error.into()))?;
    request.headers_mut().insert(HOST, host);
    let answer = async {
        let response = sender.send_request(request).await?;
        read(response).await
    };
    let mut answer = std::pin::pin!(answer);
    tokio::select! {
        biased;
        answer = &mut answer => return answer,
        // It has failed, or is at its end; the answer knows which.
        _ = connection => {}
    }
    answer.await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let url: Url = "https://Console.example:8443/a/?x=1".parse().unwrap();
        assert_eq!(url.to_string(), "https://Console.example:8443/a/");
        assert_eq!((url.tls, url.endpoint.port.get()), (true, 8443));
        assert_eq!(url.path, "/a/?x=1");
        let url: Url = "http://[::1]/base/".parse().unwrap();
        assert_eq!((url.tls, url.endpoint.port.get()), (false, 80));
        assert_eq!(url.join("/api?b").path, "/base/api?b");
        let url: Url = "https://a/b".parse().unwrap();
        let there = url.join("/c").at("/run/api.sock".into());
        assert_eq!(there.to_string(), "https://a/b/c at unix:/run/api.sock");
        let url: Url = "http://a".parse().unwrap();
        assert_eq!(url.join("/api").path, "/api");
        for wrong in [
            "",
            "console.example",
            "ws://console.example",
            "https://",
            "https://user@console.example",
            "https://console.example/#x",
            "https://console.example/a b",
            "https://console.example\r\n",
        ] {
            assert_eq!(wrong.parse::<Url>(), Err(BadUrl), "{wrong:?}");
        }
    }
}
