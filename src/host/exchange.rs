//! One request and the head of its answer, over whatever leads to a host.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::http1::head::{BadHead, Head, HeadReader};
use crate::wire::Reader;

/// How many bytes are read at a time.
const CHUNK: usize = 4096;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The connection ended or broke before the answer was whole.
    #[error("the host closed the connection instead of answering the request")]
    Closed,
    /// What came is no answer.
    #[error(transparent)]
    Answer(#[from] BadHead),
}

/// Sends a request and reads the head of the answer. What was read behind it is returned as well,
/// at most 4 KiB.
///
/// # Errors
/// [`ExchangeError`].
///
/// # Cancel safety
/// Not cancel safe: drop the stream too.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
) -> Result<(Head, Vec<u8>), ExchangeError> {
    let sending = async {
        stream.write_all(request).await?;
        stream.flush().await
    };
    sending.await.map_err(|_| ExchangeError::Closed)?;
    let mut reader = HeadReader::default();
    let mut chunk = Vec::with_capacity(CHUNK);
    loop {
        chunk.clear();
        let read = (&mut *stream).take(CHUNK as u64).read_buf(&mut chunk).await;
        if !matches!(read, Ok(1..)) {
            return Err(ExchangeError::Closed);
        }
        let mut input = Reader::new(&chunk);
        if let Some(head) = reader.step(&mut input)? {
            let behind = input.rest().to_vec();
            return Ok((head, behind));
        }
    }
}
