//! Those who send a byte at a time for ever: each is given up, and meanwhile others are served.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep};

use crate::common::gateway::TestGateway;
use crate::common::http::Request;
use crate::common::net::connect;
use crate::common::wait::within;

/// After so long nobody is waited for any more: twice the longest deadline of the gateway's.
const GIVEN_UP: Duration = Duration::from_secs(40);

/// Between two bytes.
const PAUSE: Duration = Duration::from_millis(200);

/// Sends `start`, then one byte after the other, until the gateway has had enough. Gives what it
/// said, and the time that it took.
async fn drip(gateway: &TestGateway, start: &[u8], then: u8) -> (Vec<u8>, Duration) {
    let mut stream = connect(gateway.address).await;
    let started = Instant::now();
    stream.write_all(start).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let mut said = Vec::new();
    let dripping = async {
        while writing.write_all(&[then]).await.is_ok() {
            sleep(PAUSE).await;
        }
        std::future::pending::<()>().await;
    };
    let ended = async {
        tokio::select! {
            _ = reading.read_to_end(&mut said) => {}
            () = dripping => {}
        }
    };
    within("the gateway gives up", GIVEN_UP, ended).await;
    (said, started.elapsed())
}

#[tokio::test]
async fn whoever_drips_is_given_up() {
    let plain = TestGateway::start().await;
    let tls = TestGateway::builder().with_tls().start().await;
    let proxied = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .set("proxy_protocol", true)
        .start()
        .await;
    let body = plain
        .api("POST", "/api/v1/consoles")
        .json(&serde_json::json!({}));
    let body = String::from_utf8(body.to_bytes()).unwrap();
    let body = body.replace("content-length: 2", "content-length: 60000");
    let (head, headers, body, handshake, header, others) = tokio::join!(
        drip(&plain, b"G", b'E'),
        drip(&plain, b"GET / HTTP/1.1\r\nhost: x\r\nx: ", b'x'),
        drip(&plain, body.as_bytes(), b' '),
        // The start of a ClientHello of 512 bytes.
        drip(&tls, &[22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3], 0),
        // A header with a variable part of 2048 bytes.
        drip(&proxied, b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x08\0", 0),
        // Meanwhile.
        Request::get(plain.address, "/nothing").send(),
    );
    assert_eq!(others.status, 404);
    let text = |said: &[u8]| String::from_utf8_lossy(said).into_owned();
    for (name, (said, took), expected) in [
        ("request line", head, ""),
        ("headers", headers, ""),
        ("body", body, "408"),
        ("TLS", handshake, ""),
        ("PROXY header", header, ""),
    ] {
        println!("{name}: given up after {took:?} with {:?}", text(&said));
        assert!(text(&said).contains(expected), "{name}: {:?}", text(&said));
    }
    for (gateway, word) in [(&tls, "TLS handshake failed"), (&proxied, "turned away")] {
        assert!(gateway.log().contains(word), "{}", gateway.log());
    }
}
