//! Somebody who takes HTTP requests, such as a webhook's, and keeps what came.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use super::fake_host::{FakeHost, Line};
use super::net::Family;

/// What came with one request.
#[derive(Clone)]
pub struct Told {
    pub head: String,
    pub body: Vec<u8>,
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.head, self.body.escape_ascii())
    }
}

/// A receiver, for as long as it is held.
pub struct Receiver {
    _host: FakeHost,
    pub address: SocketAddr,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Receiver {
    /// Answers the first requests with these statuses, and all others with `then`.
    pub async fn start(statuses: &[u16], then: u16) -> Self {
        let statuses = statuses.to_vec();
        Self::answering(move |number| {
            let status = statuses.get(number).copied().unwrap_or(then);
            format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n")
        })
        .await
    }

    /// Answers each request by its number, from 0 on.
    pub async fn answering(answer: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        let told = Arc::<Mutex<Vec<Told>>>::default();
        let (book, answer) = (Arc::clone(&told), Arc::new(answer));
        let host = FakeHost::serve(Family::V4, move |mut line| {
            let (book, answer) = (Arc::clone(&book), Arc::clone(&answer));
            async move {
                let request = read_request(&mut line).await;
                let number = {
                    let mut book = book.lock().unwrap();
                    book.push(request);
                    book.len() - 1
                };
                line.send(answer(number).as_bytes()).await;
            }
        })
        .await;
        Self {
            address: host.address,
            _host: host,
            told,
        }
    }

    /// What has come so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

async fn read_request(line: &mut Line) -> Told {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(line.read(1).await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let length = head
        .lines()
        .find_map(|it| it.strip_prefix("content-length: "))
        .unwrap();
    let body = line.read(length.parse().unwrap()).await.unwrap();
    Told { head, body }
}
