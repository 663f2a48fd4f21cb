//! Hours in minutes: people who come and go, bursts, browsers that read nothing, browsers and
//! machines that vanish. In the end memory, tasks and descriptors are where they began, or this
//! fails.
#![allow(
    clippy::print_stdout,
    reason = "what is seen is what this program is for"
)]

#[path = "../load/mod.rs"]
mod load;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Parser;
use load::browser::Browser;
use load::gateway::Gateway;
use load::machine::{self, GOODBYE};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// Sessions that are open all the time and rest.
const RESTING: usize = 200;

/// How long the gateway begins: its thread that waits for disks is there when it has looked at its files.
const BEGUN: Duration = Duration::from_secs(3);

/// How long used tokens and ended sessions are known at most, and until they are looked through once more.
const FORGOTTEN: Duration = Duration::from_secs(11 * 60 + 30);

/// How long the allocator keeps what was freed, and a little more.
const GIVEN_BACK: Duration = Duration::from_secs(3);

/// How long the gateway has to let go of everything.
const SETTLE: Duration = Duration::from_secs(60);

/// What the allocator may keep of what the last third needed more than the others, and of all of it when
/// everything is forgotten, in bytes.
const KEPT: u64 = 4 << 20;

/// What a session asks for, in bytes: a glance, a screen, a film.
const GLANCE: u32 = 4 << 10;
const SCREEN: u32 = 8 << 20;
const FILM: u32 = 32 << 20;

/// How often a visitor comes at most: what is remembered of used tokens, for eleven minutes, follows how
/// many come, and they are to be as many in the end as before, however busy this machine is.
const EVERY: Duration = Duration::from_millis(250);

/// No transfer and no handshake takes so long.
const STUCK: Duration = Duration::from_secs(120);

#[derive(Parser)]
struct Args {
    /// How long, in minutes; two thirds of it run before memory is first looked at.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// With TLS towards the browsers.
    #[arg(long)]
    tls: bool,
    /// What `cargo bench` adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What one kind of visitor does over and over.
#[derive(Clone, Copy)]
enum Visitor {
    /// Opens, looks, closes.
    Passing,
    /// Opens, looks, and is gone without a word.
    Vanishing,
    /// Opens, and the machine is gone.
    Losing,
    /// Takes bursts.
    Watching,
    /// Asks for much, reads nothing for a while, then reads it.
    Slow,
    /// The same, but leaves in the middle.
    Bored,
}

/// Who comes at once.
const VISITORS: [(Visitor, usize); 6] = [
    (Visitor::Passing, 4),
    (Visitor::Vanishing, 2),
    (Visitor::Losing, 2),
    (Visitor::Watching, 2),
    (Visitor::Slow, 3),
    (Visitor::Bored, 3),
];

/// What the gateway holds with nobody there.
#[derive(Debug)]
struct Held {
    pss: u64,
    descriptors: usize,
    threads: usize,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    let gateway = Arc::new(Gateway::start(args.tls)?);
    let machine = machine::start()?;
    sleep(BEGUN).await;
    let empty = held(&gateway)?;
    println!("at first: {empty:?}");
    let whole = Duration::from_secs_f64(args.minutes * 60.0);
    crowd(&gateway, machine, whole * 2 / 3).await?;
    let before = settled(&gateway, &empty).await?;
    println!("after two thirds: {before:?}");
    crowd(&gateway, machine, whole / 3).await?;
    let after = settled(&gateway, &empty).await?;
    println!("in the end: {after:?}");
    ensure!(
        after.pss <= before.pss + KEPT,
        "memory grew from {} to {} bytes",
        before.pss,
        after.pss
    );
    sleep(FORGOTTEN).await;
    // Whoever comes makes it forget.
    visit(Visitor::Passing, &gateway, machine).await?;
    sleep(GIVEN_BACK).await;
    let forgotten = settled(&gateway, &empty).await?;
    println!("when all is forgotten: {forgotten:?}");
    ensure!(
        forgotten.pss <= empty.pss + KEPT,
        "of {} bytes at first it keeps {}",
        empty.pss,
        forgotten.pss
    );
    let gateway = Arc::into_inner(gateway).context("nobody else has it")?;
    let log = gateway.stop()?;
    ensure!(
        !log.contains("before everything had ended") && !log.contains("panicked"),
        "a task was left over: {log}"
    );
    println!("stopped with no task left");
    Ok(())
}

/// Lets everybody come and go for a while.
async fn crowd(gateway: &Arc<Gateway>, machine: SocketAddr, time: Duration) -> Result<()> {
    let (over, watching) = watch::channel(false);
    let visits = Arc::new(AtomicUsize::new(0));
    let mut visitors = JoinSet::new();
    for _ in 0..RESTING {
        let mut browser = open(gateway, machine).await?;
        let mut over = watching.clone();
        visitors.spawn(async move {
            tokio::select! {
                rested = browser.rest() => rested?,
                changed = over.changed() => changed?,
            }
            browser.close().await
        });
    }
    let kinds = VISITORS.iter();
    for kind in kinds.flat_map(|&(kind, count)| std::iter::repeat_n(kind, count)) {
        let (gateway, over) = (Arc::clone(gateway), watching.clone());
        let visits = Arc::clone(&visits);
        visitors.spawn(async move {
            let mut next = interval(EVERY);
            next.set_missed_tick_behavior(MissedTickBehavior::Delay);
            while !*over.borrow() {
                next.tick().await;
                let visit = timeout(STUCK, visit(kind, &gateway, machine));
                visit.await.context("a visit does not end")??;
                visits.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }
    tokio::select! {
        () = sleep(time) => {}
        ended = visitors.join_next() => {
            ended.context("there are visitors")???;
            bail!("a visitor left early");
        }
    }
    over.send(true)?;
    while let Some(ended) = visitors.join_next().await {
        ended??;
    }
    println!("{} visits", visits.load(Ordering::Relaxed));
    Ok(())
}

async fn visit(kind: Visitor, gateway: &Arc<Gateway>, machine: SocketAddr) -> Result<()> {
    const PAUSE: Duration = Duration::from_secs(2);
    let mut browser = open(gateway, machine).await?;
    match kind {
        Visitor::Passing => {
            look(&mut browser, GLANCE).await?;
            browser.close().await
        }
        Visitor::Vanishing => look(&mut browser, GLANCE).await,
        Visitor::Losing => {
            browser.ask(GOODBYE).await?;
            let left = browser.rest().await;
            ensure!(left.is_err(), "the machine's end was not told");
            Ok(())
        }
        Visitor::Watching => {
            for _ in 0..4 {
                look(&mut browser, SCREEN).await?;
                sleep(PAUSE / 4).await;
            }
            browser.close().await
        }
        Visitor::Slow => {
            browser.ask(FILM).await?;
            sleep(PAUSE).await;
            browser.receive(FILM).await?;
            browser.close().await
        }
        Visitor::Bored => {
            browser.ask(FILM).await?;
            sleep(PAUSE).await;
            Ok(())
        }
    }
}

async fn open(gateway: &Arc<Gateway>, machine: SocketAddr) -> Result<Browser> {
    Browser::open(gateway, &gateway.token(machine)?).await
}

async fn look(browser: &mut Browser, bytes: u32) -> Result<()> {
    browser.ask(bytes).await?;
    browser.receive(bytes).await
}

fn held(gateway: &Gateway) -> Result<Held> {
    let cost = gateway.cost();
    Ok(Held {
        pss: cost.pss_bytes()?,
        descriptors: cost.descriptors()?,
        threads: cost.threads()?,
    })
}

/// What is held when all have left: as many descriptors and threads as with nobody there.
async fn settled(gateway: &Gateway, empty: &Held) -> Result<Held> {
    let started = Instant::now();
    loop {
        let now = held(gateway)?;
        if now.descriptors <= empty.descriptors && now.threads <= empty.threads {
            return Ok(now);
        }
        ensure!(started.elapsed() < SETTLE, "it still holds {now:?}");
        sleep(Duration::from_millis(200)).await;
    }
}
