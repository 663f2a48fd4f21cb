//! A fake XAPI host (XenServer, XCP-ng): it gives consoles behind CONNECT, with its peculiarities,
//! and on demand misbehaves.

use std::sync::{Arc, Mutex};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::net::{Family, Stream};
use super::rfb_server::server_init;

/// The session that it knows.
pub const SESSION: &str = "OpaqueRef:8b5c0c1e-session";
/// The machine that runs here.
pub const MACHINE: &str = "6f4b9a52-machine";
/// The largest head of a request, in bytes: 1024 less 18.
const MAX_HEAD: usize = 1006;
/// What it says before the console's own bytes.
const YES: &str =
    "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nCache-Control: no-cache, no-store\r\n\r\n";

/// How it behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// As it should.
    None,
    /// Everything byte by byte.
    Drip,
    /// The answer and the console's first bytes in one write.
    Glue,
    /// Yes, and then the machine's VNC server is not there.
    DeadConsole,
    /// A line of a head, and the end.
    EarlyEof,
    /// A head that does not end.
    EndlessHead,
    /// Nothing at all.
    Silence,
    /// This answer, whatever is asked for.
    Answer(&'static str),
}

/// The host. Dropping it ends its connections.
pub struct Xapi {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// What it proves its identity with, where it speaks TLS.
    pub certificate: Option<CertificateDer<'static>>,
    requests: Arc<Mutex<Vec<String>>>,
    _tasks: JoinSet<()>,
}

impl Xapi {
    /// Starts it, with TLS or without.
    pub async fn start(tls: bool, quirk: Quirk) -> Self {
        let listener = TcpListener::bind(Family::V4.loopback()).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (acceptor, certificate) = tls.then(acceptor).unzip();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let book = Arc::clone(&requests);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, book) = (acceptor.clone(), Arc::clone(&book));
                served.spawn(async move {
                    stream.set_nodelay(true).unwrap();
                    let stream: Box<dyn Stream> = match acceptor {
                        None => Box::new(stream),
                        // A gateway that does not trust us leaves.
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    // The gateway may leave at any time.
                    let _ = serve(stream, quirk, &book).await;
                });
            }
        });
        Self {
            port,
            certificate,
            requests,
            _tasks: tasks,
        }
    }

    /// The heads of all requests so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A TLS server with a certificate for 127.0.0.1 that it signed itself.
pub fn acceptor() -> (TlsAcceptor, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = made.signing_key.serialize_pem();
    let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

async fn serve(
    mut stream: Box<dyn Stream>,
    quirk: Quirk,
    book: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() <= MAX_HEAD {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    book.lock().unwrap().push(head.clone());
    let answer = match quirk {
        Quirk::Silence => "",
        Quirk::EarlyEof => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConn").await?;
            return stream.shutdown().await;
        }
        Quirk::EndlessHead => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n").await?;
            loop {
                stream.write_all(b"X-More: and more\r\n").await?;
            }
        }
        Quirk::Answer(answer) => answer,
        _ => judged(&head),
    };
    if answer != YES {
        stream.write_all(answer.as_bytes()).await?;
        stream.flush().await?;
        return listen(&mut stream).await;
    }
    if quirk == Quirk::DeadConsole {
        stream.write_all(YES.as_bytes()).await?;
        return stream.shutdown().await;
    }
    let first = match quirk {
        Quirk::Glue => [YES.as_bytes(), b"RFB 003.003\n"].concat(),
        _ => YES.as_bytes().to_vec(),
    };
    say(&mut stream, &first, quirk).await?;
    if quirk != Quirk::Glue {
        say(&mut stream, b"RFB 003.003\n", quirk).await?;
    }
    let mut version = [0; 12];
    stream.read_exact(&mut version).await?;
    assert_eq!(version, *b"RFB 003.003\n", "the host's own version");
    // Type 1, None: there is no more to it in 3.3.
    say(&mut stream, &[0, 0, 0, 1], quirk).await?;
    let mut client_init = [0];
    stream.read_exact(&mut client_init).await?;
    say(&mut stream, &server_init((64, 48), "xen"), quirk).await?;
    // Then whatever comes is said back.
    let mut buf = [0; 4096];
    loop {
        match stream.read(&mut buf).await? {
            0 => return Ok(()),
            read => say(&mut stream, &buf[..read], quirk).await?,
        }
    }
}

/// What XAPI answers to a request.
fn judged(head: &str) -> &'static str {
    let mut lines = head.split("\r\n");
    let request: Vec<&str> = lines.next().unwrap().split(' ').collect();
    let [method, target, "HTTP/1.0" | "HTTP/1.1"] = request[..] else {
        return "HTTP/1.1 400 Bad Request\r\n\r\n";
    };
    if head.len() > MAX_HEAD {
        return "HTTP/1.1 431 Request Header Fields Too Large\r\n\r\n";
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if !path.starts_with("/console") {
        return "HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n<html></html>";
    }
    if method != "CONNECT" {
        return "HTTP/1.1 501 Method not Implemented\r\n\r\n";
    }
    let cookies = lines.filter_map(|line| line.strip_prefix("Cookie: "));
    // Cut and not trimmed: behind "a=1; " there is a cookie named " session_id".
    let session = cookies
        .flat_map(|cookie| cookie.split([';', '&']))
        .find_map(|pair| pair.strip_prefix("session_id="));
    if session != Some(SESSION) {
        return "HTTP/1.1 401 Unauthorised\r\nWWW-Authenticate: Basic realm=\"connect_console\"\r\n\r\n<html></html>";
    }
    let machine = query.split('&').find_map(|pair| pair.strip_prefix("uuid="));
    if machine == Some(MACHINE) {
        YES
    } else {
        "HTTP/1.1 500 Internal Error\r\nConnection: close\r\n\r\n<html></html>"
    }
}

async fn say(stream: &mut Box<dyn Stream>, bytes: &[u8], quirk: Quirk) -> std::io::Result<()> {
    let size = if quirk == Quirk::Drip { 1 } else { bytes.len() };
    for piece in bytes.chunks(size.max(1)) {
        stream.write_all(piece).await?;
        stream.flush().await?;
    }
    Ok(())
}

/// Waits until the gateway leaves.
async fn listen(stream: &mut Box<dyn Stream>) -> std::io::Result<()> {
    while stream.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}
