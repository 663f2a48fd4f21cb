//! Two gateways behind a real HAProxy with a real Redis are replaced one after the other, under two
//! hundred sessions that do as our page does. None of them is lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Minted, TestGateway};
use common::haproxy::HaProxy;
use common::net::{Family, free_port};
use common::redis::RedisServer;
use common::rfb_client::Viewer;
use common::rfb_server::Manners;
use common::wait::until;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

const HOSTS: usize = 20;
const SESSIONS_EACH: usize = 10;
const SESSIONS: usize = HOSTS * SESSIONS_EACH;

/// What a step of the upgrade may take on a busy test machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two pictures of a session.
const PICTURE_EVERY: Duration = Duration::from_millis(300);
/// The page's first pause before it comes back, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(8));
/// What the page gives a WebSocket to open.
const OPEN_WITHIN: Duration = Duration::from_secs(10);

/// A host that draws whenever it is asked to.
async fn drawing_host() -> FakeHost {
    let manners = Manners {
        size: (16, 16),
        ..Manners::default()
    };
    manners
        .host_then(Family::V4, async |mut line| {
            let update: Vec<u8> = [0, 0, 0, 1, 0, 0, 0, 0, 0, 16, 0, 16, 0, 0, 0, 0]
                .into_iter()
                .chain([0x5a; 4 * 16 * 16])
                .collect();
            loop {
                let Some(kind) = line.read(1).await else {
                    return;
                };
                let rest = match kind[0] {
                    0 => 19,
                    2 => match line.read(3).await {
                        Some(head) => 4 * usize::from(head[2]),
                        None => return,
                    },
                    3 => 9,
                    other => panic!("message {other} from the viewer"),
                };
                if line.read(rest).await.is_none() || kind[0] == 3 && !line.send(&update).await {
                    return;
                }
            }
        })
        .await
}

/// A session as the page has it: it moves when its gateway asks for that, and comes back from a loss.
struct Page {
    proxy: SocketAddr,
    minted: Minted,
    viewer: Viewer,
    secret: String,
    number: usize,
    moves: usize,
    pictured: Instant,
    longest: Duration,
}

impl Page {
    async fn open(proxy: SocketAddr, minted: Minted, number: usize) -> Self {
        let opened = Viewer::open_at(proxy, &minted, &minted.page_protocols()).await;
        let mut page = Self {
            proxy,
            viewer: opened.unwrap_or_else(|why| panic!("{number}: {why}")),
            minted,
            secret: String::new(),
            number,
            moves: 0,
            pictured: Instant::now(),
            longest: Duration::ZERO,
        };
        page.arrive().await.unwrap();
        page.longest = Duration::ZERO;
        page
    }

    /// The first picture of a leg.
    async fn arrive(&mut self) -> Result<(), String> {
        self.secret = self.viewer.resume_secret();
        self.viewer.ask_for_raw().await;
        self.picture(false).await
    }

    async fn picture(&mut self, incremental: bool) -> Result<(), String> {
        let viewer = &mut self.viewer;
        let drawn = async {
            viewer.try_request(incremental).await?;
            viewer.try_update().await
        };
        let drawn = timeout(OPEN_WITHIN, drawn).await;
        drawn.map_err(|_| "no picture".to_owned())??;
        self.longest = self.longest.max(self.pictured.elapsed());
        self.pictured = Instant::now();
        Ok(())
    }

    /// Draws until `done`, wherever that is possible; says why when it is not any more.
    async fn live(&mut self, done: &mut watch::Receiver<bool>) -> Result<(), String> {
        while !*done.borrow() {
            let asked = self.viewer.was_told("draining");
            let drawn = if asked {
                // Not all at once: the page throws dice for it.
                let turn = PAUSES.0 * self.number as u32 / SESSIONS as u32;
                self.come_back(turn).await
            } else {
                self.picture(true).await
            };
            if drawn.is_err() {
                self.come_back(PAUSES.0).await?;
            }
            // It may be over before this pause is.
            let _ = timeout(PICTURE_EVERY, done.changed()).await;
        }
        self.picture(false).await
    }

    /// To whichever gateway the proxy chooses.
    async fn come_back(&mut self, first: Duration) -> Result<(), String> {
        let (mut pause, started) = (first, Instant::now());
        loop {
            sleep(pause).await;
            let secret = format!("fanlight.resume.{}", self.secret);
            let protocols = ["binary".to_owned(), "fanlight.1".to_owned(), secret];
            let opening = Viewer::open_at(self.proxy, &self.minted, &protocols);
            let why = match timeout(OPEN_WITHIN, opening).await {
                Ok(Ok(viewer)) => {
                    self.viewer = viewer;
                    self.moves += 1;
                    return self.arrive().await;
                }
                Ok(Err(why)) => why,
                Err(_) => "the WebSocket does not open".to_owned(),
            };
            if why.contains("resume_expired") || started.elapsed() > PATIENCE {
                return Err(why);
            }
            pause = (pause * 2).clamp(PAUSES.0, PAUSES.1);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_lost_while_both_gateways_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let redis = RedisServer::start(&[]).await;
    let store = format!("redis://127.0.0.1:{}", redis.port);
    let port = free_port();
    let shared = |builder: common::gateway::Builder| {
        builder
            .set("public_url", format!("http://127.0.0.1:{port}"))
            .set("listen", format!("127.0.0.1:{}", free_port()))
            .set("store.kind", "redis")
            .set("store.url", store.as_str())
            .set("shutdown.drain_timeout", "30s")
            .set("log.level", "info")
    };
    let one = shared(TestGateway::builder()).start().await;
    let ring = one.file("state/keyring");
    let two = TestGateway::builder().set("tokens.keyring_file", ring.to_str().unwrap());
    let mut gateways = [one, shared(two).start().await];
    let addresses = [0, 1].map(|at| gateways[at].address.to_string());
    let proxy = HaProxy::spawn(dir.path(), port, &addresses, 2000);
    proxy.has_up("one", PATIENCE).await;
    proxy.has_up("two", PATIENCE).await;

    let (done, until_done) = watch::channel(false);
    let open = Arc::new(AtomicUsize::new(0));
    let mut hosts = Vec::new();
    let mut pages = JoinSet::new();
    for host in 0..HOSTS {
        hosts.push(drawing_host().await);
        let minted = gateways[0].mint_times(SESSIONS_EACH, hosts[host].address, "");
        let minted = minted.await;
        for session in 0..SESSIONS_EACH {
            let (minted, mut done) = (minted.clone(), until_done.clone());
            let (open, proxy) = (Arc::clone(&open), proxy.address);
            let number = host * SESSIONS_EACH + session;
            pages.spawn(async move {
                let mut page = Page::open(proxy, minted, number).await;
                open.fetch_add(1, Ordering::Relaxed);
                let lived = page.live(&mut done).await;
                (number, lived, page.moves, page.longest)
            });
        }
    }
    until("all sessions are open", PATIENCE, async || {
        match open.load(Ordering::Relaxed) {
            SESSIONS => Ok(()),
            fewer => Err(format!("{fewer} are")),
        }
    })
    .await;

    for (gateway, name) in gateways.iter_mut().zip(["one", "two"]) {
        let started = Instant::now();
        gateway.process().terminate();
        let status = until("the gateway ends", PATIENCE, async || {
            gateway.process().ended().ok_or("still running".to_owned())
        })
        .await;
        assert!(status.success(), "{status}");
        let left = gateway.log();
        gateway.again().await;
        proxy.has_up(name, PATIENCE).await;
        println!("{name} was replaced in {:?}", started.elapsed());
        let stopping = left.lines().find(|line| line.contains("\"stopping\""));
        println!("  {}", stopping.unwrap_or_default());
    }
    done.send(true).unwrap();

    let (mut lost, mut moves, mut longest) = (Vec::new(), 0, Duration::ZERO);
    while let Some(page) = pages.join_next().await {
        let (number, lived, moved, gap) = page.unwrap();
        moves += moved;
        longest = longest.max(gap);
        if let Err(why) = lived {
            lost.push((number, why));
        }
    }
    println!(
        "{SESSIONS} sessions, {} lost, {moves} moves, {longest:?} the longest without a picture",
        lost.len()
    );
    assert_eq!(lost, [], "no session that could resume is lost");
    assert!(moves >= SESSIONS, "each has moved: {moves}");
}
