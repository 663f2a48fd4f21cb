//! What a host leg is made of: a connection, and the layers that the handshake put around it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::drive::Transport;
use crate::host::aes_stream::AesStream;
use crate::rfb::SwapError;
use crate::rfb::auth::ra2::SessionCiphers;
use crate::rfb::host::HostSwap;
use crate::stream::Duplex;
use crate::target::HostName;
use crate::tls::connect::{Connector, Shown};

/// The stream to a host.
///
/// Plain TCP, which most sessions are, is known as such; whatever has layers is behind a pointer.
pub struct HostStream {
    layers: Layers,
    host: HostName,
    tls: Connector,
    shown: Option<Shown>,
}

enum Layers {
    Tcp(TcpStream),
    Layered(Box<dyn Duplex>),
    /// The stream went into a change of layers that failed.
    Gone,
}

impl HostStream {
    /// A stream over TCP. Should the handshake ask for TLS, `tls` checks that it is `host`.
    #[must_use]
    pub const fn tcp(stream: TcpStream, host: HostName, tls: Connector) -> Self {
        Self {
            layers: Layers::Tcp(stream),
            host,
            tls,
            shown: None,
        }
    }

    /// A stream over something else than TCP, or with a layer of its own around RFB. `shown` is what
    /// TLS below that layer has shown.
    #[must_use]
    pub fn layered(
        stream: impl Duplex + 'static,
        host: HostName,
        tls: Connector,
        shown: Option<Shown>,
    ) -> Self {
        Self {
            layers: Layers::Layered(Box::new(stream)),
            host,
            tls,
            shown,
        }
    }

    /// Puts TLS around what is there, and checks the host's certificate.
    ///
    /// # Errors
    /// [`SwapError`]; the stream is gone then.
    ///
    /// # Cancel safety
    /// Dropping the future closes the stream.
    pub async fn start_tls(&mut self) -> Result<(), SwapError> {
        let below = self.take_layers()?;
        let (inside, shown) = self.tls.connect(&self.host, below).await?;
        self.layers = Layers::Layered(Box::new(inside));
        self.shown = Some(shown);
        Ok(())
    }

    /// What TLS has shown of the host, if there is TLS.
    #[must_use]
    pub const fn shown(&self) -> Option<Shown> {
        self.shown
    }

    /// Puts the messages of RA2 around what is said from here on.
    fn seal(&mut self, ciphers: SessionCiphers) -> Result<(), SwapError> {
        let below = self.take_layers()?;
        self.layers = Layers::Layered(Box::new(AesStream::new(below, ciphers)));
        Ok(())
    }

    /// What is there, to be put inside another layer.
    fn take_layers(&mut self) -> Result<Box<dyn Duplex>, SwapError> {
        match std::mem::replace(&mut self.layers, Layers::Gone) {
            Layers::Tcp(stream) => Ok(Box::new(stream)),
            Layers::Layered(stream) => Ok(stream),
            Layers::Gone => Err(SwapError::Failed("the stream is gone".to_owned())),
        }
    }
}

impl Transport<HostSwap> for HostStream {
    async fn swap(&mut self, swap: HostSwap) -> Result<(), SwapError> {
        match swap {
            HostSwap::Tls(_) => self.start_tls().await,
            HostSwap::Ra2(ciphers) => self.seal(ciphers),
        }
    }
}

impl AsyncRead for HostStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layers {
            Layers::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Layers::Layered(stream) => Pin::new(stream).poll_read(cx, buf),
            Layers::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncWrite for HostStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().layers {
            Layers::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
            Layers::Layered(stream) => Pin::new(stream).poll_write(cx, buf),
            Layers::Gone => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layers {
            Layers::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Layers::Layered(stream) => Pin::new(stream).poll_flush(cx),
            Layers::Gone => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().layers {
            Layers::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Layers::Layered(stream) => Pin::new(stream).poll_shutdown(cx),
            Layers::Gone => Poll::Ready(Ok(())),
        }
    }
}

impl std::fmt::Debug for HostStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HostStream({})", self.host)
    }
}
