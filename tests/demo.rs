//! `fanlight demo` as a newcomer meets it: a URL, a picture that lives, keys that are echoed, and an
//! end with Ctrl-C.
#![allow(
    clippy::unwrap_used,
    reason = "a test that meets something unexpected stops and says where"
)]

mod common;

use std::process::Command;
use std::time::Duration;

use common::chromium::Chromium;
use common::process::Process;
use common::wait::until;

const PATIENCE: Duration = Duration::from_secs(15);

#[tokio::test]
async fn the_demo_shows_a_machine_that_lives() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    command.args(["demo", "--listen", "127.0.0.1:0"]);
    // Neither a configuration nor the environment has a say.
    command
        .env("FANLIGHT_LISTEN", "192.0.2.1:1")
        .current_dir(dir.path());
    let mut demo = Process::spawn(&mut command, &dir.path().join("output"));
    let url = until("the URL is printed", PATIENCE, async || {
        let printed = demo.output();
        let url = printed
            .split_whitespace()
            .find(|word| word.contains("/novnc?token="));
        url.map(str::to_owned).ok_or(printed.clone())
    })
    .await;

    let browser = Chromium::start().await;
    browser.open(&url).await;
    browser.reaches("connected").await;
    let first = picture(&browser).await;
    until("the picture moves by itself", PATIENCE, async || {
        first
            .difference(&picture(&browser).await)
            .ok_or("the same".to_owned())
    })
    .await;
    browser.type_text("hello").await;
    browser.screenshot("demo").await;
    let report = browser.report().await;
    assert!(
        report.title.contains("Fanlight demo machine"),
        "{}",
        report.title
    );
    assert!(!report.href.contains("token"), "{}", report.href);
    assert_eq!(report.problems, Vec::<String>::new());

    // The URL works for as long as is said, and not for one browser alone.
    let other = Chromium::start().await;
    other.open(&url).await;
    other.reaches("connected").await;

    demo.terminate();
    let status = until("the demo ends", PATIENCE, async || {
        demo.ended().ok_or(demo.output())
    })
    .await;
    assert!(status.success(), "{status}: {}", demo.output());
    browser.reaches("reconnecting").await;
}

async fn picture(browser: &Chromium) -> common::picture::Picture {
    browser.canvas().await.unwrap()
}
