//! A browser and a host that keep nothing but their sockets, so that what is on the heap is the
//! gateway's.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use fanlight::ws::{Opcode, masked_frame};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

const VERSION: &[u8; 12] = b"RFB 003.008\n";

/// ServerInit: 1920x1080, 32 bits a pixel, a name.
const SERVER_INIT: &[u8] =
    b"\x07\x80\x04\x38\x20\x18\0\x01\0\xff\0\xff\0\xff\x10\x08\0\0\0\0\0\0\0\x04host";

/// Lets one gateway connection after the other in, and hands the sockets over.
pub fn host() -> (SocketAddr, Receiver<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (give, take) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_nodelay(true).unwrap();
            greet(&mut stream);
            if give.send(stream).is_err() {
                return;
            }
        }
    });
    (address, take)
}

fn greet(stream: &mut TcpStream) {
    stream.write_all(VERSION).unwrap();
    expect(stream, VERSION);
    stream.write_all(&[1, 1]).unwrap();
    expect(stream, &[1]);
    stream.write_all(&[0; 4]).unwrap();
    expect(stream, &[1]);
    stream.write_all(SERVER_INIT).unwrap();
}

/// Opens a console and gives the socket of it. What was needed to open it is freed, the state of
/// TLS included.
#[allow(
    clippy::disallowed_methods,
    reason = "a test is a client, not the gateway"
)]
pub fn open(gateway: SocketAddr, token: &str, tls: Option<&Arc<ClientConfig>>) -> TcpStream {
    let stream = TcpStream::connect(gateway).unwrap();
    stream.set_nodelay(true).unwrap();
    let kept = stream.try_clone().unwrap();
    match tls {
        None => handshake(stream, token),
        Some(config) => {
            let name = ServerName::from(gateway.ip());
            let tls = ClientConnection::new(Arc::clone(config), name).unwrap();
            handshake(StreamOwned::new(tls, stream), token);
        }
    }
    kept
}

/// Says that the browser is going. Not over TLS.
pub fn close(browser: &mut TcpStream) {
    send(browser, Opcode::Close, &1000_u16.to_be_bytes());
}

/// Waits until the gateway says something.
pub fn hear(browser: &mut TcpStream) {
    let [_] = read(browser);
}

/// Reads until the gateway has closed the connection.
pub fn read_all(browser: &mut TcpStream) {
    std::io::copy(browser, &mut std::io::sink()).unwrap();
}

/// All that a browser says until there is nothing left to say.
fn handshake(mut stream: impl Read + Write, token: &str) {
    let request = format!(
        "GET /websockify?token={token} HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read::<1>(&mut stream)[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    expect_frame(&mut stream, 0x82, VERSION);
    send(&mut stream, Opcode::Binary, VERSION);
    expect_frame(&mut stream, 0x82, &[1, 1]);
    send(&mut stream, Opcode::Binary, &[1]);
    expect_frame(&mut stream, 0x82, &[0; 4]);
    send(&mut stream, Opcode::Binary, &[1]);
    expect_frame(&mut stream, 0x82, SERVER_INIT);
    // The relay begins with a ping.
    let [first, len] = read::<2>(&mut stream);
    assert_eq!((first, len), (0x89, 8));
    let ping = read::<8>(&mut stream);
    send(&mut stream, Opcode::Pong, &ping);
}

fn send(stream: &mut impl Write, opcode: Opcode, payload: &[u8]) {
    let mut frame = Vec::new();
    masked_frame(opcode, payload, [1, 2, 3, 4], &mut frame);
    stream.write_all(&frame).unwrap();
}

fn expect_frame(stream: &mut impl Read, first: u8, payload: &[u8]) {
    expect(stream, &[first, u8::try_from(payload.len()).unwrap()]);
    expect(stream, payload);
}

fn expect(stream: &mut impl Read, expected: &[u8]) {
    for byte in expected {
        assert_eq!(read::<1>(stream), [*byte]);
    }
}

fn read<const N: usize>(stream: &mut impl Read) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}
