//! An RFB server inside TLS from the first byte, which asks for no authentication.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::net::Family;
use super::pki::Identity;
use super::rfb_server::server_init;

/// A listening host. Dropping it ends its connections.
pub struct TlsHost {
    /// Where it listens.
    pub address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl TlsHost {
    /// A host on 127.0.0.1 that shows `identity`, and whose desktop is called `name`.
    pub async fn start(identity: &Identity, name: &'static str) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(identity.server_config()));
        let listener = TcpListener::bind(Family::V4.loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                served.spawn(async move {
                    // A client that does not like what it sees leaves.
                    let _ = serve(&acceptor, stream, name).await;
                });
            }
        });
        Self {
            address,
            _tasks: tasks,
        }
    }
}

async fn serve(acceptor: &TlsAcceptor, stream: TcpStream, name: &str) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    stream.write_all(b"RFB 003.008\n").await?;
    let mut version = [0; 12];
    stream.read_exact(&mut version).await?;
    // One security type: None.
    stream.write_all(&[1, 1]).await?;
    stream.read_u8().await?;
    stream.write_u32(0).await?;
    stream.read_u8().await?;
    stream.write_all(&server_init((64, 48), name)).await?;
    stream.flush().await?;
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await?;
    Ok(())
}
