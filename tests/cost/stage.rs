//! A gateway, a machine behind it, and tokens for that machine.

use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU16;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant, SystemTime};

use fanlight::clock::UnixTime;
use fanlight::config::Sources;
use fanlight::gateway::{Gateway, Keys};
use fanlight::id::KeyId;
use fanlight::mint::Order;
use fanlight::target::{Endpoint, Target, Way};
use fanlight::token::{Credentials, Key, KeyRing};
use fanlight::workers::{Threads, Workers};
use tokio::runtime::Runtime;

use super::COUNTING;
use super::viewer;

/// How long what a handshake needed may take to be gone.
const SETTLED: Duration = Duration::from_secs(20);

/// One gateway on one thread, and its machine.
pub struct Stage {
    runtime: Runtime,
    threads: Threads,
    gateway: Gateway,
    order: Order,
    let_in: Receiver<TcpStream>,
}

impl Stage {
    /// With settings beside the stage's own.
    pub fn set(settings: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let threads = Threads::start().unwrap();
        let gateway = runtime.block_on(start(settings, &threads.workers()));
        let (host, let_in) = viewer::host();
        let target = Target {
            way: Way::Tcp(Endpoint {
                host: host.ip().to_string().parse().unwrap(),
                port: host.port().try_into().unwrap(),
            }),
            profile: None,
        };
        Self {
            runtime,
            threads,
            gateway,
            order: Order::new(target, Credentials::default()),
            let_in,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.gateway.address().unwrap()
    }

    /// A token that opens so many sessions.
    pub fn mint(&self, uses: NonZeroU16) -> String {
        let mut order = self.order.clone();
        order.limits.uses = Some(uses);
        let now = UnixTime::from(SystemTime::now());
        let minted = self.gateway.minter().mint(order, now).unwrap();
        minted.token.as_str().to_owned()
    }

    /// The machine's side of the connection that was just made.
    pub fn let_in(&self) -> TcpStream {
        self.let_in.recv().unwrap()
    }

    /// Ends everything.
    pub fn strike(self) {
        self.runtime.block_on(self.gateway.stop());
        self.threads.end(SETTLED);
    }
}

async fn start(settings: &str, workers: &Workers) -> Gateway {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("fanlight.toml");
    let own = "listen = \"127.0.0.1:0\"\ntargets.allow = [\"127.0.0.0/8\"]\n";
    std::fs::write(&file, format!("{own}{settings}")).unwrap();
    let sources = Sources {
        file: Some(file),
        ..Sources::default()
    };
    let config = sources.load().unwrap().config;
    let key = Key::new(
        KeyId::from_random([1; KeyId::LEN]),
        UnixTime::from_secs(0),
        [2; 32],
    );
    Gateway::start(&config, Keys::fixed(KeyRing::new(key)), workers)
        .await
        .unwrap()
}

/// Bytes on the heap, when nothing has been allocated or freed for a moment.
pub fn settled() -> usize {
    const STILL: Duration = Duration::from_millis(300);
    let started = Instant::now();
    let mut seen = (in_use(), Instant::now());
    while seen.1.elapsed() < STILL {
        assert!(
            started.elapsed() < SETTLED,
            "the heap does not come to rest"
        );
        std::thread::park_timeout(Duration::from_millis(5));
        let now = in_use();
        if now != seen.0 {
            seen = (now, Instant::now());
        }
    }
    seen.0
}

fn in_use() -> usize {
    let stats = COUNTING.stats();
    stats
        .bytes_allocated
        .saturating_sub(stats.bytes_deallocated)
}
