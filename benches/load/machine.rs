//! A machine's RFB server that sends as much as it is asked for.
//!
//! A key event whose keysym is `n` is answered by a cut text of `n` bytes, and [`GOODBYE`] by the
//! connection's end. Everything that is said is lawful RFB.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use fanlight::rfb::auth::vnc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// What opens it.
pub const PASSWORD: &str = "hunter2!";

/// The keysym that makes it break off.
pub const GOODBYE: u32 = u32::MAX;

const VERSION: &[u8; 12] = b"RFB 003.008\n";
const CHALLENGE: [u8; 16] = *b"sixteen octets..";

/// 1920x1080, 32 bits a pixel, a name.
const SERVER_INIT: &[u8] = b"\x07\x80\x04\x38\x20\x18\0\x01\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\
      \0\0\0\x07machine";

/// Length of a key event in bytes (RFC 6143, 7.5.4).
const KEY_EVENT: usize = 8;

/// Length of a cut text's head in bytes (RFC 6143, 7.6.4): type, padding, length.
pub const CUT_TEXT_HEAD: usize = 8;

/// How much text is written at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// Listens for as many as come, each served in a task of its own.
pub fn start() -> io::Result<SocketAddr> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    let listener = socket.listen(4096)?;
    let address = listener.local_addr()?;
    let text: Arc<[u8]> = vec![b'x'; CHUNK].into();
    spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let text = Arc::clone(&text);
            spawn(async move {
                // A gateway that leaves is no failure of the machine's.
                let _ = serve(stream, &text).await;
            });
        }
    });
    Ok(address)
}

async fn serve(mut stream: TcpStream, text: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(VERSION).await?;
    expect(&mut stream, VERSION).await?;
    stream.write_all(&[1, 2]).await?;
    expect(&mut stream, &[2]).await?;
    stream.write_all(&CHALLENGE).await?;
    let response = vnc::response(PASSWORD.as_bytes(), &CHALLENGE);
    expect(&mut stream, &response).await?;
    stream.write_all(&[0; 4]).await?;
    expect(&mut stream, &[1]).await?;
    stream.write_all(SERVER_INIT).await?;
    let mut event = [0; KEY_EVENT];
    loop {
        stream.read_exact(&mut event).await?;
        let [4, _, _, _, length @ ..] = event else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        let asked = u32::from_be_bytes(length);
        if asked == GOODBYE {
            return Ok(());
        }
        stream.write_all(&[3, 0, 0, 0]).await?;
        stream.write_all(&length).await?;
        let mut left = asked as usize;
        while left > 0 {
            let piece = text.get(..left.min(CHUNK)).unwrap_or_default();
            stream.write_all(piece).await?;
            left -= piece.len();
        }
    }
}

async fn expect(stream: &mut TcpStream, expected: &[u8]) -> io::Result<()> {
    let mut bytes = vec![0; expected.len()];
    stream.read_exact(&mut bytes).await?;
    if bytes == expected {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// A task that ends with this process.
#[allow(
    clippy::disallowed_methods,
    reason = "nothing here is drained: it ends with the process"
)]
pub fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(future)
}
