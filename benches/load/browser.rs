//! A browser that has a console open: answers pings, and counts what it is sent.

use std::io;
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};
use fanlight::ws::{DataKind, Decoder, Event, Opcode, masked_frame};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::gateway::Gateway;
use super::machine::CUT_TEXT_HEAD;

const VERSION: &[u8; 12] = b"RFB 003.008\n";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Length of ServerInit in bytes before the name's length.
const SERVER_INIT: usize = 20;

/// How much is read at a time, in bytes.
const READ: usize = 16 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open console.
pub struct Browser {
    stream: Box<dyn Stream>,
    decoder: Decoder,
    /// Payload that was received and not taken yet.
    payload: Vec<u8>,
    /// How many pings were answered.
    pub pings: usize,
}

impl Browser {
    /// Opens a console with a token of [`Gateway::token`].
    pub async fn open(gateway: &Gateway, token: &str) -> Result<Self> {
        let stream = connect(gateway).await?;
        let mut browser = Self {
            stream,
            decoder: Decoder::of_server(),
            payload: Vec::new(),
            pings: 0,
        };
        browser.upgrade(token).await?;
        ensure!(browser.take(12).await? == VERSION, "not RFB 3.8");
        browser.send(Opcode::Binary, VERSION).await?;
        ensure!(browser.take(2).await? == [1, 1], "not None alone");
        browser.send(Opcode::Binary, &[1]).await?;
        ensure!(browser.take(4).await? == [0; 4], "refused");
        browser.send(Opcode::Binary, &[1]).await?;
        browser.take(SERVER_INIT).await?;
        let length = browser.take(4).await?;
        let length = length.try_into().map(u32::from_be_bytes);
        let length = length.ok().context("four bytes were taken")?;
        browser.take(length as usize).await?;
        Ok(browser)
    }

    /// Asks for so many bytes of text, and does not wait for them.
    pub async fn ask(&mut self, bytes: u32) -> Result<()> {
        let [a, b, c, d] = bytes.to_be_bytes();
        self.send(Opcode::Binary, &[4, 1, 0, 0, a, b, c, d]).await
    }

    /// Receives a text of so many bytes.
    pub async fn receive(&mut self, bytes: u32) -> Result<()> {
        let mut left = CUT_TEXT_HEAD + bytes as usize;
        loop {
            let there = self.payload.len();
            ensure!(there <= left, "more than was asked for");
            left -= there;
            self.payload.clear();
            if left == 0 {
                // A session at rest holds nothing, on this side either.
                self.payload = Vec::new();
                return Ok(());
            }
            self.read().await?;
        }
    }

    /// Answers pings until the session ends or something else comes.
    pub async fn rest(&mut self) -> Result<()> {
        while self.payload.is_empty() {
            self.read().await?;
        }
        Ok(())
    }

    /// Says goodbye as a browser does, and reads to the end.
    pub async fn close(mut self) -> Result<()> {
        self.send(Opcode::Close, &1000_u16.to_be_bytes()).await?;
        let mut buffer = [0; 256];
        while self.stream.read(&mut buffer).await? > 0 {}
        Ok(())
    }

    async fn upgrade(&mut self, token: &str) -> Result<()> {
        let request = format!(
            "GET /websockify?token={token} HTTP/1.1\r\nHost: load\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.stream.flush().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.stream.read_u8().await?);
        }
        let head = String::from_utf8_lossy(&head);
        ensure!(head.starts_with("HTTP/1.1 101 "), "no upgrade: {head}");
        Ok(())
    }

    /// The next bytes of payload, exactly so many.
    async fn take(&mut self, count: usize) -> Result<Vec<u8>> {
        while self.payload.len() < count {
            self.read().await?;
        }
        Ok(self.payload.drain(..count).collect())
    }

    /// Reads once, and answers a ping.
    async fn read(&mut self) -> Result<()> {
        let mut pings = Vec::new();
        {
            let mut buffer = [0; READ];
            let read = self.stream.read(&mut buffer).await?;
            ensure!(read > 0, "the gateway left");
            let (bytes, mut at) = (buffer.get_mut(..read).unwrap_or_default(), 0);
            while let Some(event) = self.decoder.next(bytes, &mut at)? {
                match event {
                    Event::Data {
                        kind: DataKind::Binary,
                        payload,
                        ..
                    } => self
                        .payload
                        .extend_from_slice(bytes.get(payload).unwrap_or_default()),
                    Event::Ping(ping) => pings.push(ping),
                    other => anyhow::bail!("the gateway sent {other:?}"),
                }
            }
        }
        for ping in pings {
            self.pings += 1;
            self.send(Opcode::Pong, &ping).await?;
        }
        Ok(())
    }

    async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> Result<()> {
        let mut frame = Vec::new();
        masked_frame(opcode, payload, MASK, &mut frame);
        self.stream.write_all(&frame).await?;
        Ok(self.stream.flush().await?)
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "this is a client, not the gateway"
)]
async fn connect(gateway: &Gateway) -> io::Result<Box<dyn Stream>> {
    let stream = TcpStream::connect(gateway.address).await?;
    stream.set_nodelay(true)?;
    let Some(trust) = &gateway.trust else {
        return Ok(Box::new(stream));
    };
    let connector = TlsConnector::from(Arc::clone(trust));
    let name = ServerName::from(gateway.address.ip());
    Ok(Box::new(connector.connect(name, stream).await?))
}
