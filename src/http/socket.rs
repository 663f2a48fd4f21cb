//! The WebSocket's upgrade: from a request to a raw stream and the token it came with.
//!
//! The token is a subprotocol, so that no address on the wire has it, or for stock viewers a
//! parameter. What is wrong with it is said after the upgrade: a browser shows a page nothing of a
//! refused one but code 1006.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::header::{
    CONNECTION, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use hyper::ext::Protocol;
use hyper::upgrade::{OnUpgrade, Parts};
use hyper_util::rt::TokioIo;
use tokio::time::timeout;
use tracing::debug;
use zeroize::Zeroizing;

use crate::http::console::{self, Parameters};
use crate::http::problem::Problem;
use crate::http::serve::{Lasting, Tunnel};
use crate::http::{Client, Service};
use crate::mint::TOKEN_PROTOCOL;
use crate::origin::Presented;
use crate::session::resume::ResumeSecret;
use crate::session::{Arrival, Pass, page_message};
use crate::stream::Stream;
use crate::subject::Subject;
use crate::ws::{ExtendedConnect, UpgradeRequest, protocols};

/// The subprotocol of stock viewers, which means nothing but binary frames.
const BINARY_PROTOCOL: &str = "binary";

/// What the page puts its resume secret behind to make a subprotocol of it.
const RESUME_PROTOCOL: &str = "fanlight.resume.";

/// How long the connection may take from our 101 to the raw stream.
const UPGRADE_WITHIN: Duration = Duration::from_secs(10);

/// `GET /novnc/websocket` and `/websockify`.
pub(super) async fn upgrade(
    State(service): State<Arc<Service>>,
    Extension(client): Extension<Client>,
    Extension(lasting): Extension<Lasting>,
    Query(parameters): Parameters,
    mut request: Request,
) -> Response {
    let accepted = match accept(&request) {
        Ok(accepted) => accepted,
        Err(problem) => return problem.into_response(),
    };
    let offered = joined(request.headers(), &SEC_WEBSOCKET_PROTOCOL);
    let offers = |name| protocols(&offered).any(|offer| offer == name);
    let page = offers(page_message::PROTOCOL);
    let pass = pass(&offered, parameters);
    // A box, since a session keeps in its place whatever its task begins with.
    let arrival = Box::new(Arrival {
        client: client.address,
        pass,
        origin: origin(request.headers()),
        too_often: service.handshakes.spend(client.address.counted_as()).err(),
        page,
    });

    let upgrading = Upgrading {
        on: hyper::upgrade::on(&mut request),
        tunnel: matches!(accepted, Accepted::Tunnel).then(|| lasting.tunnel()),
    };
    service.sessions.tasks().spawn(Subject::now().of(run(
        Arc::clone(&service),
        upgrading,
        arrival,
        client,
    )));

    let mut response = accepted.into_response();
    let headers = response.headers_mut();
    if page {
        let chosen = HeaderValue::from_static(page_message::PROTOCOL);
        headers.insert(SEC_WEBSOCKET_PROTOCOL, chosen);
    } else if offers(BINARY_PROTOCOL) {
        headers.insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(BINARY_PROTOCOL),
        );
    }
    response
}

/// What somebody wants to get in with: the secret of a session that is to continue, else a token.
fn pass(offered: &str, parameters: Vec<(String, String)>) -> Pass {
    let behind = |prefix| protocols(offered).find_map(|offer| offer.strip_prefix(prefix));
    if let Some(Ok(secret)) = behind(RESUME_PROTOCOL).map(ResumeSecret::parse) {
        return Pass::Resume(secret);
    }
    let token = behind(TOKEN_PROTOCOL).map(str::to_owned);
    match token.or_else(|| console::token(parameters)) {
        Some(token) => Pass::Token(Zeroizing::new(token)),
        None => Pass::None,
    }
}

/// How a WebSocket begins.
enum Accepted {
    /// The connection becomes one; the header answers the request's key.
    Upgrade(HeaderValue),
    /// It is within a connection of HTTP/2.
    Tunnel,
}

impl IntoResponse for Accepted {
    fn into_response(self) -> Response {
        match self {
            Self::Upgrade(key) => {
                let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
                let headers = response.headers_mut();
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(SEC_WEBSOCKET_ACCEPT, key);
                response
            }
            Self::Tunnel => StatusCode::OK.into_response(),
        }
    }
}

/// Whether the request opens a WebSocket, and how.
fn accept(request: &Request) -> Result<Accepted, Problem> {
    let headers = request.headers();
    if request.version() == Version::HTTP_2 {
        let protocol = request.extensions().get::<Protocol>();
        let connect = ExtendedConnect {
            protocol: protocol.map_or("", Protocol::as_str),
            version: &joined(headers, &SEC_WEBSOCKET_VERSION),
        };
        connect.accept()?;
        return Ok(Accepted::Tunnel);
    }
    let upgrade = UpgradeRequest {
        method: request.method().as_str(),
        http_1_1: request.version() == Version::HTTP_11,
        upgrade: &joined(headers, &UPGRADE),
        connection: &joined(headers, &CONNECTION),
        version: &joined(headers, &SEC_WEBSOCKET_VERSION),
        key: &joined(headers, &SEC_WEBSOCKET_KEY),
    };
    let key = HeaderValue::try_from(upgrade.accept()?);
    key.map(Accepted::Upgrade).map_err(|_| Problem::Internal)
}

/// All lines of a header as one; a line that is not text counts as empty.
fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let lines = headers
        .get_all(name)
        .iter()
        .map(|line| line.to_str().unwrap_or_default());
    lines.collect::<Vec<_>>().join(", ")
}

fn origin(headers: &HeaderMap) -> Presented {
    let lines = headers.get_all(ORIGIN).iter();
    Presented::from_lines(lines.map(|line| line.to_str().ok()))
}

/// A stream to come.
struct Upgrading {
    on: OnUpgrade,
    /// What it keeps open, where it is a part of a connection.
    tunnel: Option<Tunnel>,
}

/// Waits for the raw stream and runs the session on it. The connection keeps its place till the end.
async fn run(service: Arc<Service>, upgrading: Upgrading, arrival: Box<Arrival>, client: Client) {
    let Client {
        address: client,
        place,
        ..
    } = client;
    let _settled = place.settle();
    let Upgrading { on, tunnel } = upgrading;
    let upgraded = match timeout(UPGRADE_WITHIN, on).await {
        Ok(Ok(upgraded)) => upgraded,
        Ok(Err(error)) => return debug!(%client, %error, "upgrade failed"),
        Err(_) => return debug!(%client, "upgrade timed out"),
    };
    let (stream, read_ahead) = if tunnel.is_some() {
        debug!(%client, "a WebSocket over HTTP/2");
        let stream = Stream::Other(Box::new(TokioIo::new(upgraded)));
        (stream, Bytes::new())
    } else {
        match upgraded.downcast::<TokioIo<Stream>>() {
            Ok(Parts { io, read_buf, .. }) => (io.into_inner(), read_buf),
            // `serve` hands hyper nothing but our streams.
            Err(_) => return debug!(%client, "the upgraded stream is not ours"),
        }
    };
    service.sessions.run(arrival, stream, read_ahead).await;
}
