//! Certificates of clients that stand in for API keys, with curl.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::curl::{Answer, curl};
use common::gateway::TestGateway;
use common::pki::authority;
use common::wait::until;
use rcgen::{
    CertificateParams, CertificateRevocationListParams, ExtendedKeyUsagePurpose, Issuer,
    KeyIdMethod, KeyPair, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

const PATIENCE: Duration = Duration::from_secs(20);

const BODY: &str = r#"{"target": {"host": "10.0.0.5", "port": 5900}}"#;

/// In the certificate of the one who may mint.
const MINTER: &str = "spiffe://cloud.example/mint";
/// In the certificate of the one who may see sessions.
const WATCHER: &str = "watch.example";

/// What is special about a certificate.
enum Oddity {
    Nothing,
    Expired,
    ForServers,
}

/// An authority and what it issues, as files.
struct Clients {
    dir: tempfile::TempDir,
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Clients {
    fn new(name: &str) -> Self {
        let (certificate, params, key) = authority(name);
        Self {
            dir: tempfile::tempdir().unwrap(),
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// Issues a certificate for a DNS name or a URI, and gives the file with it and its key.
    fn issue(&self, name: &str, serial: u64, oddity: &Oddity) -> String {
        let mut params = CertificateParams::default();
        let san = match name.contains(':') {
            true => SanType::URI(name.try_into().unwrap()),
            false => SanType::DnsName(name.try_into().unwrap()),
        };
        params.subject_alt_names = vec![san];
        params.serial_number = Some(SerialNumber::from(serial));
        params.extended_key_usages = vec![match oddity {
            Oddity::ForServers => ExtendedKeyUsagePurpose::ServerAuth,
            _ => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        if matches!(oddity, Oddity::Expired) {
            params.not_after = date_time_ymd(2020, 1, 2);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = self.dir.path().join(format!("client-{serial}.pem"));
        let both = format!("{}{}", certificate.pem(), key.serialize_pem());
        std::fs::write(&file, both).unwrap();
        file.to_str().unwrap().to_owned()
    }

    /// A list of what is revoked.
    fn revoke(&self, serials: &[u64]) -> String {
        let revoked = serials.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2099, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

/// A gateway that asks for certificates where only its API is.
async fn start(clients: &Clients) -> TestGateway {
    let entry = |name: &str, what: &str, value: &str, scope: &str| {
        toml::Value::Table(toml::Table::from_iter([
            ("name".to_owned(), name.into()),
            (what.to_owned(), value.into()),
            ("scopes".to_owned(), vec![scope].into()),
        ]))
    };
    let keys = vec![
        entry("tests", "hash", &TestGateway::api_key_hash(), "admin"),
        entry("minter", "certificate", MINTER, "mint"),
        entry("watcher", "certificate", WATCHER, "sessions:read"),
    ];
    let asks = "client_ca_file = 'ca.pem'\nclient_crl_file = 'revoked.pem'";
    let builder = TestGateway::builder()
        .with_tls()
        .file("ca.pem", &clients.pem)
        .file("revoked.pem", &clients.revoke(&[1]))
        .listeners(&[("127.0.0.1:0", &["api"], asks)])
        .set("api.keys", keys);
    builder.start().await
}

/// Asks at an address as curl with more arguments.
fn ask(gateway: &TestGateway, at: &str, path: &str, more: &[&str]) -> Result<Answer, String> {
    let trusted: PathBuf = gateway.file("certificate.pem");
    let url = format!("https://{at}/api/v1/{path}");
    let fixed = ["--cacert", trusted.to_str().unwrap(), &url];
    curl(&[&fixed, more].concat())
}

/// The names under which consoles were minted so far.
fn minted_by(gateway: &TestGateway) -> Vec<String> {
    let lines = gateway.log_lines().into_iter();
    let minted = lines.filter(|line| line.text("message") == "console minted");
    minted.map(|line| line.text("key")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_stands_in_for_a_key_with_its_scopes() {
    let clients = Clients::new("Clients");
    let gateway = start(&clients).await;
    let at = gateway.listens_as("api");
    let minter = clients.issue(MINTER, 10, &Oddity::Nothing);
    let watcher = clients.issue(WATCHER, 11, &Oddity::Nothing);
    let stranger = clients.issue("stranger.example", 12, &Oddity::Nothing);
    let json = ["-d", BODY, "-H", "Content-Type: application/json"];
    let status = |at: &str, path: &str, more: &[&[&str]]| {
        let answer = ask(&gateway, at, path, &more.concat());
        answer.map(|it| it.status)
    };
    let mint = |more: &[&str]| status(&at, "consoles", &[&json, more]);
    assert_eq!(mint(&["--cert", &minter]), Ok(201));
    assert_eq!(mint(&["--cert", &minter, "--tls-max", "1.2"]), Ok(201));
    assert_eq!(mint(&["--cert", &watcher]), Ok(403));
    assert_eq!(status(&at, "sessions", &[&["--cert", &watcher]]), Ok(200));
    assert_eq!(status(&at, "sessions", &[&["--cert", &minter]]), Ok(403));
    assert_eq!(minted_by(&gateway), ["minter", "minter"]);

    // Nobody, and somebody of whom the configuration does not know.
    let nobody = ask(&gateway, &at, "sessions", &[]).unwrap();
    assert_eq!(nobody.status, 401);
    assert_eq!(nobody.json()["code"], "unauthorized");
    assert_eq!(status(&at, "sessions", &[&["--cert", &stranger]]), Ok(401));
    // Where people come nobody is asked for a certificate, and none is looked at.
    let public = gateway.address.to_string();
    let elsewhere = status(&public, "sessions", &[&["--cert", &watcher]]);
    assert_eq!(elsewhere, Ok(401));

    // A key counts alone, right or wrong.
    let right = format!("Authorization: Bearer {}", TestGateway::API_KEY);
    let wrong = "Authorization: Bearer flk_wrong";
    assert_eq!(mint(&["--cert", &minter, "-H", &right]), Ok(201));
    assert_eq!(mint(&["-H", &right]), Ok(201));
    assert_eq!(mint(&["--cert", &minter, "-H", wrong]), Ok(401));
    assert_eq!(minted_by(&gateway)[2..], ["tests", "tests"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_no_good_gets_no_connection() {
    let clients = Clients::new("Clients");
    let gateway = start(&clients).await;
    let at = gateway.listens_as("api");
    let others = Clients::new("Clients");
    for (what, file) in [
        ("revoked", clients.issue(MINTER, 1, &Oddity::Nothing)),
        ("expired", clients.issue(MINTER, 2, &Oddity::Expired)),
        (
            "not for clients",
            clients.issue(MINTER, 3, &Oddity::ForServers),
        ),
        (
            "of another authority",
            others.issue(MINTER, 4, &Oddity::Nothing),
        ),
    ] {
        for version in ["1.2", "1.3"] {
            let answer = ask(
                &gateway,
                &at,
                "sessions",
                &["--cert", &file, "--tls-max", version],
            );
            assert!(answer.is_err(), "{what}: {answer:?}");
        }
    }
    let failures = gateway.log_lines().into_iter();
    let failures = failures.filter(|line| line.text("message") == "TLS handshake failed");
    assert_eq!(failures.count(), 8, "{}", gateway.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_revoked_while_the_gateway_runs_is_refused_then() {
    let clients = Clients::new("Clients");
    let gateway = start(&clients).await;
    let at = gateway.listens_as("api");
    let watcher = clients.issue(WATCHER, 11, &Oddity::Nothing);
    let watch = || ask(&gateway, &at, "sessions", &["--cert", &watcher]);
    assert_eq!(watch().unwrap().status, 200);
    let said = async |words: &str| {
        until(words, PATIENCE, async || {
            let log = gateway.log();
            log.contains(words).then_some(()).ok_or(log)
        })
        .await;
    };
    std::fs::write(gateway.file("revoked.pem"), "nonsense").unwrap();
    said("the authorities about clients stay as they were").await;
    assert_eq!(watch().unwrap().status, 200);
    std::fs::write(gateway.file("revoked.pem"), clients.revoke(&[1, 11])).unwrap();
    said("the authorities about clients were read again").await;
    assert!(watch().is_err());
}

/// `fanlight` with these words, to its end: what it printed, or the last line of what it complained of.
fn run(gateway: &TestGateway, words: &[&str]) -> Result<String, String> {
    let ran = gateway.command(words);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    match ran.status.success() {
        true => Ok(text(ran.stdout)),
        false => Err(text(ran.stderr)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_show_a_certificate_at_an_address_and_at_a_unix_socket() {
    let clients = Clients::new("Clients");
    let gateway = start(&clients).await;
    let watcher = clients.issue(WATCHER, 11, &Oddity::Nothing);
    let minter = clients.issue(MINTER, 12, &Oddity::Nothing);
    let url = format!("https://{}", gateway.listens_as("api"));
    let list = |more: &[&str]| {
        let words = ["sessions", "list", "--json"];
        run(&gateway, &[&words, more].concat())
    };
    let trust = ["--ca-file", "certificate.pem"];
    let good = list(&[&trust[..], &["--api", &url, "--cert", &watcher]].concat());
    assert_eq!(good.as_deref(), Ok("{\n  \"sessions\": []\n}\n"));
    // The key in a file of its own.
    let both = std::fs::read_to_string(&watcher).unwrap();
    let (certificate, key) = both.split_at(both.find("-----BEGIN PRIVATE").unwrap());
    for (name, pem) in [("cert.pem", certificate), ("key.pem", key)] {
        std::fs::write(gateway.file(name), pem).unwrap();
    }
    let cert = ["--cert", "cert.pem", "--cert-key", "key.pem"];
    let good = list(&[&trust[..], &["--api", &url], &cert].concat());
    assert_eq!(good.as_deref(), Ok("{\n  \"sessions\": []\n}\n"));
    let scope = list(&[&trust[..], &["--api", &url, "--cert", &minter]].concat());
    let scope = scope.unwrap_err();
    assert!(
        scope.contains("the key needs the scope sessions:read"),
        "{scope}"
    );

    let plain = list(&["--api", "http://127.0.0.1:1", "--cert", &watcher]).unwrap_err();
    assert!(plain.contains("inside TLS alone"), "{plain}");
    let unknown = list(&["--api", &url, "--cert", &watcher]).unwrap_err();
    let words = "the certificate is not accepted: ";
    assert_eq!(unknown.matches(words).count(), 1, "{unknown}");
    assert!(unknown.contains("--ca-file"), "{unknown}");
    assert!(!unknown.contains("profile"), "{unknown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_a_listener_at_a_unix_socket() {
    let clients = Clients::new("Clients");
    let dir = tempfile::tempdir().unwrap();
    let [plain, tls] = ["plain.sock", "tls.sock"].map(|name| dir.path().join(name));
    let [plain, tls] = [&plain, &tls].map(|path| format!("unix:{}", path.display()));
    let watcher = toml::Table::from_iter([
        ("name".to_owned(), "watcher".into()),
        ("certificate".to_owned(), WATCHER.into()),
        ("scopes".to_owned(), vec!["sessions:read"].into()),
    ]);
    let tests = toml::Table::from_iter([
        ("name".to_owned(), "tests".into()),
        ("hash".to_owned(), TestGateway::api_key_hash().into()),
        ("scopes".to_owned(), vec!["admin"].into()),
    ]);
    let listeners = [
        (&*plain, &["api"][..], ""),
        (&*tls, &["api"], "client_ca_file = 'ca.pem'"),
    ];
    let builder = TestGateway::builder()
        .with_tls()
        .file("ca.pem", &clients.pem)
        .set("base_path", "/vms")
        .listeners(&listeners)
        .set("api.keys", vec![watcher, tests]);
    let gateway = builder.start().await;
    std::fs::write(gateway.file("admin.key"), TestGateway::API_KEY).unwrap();
    let reload = ["reload", "--key-file", "admin.key"];
    let socket = plain.strip_prefix("unix:").unwrap();
    let based = ["--api", "http://localhost/vms", "--socket", socket];
    let reloaded = run(&gateway, &[&reload[..], &based].concat());
    assert_eq!(reloaded.as_deref(), Ok("nothing has changed\n"));
    let short = run(&gateway, &[&reload[..], &["--api", &plain]].concat());
    let short = short.unwrap_err();
    assert!(short.contains("There is nothing at this path"), "{short}");

    let certificate = clients.issue(WATCHER, 11, &Oddity::Nothing);
    let socket = tls.strip_prefix("unix:").unwrap();
    let list = ["sessions", "list", "--json", "--cert", &certificate];
    let trust = ["--ca-file", "certificate.pem"];
    let there = ["--api", "https://localhost/vms", "--socket", socket];
    let listed = run(&gateway, &[&list[..], &trust, &there].concat());
    assert_eq!(listed.as_deref(), Ok("{\n  \"sessions\": []\n}\n"));
    let gone = dir.path().join("gone.sock");
    let gone = format!("unix:{}", gone.display());
    let nobody = run(&gateway, &[&reload[..], &["--api", &gone]].concat());
    let nobody = nobody.unwrap_err();
    let words = "the socket cannot be connected to: No such file";
    assert_eq!(nobody.matches(words).count(), 1, "{nobody}");
}
