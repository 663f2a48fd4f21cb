//! Consoles that are bound to clients and pages.

use fanlight::reason::Reason;
use serde_json::json;

use crate::common::gateway::{TestGateway, target};
use crate::{host, open, words};

#[tokio::test]
async fn a_bound_console_opens_for_whom_it_is_meant() {
    let gateway = TestGateway::builder()
        .set("trusted_proxies", vec!["127.0.0.1"])
        .set(
            "origins",
            vec!["https://cloud.example", "https://other.example"],
        )
        .start()
        .await;
    let host = host().await;
    let body = json!({
        "target": target(host.address),
        "binding": { "clients": ["203.0.113.0/24"], "origins": ["https://cloud.example"] },
    });
    let rows = [
        ("203.0.113.7", Some("https://cloud.example"), Ok(())),
        (
            "203.0.114.7",
            Some("https://cloud.example"),
            words(Reason::ClientRefused),
        ),
        (
            "203.0.113.7",
            Some("https://other.example"),
            words(Reason::OriginRefused),
        ),
        ("203.0.113.7", None, words(Reason::OriginRefused)),
    ];
    for (client, origin, expected) in rows {
        let minted = gateway.mint(&body).await;
        let mut headers = vec![("x-forwarded-for", client)];
        headers.extend(origin.map(|origin| ("origin", origin)));
        let opened = open(&gateway, &minted, &headers).await;
        assert_eq!(opened, expected, "{client} {origin:?}");
    }
    assert_eq!(host.visits().len(), 1, "nobody else got to the host");
}
