//! A gateway process with a configuration of its own.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use fanlight::clock::UnixTime;
use fanlight::keyring_file;
use fanlight::mint::{Minter, Order, Usual};
use fanlight::secret::Secret;
use fanlight::target::{Endpoint, Target, Way};
use fanlight::token::Credentials;
use fanlight::token::limits::{Limits, MAX_SESSION};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;

use super::machine;
use super::process::Cost;

/// The binary that is measured: built with the same profile as this program.
pub const BINARY: &str = env!("CARGO_BIN_EXE_fanlight");

/// How long it may take to listen.
const START: Duration = Duration::from_secs(10);

/// A running gateway, killed on drop.
pub struct Gateway {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// How long it took from its start until it answered a connection.
    pub started_in: Duration,
    /// What its certificate is trusted by, where it has one.
    pub trust: Option<Arc<ClientConfig>>,
    minter: Minter,
    dir: TempDir,
}

impl Gateway {
    /// Starts a gateway.
    pub fn start(tls: bool) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let now = UnixTime::from(SystemTime::now());
        let ring = keyring_file::load_or_make(&dir.path().join("keyring"), now)?.ring;
        // Free a moment ago; whoever was faster makes the start fail.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        // As many sessions as 20,000 descriptors are enough for.
        let mut settings = format!(
            "listen = \"{address}\"\n\
             tokens.keyring_file = {:?}\n\
             limits.sessions = 9500\n\
             limits.connections = 10000\n\
             limits.handshakes = 100000\n\
             limits.connections_per_client = \"1000000/s\"\n\
             limits.handshakes_per_client = \"1000000/s\"\n\
             targets.allow = [\"127.0.0.0/8\"]\n\
             host.dials_per_host = 1000\n\
             log.level = \"warn\"\n\
             shutdown.grace = \"1s\"\n",
            dir.path().join("keyring"),
        );
        let trust = if tls {
            let (trust, more) = certificate(dir.path())?;
            settings.push_str(&more);
            Some(trust)
        } else {
            None
        };
        std::fs::write(dir.path().join("fanlight.toml"), settings)?;
        let log = File::create(dir.path().join("log"))?;
        let started = Instant::now();
        let mut child = Command::new(BINARY)
            .args(["serve", "--config"])
            .arg(dir.path().join("fanlight.toml"))
            .env_clear()
            // To compare allocators: LD_PRELOAD of one, or settings of the system's.
            .envs(std::env::vars().filter(|(name, _)| allocator(name)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        while !answers(address) {
            let log = || std::fs::read_to_string(dir.path().join("log"));
            if let Some(status) = child.try_wait()? {
                bail!("the gateway ended with {status}: {}", log()?);
            }
            ensure!(started.elapsed() < START, "it does not listen: {}", log()?);
            std::thread::yield_now();
        }
        let started_in = started.elapsed();
        let public_url = format!("http://{address}");
        // Whoever rests here rests for long.
        let usual = Usual {
            limits: Limits {
                idle_max: MAX_SESSION,
                session_max: MAX_SESSION,
                ..Limits::default()
            },
            ..Usual::default()
        };
        Ok(Self {
            child,
            address,
            started_in,
            trust,
            minter: Minter::new(Arc::new(ring.into()), public_url, usual),
            dir,
        })
    }

    /// A fresh token for a machine.
    pub fn token(&self, machine: SocketAddr) -> Result<String> {
        let endpoint = Endpoint {
            host: machine.ip().to_string().parse()?,
            port: machine.port().try_into()?,
        };
        let target = Target {
            way: Way::Tcp(endpoint),
            profile: None,
        };
        let password = Secret::new(machine::PASSWORD);
        let order = Order::new(target, Credentials::with_password(Some(password)));
        let minted = self.minter.mint(order, SystemTime::now().into())?;
        Ok(minted.token.as_str().to_owned())
    }

    /// What the process costs.
    pub fn cost(&self) -> Cost {
        Cost::of(self.child.id())
    }

    /// What it has said so far.
    pub fn log(&self) -> Result<String> {
        Ok(std::fs::read_to_string(self.dir.path().join("log"))?)
    }

    /// Asks it to stop and waits for its end. Gives what it said in its life.
    pub fn stop(mut self) -> Result<String> {
        let id = self.child.id().to_string();
        Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &id])
            .status()?;
        let asked = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait()? {
                let log = self.log()?;
                ensure!(status.success(), "it ended with {status}: {log}");
                return Ok(log);
            }
            ensure!(asked.elapsed() < START, "it does not stop");
            std::thread::yield_now();
        }
    }

    /// Fails when it has ended.
    pub fn must_run(&mut self) -> Result<()> {
        let ended = self.child.try_wait()?;
        ensure!(ended.is_none(), "the gateway ended: {ended:?}");
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a variable of the environment is about the allocator.
fn allocator(name: &str) -> bool {
    ["LD_PRELOAD", "GLIBC_TUNABLES"].contains(&name) || name.starts_with("MALLOC_")
}

/// Whether somebody listens.
#[allow(
    clippy::disallowed_methods,
    reason = "this is a client, not the gateway, and there is no runtime to block"
)]
fn answers(address: SocketAddr) -> bool {
    std::net::TcpStream::connect(address).is_ok()
}

/// A certificate for the loopback address: who trusts it, and the settings that name it.
fn certificate(dir: &Path) -> Result<(Arc<ClientConfig>, String)> {
    let made = rcgen::generate_simple_self_signed([Ipv4Addr::LOCALHOST.to_string()])?;
    let (certificate, key) = (dir.join("certificate.pem"), dir.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem())?;
    std::fs::write(&key, made.signing_key.serialize_pem())?;
    let mut roots = RootCertStore::empty();
    roots
        .add(made.cert.der().clone())
        .context("a certificate of our own")?;
    let mut config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    // Each connection shakes hands in full, as a new browser does.
    config.resumption = rustls::client::Resumption::disabled();
    let settings = format!("tls.certificate_file = {certificate:?}\ntls.key_file = {key:?}\n");
    Ok((Arc::new(config), settings))
}
