//! Where hosts may be.

use fanlight::reason::Reason;
use serde_json::{Value, json};

use crate::common::gateway::TestGateway;
use crate::{host, open, words};

/// Opens a console of a target that is refused, and gives what the log says about it.
async fn refused(gateway: &TestGateway, target: Value) -> String {
    let minted = gateway.mint(&json!({ "target": target })).await;
    let opened = open(gateway, &minted, &[]).await;
    assert_eq!(opened, words(Reason::TargetRefused), "{target}");
    let lines = gateway.log_lines().into_iter();
    let mut ends = lines.filter(|line| line.is_session_end() && line.text("console") == minted.id);
    let end = ends.next().unwrap_or_else(|| panic!("{}", gateway.log()));
    assert_eq!(end.text("reason"), "target_refused");
    end.text("detail")
}

#[tokio::test]
async fn without_a_setting_hosts_are_in_private_networks() {
    let default = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];
    let builder = TestGateway::builder().set("targets.allow", default.to_vec());
    let gateway = builder.start().await;
    let host = host().await;
    let port = host.address.port();
    for (ip, why) in [
        ("127.0.0.1", "a loopback address"),
        ("::1", "a loopback address"),
        ("localhost", "a loopback address"),
        ("::ffff:127.0.0.1", "a loopback address"),
        ("64:ff9b::7f00:1", "a loopback address"),
        ("2002:7f00:1::", "a loopback address"),
        ("0.0.0.0", "no machine's address"),
        ("::", "no machine's address"),
        ("169.254.169.254", "the address of a metadata service"),
        (
            "::ffff:169.254.169.254",
            "the address of a metadata service",
        ),
        ("fd00:ec2::254", "the address of a metadata service"),
        ("fe80::1", "a link-local address"),
        ("203.0.113.5", "is not in targets.allow"),
    ] {
        let target = json!({ "host": ip, "port": port });
        let detail = refused(&gateway, target).await;
        assert!(
            detail.contains(why) && detail.contains("targets.allow"),
            "{ip}: {detail}"
        );
    }
    assert_eq!(host.visits().len(), 0);
}

#[tokio::test]
async fn tunnels_and_websockets_go_nowhere_else() {
    let builder = TestGateway::builder().set("targets.allow", vec!["10.0.0.0/8"]);
    let gateway = builder.start().await;
    let host = host().await;
    let (address, port) = (host.address, host.address.port());
    for target in [
        json!({ "host": "127.0.0.1", "port": port, "tls": true }),
        json!({ "tunnel": { "host": "127.0.0.1", "port": port, "tls": false, "path": "/console?uuid=1" } }),
        json!({ "websocket": { "url": format!("ws://{address}/websockify") } }),
        json!({ "websocket": { "url": format!("wss://{address}/websockify") } }),
    ] {
        let detail = refused(&gateway, target).await;
        assert!(detail.contains("127.0.0.1"), "{detail}");
    }
    let detail = refused(&gateway, json!({ "unix": "/run/vms/1" })).await;
    assert!(detail.contains("host.unix_root"), "{detail}");
    assert_eq!(host.visits().len(), 0);
}

#[tokio::test]
async fn ports_and_denials_count() {
    let host = host().await;
    let port = host.address.port();
    let range = |first: u16, last: u16| format!("127.0.0.1:{first}-{last}");
    let opened = async |allow: String, deny: Option<String>| {
        let builder = TestGateway::builder()
            .set("targets.allow", vec![allow])
            .set("targets.deny", deny.into_iter().collect::<Vec<_>>());
        let gateway = builder.start().await;
        let minted = gateway.mint_open(host.address).await;
        open(&gateway, &minted, &[]).await
    };
    assert_eq!(opened(range(port, port), None).await, Ok(()));
    assert_eq!(opened(range(1, port), None).await, Ok(()));
    let no = words(Reason::TargetRefused);
    assert_eq!(opened(range(1, port - 1), None).await, no);
    assert_eq!(
        opened("127.0.0.1".into(), Some(range(port, port))).await,
        no
    );
    assert_eq!(opened("0.0.0.0/0".into(), None).await, no);
}

#[tokio::test]
async fn a_gateway_is_no_host_of_its_own() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let gateway = TestGateway::builder()
            .set("listen", listen)
            .set("tls.mode", "off")
            .start()
            .await;
        let port = gateway.address.port();
        for ip in ["127.0.0.1", "::ffff:127.0.0.1"] {
            let target = json!({ "host": ip, "port": port });
            let detail = refused(&gateway, target).await;
            assert!(detail.contains("setting listen"), "{detail}");
        }
    }
}
