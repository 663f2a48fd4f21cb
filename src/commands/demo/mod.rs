//! The machine of `fanlight demo`: an RFB server of our own, so that there is a console to look at
//! where there is no virtual machine.
//!
//! It is a host like any other to the gateway: the way to it is a socket on the loopback address and
//! a VNC password. Inside, `painter` paints the `screen` while somebody looks; `frame` notes which
//! tiles changed; each `viewer` is sent what it has not seen.

mod canvas;
mod cards;
mod damage;
mod emblem;
mod frame;
mod handshake;
mod house;
mod keys;
mod layout;
mod machine;
mod painter;
mod palette;
mod pixels;
mod pointer;
mod protocol;
mod screen;
mod terminal;
mod viewer;

use std::io::Write;
use std::num::NonZeroU16;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::Context;
use data_encoding::BASE64URL_NOPAD;

use super::serve::StopSignals;
use crate::cli::DemoArgs;
use crate::clock::UnixTime;
use crate::config::Sources;
use crate::entropy;
use crate::gateway::{Gateway, Keys};
use crate::id::KeyId;
use crate::mint::{LimitsOrder, Order};
use crate::secret::Secret;
use crate::target::{HostName, Target};
use crate::telemetry;
use crate::token::credentials::Credentials;
use crate::token::labels::Name;
use crate::token::limits::MAX_CONNECT_WITHIN;
use crate::token::{Key, KeyRing};
use crate::workers::{Threads, Workers};

use machine::DemoMachine;

/// Where the demo's machine listens.
const MACHINE_RANGE: &str = "127.0.0.1";

pub(super) fn run(args: &DemoArgs, out: &mut dyn Write) -> anyhow::Result<()> {
    let threads = Threads::start().context("cannot start the threads of connections")?;
    super::runtime()?.block_on(demo(args, out, &threads.workers()))
}

/// A gateway as any other, with a key ring in memory and a machine beside it; and a URL that is
/// minted as any other.
async fn demo(args: &DemoArgs, out: &mut dyn Write, workers: &Workers) -> anyhow::Result<()> {
    let flags = vec![
        ("--listen", args.listen.to_string()),
        ("--log-level", "warn".to_owned()),
    ];
    let sources = Sources {
        file: None,
        environment: Vec::new(),
        flags,
    };
    let mut config = sources.load().map_err(super::not_valid)?.config;
    // The machine is in this process.
    config.targets.allow = vec![MACHINE_RANGE.parse()?];
    telemetry::init(config.log.format, &config.log.level)?;

    let mut signals = StopSignals::new()?;
    let now = UnixTime::from(SystemTime::now());
    let key = Key::new(
        KeyId::from_random(entropy::random()),
        now,
        entropy::random(),
    );
    let gateway = Gateway::start(&config, Keys::fixed(KeyRing::new(key)), workers)
        .await
        .context("the demo does not start; --listen 127.0.0.1:0 takes any free port")?;

    // Six random bytes are the eight characters that count in VNC authentication.
    let password = Secret::new(BASE64URL_NOPAD.encode(&entropy::random::<6>()));
    let machine = DemoMachine::start(
        password.clone(),
        gateway.tasks(),
        gateway.stopping().clone(),
    )
    .await?;
    let address = machine.address();
    let target = Target::tcp(HostName::Ip(address.ip()), address.port().try_into()?);
    let order = Order {
        name: Some(Name::new(screen::NAME)?),
        expires_in: Some(MAX_CONNECT_WITHIN),
        // For as many browsers as somebody likes to try, for as long.
        limits: LimitsOrder {
            uses: Some(NonZeroU16::MAX),
            session_max: Some(MAX_CONNECT_WITHIN),
            idle_max: Some(MAX_CONNECT_WITHIN),
        },
        ..Order::new(target, Credentials::with_password(Some(password)))
    };
    let minted = gateway.minter().mint(order, now)?;

    let listening = gateway.address();
    let listening = listening.context("the demo listens nowhere")?;
    writeln!(
        out,
        "A gateway is on {listening}, and a machine behind it.\n"
    )?;
    writeln!(out, "    {}\n", minted.url())?;
    writeln!(
        out,
        "Open this in a browser: it works until {}. Ctrl-C ends the demo.",
        minted.expires_at
    )?;
    out.flush()?;
    if args.open
        && let Err(error) = open(&minted.url())
    {
        writeln!(out, "No browser could be opened: {error}")?;
    }
    signals.wait().await;
    gateway.stop().await;
    Ok(())
}

/// Hands the URL to the desktop. What the browser prints is its own matter.
fn open(url: &str) -> std::io::Result<()> {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let mut command = Command::new(opener);
    command
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().map(drop)
}
