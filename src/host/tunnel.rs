//! Opening a tunnel: CONNECT, and RFB behind the answer.

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use super::exchange::{ExchangeError, exchange};
use super::read_ahead::ReadAhead;
use crate::http1::connect::{self, BadRequest};
use crate::http1::refusal::Refusal;
use crate::http1::request::Extra;
use crate::reason::Reason;
use crate::target::Tunnel;

/// Why there is no tunnel.
#[derive(Debug, thiserror::Error)]
pub enum TunnelError {
    /// The grant makes no request. Minting has checked that, so another version minted it.
    #[error(transparent)]
    Request(#[from] BadRequest),
    /// There is no answer.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// The answer is no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The answer was yes, and then the tunnel ended without a byte. XAPI opens the machine's own
    /// VNC server only after it has answered.
    #[error("the tunnel was opened and ended at once: the machine's own VNC server is not there")]
    Dead,
}

impl From<&TunnelError> for Reason {
    fn from(error: &TunnelError) -> Self {
        match error {
            TunnelError::Request(_) => Self::Internal,
            TunnelError::Exchange(ExchangeError::Closed) => Self::HostClosed,
            TunnelError::Exchange(ExchangeError::Answer(_)) => Self::HostProtocol,
            TunnelError::Refused(refusal) => refusal.into(),
            TunnelError::Dead => Self::HostUnreachable,
        }
    }
}

/// Opens the tunnel over `stream`, a connection to the tunnel's endpoint, inside TLS where the
/// target says so.
///
/// # Errors
/// [`TunnelError`], never its `Dead`: that shows in the RFB handshake.
///
/// # Cancel safety
/// Dropping the future closes the connection.
pub(super) async fn open<S>(
    mut stream: S,
    target: &Tunnel,
    extra: Extra<'_>,
) -> Result<ReadAhead<S>, TunnelError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = connect::request(&target.endpoint, &target.path, extra)?;
    let (head, behind) = exchange(&mut stream, &request).await?;
    match head.status {
        200..=299 => Ok(ReadAhead::new(Bytes::from(behind), stream)),
        status => Err(Refusal::of_tunnel(status).into()),
    }
}
