//! The machine as a whole: it listens on the loopback address and serves its viewers.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::secret::Secret;

use super::painter::{Easel, Painter};
use super::viewer;

/// How many may look at once; more are sent away.
const VIEWERS: usize = 32;
/// How long the machine takes no connections when the system gives it none, as with too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A machine with a console: an RFB server on a port of its own of the loopback address.
#[derive(Debug)]
pub(super) struct DemoMachine {
    address: SocketAddr,
}

impl DemoMachine {
    /// Switches the machine on. It runs as tasks of `tasks` until `stop`.
    ///
    /// # Errors
    /// When no port can be opened.
    pub(super) async fn start(
        password: Secret,
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (painter, easel) = Painter::new();
        tasks.spawn(stop.clone().run_until_cancelled_owned(painter.run()));
        let door = Door {
            password: Arc::new(password),
            easel,
            tasks: tasks.clone(),
            stop: stop.clone(),
        };
        tasks.spawn(stop.run_until_cancelled_owned(door.open(listener)));
        Ok(Self { address })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Where viewers come in.
struct Door {
    password: Arc<Secret>,
    easel: Easel,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Door {
    async fn open(self, listener: TcpListener) {
        let places = Arc::new(Semaphore::new(VIEWERS));
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::debug!(%error, "the demo machine cannot accept");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                tracing::debug!("the demo machine has no place for one more viewer");
                continue;
            };
            let viewer = show(stream, Arc::clone(&self.password), self.easel.clone());
            let viewer = self.stop.clone().run_until_cancelled_owned(viewer);
            self.tasks.spawn(async move {
                viewer.await;
                drop(place);
            });
        }
    }
}

async fn show(stream: TcpStream, password: Arc<Secret>, easel: Easel) {
    // Without it a key's echo may wait for the acknowledgement of the frame before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a viewer of the demo machine is gone already");
        return;
    }
    match viewer::serve(stream, &password, easel).await {
        Ok(()) => tracing::debug!("a viewer of the demo machine left"),
        Err(error) => tracing::debug!(%error, "a viewer of the demo machine was sent away"),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::time::timeout;

    use crate::rfb::version::LINE_3_8;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the viewer, not the gateway"
    )]
    async fn knock(machine: &DemoMachine) -> TcpStream {
        TcpStream::connect(machine.address()).await.unwrap()
    }

    #[tokio::test]
    async fn listens_on_the_loopback_address_and_ends_all_its_tasks_when_stopped() {
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let machine = DemoMachine::start(Secret::new("open"), &tasks, stop.clone())
            .await
            .unwrap();
        assert!(machine.address().ip().is_loopback());
        let mut viewers = [knock(&machine).await, knock(&machine).await];
        for viewer in &mut viewers {
            let mut line = [0; 12];
            let read = viewer.read_exact(&mut line);
            timeout(DEADLINE, read).await.unwrap().unwrap();
            assert_eq!(&line, LINE_3_8);
        }
        stop.cancel();
        tasks.close();
        timeout(DEADLINE, tasks.wait()).await.unwrap();
        for mut viewer in viewers {
            let read = viewer.read_u8();
            timeout(DEADLINE, read).await.unwrap().unwrap_err();
        }
    }

    #[tokio::test]
    async fn one_viewer_too_many_is_sent_away_and_a_free_place_is_given_again() {
        let tasks = TaskTracker::new();
        let stop = CancellationToken::new();
        let machine = DemoMachine::start(Secret::new("open"), &tasks, stop.clone())
            .await
            .unwrap();
        let mut viewers = Vec::new();
        for _ in 0..VIEWERS {
            let mut viewer = knock(&machine).await;
            timeout(DEADLINE, viewer.read_u8()).await.unwrap().unwrap();
            viewers.push(viewer);
        }
        let mut late = knock(&machine).await;
        timeout(DEADLINE, late.read_u8())
            .await
            .unwrap()
            .unwrap_err();

        viewers.pop();
        let admitted = async {
            loop {
                let mut viewer = knock(&machine).await;
                if viewer.read_u8().await.is_ok() {
                    break;
                }
            }
        };
        timeout(DEADLINE, admitted).await.unwrap();
        stop.cancel();
        tasks.close();
        timeout(DEADLINE, tasks.wait()).await.unwrap();
    }
}
