//! A real Chromium, driven by `tests/browser/console.mjs`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::sync::Mutex;

use super::picture::Picture;
use super::process::Process;
use super::wait::{until, within};

/// How long Chromium may take to start or to answer, on a busy test machine.
const ANSWER: Duration = Duration::from_secs(40);
/// How long a page may take to get somewhere.
pub const SHOWN: Duration = Duration::from_secs(15);

/// A running browser with at most one window, ended on drop. What is told goes to one of its tabs.
pub struct Chromium {
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    process: Process,
    dir: TempDir,
}

/// All that is known about the page.
#[derive(Debug)]
pub struct Report {
    /// The address bar.
    pub href: String,
    /// The tab's title.
    pub title: String,
    /// What a person can read.
    pub text: String,
    /// `data-state` of the root element.
    pub state: String,
    /// `data-reason` of the root element.
    pub reason: String,
    /// Cookies and both storages.
    pub stored: String,
    /// Requests and WebSockets in order: kind and URL.
    pub network: Vec<(String, String)>,
    /// The first byte of each frame that its WebSockets have sent.
    pub sent: Vec<u8>,
    /// Errors and warnings on the console, among them violations of the content security policy.
    pub problems: Vec<String>,
    /// Every address that the page has had.
    pub addresses: Vec<String>,
}

impl Chromium {
    /// Starts the browser.
    pub async fn start() -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
        let modules = here.join("node_modules/playwright-core");
        assert!(
            modules.is_dir(),
            "no {modules:?}; `make test` runs `npm ci` there"
        );
        let dir = tempfile::tempdir().unwrap();
        let mut command = Command::new("node");
        command.arg(here.join("console.mjs"));
        let mut process = Process::spawn_piped(&mut command, &dir.path().join("log"));
        let (stdin, stdout) = process.pipes();
        let stdin = ChildStdin::from_std(stdin).unwrap();
        let stdout = BufReader::new(ChildStdout::from_std(stdout).unwrap());
        let browser = Self {
            pipes: Mutex::new((stdin, stdout)),
            process,
            dir,
        };
        let hello = browser.answer(&mut *browser.pipes.lock().await).await;
        assert!(hello.get("ready").is_some(), "{hello}");
        browser
    }

    /// Opens a page; answers with the HTTP status and the headers.
    pub async fn open(&self, url: &str) -> Value {
        self.tell(json!({ "do": "open", "url": url })).await
    }

    /// Opens a page in a further tab of the same window, and turns to it.
    pub async fn open_tab(&self, url: &str) -> Value {
        self.tell(json!({ "do": "tab", "url": url })).await
    }

    /// Duplicates the tab with its session storage, and turns to the copy.
    pub async fn duplicate_tab(&self) {
        self.tell(json!({ "do": "duplicate" })).await;
    }

    /// Turns to the tab that was opened as the `index`th, from 0.
    pub async fn turn_to_tab(&self, index: usize) {
        self.tell(json!({ "do": "turn", "index": index })).await;
    }

    /// Loads the page again; answers with the HTTP status.
    pub async fn reload(&self) -> Value {
        self.tell(json!({ "do": "reload" })).await
    }

    /// Opens a page in a window of another size.
    pub async fn open_sized(&self, url: &str, width: u32, height: u32) -> Value {
        self.tell(json!({ "do": "open", "url": url, "width": width, "height": height }))
            .await
    }

    /// Waits until the console page has this state; answers with the reason it shows.
    pub async fn reaches(&self, state: &str) -> String {
        let wait = json!({
            "do": "state",
            "states": [state],
            "timeout": SHOWN.as_millis() as u64,
        });
        let data = self.tell(wait).await;
        if data["state"] != state {
            panic!("{state} never came: {data}; {:#?}", self.report().await);
        }
        data["reason"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a person can read `text`.
    pub async fn reads(&self, text: &str) {
        let wait = json!({ "do": "reads", "text": text, "timeout": SHOWN.as_millis() as u64 });
        let shown = self.tell(wait).await;
        let shown = shown["text"].as_str().unwrap();
        assert!(shown.contains(text), "{text:?} is not in {shown:?}");
    }

    /// All that is known about the page.
    pub async fn report(&self) -> Report {
        let data = self.tell(json!({ "do": "report" })).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let list = |name: &str| data[name].as_array().unwrap().clone();
        let network = list("network").into_iter();
        Report {
            href: text(&data["href"]),
            title: text(&data["title"]),
            text: text(&data["text"]),
            state: text(&data["state"]),
            reason: text(&data["reason"]),
            stored: text(&data["stored"]),
            network: network
                .map(|e| (text(&e["kind"]), text(&e["url"])))
                .collect(),
            sent: list("sent")
                .iter()
                .map(|b| b.as_u64().unwrap() as u8)
                .collect(),
            problems: list("problems").iter().map(text).collect(),
            addresses: list("addresses").iter().map(text).collect(),
        }
    }

    /// The canvas, pixel for pixel, if there is one.
    pub async fn canvas(&self) -> Option<Picture> {
        let file = self.dir.path().join("canvas.png");
        let answer = self.tell(json!({ "do": "canvas", "file": file })).await;
        let there = answer["there"] == true;
        there.then(|| Picture::from_png(&std::fs::read(&file).unwrap()))
    }

    /// Waits until the canvas shows exactly this picture.
    pub async fn shows(&self, picture: &Picture, what: &str) {
        until(what, SHOWN, async || match self.canvas().await {
            Some(canvas) => canvas.difference(picture).map_or(Ok(()), Err),
            None => Err("no canvas".to_owned()),
        })
        .await;
    }

    /// Types a text key by key.
    pub async fn type_text(&self, text: &str) {
        self.tell(json!({ "do": "type", "text": text })).await;
    }

    /// Presses one key or chord, such as `Enter` or `Control+a`.
    pub async fn press(&self, key: &str) {
        self.tell(json!({ "do": "press", "key": key })).await;
    }

    /// Puts one key down and leaves it there.
    pub async fn hold(&self, key: &str) {
        self.tell(json!({ "do": "down", "key": key })).await;
    }

    /// Kills the browser with all its processes, which are a group, and not what drives it.
    pub fn kill(&self) {
        let driver = self.process.id();
        let path = format!("/proc/{driver}/task/{driver}/children");
        let children = std::fs::read_to_string(path).unwrap();
        let browsers: Vec<&str> = children.split_whitespace().collect();
        assert!(!browsers.is_empty(), "the driver has no browser");
        for browser in browsers {
            let script = ["-c", "kill -KILL \"-$0\"", browser];
            let killed = Command::new("sh").args(script).status().unwrap();
            assert!(killed.success(), "{browser}");
        }
    }

    /// Clicks the button that has this name for a person.
    pub async fn click(&self, name: &str) {
        self.tell(json!({ "do": "click", "name": name })).await;
    }

    /// Clicks into the middle of the machine's screen.
    pub async fn click_screen(&self) {
        self.tell(json!({ "do": "clickScreen" })).await;
    }

    /// Sets noVNC's own `viewOnly` by a script; what it was before.
    pub async fn set_view_only(&self, on: bool) -> bool {
        let data = self.tell(json!({ "do": "viewOnly", "on": on })).await;
        data["before"].as_bool().unwrap()
    }

    /// The names of the buttons that can be seen.
    pub async fn buttons(&self) -> Vec<String> {
        let data = self.tell(json!({ "do": "buttons" })).await;
        let names = data["names"].as_array().unwrap().iter();
        names.map(|n| n.as_str().unwrap().to_owned()).collect()
    }

    /// Takes a picture of the page for a person: `target/screenshots/NAME.png`.
    pub async fn screenshot(&self, name: &str) {
        let file = screenshots().join(format!("{name}.png"));
        self.tell(json!({ "do": "screenshot", "file": file })).await;
    }

    /// Gives one command and waits for what it answers.
    async fn tell(&self, command: Value) -> Value {
        let mut pipes = self.pipes.lock().await;
        pipes
            .0
            .write_all(format!("{command}\n").as_bytes())
            .await
            .unwrap();
        let mut answer = self.answer(&mut pipes).await;
        match answer.get_mut("ok") {
            Some(value) => value.take(),
            None => panic!("{command}: {answer}"),
        }
    }

    async fn answer(&self, pipes: &mut (ChildStdin, BufReader<ChildStdout>)) -> Value {
        let mut line = String::new();
        within("the browser answers", ANSWER, pipes.1.read_line(&mut line))
            .await
            .unwrap();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}\n{}", self.process.output()))
    }
}

/// Where pictures for people land: `target/screenshots`.
pub fn screenshots() -> PathBuf {
    // CARGO_TARGET_TMPDIR is `target/tmp`.
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("screenshots")
}
