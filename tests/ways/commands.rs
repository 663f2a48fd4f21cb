//! The same hosts by `fanlight probe`, and by URLs that `fanlight mint` has made.

use crate::common::gateway::{Minted, TestGateway};
use crate::common::rfb_client::Viewer;
use crate::common::wait::within;
use crate::common::xapi::{Quirk, SESSION, Xapi};
use crate::library::{ANSWERED, console};
use crate::machine::{Machine, PASSWORD};

/// The right command's output.
#[track_caller]
fn run(gateway: &TestGateway, words: &[String]) -> String {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let output = gateway.command(&words);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{words:?}: {said} {:?}",
        output.stderr
    );
    for secret in [PASSWORD, SESSION] {
        assert!(!said.contains(secret), "{said}");
    }
    said
}

// The command is waited for on a thread, while the fake host answers on another.
#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_hosts_on_all_ways() {
    let on_socket = Machine::on_unix_socket().await;
    let behind = Machine::behind_websocket().await;
    let xapi = Xapi::start(false, Quirk::None).await;
    let gateway = TestGateway::builder()
        .set("host.unix_root", on_socket.dir().to_str().unwrap())
        .set("public_url", "https://console.example")
        .start()
        .await;
    let write = |name: &str, text: &str| std::fs::write(gateway.file(name), text).unwrap();
    write("password", PASSWORD);
    write("session", &format!("session_id={SESSION}\n"));
    let url = format!("ws://127.0.0.1:{}", behind.websocket_port());
    write("url", &url);
    write("headers", "Authorization: Bearer s3cret\n");
    let tunnel = format!("http://127.0.0.1:{}{}", xapi.port, console());
    let socket = on_socket.socket().to_str().unwrap().to_owned();
    for flags in [
        format!("--unix {socket} --password-file password"),
        format!("--websocket {url} --password-file password --header-file headers"),
        "--websocket-file url --password-file password --no-subprotocol".to_owned(),
        format!("--tunnel {tunnel} --cookie-file session"),
    ] {
        let order = |command: &str| -> Vec<String> {
            let flags = flags.split(' ').map(str::to_owned);
            [command.to_owned()].into_iter().chain(flags).collect()
        };
        let said = run(&gateway, &order("probe"));
        assert!(said.ends_with("would open\n"), "{said}");

        let url = run(&gateway, &order("mint"));
        let here = url
            .trim_end()
            .replace("https://console.example", "http://gateway");
        let minted = Minted::from_url(&here);
        let opened = within("the console", ANSWERED, Viewer::open(&gateway, &minted)).await;
        let viewer = opened.unwrap_or_else(|refusal| panic!("{flags}: {refusal:?}"));
        assert!(!viewer.name.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_minted_offline_can_ask_its_viewer() {
    let machine = crate::common::rfb_server::Manners::with_password(PASSWORD);
    let host = machine.host(crate::common::net::Family::V4).await;
    let gateway = TestGateway::builder()
        .set("public_url", "https://console.example")
        .start()
        .await;
    let port = host.address.port();
    let order = format!("mint --host 127.0.0.1 --port {port} --relay");
    let order: Vec<_> = order.split(' ').map(str::to_owned).collect();
    let url = run(&gateway, &order);
    let here = url
        .trim_end()
        .replace("https://console.example", "http://gateway");
    let minted = Minted::from_url(&here);
    let asked = Viewer::open_asked(&gateway, &minted, PASSWORD);
    within("the console", ANSWERED, asked).await.unwrap();
}
