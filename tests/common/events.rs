//! What happens to sessions, as the API's stream of events tells it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::gateway::TestGateway;
use super::net::{Stream, connect_as};
use super::wait::within;

/// Reads a stream of events as it comes.
pub struct Events {
    stream: Box<dyn Stream>,
    text: String,
}

impl Events {
    /// Listens from now on; `query` chooses.
    pub async fn open(gateway: &TestGateway, query: &str) -> Self {
        let path = format!("/api/v1/sessions/events{query}");
        let request = gateway.api("GET", &path).to_bytes();
        let mut stream = connect_as(gateway.address, gateway.trust()).await;
        stream.write_all(&request).await.unwrap();
        let text = String::new();
        let mut events = Self { stream, text };
        let answered = Duration::from_secs(20);
        events.until(": listening\n\n", answered).await;
        events
    }

    /// Reads until `text` has come, and gives what was before it.
    pub async fn until(&mut self, text: &str, deadline: Duration) -> String {
        within(text, deadline, async {
            loop {
                if let Some(at) = self.text.find(text) {
                    let mut before: String = self.text.drain(..at + text.len()).collect();
                    before.truncate(at);
                    return before;
                }
                let mut bytes = vec![0; 4096];
                let count = self.stream.read(&mut bytes).await.unwrap();
                assert!(count > 0, "no {text:?} in {:?}", self.text);
                self.text += str::from_utf8(&bytes[..count]).unwrap();
            }
        })
        .await
    }

    /// Reads to the end of the answer.
    pub async fn end(&mut self, deadline: Duration) {
        self.until("0\r\n\r\n", deadline).await;
    }
}
