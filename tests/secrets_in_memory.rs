//! What a core dump of a gateway would tell, once its sessions are over: nothing that opens
//! anything.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::time::Duration;

use common::gateway::{Builder, Minted, TestGateway};
use common::http::Request;
use common::memory::Memory;
use common::net::Family;
use common::qemu::Qemu;
use common::rfb_client::Viewer;
use common::wait::{until, within};

/// Eight bytes, all of which count, that stand nowhere by chance.
const PASSWORD: &str = "Vq7#zK2w";
const WRONG: &str = "Hd4!xN9s";
const ANSWERED: Duration = Duration::from_secs(10);

/// Mints, fetches the page, and opens the console on both ways.
async fn open_and_close(gateway: &TestGateway, minted: &Minted) {
    let page = Request::get(gateway.address, &format!("/novnc?token={}", minted.token()));
    let page = page.over_tls(gateway.trust()).send().await;
    assert_eq!(page.status, 200);
    for stock in [false, true] {
        let opening = async {
            if stock {
                Viewer::open_stock(gateway, minted).await
            } else {
                Viewer::open(gateway, minted).await
            }
        };
        if let Ok(mut viewer) = within("the handshake", ANSWERED, opening).await {
            viewer.ask_for_raw().await;
            viewer.fetch().await;
        }
    }
}

async fn no_secret_is_left(builder: Builder) {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let mut gateway = builder.start().await;
    let right = gateway.mint_for(machine.address, PASSWORD).await;
    let wrong = gateway.mint_for(machine.address, WRONG).await;
    for minted in [&right, &wrong] {
        open_and_close(&gateway, minted).await;
    }
    let ends = gateway.session_ends(4).await;
    let failed = ends
        .iter()
        .filter(|end| end.text("reason") == "host_auth_failed");
    assert_eq!((ends.len(), failed.count()), (4, 2));

    let id = gateway.process().id();
    let address = gateway.address.to_string();
    assert!(
        !Memory::of(id).find(address.as_bytes()).is_empty(),
        "what the gateway does know, its own address, is found"
    );
    let mirrored = PASSWORD.bytes().map(u8::reverse_bits).collect::<Vec<_>>();
    let sealed = |minted: &Minted| minted.token().split('.').nth(2).unwrap().to_owned();
    let (sealed_right, sealed_wrong) = (sealed(&right), sealed(&wrong));
    let middle = |sealed: &str| sealed.as_bytes()[sealed.len() / 2..][..24].to_vec();
    for (what, secret) in [
        ("the password", PASSWORD.as_bytes().to_vec()),
        ("the wrong password", WRONG.as_bytes().to_vec()),
        ("the password as a DES key", mirrored),
        ("a token", middle(&sealed_right)),
        ("another token", middle(&sealed_wrong)),
        ("the API key", TestGateway::API_KEY.as_bytes().to_vec()),
    ] {
        // The last connection may still be closing.
        until(&format!("{what} is wiped"), ANSWERED, async || {
            let found = Memory::of(id).find(&secret);
            if found.is_empty() {
                Ok(())
            } else {
                Err(format!("{found:#?}"))
            }
        })
        .await;
    }
}

/// A session may last for days.
#[tokio::test]
async fn a_running_session_holds_no_secret() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let mut gateway = TestGateway::start().await;
    let minted = gateway.mint_for(machine.address, PASSWORD).await;
    let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
    viewer.ask_for_raw().await;
    viewer.fetch().await;
    let memory = Memory::of(gateway.process().id());
    for secret in [PASSWORD, &minted.token()[16..], TestGateway::API_KEY] {
        let found = memory.find(secret.as_bytes());
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[tokio::test]
async fn no_secret_outlives_its_sessions() {
    no_secret_is_left(TestGateway::builder()).await;
}

#[tokio::test]
async fn no_secret_outlives_its_sessions_over_tls() {
    no_secret_is_left(TestGateway::builder().with_tls()).await;
}
