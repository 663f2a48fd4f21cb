//! The edge of the gateway: who may come in, and where they may be taken.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

#[path = "../common/mod.rs"]
mod common;

mod binding;
mod client;
mod crowd;
mod origin;
mod rates;
mod slow;
mod targets;

use std::time::Duration;

use common::fake_host::FakeHost;
use common::gateway::{Minted, TestGateway};
use common::http::Request;
use common::net::{Family, connect_as};
use common::rfb_server::Manners;
use common::wait::within;
use common::websocket::{End, WebSocket, masked_frame};
use fanlight::reason::Reason;

/// What an answer may take, on a busy test machine.
const ANSWERED: Duration = Duration::from_secs(10);

async fn host() -> FakeHost {
    Manners::default().host(Family::V4).await
}

/// Opens a console with more headers than a browser's usual ones, and answers the gateway's half of
/// the handshake: the host's picture, or the words of a refusal.
async fn open(
    gateway: &TestGateway,
    minted: &Minted,
    headers: &[(&str, &str)],
) -> Result<(), String> {
    let stream = connect_as(gateway.address, gateway.trust()).await;
    let request = Request::get(gateway.address, &minted.stock_path());
    let request = headers
        .iter()
        .fold(request, |it, (name, value)| it.header(name, value));
    let answers = masked_frame(0x82, b"RFB 003.008\n\x01\x01", [1, 2, 3, 4]);
    let socket = WebSocket::upgrade(stream, request, &answers).await;
    let mut socket = socket.unwrap_or_else(|it| panic!("{} {}", it.status, it.text()));
    let source = &mut socket.source;
    let greeted = within("the greeting", ANSWERED, source.read_exact(18)).await;
    match greeted.unwrap()[14..] {
        [0, 0, 0, 0] => Ok(()),
        [0, 0, 0, 1] => {
            let length = usize::try_from(source.read_u32().await.unwrap()).unwrap();
            let words = source.read_exact(length).await.unwrap();
            let words = String::from_utf8(words).unwrap();
            let end = within("the close frame", ANSWERED, socket.end()).await;
            let End::Close { reason, .. } = &end else {
                panic!("{end:?} after {words}");
            };
            assert!(words.ends_with(&format!("[{reason}]")), "{end:?}: {words}");
            Err(words)
        }
        ref other => panic!("{other:?} is no SecurityResult"),
    }
}

/// What a person is told of a reason.
fn words(reason: Reason) -> Result<(), String> {
    Err(format!("{} [{reason}]", reason.words()))
}
