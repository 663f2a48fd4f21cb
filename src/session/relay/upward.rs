//! From the browser to the host: unmasked in place, written as it arrives.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};

use super::{Moved, PARTING, Relay};
use crate::session::end::End;
use crate::session::piece::Piece;

impl<B, H> Relay<'_, B, H>
where
    B: AsyncRead + AsyncWrite + Unpin,
    H: AsyncRead + AsyncWrite + Unpin,
{
    pub(super) fn read_browser(&mut self, cx: &mut Context<'_>) -> Moved {
        if self.up.is_some() || self.browser_gone || self.browser.ended().is_some() {
            return false;
        }
        let mut buffer = self.buffers.take();
        let received = self.browser.poll_receive(cx, &mut buffer);
        self.note_round_trip();
        match received {
            Poll::Pending if self.browser_deaf => {
                self.browser_gone = true;
                true
            }
            // What was read may have been a ping alone, which wants its answer now. Should that
            // fail, so does the next write.
            Poll::Pending => {
                self.down.is_none() && self.browser.has_queued() && {
                    let sent = self.browser.poll_send_queued(cx);
                    matches!(sent, Poll::Ready(Err(_)))
                }
            }
            Poll::Ready(Ok(read)) => {
                self.traffic.up += read as u64;
                self.up = Some(Piece::of(buffer, 0..read));
                self.wrote_up = Instant::now();
                true
            }
            Poll::Ready(Err(_)) => true,
        }
    }

    pub(super) fn write_host(&mut self, cx: &mut Context<'_>) -> Moved {
        let mut moved = false;
        if let Some(piece) = &mut self.up
            && let Poll::Ready(wrote) = piece.poll_write(&mut self.host, cx)
        {
            moved = true;
            self.wrote_up = Instant::now();
            self.up_unflushed = true;
            if wrote.is_err() || piece.is_empty() {
                self.up = None;
            }
            if let Err(error) = wrote {
                self.deafen(&error);
            }
        }
        if self.up_unflushed
            && let Poll::Ready(flushed) = Pin::new(&mut self.host).poll_flush(cx)
        {
            self.up_unflushed = false;
            if let Err(error) = flushed {
                self.deafen(&error);
                moved = true;
            }
        }
        moved
    }

    /// The host takes nothing more; what it sent before is still read.
    fn deafen(&mut self, error: &std::io::Error) {
        self.up_unflushed = false;
        self.host_deaf = Some(End::of_host(error));
    }

    /// Lets the host take what it was sent: closing with bytes of its own unread would make the
    /// kernel reset the connection and throw both away.
    pub(super) async fn part_from_host(&mut self) {
        let mut rest = [0; 2048];
        let _ = timeout(PARTING, async {
            self.host.shutdown().await?;
            while self.host.read(&mut rest).await? > 0 {}
            std::io::Result::Ok(())
        })
        .await;
    }
}
