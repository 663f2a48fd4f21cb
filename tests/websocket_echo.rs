//! The endpoint that the Autobahn suite is run against, with a client of another make.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "conformance/echo.rs"]
mod echo;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use echo::Echo;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::{Error, Message};

/// Longer than anything here takes; only a hang reaches it.
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs a blocking client against an endpoint of its own.
async fn with_client(client: impl FnOnce(TcpStream) + Send + 'static) {
    let echo = Echo::start().await.unwrap();
    let address = echo.address;
    let client = tokio::task::spawn_blocking(move || {
        #[allow(clippy::disallowed_methods, reason = "a client in a thread of its own")]
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        client(stream);
    });
    client.await.unwrap();
}

#[tokio::test]
async fn a_client_gets_its_messages_back() {
    with_client(|stream| {
        let (mut socket, _) = tungstenite::client("ws://localhost/", stream).unwrap();
        for message in [
            Message::binary(vec![]),
            Message::text("Grüße"),
            Message::binary(vec![7; 126]),
            Message::binary(vec![9; 100_000]),
        ] {
            socket.send(message.clone()).unwrap();
            assert_eq!(socket.read().unwrap(), message);
        }

        let piece = |opcode, piece: &'static [u8], last| {
            Message::Frame(Frame::message(piece, OpCode::Data(opcode), last))
        };
        socket.send(piece(Data::Text, b"Gr\xc3", false)).unwrap();
        socket.send(Message::Ping("there?".into())).unwrap();
        socket.send(piece(Data::Continue, b"\xbcn", true)).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Pong("there?".into()));
        assert_eq!(socket.read().unwrap(), Message::text("Grün"));

        socket.close(None).unwrap();
        assert_eq!(socket.read().unwrap(), Message::Close(None));
        assert!(matches!(socket.read(), Err(Error::ConnectionClosed)));
    })
    .await;
}

#[tokio::test]
async fn text_that_is_not_utf8_is_refused() {
    with_client(|stream| {
        let (mut socket, _) = tungstenite::client("ws://localhost/", stream).unwrap();
        let text = Frame::message(&b"\xc3\x28"[..], OpCode::Data(Data::Text), false);
        socket.send(Message::Frame(text)).unwrap();
        let Message::Close(Some(close)) = socket.read().unwrap() else {
            panic!("no close");
        };
        assert_eq!(u16::from(close.code), 1007);
    })
    .await;
}

/// A request from the example in RFC 6455, 1.3.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// Sends bytes and reads whatever comes until the endpoint hangs up.
fn exchange(mut stream: TcpStream, bytes: &[u8]) -> Vec<u8> {
    stream.write_all(bytes).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let frames = answer.split_off(end.unwrap() + 4);
    let head = String::from_utf8(answer).unwrap();
    assert!(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    frames
}

#[tokio::test]
async fn frames_glued_to_the_request_are_read() {
    with_client(|stream| {
        let glued = b"\x82\x81\x00\x00\x00\x00x\x88\x80\x00\x00\x00\x00";
        let frames = exchange(stream, &[REQUEST, glued].concat());
        assert_eq!(frames, b"\x82\x01x\x88\x00");
    })
    .await;
}

#[tokio::test]
async fn a_client_that_does_not_mask_is_told_so() {
    with_client(|stream| {
        let frames = exchange(stream, &[REQUEST, b"\x82\x01x"].concat());
        assert_eq!(frames, b"\x88\x19\x03\xeathe frame is not masked");
    })
    .await;
}
