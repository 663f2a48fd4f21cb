//! A cable between a browser and the gateway, which a test pulls out and plugs in again, or which is
//! long.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::net::{Family, try_connect};

/// Carries every connection to its address on to where it leads, byte for byte.
pub struct Cable {
    /// Where browsers connect.
    pub address: SocketAddr,
    lines: Arc<Mutex<Lines>>,
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct Lines {
    /// `None` while the cable is out.
    leads_to: Option<SocketAddr>,
    carried: JoinSet<()>,
}

impl Cable {
    /// One that leads nowhere yet.
    pub async fn new() -> Self {
        Self::slow(Duration::ZERO).await
    }

    /// The same, in which every byte takes so long.
    pub async fn slow(takes: Duration) -> Self {
        let listener = TcpListener::bind(Family::V4.loopback()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let lines = Arc::new(Mutex::new(Lines::default()));
        let mut tasks = JoinSet::new();
        let book = Arc::clone(&lines);
        tasks.spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut lines = book.lock().unwrap();
                let Some(to) = lines.leads_to else {
                    continue;
                };
                lines.carried.spawn(async move {
                    if let Ok(mut far) = try_connect(to).await {
                        // Either side may break off, which ends the other.
                        if takes.is_zero() {
                            let _ = copy_bidirectional(&mut near, &mut far).await;
                        } else {
                            carry(near, far, takes).await;
                        }
                    }
                });
            }
        });
        Self {
            address,
            lines,
            _tasks: tasks,
        }
    }

    /// The public URL of what is behind it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Plugs it in: from now on it leads to `to`.
    pub fn plug(&self, to: SocketAddr) {
        self.lines.lock().unwrap().leads_to = Some(to);
    }

    /// Pulls it out: all connections break, in the middle of whatever they carry, and new ones
    /// get nowhere.
    pub fn pull(&self) {
        let mut lines = self.lines.lock().unwrap();
        *lines = Lines::default();
    }
}

/// Both ways of a slow cable, until both are over.
async fn carry(near: TcpStream, far: TcpStream, takes: Duration) {
    // Small messages would wait for the acknowledgements of those before them.
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (from_near, to_near) = near.into_split();
    let (from_far, to_far) = far.into_split();
    tokio::join!(
        one_way(from_near, to_far, takes),
        one_way(from_far, to_near, takes),
    );
}

/// Bytes come out in the order and at the pace in which they went in, only later.
async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    takes: Duration,
) {
    let (sender, mut inside) = mpsc::channel::<(Instant, Vec<u8>)>(1024);
    let goes_in = async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let piece = (Instant::now() + takes, buffer[..count].to_vec());
            if sender.send(piece).await.is_err() {
                break;
            }
        }
    };
    let comes_out = async move {
        while let Some((at, bytes)) = inside.recv().await {
            sleep_until(at).await;
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
        let _ = to.shutdown().await;
    };
    tokio::join!(goes_in, comes_out);
}
