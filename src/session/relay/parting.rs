//! Taking leave of a host that is still there.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::Relay;

/// How long a host has to take the last bytes after the browser is gone.
pub(super) const PARTING: Duration = Duration::from_millis(500);

impl<B, H> Relay<'_, B, H>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    /// Lets the host take what it was sent, with no key left down, and what is still to be sent for
    /// that.
    ///
    /// Closing with bytes of its own unread would make the kernel reset the connection and throw
    /// both away.
    pub(super) async fn part_from_host(&mut self) {
        let mut rest = [0; 2048];
        let _ = timeout(PARTING, async {
            if self.host_deaf.is_none() {
                self.let_go().await?;
            }
            self.host.shutdown().await?;
            while self.host.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        })
        .await;
    }

    /// Releases what is down, behind what is on its way, whose releases count as done already, and behind
    /// the message that the host is in the middle of.
    async fn let_go(&mut self) -> io::Result<()> {
        let ahead = std::mem::take(&mut self.ahead);
        self.host.write_all(ahead.rest()).await?;
        if let Some(piece) = self.up.take() {
            self.host.write_all(piece.rest()).await?;
        }
        if !self.gate.holds_keys() {
            return Ok(());
        }
        // The rest of a text that nobody will finish, or of a list: it is nothing but long.
        let mut owed = usize::try_from(self.gate.owed()).unwrap_or(usize::MAX);
        while owed > 0 {
            let zeros = [0; 2048];
            let now = zeros.get(..owed.min(zeros.len())).unwrap_or(&zeros);
            self.host.write_all(now).await?;
            owed -= now.len();
        }
        let mut releases = Vec::new();
        self.gate.release(&mut releases);
        self.host.write_all(&releases).await
    }
}
