//! Sockets of the tests themselves.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A byte stream of either kind, with TLS or without.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// Connects to something that a test started.
#[allow(
    clippy::disallowed_methods,
    reason = "a test is a client, not the gateway"
)]
pub async fn connect(address: SocketAddr) -> TcpStream {
    let stream = try_connect(address).await;
    stream.unwrap_or_else(|error| panic!("no connection to {address}: {error}"))
}

/// Connects, or says why not.
#[allow(
    clippy::disallowed_methods,
    reason = "a test is a client, not the gateway"
)]
pub async fn try_connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// What a test's TLS client trusts.
pub type Trust = Arc<rustls::ClientConfig>;

/// A client that trusts one certificate.
pub fn trust(certificate: &CertificateDer<'static>) -> Trust {
    trust_all(std::slice::from_ref(certificate))
}

/// A client that trusts each of several certificates.
pub fn trust_all(certificates: &[CertificateDer<'static>]) -> Trust {
    let mut roots = rustls::RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate.clone()).unwrap();
    }
    let config = rustls::ClientConfig::builder().with_root_certificates(roots);
    Arc::new(config.with_no_client_auth())
}

/// Connects, with TLS where there is something to trust.
pub async fn connect_as(address: SocketAddr, trust: Option<&Trust>) -> Box<dyn Stream> {
    let stream = connect(address).await;
    let Some(trust) = trust else {
        return Box::new(stream);
    };
    let connector = TlsConnector::from(Arc::clone(trust));
    let name = ServerName::from(address.ip());
    Box::new(connector.connect(name, stream).await.unwrap())
}

/// An address family, as a test matrix names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Port 0 of the loopback address.
    pub fn loopback(self) -> SocketAddr {
        match self {
            Self::V4 => (Ipv4Addr::LOCALHOST, 0).into(),
            Self::V6 => (Ipv6Addr::LOCALHOST, 0).into(),
        }
    }
}

/// A port that was free a moment ago, for programs that cannot choose one themselves.
///
/// It is below those that the system hands out, which the connections of other tests have at any time;
/// each is given out once in a process, and others begin elsewhere.
pub fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u32 = 12_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(7919);
    loop {
        let nth = begin.wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let port = FIRST + u16::try_from(nth).unwrap();
        let is_free = |family: Family| TcpListener::bind((family.loopback().ip(), port)).is_ok();
        if is_free(Family::V4) && is_free(Family::V6) {
            return port;
        }
    }
}

/// An address where nobody listens: bound, never listened on, and given up by the caller's drop.
pub fn deaf_address(family: Family) -> (SocketAddr, socket2::Socket) {
    let domain = match family {
        Family::V4 => socket2::Domain::IPV4,
        Family::V6 => socket2::Domain::IPV6,
    };
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
    socket.bind(&family.loopback().into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (address, socket)
}
