//! A cable between a browser and the gateway, which a test pulls out and plugs in again.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

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
                        let _ = copy_bidirectional(&mut near, &mut far).await;
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
