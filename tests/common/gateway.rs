//! The real gateway: the built binary with a configuration of its own.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::http::{Request, Response};
use super::log::{self, Line};
use super::net::{self, Trust};
use super::process::Process;
use super::settings::Settings;
use super::wait::until;

pub use super::minted::Minted;

/// How long the gateway may take to listen. Mostly the loading of a debug binary.
const START: Duration = Duration::from_secs(10);
/// How long a log line may take to be written after what it tells of.
const LOGGED: Duration = Duration::from_secs(5);

/// What [`TestGateway::builder`] gives: settings to come.
pub struct Builder {
    settings: Settings,
    environment: Vec<(OsString, OsString)>,
    trust: Option<Trust>,
    descriptors: Option<u64>,
    dir: TempDir,
}

impl Builder {
    /// Sets one setting by its dotted name: `set("host.connect_timeout", "300ms")`.
    pub fn set(mut self, name: &str, value: impl Into<toml::Value>) -> Self {
        self.settings.set(name, value);
        self
    }

    /// Leaves a setting out that all tests share.
    pub fn without(mut self, name: &str) -> Self {
        self.settings.remove(name);
        self
    }

    /// Listens beside, each at an address with its roles and what else there is to say, as TOML.
    pub fn listeners(self, each: &[(&str, &[&str], &str)]) -> Self {
        let tables = each.iter().map(|(address, roles, more)| {
            let mut table: toml::Table = toml::from_str(more).unwrap();
            table.insert("address".to_owned(), (*address).into());
            table.insert("roles".to_owned(), roles.to_vec().into());
            toml::Value::Table(table)
        });
        let tables: Vec<_> = tables.collect();
        self.set("listeners", tables)
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Lets the gateway have so many descriptors and no more.
    pub fn descriptors(mut self, count: u64) -> Self {
        self.descriptors = Some(count);
        self
    }

    /// Puts a file beside the configuration.
    pub fn file(self, name: &str, text: &str) -> Self {
        std::fs::write(self.dir.path().join(name), text).unwrap();
        self
    }

    /// Every stage of a handshake gets `time`, so that a test of a deadline is short.
    pub fn deadlines(self, time: &str) -> Self {
        let stages = ["connect", "version", "security", "init"];
        let host = stages.iter().fold(self, |builder, stage| {
            builder.set(&format!("host.{stage}_timeout"), time)
        });
        host.set("browser.handshake_timeout", time)
    }

    /// Serves over TLS with a certificate of the test's own for the loopback address.
    pub fn with_tls(mut self) -> Self {
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        let certificate = self.dir.path().join("certificate.pem");
        let key = self.dir.path().join("key.pem");
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        self.trust = Some(net::trust(made.cert.der()));
        self.set("tls.certificate_file", certificate.to_str().unwrap())
            .set("tls.key_file", key.to_str().unwrap())
    }

    /// Writes the configuration.
    fn write(&self) {
        let file = self.dir.path().join("fanlight.toml");
        self.settings.write(&file);
    }

    /// Starts a gateway that cannot start, and gives what it says about it.
    pub async fn start_in_vain(self) -> String {
        self.write();
        let mut command = fanlight(self.dir.path(), &["serve"]);
        let mut process = Process::spawn(&mut command, &self.dir.path().join("log"));
        let status = until("the gateway gives up", START, async || {
            process.ended().ok_or_else(|| process.output())
        })
        .await;
        assert!(!status.success(), "{}", process.output());
        process.output()
    }

    /// Starts the gateway and waits until it listens.
    pub async fn start(self) -> TestGateway {
        self.write();
        let Self {
            settings,
            environment,
            trust,
            descriptors,
            dir,
        } = self;
        let mut command = match descriptors {
            None => fanlight(dir.path(), &["serve"]),
            Some(count) => {
                let mut command = Command::new("prlimit");
                command.arg(format!("--nofile={count}"));
                command.args([env!("CARGO_BIN_EXE_fanlight"), "serve"]);
                of_test(&mut command, dir.path());
                command
            }
        };
        command.envs(environment);
        let mut process = Process::spawn(&mut command, &dir.path().join("log"));
        let address = listens(&mut process).await;
        TestGateway {
            process,
            address,
            base_path: settings.text("base_path").unwrap_or_default().to_owned(),
            trust,
            settings,
            dir,
        }
    }
}

/// A running gateway, ended on drop.
pub struct TestGateway {
    process: Process,
    /// Where it listens.
    pub address: SocketAddr,
    base_path: String,
    trust: Option<Trust>,
    settings: Settings,
    dir: TempDir,
}

impl TestGateway {
    /// The API key that every test gateway knows.
    pub const API_KEY: &str = "flk_tests-only-3c9e0f6a5d1b";

    /// What a configuration says of that key.
    pub fn api_key_hash() -> String {
        let digest = Sha256::digest(Self::API_KEY.as_bytes());
        format!("sha256:{}", data_encoding::HEXLOWER.encode(&digest))
    }

    /// A gateway with the settings that all tests share.
    pub fn builder() -> Builder {
        let dir = tempfile::tempdir().unwrap();
        let key = toml::Table::from_iter([
            ("name".to_owned(), "tests".into()),
            ("hash".to_owned(), Self::api_key_hash().into()),
            ("scopes".to_owned(), vec!["admin".to_owned()].into()),
        ]);
        let state = dir.path().join("state");
        let builder = Builder {
            settings: Settings::default(),
            environment: Vec::new(),
            trust: None,
            descriptors: None,
            dir,
        };
        builder
            .set("listen", "127.0.0.1:0")
            .set("state_dir", state.to_str().unwrap())
            .set("api.keys", vec![toml::Value::Table(key)])
            .set("log.level", "debug")
            .set("targets.allow", vec!["127.0.0.0/8", "::1"])
            .set("log.format", "json")
            .set("shutdown.drain_timeout", "0s")
            .set("shutdown.grace", "100ms")
    }

    /// A gateway with nothing special.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Writes another configuration, which the gateway does not know of yet.
    pub fn configure(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.settings.write(&self.file("fanlight.toml"));
    }

    /// Starts it once more after its end, as it was, with a log of its own.
    pub async fn again(&mut self) {
        assert!(self.process.ended().is_some(), "it still runs");
        let mut command = fanlight(self.dir.path(), &["serve"]);
        let log = self.dir.path().join(format!("log-{}", self.process.id()));
        self.process = Process::spawn(&mut command, &log);
        self.address = listens(&mut self.process).await;
    }

    /// Ends it without a word.
    pub fn kill(&self) {
        self.process.signal("KILL");
    }

    /// Where it listens with these roles: an address and a port, or `unix:` and a path.
    pub fn listens_as(&self, roles: &str) -> String {
        let started = Instant::now();
        loop {
            // It was waited for until the first listener was there; the others say so right behind it.
            let lines = self.log_lines();
            if let Some(line) = lines.iter().find(|line| line.text("roles") == roles) {
                return line.text("address");
            }
            assert!(started.elapsed() < START, "no {roles} in {}", self.log());
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    /// The running process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// A request to the API with the right key.
    pub fn api(&self, method: &str, path: &str) -> Request {
        let bearer = format!("Bearer {}", Self::API_KEY);
        let path = format!("{}{path}", self.base_path);
        Request::new(self.address, method, &path)
            .over_tls(self.trust())
            .header("authorization", &bearer)
    }

    /// What its certificate is trusted by, where it has one.
    pub fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// The certificate of a gateway that was built with one.
    pub fn certificate(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.file("certificate.pem")).unwrap()
    }

    /// Asks the API for a console and gives its whole answer.
    pub async fn try_mint(&self, body: &Value) -> Response {
        self.api("POST", "/api/v1/consoles").json(body).send().await
    }

    /// Mints a console URL by the API.
    pub async fn mint(&self, body: &Value) -> Minted {
        let response = self.try_mint(body).await;
        assert_eq!(response.status, 201, "{}", response.text());
        Minted::from_answer(&response.json())
    }

    /// Mints a console URL for a host with a password.
    pub async fn mint_for(&self, host: SocketAddr, password: &str) -> Minted {
        self.mint(&json!({
            "target": target(host),
            "credentials": { "password": password },
        }))
        .await
    }

    /// Mints a console URL that opens several sessions.
    pub async fn mint_times(&self, uses: usize, host: SocketAddr, password: &str) -> Minted {
        self.mint(&json!({
            "target": target(host),
            "credentials": { "password": password },
            "limits": { "uses": uses },
        }))
        .await
    }

    /// Mints a console URL for a host without one.
    pub async fn mint_open(&self, host: SocketAddr) -> Minted {
        self.mint(&json!({ "target": target(host) })).await
    }

    /// The log so far, as text.
    pub fn log(&self) -> String {
        self.process.output()
    }

    /// The log so far.
    pub fn log_lines(&self) -> Vec<Line> {
        Line::parse_all(&self.log())
    }

    /// Waits until `count` sessions have ended and gives the lines that say so.
    pub async fn session_ends(&self, count: usize) -> Vec<Line> {
        until("sessions end", LOGGED, async || {
            let lines = self.log_lines().into_iter();
            let ends: Vec<_> = lines.filter(Line::is_session_end).collect();
            let enough = ends.len() >= count;
            enough.then_some(ends).ok_or_else(|| self.log())
        })
        .await
    }

    /// Waits for the one session of a test to end, and gives the line that says so.
    pub async fn session_end(&self) -> Line {
        let ends = self.session_ends(1).await;
        assert_eq!(ends.len(), 1, "one line an end: {ends:?}");
        ends[0].clone()
    }

    /// Panics if `secret` is anywhere in the log.
    pub fn assert_log_has_no(&self, secret: &str) {
        assert!(!secret.is_empty());
        let log = self.log();
        let found = log.lines().find(|l| l.contains(secret));
        assert!(found.is_none(), "a secret is in the log: {found:?}");
    }

    /// Runs another command with the gateway's configuration, to its end.
    pub fn command(&self, arguments: &[&str]) -> std::process::Output {
        fanlight(self.dir.path(), arguments).output().unwrap()
    }

    /// Where it is scraped, where `metrics.listen` is set.
    pub fn metrics(&self) -> SocketAddr {
        self.listens_as("metrics").parse().unwrap()
    }

    /// A file in the gateway's directory.
    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for TestGateway {
    fn drop(&mut self) {
        let log = self.process.output();
        if std::thread::panicking() {
            eprintln!("the gateway's log:\n{log}");
            return;
        }
        let strays = log::strays(&log);
        assert!(strays.is_empty(), "not log lines: {strays:#?}");
    }
}

/// Waits until a gateway listens, and says where.
async fn listens(process: &mut Process) -> SocketAddr {
    until("the gateway listens", START, async || {
        process.must_run();
        let log = process.output();
        let lines = Line::parse_all(&log);
        let line = lines.iter().find(|l| l.text("message") == "listening");
        line.and_then(|l| l.text("address").parse().ok()).ok_or(log)
    })
    .await
}

/// The built binary with the configuration in `dir`, and nothing of the test's own environment.
fn fanlight(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    command.args(arguments);
    of_test(&mut command, dir);
    command
}

/// The configuration in `dir`, and nothing of the test's own environment.
fn of_test(command: &mut Command, dir: &Path) {
    command.env_clear().current_dir(dir);
    command.env("FANLIGHT_CONFIG", dir.join("fanlight.toml"));
}

/// A host's address as the API wants it.
pub fn target(host: SocketAddr) -> Value {
    json!({ "host": host.ip().to_string(), "port": host.port() })
}
