//! What comes from hosts whose words are looked at, because a permission needs it: hostile ones, a real
//! clipboard, a real picture.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::io::{Read, Write};
use std::time::Duration;

use common::bad_hosts::{let_in, then};
use common::chromium::Chromium;
use common::fake_host::{FakeHost, Step};
use common::gateway::{Minted, TestGateway, target};
use common::guest;
use common::net::Family;
use common::qemu::Qemu;
use common::rfb_client::Viewer;
use common::rfb_server::server_init;
use common::wait::{until, within};
use common::websocket::End;
use common::xclipboard::{copy, paste};
use common::xvnc::Xvnc;
use fanlight::reason::Reason;
use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde_json::{Value, json};

const PASSWORD: &str = "s3cret12";
const ANSWERED: Duration = Duration::from_secs(20);
const EXTENDED_CLIPBOARD: i32 = 0xc0a1_e5ce_u32.cast_signed();
/// Raw, cursor, name, extended clipboard.
const LISTED: [i32; 4] = [0, -239, -307, EXTENDED_CLIPBOARD];
/// Length of SetPixelFormat and the list.
const SAID: usize = 20 + 4 + 4 * LISTED.len();
/// How much more memory the gateway may have after a hostile host.
const MEMORY: u64 = 24 << 20;

/// A console of a host without a password that says `words` when it has heard the viewer.
async fn opened(gateway: &TestGateway, host: &FakeHost, permissions: Value) -> Viewer {
    let order = json!({ "target": target(host.address), "permissions": permissions });
    let minted = gateway.mint(&order).await;
    let mut viewer = Viewer::open(gateway, &minted).await.unwrap();
    viewer.ask_for(&LISTED).await;
    viewer
}

async fn saying(words: Vec<u8>) -> FakeHost {
    let init = Step::Send(server_init((64, 48), "hostile"));
    let script = then(let_in(), [init, Step::Expect(SAID), Step::Send(words)]);
    FakeHost::script(script).await
}

fn rectangle(place: [u16; 4], encoding: i32, body: &[u8]) -> Vec<u8> {
    let place = place.map(u16::to_be_bytes).concat();
    [&[0, 0, 0, 1], &place[..], &encoding.to_be_bytes(), body].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_stream_ends_as_what_it_is() {
    let endless = vec![0x5a; 4 << 20];
    let cut_text = |len: u32| [&[3, 0, 0, 0], &len.to_be_bytes()[..], &endless].concat();
    let rows = [
        ("outside", rectangle([60, 0, 5, 1], 0, &[0; 20])),
        ("outside", rectangle([0, 0, 0xffff, 0xffff], 0, &endless)),
        ("cursor", rectangle([0, 0, 0xffff, 0xffff], -239, &endless)),
        ("cursor", rectangle([0, 0, 513, 1], -239, &endless)),
        (
            "name",
            rectangle([0; 4], -307, &[&[0xff; 4], &endless[..]].concat()),
        ),
        ("not asked for", rectangle([0, 0, 8, 8], 16, &[0; 4])),
        ("unknown encoding", rectangle([0, 0, 8, 8], 4711, &[])),
        ("cut text", cut_text(3 << 30)),
        ("cut text", cut_text(i32::MAX as u32)),
        ("unknown type", vec![77, 0, 0, 0]),
    ];
    let mut gateway = TestGateway::start().await;
    for (count, (said, words)) in rows.into_iter().enumerate() {
        let host = saying(words).await;
        let before = gateway.process().resident_bytes();
        let mut viewer = opened(&gateway, &host, json!({ "clipboard": "none" })).await;
        let end = within("the end", ANSWERED, viewer.socket.end()).await;
        let expected = End::Close {
            code: Reason::HostProtocol.close_code(),
            reason: "host_protocol".to_owned(),
        };
        assert_eq!(end, expected, "{said}");
        let lines = gateway.session_ends(count + 1).await;
        let line = lines.last().unwrap();
        assert_eq!(line.text("reason"), "host_protocol");
        assert!(line.text("detail").contains(said), "{line:?}");
        let after = gateway.process().resident_bytes();
        assert!(after < before + MEMORY, "{said}: {before} {after}");
    }
}

/// A message of the extended clipboard, of either direction.
fn extended(kind: u8, flags: u32, body: &[u8]) -> Vec<u8> {
    let len = -(body.len() as i32 + 4);
    let head = [[kind, 0, 0, 0], len.to_be_bytes(), flags.to_be_bytes()].concat();
    [&head, body].concat()
}

fn deflated(text: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(&(text.len() as u32).to_be_bytes()).unwrap();
    zlib.write_all(text).unwrap();
    zlib.flush().unwrap();
    zlib.get_ref().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_text_is_dropped_and_the_session_goes_on() {
    const PROVIDE: u32 = 0x1000_0001;
    let bomb = deflated(&vec![b'a'; 64 << 20]);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let long = 32_u32 << 20;
    let plain = [
        &[3, 0, 0, 0][..],
        &long.to_be_bytes(),
        &vec![b'a'; long as usize],
    ]
    .concat();
    // What may pass comes behind it.
    let fits = extended(3, PROVIDE, &deflated(b"fits\0"));
    let words = [
        extended(3, PROVIDE, &bomb),
        plain,
        extended(3, PROVIDE, b"no zlib at all"),
        fits.clone(),
    ];
    let host = saying(words.concat()).await;
    let mut gateway = TestGateway::start().await;
    let before = gateway.process().resident_bytes();
    let permissions = json!({ "clipboard_from_machine_max": 200_000 });
    let mut viewer = opened(&gateway, &host, permissions).await;
    let got = within(
        "what fits",
        ANSWERED,
        viewer.socket.source.read_exact(fits.len()),
    )
    .await;
    assert_eq!(got, Ok(fits));
    let after = gateway.process().resident_bytes();
    assert!(after < before + MEMORY, "{before} {after}");
}

async fn mint(gateway: &TestGateway, host: std::net::SocketAddr, permissions: Value) -> Minted {
    let order = json!({
        "target": target(host),
        "credentials": { "password": PASSWORD },
        "permissions": permissions,
    });
    gateway.mint(&order).await
}

/// Whether a viewer was given this text, in either form.
fn has(viewer: &Viewer, text: &str) -> bool {
    viewer.cut_texts.iter().any(|(len, got)| {
        if *len >= 0 {
            return got == text.as_bytes();
        }
        let mut inflated = Vec::new();
        // The stream is flushed and has no end.
        let _ = ZlibDecoder::new(&got[4..]).read_to_end(&mut inflated);
        inflated.get(4..) == Some(&[text.as_bytes(), b"\0"].concat()[..])
    })
}

/// Whether the machine has sent a message of the extended clipboard with this action since it was
/// last looked at.
fn takes(viewer: &mut Viewer, action: u8) -> bool {
    let mut taken = false;
    viewer.cut_texts.retain(|(len, got)| {
        let is_it = *len < 0 && got[0] == action;
        taken |= is_it;
        !is_it
    });
    taken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_clipboard_goes_the_permitted_ways_and_no_other() {
    const TEXT: u32 = 1;
    const CAPS: u32 = 1 << 24;
    const REQUEST: u32 = 1 << 25;
    const NOTIFY: u32 = 1 << 27;
    const PROVIDE: u32 = 1 << 28;
    let server = Xvnc::start(PASSWORD).await;
    let address = server.address(Family::V4);
    let dir = tempfile::tempdir().unwrap();
    let gateway = TestGateway::start().await;
    // Whom the machine tells everything: then it has told the others as well.
    let minted = mint(&gateway, address, json!({})).await;
    let mut witness = Viewer::open(&gateway, &minted).await.unwrap();
    witness.ask_for_raw().await;
    let mut owners = Vec::new();
    for (case, (ways, extended_form)) in ["none", "to_machine", "from_machine", "both"]
        .into_iter()
        .flat_map(|ways| [(ways, false), (ways, true)])
        .enumerate()
    {
        let name = format!("{ways}, extended: {extended_form}");
        let (to, from) = (
            ["to_machine", "both"].contains(&ways),
            ["from_machine", "both"].contains(&ways),
        );
        // A bound, so that the machine's words are looked at in every case.
        let permissions = json!({ "clipboard": ways, "clipboard_from_machine_max": 1000 });
        let permissions = if from {
            permissions
        } else {
            json!({ "clipboard": ways })
        };
        let minted = mint(&gateway, address, permissions).await;
        let mut viewer = Viewer::open(&gateway, &minted).await.unwrap();
        let encodings = if extended_form {
            &LISTED[..]
        } else {
            &LISTED[..1]
        };
        viewer.ask_for(encodings).await;
        viewer.fetch().await;
        assert_eq!(
            takes(&mut viewer, 0x1f),
            extended_form && (to || from),
            "{name}: what the machine can do: {:?}",
            viewer.cut_texts
        );
        if extended_form {
            let all = 0x1e00_0000 | CAPS | TEXT;
            let caps = extended(6, all, &[0; 4]);
            viewer.socket.sink.binary(&caps).await.unwrap();
        }

        let from_machine = format!("machine-{case}");
        owners.push(copy(&server.display, dir.path(), &from_machine));
        until("the machine tells of its text", ANSWERED, async || {
            witness.fetch().await;
            has(&witness, &from_machine)
                .then_some(())
                .ok_or(String::new())
        })
        .await;
        viewer.fetch().await;
        if extended_form {
            // Also who was told of nothing may ask.
            let told = takes(&mut viewer, 0x08);
            assert_eq!(told, from, "{name}: {:?}", viewer.cut_texts);
            let request = extended(6, REQUEST | TEXT, &[]);
            viewer.socket.sink.binary(&request).await.unwrap();
        }
        if from {
            until("the text from the machine", ANSWERED, async || {
                viewer.fetch().await;
                let seen = format!("{name}: {:?}", viewer.cut_texts);
                has(&viewer, &from_machine).then_some(()).ok_or(seen)
            })
            .await;
        } else {
            viewer.fetch().await;
            assert_eq!(viewer.cut_texts, [], "{name}");
        }

        let from_viewer = format!("viewer-{case}");
        let message = if extended_form {
            extended(6, NOTIFY | TEXT, &[])
        } else {
            let text = from_viewer.as_bytes();
            [&[6, 0, 0, 0], &(text.len() as u32).to_be_bytes()[..], text].concat()
        };
        viewer.socket.sink.binary(&message).await.unwrap();
        viewer.fetch().await;
        let provide = extended(
            6,
            PROVIDE | TEXT,
            &deflated(&[from_viewer.as_bytes(), b"\0"].concat()),
        );
        let pasted = paste(&server.display, dir.path(), &format!("pasted-{case}"));
        let pasted = pasted
            .text(async || {
                viewer.fetch().await;
                if takes(&mut viewer, 0x02) {
                    viewer.socket.sink.binary(&provide).await.unwrap();
                }
            })
            .await;
        let expected = if to { &from_viewer } else { &from_machine };
        assert_eq!(pasted, *expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_picture_is_right_where_the_host_is_looked_at() {
    let machine = Qemu::start(Family::V4, PASSWORD).await;
    let gateway = TestGateway::start().await;
    let minted = mint(&gateway, machine.address, json!({ "clipboard": "none" })).await;
    let browser = Chromium::start().await;
    browser.open(&minted.url).await;
    assert_eq!(browser.reaches("connected").await, "");
    browser.shows(&guest::picture(), "the picture").await;
    browser.type_text("fanlight").await;
    machine.typed("fanlight").await;
    let typed = machine.screendump().await;
    browser.shows(&typed, "what was typed").await;
    browser.click("Disconnect").await;
    let end = gateway.session_end().await;
    assert_eq!(end.text("reason"), "browser_closed");
}
