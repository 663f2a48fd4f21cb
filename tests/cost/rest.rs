//! Heap of a session at rest: everything that a gateway keeps for it, from both sockets to the
//! record of who is there.

use std::num::NonZeroU16;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use super::stage::{Stage, settled};
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

/// Over plain TCP.
pub fn plain() {
    measure("plain", PLAIN, "", None);
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
    measure("TLS", TLS, &settings, Some(&Arc::new(client)));
}

fn measure(what: &str, (least, most): Band, settings: &str, tls: Option<&Arc<ClientConfig>>) {
    let stage = Stage::set(settings);
    let mut kept = Vec::with_capacity(2 * (BEFORE + COUNTED));
    let mut open = |count| {
        for _ in 0..count {
            let token = stage.mint(NonZeroU16::MIN);
            kept.push(viewer::open(stage.address(), &token, tls));
            kept.push(stage.let_in());
        }
    };
    open(BEFORE);
    let before = settled();
    open(COUNTED);
    let each = settled().saturating_sub(before) / COUNTED;
    assert!((least..=most).contains(&each), "{what}: {each} bytes");

    drop(kept);
    stage.strike();
}
