//! Whose pages may open consoles.

use fanlight::reason::Reason;

use crate::common::gateway::TestGateway;
use crate::{host, open, words};

#[tokio::test]
async fn only_pages_of_the_gateway_and_of_those_named_open_consoles() {
    let gateway = TestGateway::builder()
        .set("public_url", "https://console.example:8443")
        .set(
            "origins",
            vec!["https://cloud.example", "http://[2001:db8::1]"],
        )
        .start()
        .await;
    let host = host().await;
    for allowed in [
        None,
        Some("https://console.example:8443"),
        Some("https://Console.Example:8443"),
        Some("https://cloud.example"),
        Some("https://cloud.example:443"),
        Some("http://[2001:db8::1]"),
        Some("http://[2001:DB8:0::1]:80"),
    ] {
        let minted = gateway.mint_open(host.address).await;
        let header: Vec<_> = allowed.iter().map(|it| ("origin", *it)).collect();
        assert_eq!(
            open(&gateway, &minted, &header).await,
            Ok(()),
            "{allowed:?}"
        );
    }
    let visits = host.visits().len();
    let refused = [
        "null",
        "",
        "https://console.example",
        "https://console.example:443",
        "http://console.example:8443",
        "wss://console.example:8443",
        "https://console.example:8443/",
        "https://console.example.:8443",
        "https://www.console.example:8443",
        "https://example:8443",
        "https://console.example:8443.evil.example",
        "https://evil.example/https://cloud.example",
        "https://cloud.example@evil.example",
        "https://cloud.example, https://cloud.example",
        "https://cloud.example.",
        "http://cloud.example",
        "http://[2001:db8::2]",
        "http://2001:db8::1",
        "http://127.0.0.1",
        "chrome-extension://cloud.example",
    ];
    for origin in refused {
        let minted = gateway.mint_open(host.address).await;
        let opened = open(&gateway, &minted, &[("origin", origin)]).await;
        assert_eq!(opened, words(Reason::OriginRefused), "{origin:?}");
    }
    let minted = gateway.mint_open(host.address).await;
    let two = [("origin", "https://cloud.example"); 2];
    let opened = open(&gateway, &minted, &two).await;
    assert_eq!(opened, words(Reason::OriginRefused));
    assert_eq!(host.visits().len(), visits, "nobody goes to the host");
    let log = gateway.log();
    assert!(log.contains("require_origin"), "the settings are named");
    gateway.assert_log_has_no(minted.token());
}

#[tokio::test]
async fn the_gateway_without_a_public_url_is_where_it_listens() {
    let gateway = TestGateway::start().await;
    let host = host().await;
    let own = format!("http://{}", gateway.address);
    let minted = gateway.mint_open(host.address).await;
    assert_eq!(open(&gateway, &minted, &[("origin", &own)]).await, Ok(()));
    let other = format!("http://127.0.0.1:{}", gateway.address.port() ^ 1);
    let opened = open(&gateway, &minted, &[("origin", &other)]).await;
    assert_eq!(opened, words(Reason::OriginRefused));
}

#[tokio::test]
async fn no_origin_is_refused_where_one_is_required() {
    let builder = TestGateway::builder().set("require_origin", true);
    let gateway = builder.start().await;
    let host = host().await;
    let minted = gateway.mint_open(host.address).await;
    let opened = open(&gateway, &minted, &[]).await;
    assert_eq!(opened, words(Reason::OriginRefused));
    let own = format!("http://{}", gateway.address);
    assert_eq!(open(&gateway, &minted, &[("origin", &own)]).await, Ok(()));
}
