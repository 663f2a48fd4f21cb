//! Reading the header of the PROXY protocol from a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

use crate::client_addr::ClientAddr;
use crate::proxy::protocol::{self, BadProxyHeader, Step};

/// How long the header may take: a load balancer sends it at once.
pub const WITHIN: Duration = Duration::from_secs(5);

/// Why there is no header.
#[derive(Debug, thiserror::Error)]
pub enum ProxyHeaderError {
    /// Something else is there.
    #[error(transparent)]
    Bad(#[from] BadProxyHeader),
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It did not arrive [`WITHIN`] its time.
    #[error("the PROXY header did not arrive in time")]
    TimedOut,
}

/// Reads a header and not one byte more; the client is `None` where the load balancer speaks for
/// itself.
///
/// # Errors
/// [`ProxyHeaderError`].
///
/// # Cancel safety
/// Not cancel safe: what was read is lost, and the connection with it.
pub async fn read<S>(stream: &mut S) -> Result<Option<ClientAddr>, ProxyHeaderError>
where
    S: AsyncRead + Unpin,
{
    let reading = async {
        let mut header = Vec::new();
        loop {
            match protocol::parse(&header)? {
                Step::Done { client, .. } => return Ok(client),
                Step::NeedMore(more) => {
                    let start = header.len();
                    header.resize(start + more, 0);
                    let missing = header.get_mut(start..).unwrap_or_default();
                    stream.read_exact(missing).await?;
                }
            }
        }
    };
    let read = timeout(WITHIN, reading).await;
    read.unwrap_or(Err(ProxyHeaderError::TimedOut))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;
    use crate::proxy::protocol::{MAX_VARIABLE, SIGNATURE};

    const ADDRESSES: [u8; 16] = [0x21, 0x11, 0, 12, 203, 0, 113, 5, 10, 0, 0, 1, 0, 5, 0, 80];

    #[tokio::test]
    async fn a_header_is_read_byte_by_byte_and_nothing_behind_it() {
        for pipe in [1, 7, 64] {
            let (mut near, mut far) = duplex(pipe);
            let sent = [&SIGNATURE[..], &ADDRESSES, b"GET /"].concat();
            let sending = far.write_all(&sent);
            let reading = async {
                let client = read(&mut near).await.unwrap().unwrap();
                assert_eq!(client.to_string(), "203.0.113.5:5");
                let mut behind = [0; 5];
                near.read_exact(&mut behind).await.unwrap();
                assert_eq!(&behind, b"GET /");
            };
            let (sent, ()) = tokio::join!(sending, reading);
            sent.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_header_that_never_ends_times_out() {
        let most = u16::try_from(MAX_VARIABLE).unwrap().to_be_bytes();
        let endless = [&SIGNATURE[..], &[0x21, 0x11], &most].concat();
        for start in [&endless[..], &endless[..5], &[]] {
            let (mut near, mut far) = duplex(64);
            far.write_all(start).await.unwrap();
            let error = read(&mut near).await.unwrap_err();
            assert!(matches!(error, ProxyHeaderError::TimedOut), "{error}");
        }
    }

    #[tokio::test]
    async fn something_else_and_an_early_end_are_said() {
        let read = async |sent: &[u8]| {
            let (mut near, mut far) = duplex(64);
            far.write_all(sent).await.unwrap();
            drop(far);
            super::read(&mut near).await.unwrap_err()
        };
        let http = read(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(matches!(
            http,
            ProxyHeaderError::Bad(BadProxyHeader::NoHeader)
        ));
        let cut = read(&SIGNATURE).await;
        assert!(matches!(cut, ProxyHeaderError::Io(_)));
    }
}
