//! The client's address, and who may say it.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::common::gateway::TestGateway;
use crate::common::http::{Request, read_response};
use crate::common::log::Line;
use crate::common::net::connect;
use crate::common::wait::{until, within};
use crate::{ANSWERED, host, open};

/// The client that the log tells of, after one more console was opened.
async fn client(gateway: &TestGateway, headers: &[(&str, &str)]) -> String {
    let host = host().await;
    let minted = gateway.mint_open(host.address).await;
    let before = starts(gateway).len();
    open(gateway, &minted, headers).await.unwrap();
    let line = until("the session is logged", ANSWERED, async || {
        starts(gateway)
            .get(before)
            .cloned()
            .ok_or_else(|| gateway.log())
    })
    .await;
    line.text("client")
}

fn starts(gateway: &TestGateway) -> Vec<Line> {
    let lines = gateway.log_lines().into_iter();
    let starts = lines.filter(|line| line.text("message") == "session started");
    starts.collect()
}

fn is_loopback(client: &str) -> bool {
    client
        .parse::<SocketAddr>()
        .is_ok_and(|it| it.ip().is_loopback())
}

#[tokio::test]
async fn nobodys_word_counts_unless_the_configuration_says_so() {
    for networks in [vec![], vec!["10.0.0.0/8", "127.0.0.2"]] {
        let builder = TestGateway::builder().set("trusted_proxies", networks);
        let gateway = builder.start().await;
        for header in [
            ("x-forwarded-for", "203.0.113.5"),
            ("x-forwarded-for", "10.0.0.1"),
            ("forwarded", "for=203.0.113.5"),
            ("x-real-ip", "203.0.113.5"),
        ] {
            let client = client(&gateway, &[header]).await;
            assert!(is_loopback(&client), "{header:?}: {client}");
        }
    }
}

#[tokio::test]
async fn of_a_trusted_proxys_list_the_last_that_is_no_proxy_counts() {
    let gateway = TestGateway::builder()
        .set(
            "trusted_proxies",
            vec!["127.0.0.0/8", "10.0.0.0/8", "fd00::/8"],
        )
        .start()
        .await;
    let header = "x-forwarded-for";
    for (lines, expected) in [
        (&["203.0.113.5"][..], "203.0.113.5"),
        (&["192.0.2.1, 203.0.113.5"], "203.0.113.5"),
        (
            &["192.0.2.1", "203.0.113.5, 10.1.1.1", "fd00::2"],
            "203.0.113.5",
        ),
        (&["127.0.0.1, 203.0.113.5:4711"], "203.0.113.5:4711"),
        (&["[2001:DB8::5]:4711"], "[2001:db8::5]:4711"),
        (&["\";<script>, 2001:db8::5"], "2001:db8::5"),
        (&["::ffff:203.0.113.5"], "203.0.113.5"),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| (header, *line)).collect();
        assert_eq!(client(&gateway, &headers).await, expected, "{lines:?}");
    }
    // A proxy that writes nonsense is all that is known.
    for nonsense in [
        "unknown",
        "203.0.113.5,",
        "203.0.113.5, garbage",
        "1.2.3",
        "for=203.0.113.5",
    ] {
        let client = client(&gateway, &[(header, nonsense)]).await;
        assert!(is_loopback(&client), "{nonsense:?}: {client}");
    }
    let log = gateway.log();
    assert!(log.contains("the proxy's word is passed over"), "{log}");
    // The header that the proxies do not write is the client's own.
    let both = [(header, "203.0.113.5"), ("forwarded", "for=192.0.2.1")];
    assert_eq!(client(&gateway, &both).await, "203.0.113.5");
}

#[tokio::test]
async fn the_standard_header_counts_where_it_is_set() {
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .set("forwarded_header", "forwarded")
        .start()
        .await;
    let headers = [
        (
            "forwarded",
            "for=192.0.2.1, for=\"[2001:db8::5]:4711\";proto=https",
        ),
        ("x-forwarded-for", "192.0.2.2"),
    ];
    assert_eq!(client(&gateway, &headers).await, "[2001:db8::5]:4711");
}

/// Version 2, PROXY, TCP over IPv4, 12 bytes: from 203.0.113.5:4711.
const PROXY_HEADER: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x05\x0a\0\0\x01\x12\x67\x01\xbb";

/// Sends a request behind `start`, byte by byte, and gives the status of the answer, if there is one.
async fn behind(gateway: &TestGateway, start: &[u8], request: &Request) -> Option<u16> {
    let mut stream = connect(gateway.address).await;
    for byte in [start, &request.to_bytes()].concat() {
        if stream.write_all(&[byte]).await.is_err() {
            break;
        }
    }
    let mut first = [0];
    let there = within("an answer or the end", ANSWERED, stream.peek(&mut first)).await;
    match there {
        Ok(1..) => Some(read_response(&mut stream).await.status),
        _ => None,
    }
}

#[tokio::test]
async fn a_load_balancer_says_the_client_before_everything_else() {
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .set("proxy_protocol", true)
        .start()
        .await;
    let body = serde_json::json!({ "target": { "host": "10.0.0.5", "port": 5900 } });
    let mint = |forwarded: &str| {
        let request = gateway.api("POST", "/api/v1/consoles");
        request.header("x-forwarded-for", forwarded).json(&body)
    };
    // Whoever comes through it is not trusted for that.
    assert_eq!(
        behind(&gateway, PROXY_HEADER, &mint("192.0.2.1")).await,
        Some(201)
    );
    let minted = |client: &str| {
        let lines = gateway.log_lines().into_iter();
        let mut minted = lines.filter(|line| line.text("message") == "console minted");
        minted.any(|line| line.text("client") == client)
    };
    assert!(minted("203.0.113.5:4711"), "{}", gateway.log());
    // Its own connections have a header too, and say nothing.
    let local = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";
    assert_eq!(behind(&gateway, local, &mint("192.0.2.7")).await, Some(201));
    assert!(minted("192.0.2.7"), "{}", gateway.log());
    for bad in [
        &b""[..],
        b"PROXY TCP4 203.0.113.5 10.0.0.1 4711 443\r\n",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
        b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c",
    ] {
        assert_eq!(behind(&gateway, bad, &mint("")).await, None, "{bad:?}");
    }
    assert!(gateway.log().contains("turned away"), "{}", gateway.log());
}

#[tokio::test]
async fn a_header_from_anybody_else_is_no_header() {
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["10.0.0.0/8"])
        .set("proxy_protocol", true)
        .start()
        .await;
    let page = Request::get(gateway.address, "/nothing");
    let forged = behind(&gateway, PROXY_HEADER, &page).await;
    assert!(matches!(forged, None | Some(400)), "{forged:?}");
    assert_eq!(behind(&gateway, b"", &page).await, Some(404));
    assert!(!gateway.log().contains("203.0.113.5"), "{}", gateway.log());
}

#[tokio::test]
async fn the_protocol_without_a_proxy_to_trust_is_refused() {
    let builder = TestGateway::builder().set("proxy_protocol", true);
    let said = builder.start_in_vain().await;
    assert!(said.contains("needs trusted_proxies as well"), "{said}");
}

#[tokio::test]
async fn a_request_is_answered_after_a_header_in_the_same_packet() {
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .set("proxy_protocol", true)
        .start()
        .await;
    let mut stream = connect(gateway.address).await;
    let request = Request::get(gateway.address, "/nothing").to_bytes();
    stream
        .write_all(&[PROXY_HEADER, &request].concat())
        .await
        .unwrap();
    let response = within("the answer", ANSWERED, read_response(&mut stream)).await;
    assert_eq!(response.status, 404);
    let mut rest = Vec::new();
    within("the end", ANSWERED, stream.read_to_end(&mut rest))
        .await
        .unwrap();
}
