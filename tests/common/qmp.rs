//! QEMU's machine protocol, as far as the tests talk to QEMU.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::wait::within;

/// How long QEMU may take over one command.
const ANSWER: Duration = Duration::from_secs(5);

/// A connection to a machine's monitor.
pub struct Qmp {
    answers: BufReader<OwnedReadHalf>,
    commands: OwnedWriteHalf,
}

impl Qmp {
    /// Connects and leaves the negotiation mode.
    pub async fn connect(socket: &Path) -> std::io::Result<Self> {
        let (read, commands) = UnixStream::connect(socket).await?.into_split();
        let answers = BufReader::new(read);
        let mut qmp = Self { answers, commands };
        qmp.next().await;
        qmp.run("qmp_capabilities", json!({})).await;
        Ok(qmp)
    }

    /// Runs a command and gives what it returns. Panics if QEMU refuses it.
    pub async fn run(&mut self, command: &str, arguments: Value) -> Value {
        let line = json!({ "execute": command, "arguments": arguments });
        self.commands
            .write_all(format!("{line}\n").as_bytes())
            .await
            .unwrap();
        loop {
            let mut answer = self.next().await;
            if let Some(value) = answer.get_mut("return") {
                return value.take();
            }
            assert!(answer.get("event").is_some(), "{command}: {answer}");
        }
    }

    async fn next(&mut self) -> Value {
        let mut line = String::new();
        let read = self.answers.read_line(&mut line);
        within("QEMU answers", ANSWER, read).await.unwrap();
        serde_json::from_str(&line).unwrap()
    }
}
