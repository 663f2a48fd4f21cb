//! A real Redis, on a port of its own, that can be stopped and started again.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use fanlight::store::redis::{Params, Redis};
use fanlight::store::{LEASE, Store};
use tempfile::TempDir;

use super::net::{self, Family, free_port};
use super::process::Process;
use super::wait::until;

/// How long it may take to listen or to answer, on a busy test machine.
const DEADLINE: Duration = Duration::from_secs(15);

/// A running server that keeps everything in memory, ended on drop.
pub struct RedisServer {
    process: Option<Process>,
    /// Its port on 127.0.0.1: the one with TLS, if it has one.
    pub port: u16,
    options: Vec<String>,
    dir: TempDir,
}

impl RedisServer {
    /// Starts it with further options; `PORT` in them stands for its port.
    pub async fn start(options: &[&str]) -> Self {
        let mut server = Self {
            process: None,
            port: 0,
            options: options.iter().map(|it| (*it).to_owned()).collect(),
            dir: tempfile::tempdir().unwrap(),
        };
        // Somebody else may be faster to take the port.
        for _ in 0..5 {
            server.port = free_port();
            if server.try_again().await {
                return server;
            }
        }
        panic!("redis-server does not start:\n{}", server.output());
    }

    /// Starts it once more, at the same port and with nothing in it.
    pub async fn again(&mut self) {
        until("redis-server starts again", DEADLINE, async || {
            if self.try_again().await {
                Ok(())
            } else {
                Err(self.output())
            }
        })
        .await;
    }

    async fn try_again(&mut self) -> bool {
        let port = self.port.to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        if !self.options.iter().any(|it| it == "PORT") {
            command.args(["--port", &port]);
        }
        let options = self.options.iter();
        command.args(options.map(|it| if it == "PORT" { &port } else { it }));
        command.current_dir(self.dir.path());
        let mut process = Process::spawn(&mut command, &self.dir.path().join("log"));
        let address = (Family::V4.loopback().ip(), self.port).into();
        let listens = until("redis-server listens", DEADLINE, async || {
            if process.ended().is_some() {
                return Ok(false);
            }
            let connected = net::try_connect(address).await;
            connected.map(|_| true).map_err(|error| error.to_string())
        })
        .await;
        self.process = listens.then_some(process);
        listens
    }

    fn output(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Ends it without a word, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.signal("KILL");
        }
    }

    /// Lets it hang: connections stay, and nothing is answered.
    pub fn hang(&self) {
        self.process.as_ref().unwrap().signal("STOP");
    }

    /// Lets it go on.
    pub fn go_on(&self) {
        self.process.as_ref().unwrap().signal("CONT");
    }

    /// How a gateway talks to it.
    pub fn params(&self) -> Params {
        Params {
            url: format!("redis://127.0.0.1:{}", self.port),
            username: None,
            password: None,
            ca: None,
            prefix: "fanlight:".to_owned(),
            timeout: Duration::from_secs(5),
            lease: LEASE,
            gateway: "one".to_owned(),
        }
    }

    /// A store that answers and hears.
    pub async fn store(&self) -> Arc<Redis> {
        open(&self.params()).await
    }

    /// A connection past all stores.
    pub async fn connection(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.params().url).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }
}

/// A store that answers and hears.
pub async fn open(params: &Params) -> Arc<Redis> {
    let store = Arc::new(Redis::open(params).unwrap());
    answers(&store).await;
    store
}

/// Waits until a store answers and hears.
pub async fn answers(store: &Redis) {
    until("the store answers", DEADLINE, async || {
        store.check().await.map_err(|away| away.to_string())
    })
    .await;
}
