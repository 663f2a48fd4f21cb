//! What the load rig does not measure: thousands of sessions at rest that answer their pings, a
//! burst in all of them and rest again, browsers that read nothing, the cold start, the binary.
//!
//! One line of JSON for each figure goes to standard output. See `docs/performance.md`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures are what this program is for"
)]

#[path = "../load/mod.rs"]
mod load;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser;
use futures_util::StreamExt as _;
use load::browser::Browser;
use load::gateway::{BINARY, Gateway};
use load::machine;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

/// How many are connecting at a time.
const AT_ONCE: usize = 32;

/// What a session receives in the burst, in bytes.
const BURST: u32 = 1 << 20;

/// How long the gateway is left alone before its memory is read.
const SETTLE: Duration = Duration::from_secs(10);

#[derive(Parser)]
struct Args {
    /// How many sessions; each takes two descriptors here and two there.
    #[arg(long, default_value_t = 9000)]
    sessions: usize,
    /// For how many seconds processor time at rest is measured; pings are 25 apart.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Which figures: rest, rest-tls, slow, start.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "start,slow,rest,rest-tls"
    )]
    rows: Vec<String>,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    for row in &args.rows {
        match row.as_str() {
            "start" => start()?,
            "slow" => slow().await?,
            "rest" => rest(&args, false).await?,
            "rest-tls" => rest(&args, true).await?,
            other => anyhow::bail!("no figure is called {other}"),
        }
    }
    Ok(())
}

fn put(name: &str, value: f64) {
    println!("{{\"figure\": \"{name}\", \"value\": {value:.4}}}");
}

/// Time from the start of the process to the first connection that is taken; size of the binary.
fn start() -> Result<()> {
    let times = (0..11).map(|_| Ok(Gateway::start(false)?.started_in));
    let mut times = times.collect::<Result<Vec<_>>>()?;
    times.sort();
    let median = times.get(times.len() / 2).context("eleven starts")?;
    put("cold start ms", median.as_secs_f64() * 1e3);
    let size = std::fs::metadata(BINARY)?.len();
    put("binary MB", size as f64 / 1e6);
    Ok(())
}

/// Eight browsers ask for 64 MiB each and read nothing.
async fn slow() -> Result<()> {
    const BROWSERS: usize = 8;
    const EACH: u32 = 64 << 20;
    let gateway = Arc::new(Gateway::start(false)?);
    let machine = machine::start()?;
    let mut browsers = Vec::new();
    for _ in 0..BROWSERS {
        browsers.push(Browser::open(&gateway, &gateway.token(machine)?).await?);
    }
    sleep(Duration::from_secs(1)).await;
    let base = gateway.cost().rss_bytes()?;
    gateway.cost().reset_peak()?;
    for browser in &mut browsers {
        browser.ask(EACH).await?;
    }
    sleep(Duration::from_secs(2)).await;
    let stalled = gateway.cost().peak_rss_bytes()?;
    let reading = browsers
        .into_iter()
        .map(|mut browser| machine::spawn(async move { browser.receive(EACH).await }));
    for read in reading.collect::<Vec<_>>() {
        read.await??;
    }
    let peak = gateway.cost().peak_rss_bytes()?;
    put("slow readers base MiB", mib(base));
    put(
        "slow readers stalled, above base MiB",
        mib(stalled) - mib(base),
    );
    put("slow readers peak, above base MiB", mib(peak) - mib(base));
    Ok(())
}

/// Memory and processor time of sessions at rest, and memory after a burst in all of them.
async fn rest(args: &Args, tls: bool) -> Result<()> {
    let name = |figure: &str| format!("{}{figure}", if tls { "TLS " } else { "" });
    let mut gateway = Gateway::start(tls)?;
    let machine = machine::start()?;
    // What is made at first use is no matter of the sessions.
    Browser::open(&gateway, &gateway.token(machine)?)
        .await?
        .close()
        .await?;
    sleep(Duration::from_secs(1)).await;
    let cost = gateway.cost();
    let empty = cost.pss_bytes()?;
    let descriptors = cost.descriptors()?;

    let shared = Arc::new(gateway);
    let (burst, bursting) = watch::channel(false);
    let (done, mut dones) = mpsc::unbounded_channel();
    open_all(&shared, machine, args.sessions, &bursting, &done).await?;
    sleep(SETTLE).await;
    let each = |pss: u64| pss.saturating_sub(empty) as f64 / 1024.0 / args.sessions as f64;
    let at_rest = each(cost.pss_bytes()?);
    put(&name("sessions"), args.sessions as f64);
    put(&name("base PSS MiB"), mib(empty));
    put(&name("at rest PSS KiB a session"), at_rest);
    let more = cost.descriptors()?.saturating_sub(descriptors);
    put(
        &name("descriptors a session"),
        more as f64 / args.sessions as f64,
    );

    let before = cost.cpu()?;
    sleep(Duration::from_secs(args.seconds)).await;
    let spent = cost.cpu()?.saturating_sub(before).as_secs_f64();
    put(&name("CPU at rest %"), spent / args.seconds as f64 * 100.0);

    burst.send(true)?;
    for _ in 0..args.sessions {
        let done = dones.recv().await.context("a session ended")?;
        done.with_context(|| shared.log().unwrap_or_default())?;
    }
    sleep(SETTLE).await;
    let after = each(cost.pss_bytes()?);
    put(&name("after burst PSS KiB a session"), after);
    put(&name("after burst / at rest"), after / at_rest);
    gateway = Arc::into_inner(shared).context("nobody else has it")?;
    gateway.must_run()
}

/// Opens sessions that rest until the burst comes, say how it went, and rest again.
async fn open_all(
    gateway: &Arc<Gateway>,
    machine: SocketAddr,
    count: usize,
    bursting: &watch::Receiver<bool>,
    done: &mpsc::UnboundedSender<Result<()>>,
) -> Result<()> {
    let opening = (0..count).map(|_| {
        let gateway = Arc::clone(gateway);
        async move {
            let token = gateway.token(machine)?;
            Browser::open(&gateway, &token).await
        }
    });
    let mut opening = futures_util::stream::iter(opening).buffer_unordered(AT_ONCE);
    while let Some(browser) = opening.next().await {
        machine::spawn(session(browser?, bursting.clone(), done.clone()));
    }
    Ok(())
}

async fn session(
    mut browser: Browser,
    mut bursting: watch::Receiver<bool>,
    done: mpsc::UnboundedSender<Result<()>>,
) {
    let outcome = async {
        tokio::select! {
            rested = browser.rest() => rested?,
            begun = bursting.changed() => begun?,
        }
        browser.ask(BURST).await?;
        browser.receive(BURST).await
    };
    let outcome = outcome.await;
    let ended = outcome.is_err();
    if done.send(outcome).is_err() || ended {
        return;
    }
    // Until the program ends.
    let _ = browser.rest().await;
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
