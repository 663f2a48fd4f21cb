//! The clipboard of an X display, by way of xterm's OSC 52.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use data_encoding::BASE64;

use super::process::Process;
use super::wait::until;

/// How long xterm may take to start and to be given a text, on a busy test machine.
const PASTED: Duration = Duration::from_secs(20);

/// A window that asks for the clipboard.
pub struct Paste {
    xterm: Process,
    got: PathBuf,
}

/// Puts a text into the clipboard, for as long as the window is there: it closes on drop.
pub fn copy(display: &str, dir: &Path, text: &str) -> Process {
    let text = BASE64.encode(text.as_bytes());
    xterm(
        display,
        dir,
        &format!("printf '\\033]52;c;{text}\\007'; exec sleep 600"),
    )
}

/// Asks for the text in the clipboard. `name` is for this question alone.
pub fn paste(display: &str, dir: &Path, name: &str) -> Paste {
    let script = format!("stty raw -echo; printf '\\033]52;c;?\\007'; exec cat > {name}");
    Paste {
        xterm: xterm(display, dir, &script),
        got: dir.join(name),
    }
}

impl Paste {
    /// The answer, while `meanwhile` goes on.
    pub async fn text(mut self, mut meanwhile: impl AsyncFnMut()) -> String {
        until("the clipboard is pasted", PASTED, async || {
            self.xterm.must_run();
            meanwhile().await;
            let got = std::fs::read_to_string(&self.got).unwrap_or_default();
            let text = got.strip_prefix("\x1b]52;c;");
            let text = text.and_then(|text| text.strip_suffix('\x07'));
            let text = text.and_then(|text| BASE64.decode(text.as_bytes()).ok());
            text.and_then(|text| String::from_utf8(text).ok())
                .ok_or(got)
        })
        .await
    }
}

fn xterm(display: &str, dir: &Path, script: &str) -> Process {
    let mut command = Command::new("xterm");
    command.current_dir(dir);
    command.args(["-display", display, "-geometry", "20x2+0+0"]);
    command.args([
        "-xrm",
        "XTerm*allowWindowOps: true",
        "-e",
        "sh",
        "-c",
        script,
    ]);
    Process::spawn(&mut command, &dir.join("xterm.log"))
}
