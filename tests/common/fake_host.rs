//! A host that does what a script says, and remembers what it was sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::net::Family;
use super::wait::until;

/// One thing that a scripted host does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends bytes at once.
    Send(Vec<u8>),
    /// Sends bytes one at a time, each in a segment of its own.
    Drip(Vec<u8>),
    /// Sends bytes one at a time with a pause before each.
    Trickle(Vec<u8>, Duration),
    /// Waits for so many bytes.
    Expect(usize),
    /// Ends its sending direction and goes on.
    HalfClose,
    /// Ends the connection at once with a reset.
    Reset,
    /// Ends the connection, whatever is still to come.
    Close,
}

impl Step {
    /// Sends a text.
    pub fn text(text: &str) -> Self {
        Self::Send(text.as_bytes().to_vec())
    }
}

/// What a host has seen of one connection.
#[derive(Clone, Debug, Default)]
pub struct Visit {
    /// Everything that arrived.
    pub received: Vec<u8>,
    /// Whether the gateway has closed its side.
    pub left: bool,
    /// Whether the host is done with it.
    pub done: bool,
}

/// The host's side of one connection: reading is remembered.
pub struct Line {
    stream: TcpStream,
    visits: Visits,
    index: usize,
}

type Visits = Arc<Mutex<Vec<Visit>>>;

/// A listening host. Dropping it ends its connections.
pub struct FakeHost {
    /// Where it listens.
    pub address: SocketAddr,
    visits: Visits,
    _tasks: JoinSet<()>,
}

impl FakeHost {
    /// A host on IPv4 that follows `script` on every connection. After its last step it keeps
    /// the connection, silent, until the gateway closes it.
    pub async fn script(script: Vec<Step>) -> Self {
        let script = Arc::new(script);
        Self::serve(Family::V4, move |mut line| {
            let script = Arc::clone(&script);
            async move { line.follow(&script).await }
        })
        .await
    }

    /// A host whose connections `handler` serves, each in a task of its own.
    pub async fn serve<F, Served>(family: Family, handler: F) -> Self
    where
        F: Fn(Line) -> Served + Send + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        // A backlog of its own, so that hundreds may come at once.
        let socket = match family {
            Family::V4 => TcpSocket::new_v4(),
            Family::V6 => TcpSocket::new_v6(),
        };
        let socket = socket.unwrap();
        socket.bind(family.loopback()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let visits = Visits::default();
        let mut tasks = JoinSet::new();
        let book = Arc::clone(&visits);
        tasks.spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                served.spawn(handler(Line::new(stream, Arc::clone(&book))));
            }
        });
        Self {
            address,
            visits,
            _tasks: tasks,
        }
    }

    /// What has been seen of every connection so far.
    pub fn visits(&self) -> Vec<Visit> {
        self.visits.lock().unwrap().clone()
    }

    /// Waits until the gateway has closed its side of the one connection, and says what was seen.
    pub async fn left(&self, deadline: Duration) -> Visit {
        until(
            "the gateway leaves the host",
            deadline,
            async || match self.visits().as_slice() {
                [visit] if visit.left => Ok(visit.clone()),
                other => Err(format!("{other:?}")),
            },
        )
        .await
    }
}

impl Line {
    fn new(stream: TcpStream, visits: Visits) -> Self {
        stream.set_nodelay(true).unwrap();
        let index = {
            let mut all = visits.lock().unwrap();
            all.push(Visit::default());
            all.len() - 1
        };
        Self {
            stream,
            visits,
            index,
        }
    }

    /// Notes something about this connection.
    fn note(&self, write: impl FnOnce(&mut Visit)) {
        write(&mut self.visits.lock().unwrap()[self.index]);
    }

    /// The stream itself, for what is not to be remembered.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Sends bytes; says whether the gateway still took them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok()
    }

    /// Reads exactly `count` bytes, or `None` when the gateway leaves before.
    pub async fn read(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            match self.stream.read(&mut bytes[filled..]).await {
                Ok(more @ 1..) => {
                    let new = &bytes[filled..filled + more];
                    self.note(|v| v.received.extend_from_slice(new));
                    filled += more;
                }
                Ok(0) | Err(_) => {
                    self.note(|v| v.left = true);
                    return None;
                }
            }
        }
        Some(bytes)
    }

    /// Reads on until the gateway leaves.
    pub async fn read_to_end(&mut self) {
        while self.read(1).await.is_some() {}
    }

    /// Does one step after the other, then listens until the gateway leaves.
    pub async fn follow(&mut self, script: &[Step]) {
        for step in script {
            let going = match step {
                Step::Send(bytes) => self.send(bytes).await,
                Step::Drip(bytes) => self.trickle(bytes, Duration::ZERO).await,
                Step::Trickle(bytes, pause) => self.trickle(bytes, *pause).await,
                Step::Expect(count) => self.read(*count).await.is_some(),
                Step::HalfClose => self.stream.shutdown().await.is_ok(),
                Step::Reset => {
                    let _ = self.stream.set_zero_linger();
                    false
                }
                Step::Close => false,
            };
            if matches!(step, Step::Reset | Step::Close) {
                return;
            }
            if !going {
                break;
            }
        }
        self.read_to_end().await;
    }

    async fn trickle(&mut self, bytes: &[u8], pause: Duration) -> bool {
        for byte in bytes {
            tokio::time::sleep(pause).await;
            if !self.send(&[*byte]).await {
                return false;
            }
        }
        true
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.note(|v| v.done = true);
    }
}
