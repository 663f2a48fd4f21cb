//! A WebSocket client that shows every frame as it came and sends any, right or wrong.

use std::collections::VecDeque;
use std::io::Cursor;

use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::gateway::TestGateway;
use super::http::{Request, Response, read_response};
use super::net::{Stream, connect_as};

/// How much one read may bring, in bytes.
const READ: usize = 64 * 1024;

/// How a session ended, seen from the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A close frame.
    Close {
        /// Its code, 1005 when it held none.
        code: u16,
        /// Its reason.
        reason: String,
    },
    /// The connection ended without one.
    Gone,
}

/// One frame as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Whether the message ends with it.
    pub fin: bool,
    /// What it is.
    pub opcode: OpCode,
    /// The payload.
    pub payload: Vec<u8>,
}

/// The half that reads.
pub struct Source {
    stream: ReadHalf<Box<dyn Stream>>,
    unread: Vec<u8>,
    /// Payload bytes of binary frames that [`Source::read_exact`] has not given out.
    bytes: VecDeque<u8>,
    /// The text frames so far: the gateway's notes to its own page.
    pub texts: Vec<String>,
    /// Payload bytes of pings that are not answered yet.
    pub pings: Vec<Vec<u8>>,
    /// How it ended, once it has.
    pub end: Option<End>,
}

/// The half that writes.
pub struct Sink {
    stream: WriteHalf<Box<dyn Stream>>,
    /// The masking key of the next frame.
    mask: [u8; 4],
}

/// An open WebSocket.
pub struct WebSocket {
    /// The half that reads.
    pub source: Source,
    /// The half that writes.
    pub sink: Sink,
    /// The subprotocol that the server chose.
    pub protocol: Option<String>,
}

impl WebSocket {
    /// Opens a WebSocket, or gives the server's answer when it is not `101`.
    pub async fn open(
        gateway: &TestGateway,
        path: &str,
        protocols: &[String],
    ) -> Result<Self, Response> {
        let stream = connect_as(gateway.address, gateway.trust()).await;
        let mut request = Request::get(gateway.address, path);
        if !protocols.is_empty() {
            request = request.header("sec-websocket-protocol", &protocols.join(", "));
        }
        Self::upgrade(stream, request, &[]).await
    }

    /// Upgrades a connection. `glued` goes out in the same write as the request.
    pub async fn upgrade(
        mut stream: Box<dyn Stream>,
        request: Request,
        glued: &[u8],
    ) -> Result<Self, Response> {
        let key = generate_key();
        let request = request
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", &key);
        let text = String::from_utf8(request.to_bytes()).unwrap();
        let mut bytes = text
            .replace("connection: close", "connection: Upgrade")
            .into_bytes();
        bytes.extend_from_slice(glued);
        stream.write_all(&bytes).await.unwrap();
        let response = read_response(&mut stream).await;
        if response.status != 101 {
            return Err(response);
        }
        let accept = derive_accept_key(key.as_bytes());
        assert_eq!(
            response.header("sec-websocket-accept"),
            Some(accept.as_str())
        );
        assert_eq!(response.header("sec-websocket-extensions"), None);
        let protocol = response.header("sec-websocket-protocol").map(str::to_owned);
        let (read, write) = tokio::io::split(stream);
        let source = Source {
            stream: read,
            unread: response.rest,
            bytes: VecDeque::new(),
            texts: Vec::new(),
            pings: Vec::new(),
            end: None,
        };
        let mask = [0x37, 0xfa, 0x21, 0x3d];
        let sink = Sink {
            stream: write,
            mask,
        };
        Ok(Self {
            source,
            sink,
            protocol,
        })
    }

    /// Reads on until the end, and says how it ended.
    pub async fn end(&mut self) -> End {
        loop {
            if let Some(end) = &self.source.end {
                return end.clone();
            }
            self.source.next_frame().await;
        }
    }
}

impl Source {
    /// The next frame, or `None` at the end. Keeps account of texts, pings and the end.
    pub async fn next_frame(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take_frame() {
                self.account(&frame);
                return Some(frame);
            }
            self.unread.reserve(READ);
            if !matches!(self.stream.read_buf(&mut self.unread).await, Ok(1..)) {
                self.end.get_or_insert(End::Gone);
                return None;
            }
        }
    }

    /// The next binary frame's payload, or `None` at the end.
    pub async fn next_binary(&mut self) -> Option<Vec<u8>> {
        loop {
            let frame = self.next_frame().await?;
            match frame.opcode {
                OpCode::Data(Data::Binary | Data::Continue) => return Some(frame.payload),
                OpCode::Control(Control::Close) => return None,
                _ => {}
            }
        }
    }

    /// Reads one more frame of the binary stream, to be given out later. Nothing is lost when it is
    /// cancelled.
    pub async fn more(&mut self) -> Result<(), End> {
        match self.next_binary().await {
            Some(payload) => self.bytes.extend(payload),
            None => return Err(self.end.clone().unwrap_or(End::Gone)),
        }
        Ok(())
    }

    /// Exactly `count` bytes of the binary stream, however they are framed.
    pub async fn read_exact(&mut self, count: usize) -> Result<Vec<u8>, End> {
        while self.bytes.len() < count {
            self.more().await?;
        }
        Ok(self.bytes.drain(..count).collect())
    }

    /// A big-endian number of 4 bytes.
    pub async fn read_u32(&mut self) -> Result<u32, End> {
        let bytes = self.read_exact(4).await?;
        Ok(bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b)))
    }

    /// How many payload bytes are read and not given out.
    pub fn left_over(&self) -> usize {
        self.bytes.len()
    }

    /// Splits one frame off what was read.
    fn take_frame(&mut self) -> Option<Frame> {
        let mut cursor = Cursor::new(self.unread.as_slice());
        let (header, length) = FrameHeader::parse(&mut cursor).unwrap()?;
        let (start, length) = (cursor.position() as usize, length as usize);
        if self.unread.len() < start + length {
            return None;
        }
        assert_eq!(header.mask, None, "a server does not mask");
        assert!(!header.rsv1 && !header.rsv2 && !header.rsv3, "{header:?}");
        let payload = self.unread[start..start + length].to_vec();
        self.unread.drain(..start + length);
        Some(Frame {
            fin: header.is_final,
            opcode: header.opcode,
            payload,
        })
    }

    fn account(&mut self, frame: &Frame) {
        match frame.opcode {
            OpCode::Data(Data::Text) => {
                let text = String::from_utf8(frame.payload.clone()).unwrap();
                self.texts.push(text);
            }
            OpCode::Control(Control::Ping) => self.pings.push(frame.payload.clone()),
            OpCode::Control(Control::Close) => {
                let (code, reason) = match frame.payload.split_at_checked(2) {
                    Some((code, reason)) => (u16::from_be_bytes([code[0], code[1]]), reason),
                    None => (1005, &[][..]),
                };
                let reason = String::from_utf8(reason.to_vec()).unwrap();
                self.end = Some(End::Close { code, reason });
            }
            _ => {}
        }
    }
}

impl Sink {
    /// Sends bytes past the framing.
    pub async fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Sends one binary message as one frame.
    pub async fn binary(&mut self, payload: &[u8]) -> std::io::Result<()> {
        self.frame(0x80 | 0x2, payload).await
    }

    /// Sends a close frame.
    pub async fn close(&mut self, code: u16, reason: &str) -> std::io::Result<()> {
        let mut payload = code.to_be_bytes().to_vec();
        payload.extend_from_slice(reason.as_bytes());
        self.frame(0x80 | 0x8, &payload).await
    }

    /// Sends a pong.
    pub async fn pong(&mut self, payload: &[u8]) -> std::io::Result<()> {
        self.frame(0x80 | 0xa, payload).await
    }

    /// Sends one masked frame with `first` as its first byte: FIN, reserved bits and opcode.
    pub async fn frame(&mut self, first: u8, payload: &[u8]) -> std::io::Result<()> {
        self.mask.rotate_left(1);
        let bytes = masked_frame(first, payload, self.mask);
        self.raw(&bytes).await
    }

    /// Ends the TCP stream without a close frame.
    pub async fn shutdown(&mut self) -> std::io::Result<()> {
        self.stream.shutdown().await
    }
}

/// A masked frame with the shortest length field.
pub fn masked_frame(first: u8, payload: &[u8], mask: [u8; 4]) -> Vec<u8> {
    let length = payload.len();
    let mut bytes = Vec::with_capacity(length + 14);
    bytes.push(first);
    match length {
        0..=125 => bytes.push(0x80 | length as u8),
        126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend_from_slice(&(length as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 127);
            bytes.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&mask);
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    for chunk in bytes[start..].chunks_mut(4) {
        chunk
            .iter_mut()
            .zip(mask)
            .for_each(|(byte, key)| *byte ^= key);
    }
    bytes
}
