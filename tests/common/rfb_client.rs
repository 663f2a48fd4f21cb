//! Enough RFB for a test to be the browser: 3.8 with None, Raw pictures, keys.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::gateway::{Minted, TestGateway};
use super::http::Request;
use super::net::try_connect;
use super::picture::Picture;
use super::vnc_auth;
use super::websocket::{End, Source, WebSocket};

/// The refusal that a viewer shows: what RFB said, and how the WebSocket closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The RFB failure reason, when one came.
    pub words: Option<String>,
    /// How the WebSocket ended.
    pub end: End,
}

/// A connected viewer.
pub struct Viewer {
    /// The WebSocket below.
    pub socket: WebSocket,
    /// The framebuffer's name from ServerInit.
    pub name: String,
    /// The screen as far as it has arrived.
    pub screen: Picture,
    /// Every ServerCutText so far: its signed length, and all that it has.
    pub cut_texts: Vec<(i32, Vec<u8>)>,
    /// How often EndOfContinuousUpdates was said.
    pub offers: usize,
    /// The payloads of fences that want an answer and have none.
    pub fences: Vec<Vec<u8>>,
}

/// Raw, DesktopSize and the cursor: with the last one servers leave the pointer out of the picture.
const ENCODINGS: [i32; 3] = [0, -223, -239];

impl Viewer {
    /// Opens a console as our own page does.
    pub async fn open(gateway: &TestGateway, minted: &Minted) -> Result<Self, Refusal> {
        let path = minted.websocket_path();
        let socket = WebSocket::open(gateway, path, &minted.page_protocols()).await;
        let socket = socket.unwrap_or_else(|r| panic!("{} {}", r.status, r.text()));
        assert_eq!(socket.protocol.as_deref(), Some("fanlight.1"));
        Self::handshake(socket).await
    }

    /// Opens a console as our own page does after asking the person for a password.
    pub async fn open_asked(
        gateway: &TestGateway,
        minted: &Minted,
        password: &str,
    ) -> Result<Self, Refusal> {
        let path = minted.websocket_path();
        let socket = WebSocket::open(gateway, path, &minted.page_protocols()).await;
        let socket = socket.unwrap_or_else(|r| panic!("{} {}", r.status, r.text()));
        Self::greeted(socket, Some(password)).await
    }

    /// The same at another address than the gateway's, such as a proxy's, where it may fail: with the
    /// protocols of a token or of a resume secret.
    pub async fn open_at(
        address: SocketAddr,
        minted: &Minted,
        protocols: &[String],
    ) -> Result<Self, String> {
        let stream = try_connect(address).await;
        let stream = stream.map_err(|error| error.to_string())?;
        Self::open_over(stream, address, minted, protocols).await
    }

    /// The same over a connection to that address.
    pub async fn open_over(
        stream: TcpStream,
        address: SocketAddr,
        minted: &Minted,
        protocols: &[String],
    ) -> Result<Self, String> {
        let request = Request::get(address, minted.websocket_path())
            .header("sec-websocket-protocol", &protocols.join(", "));
        let socket = WebSocket::upgrade(Box::new(stream), request, &[]).await;
        let socket = socket.map_err(|refused| format!("HTTP {}", refused.status))?;
        let viewer = Self::handshake(socket).await;
        viewer.map_err(|refusal| format!("{refusal:?}"))
    }

    /// Continues a session as our own page does after a loss.
    pub async fn resume(
        gateway: &TestGateway,
        minted: &Minted,
        secret: &str,
    ) -> Result<Self, Refusal> {
        let secret = format!("fanlight.resume.{secret}");
        let protocols = ["binary".to_owned(), "fanlight.1".to_owned(), secret];
        let socket = WebSocket::open(gateway, minted.websocket_path(), &protocols).await;
        let socket = socket.unwrap_or_else(|r| panic!("{} {}", r.status, r.text()));
        Self::handshake(socket).await
    }

    /// The secret with which the page would come back.
    pub fn resume_secret(&self) -> String {
        let messages = self.socket.source.texts.iter();
        let messages =
            messages.map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap());
        let secret = messages
            .filter_map(|message| message["resume"].as_str().map(str::to_owned))
            .next_back();
        secret.expect("the page is told a resume secret")
    }

    /// Whether the page was told something of a type.
    pub fn was_told(&self, wanted: &str) -> bool {
        let wanted = format!("\"type\":\"{wanted}\"");
        self.socket
            .source
            .texts
            .iter()
            .any(|it| it.contains(&wanted))
    }

    /// Reads on until the page is told something of a type.
    pub async fn told(&mut self, wanted: &str) -> serde_json::Value {
        let mut read = 0;
        loop {
            for text in &self.socket.source.texts[read..] {
                let message: serde_json::Value = serde_json::from_str(text).unwrap();
                if message["type"] == wanted {
                    return message;
                }
            }
            read = self.socket.source.texts.len();
            let end = self.socket.source.end.clone();
            assert_eq!(end, None, "the page was never told {wanted}");
            self.socket.source.next_frame().await;
        }
    }

    /// Opens a console as a stock client does: the token in the query.
    pub async fn open_stock(gateway: &TestGateway, minted: &Minted) -> Result<Self, Refusal> {
        let protocols = ["binary".to_owned()];
        let socket = WebSocket::open(gateway, &minted.stock_path(), &protocols).await;
        let socket = socket.unwrap_or_else(|r| panic!("{} {}", r.status, r.text()));
        assert_eq!(socket.protocol.as_deref(), Some("binary"));
        Self::handshake(socket).await
    }

    /// Does the handshake, up to ServerInit or a refusal.
    pub async fn handshake(socket: WebSocket) -> Result<Self, Refusal> {
        Self::greeted(socket, None).await
    }

    async fn greeted(mut socket: WebSocket, password: Option<&str>) -> Result<Self, Refusal> {
        match Self::greet(&mut socket, password).await {
            Ok(Ok((name, screen))) => Ok(Self {
                socket,
                name,
                screen,
                cut_texts: Vec::new(),
                offers: 0,
                fences: Vec::new(),
            }),
            Ok(Err(words)) => Err(Refusal {
                words: Some(words),
                end: socket.end().await,
            }),
            Err(end) => Err(Refusal { words: None, end }),
        }
    }

    /// The handshake's steps: the inner error is RFB's own failure reason.
    async fn greet(
        socket: &mut WebSocket,
        password: Option<&str>,
    ) -> Result<Result<(String, Picture), String>, End> {
        // The version line has a frame of its own: noVNC stalls on anything behind it.
        let first = socket.source.next_binary().await;
        let first = first.ok_or_else(|| socket.source.end.clone().unwrap_or(End::Gone))?;
        assert_eq!(first, b"RFB 003.008\n", "the version line alone");
        let _ = socket.sink.binary(b"RFB 003.008\n").await;
        let source = &mut socket.source;
        let types = source.read_exact(1).await?[0];
        if types == 0 {
            return Ok(Err(read_text(source).await?));
        }
        let offered = source.read_exact(1).await?[0];
        match (offered, password) {
            // A host that asks for nothing leaves nothing to relay.
            (1, _) => {
                assert_eq!(types, 1, "None and nothing else");
                let _ = socket.sink.binary(&[1]).await;
            }
            (2, Some(password)) => {
                assert_eq!(types, 1, "VNC authentication and nothing else");
                let _ = socket.sink.binary(&[2]).await;
                let challenge = source.read_exact(16).await?.try_into().unwrap();
                let response = vnc_auth::response(password.as_bytes(), challenge);
                let _ = socket.sink.binary(&response).await;
            }
            other => panic!("type {} is offered", other.0),
        }
        if source.read_u32().await? != 0 {
            return Ok(Err(read_text(source).await?));
        }
        let _ = socket.sink.binary(&[1]).await;
        let head = source.read_exact(20).await?;
        let name = read_text(source).await?;
        let (width, height) = (u16_at(&head, 0), u16_at(&head, 2));
        let screen = Picture::plain(width, height, [0; 3]);
        Ok(Ok((name, screen)))
    }

    /// Asks for 32-bit pixels in the order red, green, blue, as noVNC does, and for Raw.
    pub async fn ask_for_raw(&mut self) {
        self.ask_for(&ENCODINGS).await;
    }

    /// The same with other encodings.
    pub async fn ask_for(&mut self, encodings: &[i32]) {
        let format = [32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0];
        let mut message = vec![0, 0, 0, 0];
        message.extend_from_slice(&format);
        message.extend_from_slice(&[2, 0, 0, encodings.len() as u8]);
        for encoding in encodings {
            message.extend_from_slice(&encoding.to_be_bytes());
        }
        self.socket.sink.binary(&message).await.unwrap();
    }

    /// Asks for the screen, whole or what has changed since.
    pub async fn request(&mut self, incremental: bool) {
        self.try_request(incremental).await.unwrap();
    }

    /// The same, where the session may have ended.
    pub async fn try_request(&mut self, incremental: bool) -> Result<(), String> {
        let mut message = vec![3, u8::from(incremental), 0, 0, 0, 0];
        message.extend_from_slice(&(self.screen.width as u16).to_be_bytes());
        message.extend_from_slice(&(self.screen.height as u16).to_be_bytes());
        let sent = self.socket.sink.binary(&message).await;
        sent.map_err(|error| error.to_string())
    }

    /// Fetches the whole screen once.
    pub async fn fetch(&mut self) -> &Picture {
        self.request(false).await;
        self.update().await;
        &self.screen
    }

    /// Reads messages until one FramebufferUpdate is in the picture.
    pub async fn update(&mut self) {
        let drawn = self.try_update().await;
        drawn.unwrap_or_else(|end| panic!("the session ended: {end}"));
    }

    /// The same, where the session may end.
    pub async fn try_update(&mut self) -> Result<(), String> {
        while self.try_message().await? != 0 {}
        Ok(())
    }

    /// Reads one message; its type.
    pub async fn message(&mut self) -> u8 {
        let kind = self.try_message().await;
        kind.unwrap_or_else(|end| panic!("the session ended: {end}"))
    }

    async fn try_message(&mut self) -> Result<u8, String> {
        let kind = self.take(1).await?[0];
        match kind {
            0 => self.rectangles().await?,
            1 => {
                let count = u16_at(&self.take(5).await?, 3);
                self.take(6 * count).await?;
            }
            2 => {}
            3 => {
                let head = self.take(7).await?;
                let length = i32::from_be_bytes([head[3], head[4], head[5], head[6]]);
                let text = self.take(length.unsigned_abs() as usize).await?;
                self.cut_texts.push((length, text));
            }
            150 => self.offers += 1,
            248 => {
                let head = self.take(8).await?;
                assert_eq!(head[3] & 0x80, 0x80, "a fence wants an answer");
                let payload = self.take(head[7].into()).await?;
                self.fences.push(payload);
            }
            other => panic!("message {other} from the host"),
        }
        Ok(kind)
    }

    /// Answers all fences.
    pub async fn answer_fences(&mut self) {
        for payload in std::mem::take(&mut self.fences) {
            let head = [248, 0, 0, 0, 0, 0, 0, 3, payload.len() as u8];
            let answer = [&head[..], &payload].concat();
            self.socket.sink.binary(&answer).await.unwrap();
        }
    }

    /// Enables or disables continuous updates of the whole screen.
    pub async fn enable(&mut self, enable: bool) {
        let (width, height) = (self.screen.width as u16, self.screen.height as u16);
        let mut message = vec![150, u8::from(enable), 0, 0, 0, 0];
        message.extend_from_slice(&width.to_be_bytes());
        message.extend_from_slice(&height.to_be_bytes());
        self.socket.sink.binary(&message).await.unwrap();
    }

    async fn rectangles(&mut self) -> Result<(), String> {
        let count = u16_at(&self.take(3).await?, 1);
        for _ in 0..count {
            let head = self.take(12).await?;
            let [x, y, width, height] = [0, 2, 4, 6].map(|at| u16_at(&head, at));
            match i32::from_be_bytes([head[8], head[9], head[10], head[11]]) {
                0 => {
                    let pixels = self.take(4 * width * height).await?;
                    for (i, pixel) in pixels.chunks_exact(4).enumerate() {
                        let colour = [pixel[0], pixel[1], pixel[2]];
                        self.screen.set(x + i % width, y + i / width, colour);
                    }
                }
                -223 => self.screen = Picture::plain(width, height, [0; 3]),
                -239 => {
                    let mask = width.div_ceil(8) * height;
                    self.take(4 * width * height + mask).await?;
                }
                other => panic!("encoding {other} was not asked for"),
            }
        }
        Ok(())
    }

    async fn take(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let bytes = self.socket.source.read_exact(count).await;
        bytes.map_err(|end| format!("{end:?}"))
    }

    /// Presses and releases a key by its X keysym.
    pub async fn press(&mut self, keysym: u32) {
        self.key(keysym, true).await;
        self.key(keysym, false).await;
    }

    /// Presses or releases a key.
    pub async fn key(&mut self, keysym: u32, down: bool) {
        let mut message = vec![4, down.into(), 0, 0];
        message.extend_from_slice(&keysym.to_be_bytes());
        self.socket.sink.binary(&message).await.unwrap();
    }
}

/// A text behind its length of 4 bytes.
async fn read_text(source: &mut Source) -> Result<String, End> {
    let length = source.read_u32().await?;
    assert!(length < 4096, "a text of {length} bytes");
    let bytes = source.read_exact(length as usize).await?;
    Ok(String::from_utf8(bytes).unwrap())
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])
}
