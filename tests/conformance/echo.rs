//! A WebSocket endpoint that sends back every message it gets, made of the gateway's own codec.
//!
//! It exists for the Autobahn suite, which tests a codec through an echo. Other than the gateway it
//! takes text, and so checks that text is UTF-8, as early as a wrong byte can be told.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use fanlight::ws::{self, BadUpgrade, DataKind, Decoder, Event, HEAD_ROOM, Opcode, ViolationKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The largest frame and the largest message, in bytes.
const MAX_MESSAGE: usize = 64 << 20;

/// The largest request head, in bytes.
const MAX_REQUEST: usize = 8 << 10;

/// How long a client may take to hang up after the close handshake.
const LINGER: Duration = Duration::from_secs(5);

/// A running endpoint; dropping it ends it and all its connections.
pub(crate) struct Echo {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    _tasks: JoinSet<io::Result<()>>,
}

impl Echo {
    /// Starts an endpoint on a free port of the loopback interface.
    pub(crate) async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await?;
                // A client that hangs up in the middle is the client's business.
                connections.spawn(serve(stream));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }
}

async fn serve(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (request, mut buf) = read_request(&mut stream).await?;
    match accept(&request) {
        Ok(accept) => {
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                 Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
            );
            stream.write_all(answer.as_bytes()).await?;
        }
        Err(bad) => {
            let answer = format!("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n{bad}\r\n");
            stream.write_all(answer.as_bytes()).await?;
            return stream.shutdown().await;
        }
    }
    let mut conversation = Conversation::new();
    loop {
        let mut out = Vec::new();
        let over = conversation.answer(&mut buf, &mut out);
        stream.write_all(&out).await?;
        if over {
            break;
        }
        buf.resize(64 << 10, 0);
        let read = stream.read(&mut buf).await?;
        if read == 0 {
            return Ok(());
        }
        buf.truncate(read);
    }
    // To close with bytes unread would reset the connection, and the client might lose our close.
    stream.shutdown().await?;
    let hang_up = async {
        while stream.read(&mut buf).await? > 0 {}
        io::Result::Ok(())
    };
    timeout(LINGER, hang_up).await.unwrap_or(Ok(()))
}

/// The request's head, and whatever came glued to it.
async fn read_request(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::new();
    loop {
        if let Some(end) = head.windows(END.len()).position(|window| window == END) {
            let glued = head.split_off(end + END.len());
            let head = String::from_utf8(head).map_err(|_| io::ErrorKind::InvalidData)?;
            return Ok((head, glued));
        }
        if head.len() > MAX_REQUEST || stream.read_buf(&mut head).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
}

fn accept(request: &str) -> Result<String, BadUpgrade> {
    let mut lines = request.lines();
    let first = lines.next().unwrap_or_default();
    let headers: Vec<_> = lines.filter_map(|line| line.split_once(':')).collect();
    let header = |wanted: &str| {
        let values = headers
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(wanted))
            .map(|(_, value)| value.trim());
        values.collect::<Vec<_>>().join(", ")
    };
    ws::UpgradeRequest {
        method: first.split(' ').next().unwrap_or_default(),
        http_1_1: first.ends_with("HTTP/1.1"),
        upgrade: &header("upgrade"),
        connection: &header("connection"),
        version: &header("sec-websocket-version"),
        key: &header("sec-websocket-key"),
    }
    .accept()
}

/// One client's messages on their way back.
struct Conversation {
    decoder: Decoder,
    /// Room for a header, then what is there of the message.
    message: Vec<u8>,
    text: Utf8,
}

impl Conversation {
    fn new() -> Self {
        Self {
            decoder: Decoder::new(MAX_MESSAGE as u64),
            message: vec![0; HEAD_ROOM],
            text: Utf8::default(),
        }
    }

    /// Takes in what the client sent, appends what it gets for it, and says whether that was all.
    fn answer(&mut self, buf: &mut [u8], out: &mut Vec<u8>) -> bool {
        let mut at = 0;
        loop {
            let close = match self.decoder.next(buf, &mut at) {
                Ok(None) => return false,
                Ok(Some(Event::Ping(payload))) => {
                    ws::frame(Opcode::Pong, &payload, out);
                    continue;
                }
                Ok(Some(Event::Pong(_))) => continue,
                Ok(Some(Event::Data {
                    kind,
                    payload,
                    end_of_message,
                    ..
                })) => match self.data(kind, &buf[payload], end_of_message, out) {
                    Ok(()) => continue,
                    Err(code) => ws::close_payload(code, ""),
                },
                Ok(Some(Event::Close(None))) => Vec::new(),
                Ok(Some(Event::Close(Some(close)))) => ws::close_payload(close.code, ""),
                Err(violation) => {
                    let code = match violation.kind() {
                        ViolationKind::Protocol => 1002,
                        ViolationKind::Utf8 => 1007,
                        ViolationKind::TooBig => 1009,
                    };
                    ws::close_payload(code, &violation.to_string())
                }
            };
            ws::frame(Opcode::Close, &close, out);
            return true;
        }
    }

    /// Takes in a piece of a message, and sends the message back when that was its last.
    ///
    /// # Errors
    ///
    /// The close code for a message that cannot be taken.
    fn data(
        &mut self,
        kind: DataKind,
        piece: &[u8],
        end: bool,
        out: &mut Vec<u8>,
    ) -> Result<(), u16> {
        if kind == DataKind::Text && !self.text.goes_on(piece, end) {
            return Err(1007);
        }
        self.message.extend_from_slice(piece);
        let len = self.message.len() - HEAD_ROOM;
        if len > MAX_MESSAGE {
            return Err(1009);
        }
        if end {
            let opcode = match kind {
                DataKind::Binary => Opcode::Binary,
                DataKind::Text => Opcode::Text,
            };
            let start = ws::head(&mut self.message, HEAD_ROOM, len, opcode);
            out.extend_from_slice(&self.message[start..]);
            self.message.truncate(HEAD_ROOM);
        }
        Ok(())
    }
}

/// Checks that text is UTF-8 while it arrives in pieces.
#[derive(Default)]
struct Utf8 {
    /// The start of a character whose rest is in the next piece, at most 3 bytes.
    begun: Vec<u8>,
}

impl Utf8 {
    /// Whether the text so far is the start of valid text, or at the end the whole of one.
    fn goes_on(&mut self, piece: &[u8], end: bool) -> bool {
        let mut bytes = std::mem::take(&mut self.begun);
        bytes.extend_from_slice(piece);
        match std::str::from_utf8(&bytes) {
            Ok(_) => true,
            Err(error) if error.error_len().is_none() && !end => {
                self.begun = bytes.split_off(error.valid_up_to());
                true
            }
            Err(_) => false,
        }
    }
}
