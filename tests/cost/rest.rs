//! Heap of a session at rest: everything that a gateway keeps for it, from both sockets to the
//! record of who is there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use fanlight::clock::UnixTime;
use fanlight::config::Sources;
use fanlight::gateway::{Gateway, Keys};
use fanlight::id::KeyId;
use fanlight::mint::Order;
use fanlight::target::{Endpoint, Target, Way};
use fanlight::token::{Credentials, Key, KeyRing};
use fanlight::workers::{Threads, Workers};
use rustls::{ClientConfig, RootCertStore};

use super::COUNTING;
use super::viewer;

/// Bytes of heap for each session: no less than the first, or this test is out of date; and no more
/// than the second.
type Band = (usize, usize);

const PLAIN: Band = (4_100, 5_300);
const TLS: Band = (10_200, 12_500);

/// Sessions before the counting starts, so that what is made once is no matter of theirs.
const BEFORE: usize = 40;

/// Sessions that are counted.
const COUNTED: usize = 100;

/// How long what a handshake needed may take to be gone.
const SETTLED: Duration = Duration::from_secs(20);

/// Over plain TCP.
pub fn plain() {
    measure("plain", PLAIN, None);
}

/// Over TLS.
pub fn tls() {
    let names = vec!["127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (certificate, key) = (
        dir.path().join("certificate.pem"),
        dir.path().join("key.pem"),
    );
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let client = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let settings = format!("[tls]\ncertificate_file = {certificate:?}\nkey_file = {key:?}\n");
    measure("TLS", TLS, Some((settings, Arc::new(client))));
}

fn measure(what: &str, (least, most): Band, tls: Option<(String, Arc<ClientConfig>)>) {
    let (settings, client) = match tls {
        Some((settings, client)) => (settings, Some(client)),
        None => (String::new(), None),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let threads = Threads::start().unwrap();
    let gateway = runtime.block_on(start(&settings, &threads.workers()));
    let (host, let_in) = viewer::host();
    let target = Target {
        way: Way::Tcp(Endpoint {
            host: host.ip().to_string().parse().unwrap(),
            port: host.port().try_into().unwrap(),
        }),
        profile: None,
    };
    let order = Order::new(target, Credentials::default());
    let now = UnixTime::from(SystemTime::now());
    let mint = || gateway.minter().mint(order.clone(), now).unwrap().token;
    let address: SocketAddr = gateway.address().unwrap();

    let mut kept = Vec::with_capacity(2 * (BEFORE + COUNTED));
    let mut open = |count| {
        for _ in 0..count {
            kept.push(viewer::open(address, mint().as_str(), client.as_ref()));
            kept.push(let_in.recv().unwrap());
        }
    };
    open(BEFORE);
    let before = settled();
    open(COUNTED);
    let each = settled().saturating_sub(before) / COUNTED;
    assert!((least..=most).contains(&each), "{what}: {each} bytes");

    drop(kept);
    runtime.block_on(gateway.stop());
    threads.end(SETTLED);
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
fn settled() -> usize {
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
