//! A well-behaved RFB server for the other end of the relay, in the three published versions.

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::fake_host::{FakeHost, Line};
use super::net::Family;
use super::vnc_auth;

/// What the server is like.
#[derive(Clone, Debug)]
pub struct Manners {
    /// The minor version: 3, 7 or 8.
    pub minor: u8,
    /// The password that it asks for, if any.
    pub password: Option<&'static str>,
    /// The framebuffer's name.
    pub name: &'static str,
    /// Width and height in pixels.
    pub size: (u16, u16),
}

impl Default for Manners {
    fn default() -> Self {
        Self {
            minor: 8,
            password: None,
            name: "a well-behaved host",
            size: (64, 48),
        }
    }
}

/// The challenge of this server: any will do.
pub const CHALLENGE: [u8; 16] = *b"sixteen octets..";

impl Manners {
    /// Asks for a password.
    pub fn with_password(password: &'static str) -> Self {
        Self {
            password: Some(password),
            ..Self::default()
        }
    }

    /// A host that greets, then keeps the connection and listens.
    pub async fn host(self, family: Family) -> FakeHost {
        self.host_then(family, async |mut line| line.read_to_end().await)
            .await
    }

    /// A host that greets, then passes on what it is told, in messages of 8 bytes as keys are.
    pub async fn host_of_keys(self, family: Family) -> (FakeHost, UnboundedReceiver<Vec<u8>>) {
        let (told, heard) = unbounded_channel();
        let host = self.host_then(family, move |mut line| {
            let told = told.clone();
            async move {
                while let Some(message) = line.read(8).await {
                    if told.send(message).is_err() {
                        break;
                    }
                }
            }
        });
        (host.await, heard)
    }

    /// A host that greets, then does `then` with the connection.
    pub async fn host_then<F, Served>(self, family: Family, then: F) -> FakeHost
    where
        F: Fn(Line) -> Served + Clone + Send + 'static,
        Served: Future<Output = ()> + Send + 'static,
    {
        FakeHost::serve(family, move |mut line| {
            let (manners, then) = (self.clone(), then.clone());
            async move {
                if manners.greet(&mut line).await.is_some() {
                    then(line).await;
                }
            }
        })
        .await
    }

    /// The whole handshake; `None` when the gateway leaves or fails the challenge.
    pub async fn greet(&self, line: &mut Line) -> Option<()> {
        self.greet_then(line, || {}).await
    }

    /// The same, with something to do just before the gateway is let in.
    pub async fn greet_then(&self, line: &mut Line, let_in: impl FnOnce()) -> Option<()> {
        line.send(format!("RFB 003.00{}\n", self.minor).as_bytes())
            .await;
        let answer = line.read(12).await?;
        assert_eq!(answer, format!("RFB 003.00{}\n", self.minor).as_bytes());
        let wanted = if self.password.is_some() { 2 } else { 1 };
        if self.minor == 3 {
            line.send(&[0, 0, 0, wanted]).await;
        } else {
            line.send(&[1, wanted]).await;
            assert_eq!(line.read(1).await?, [wanted]);
        }
        if let Some(password) = self.password {
            line.send(&CHALLENGE).await;
            let response = line.read(16).await?;
            if response != vnc_auth::response(password.as_bytes(), CHALLENGE) {
                line.send(&refusal(self.minor)).await;
                return None;
            }
        }
        let_in();
        if self.password.is_some() || self.minor == 8 {
            line.send(&[0; 4]).await;
        }
        assert_eq!(line.read(1).await?, [1], "always shared");
        line.send(&server_init(self.size, self.name)).await;
        Some(())
    }
}

/// The SecurityResult for a wrong password.
fn refusal(minor: u8) -> Vec<u8> {
    let mut bytes = vec![0, 0, 0, 1];
    if minor == 8 {
        bytes.extend_from_slice(&text(b"Authentication failed"));
    }
    bytes
}

/// A text behind its length of 4 bytes.
pub fn text(text: &[u8]) -> Vec<u8> {
    let mut bytes = (text.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(text);
    bytes
}

/// ServerInit (RFC 6143, 7.3.2) with 32-bit little-endian pixels.
pub fn server_init((width, height): (u16, u16), name: &str) -> Vec<u8> {
    let mut bytes = width.to_be_bytes().to_vec();
    bytes.extend_from_slice(&height.to_be_bytes());
    bytes.extend_from_slice(&[32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0]);
    bytes.extend_from_slice(&text(name.as_bytes()));
    bytes
}
