//! Against a server that writes its frames byte by byte, and against tungstenite.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;
use crate::ws::{accept_key, frame};

fn target() -> WebSocketTarget {
    WebSocketTarget {
        endpoint: crate::target::Endpoint {
            host: "esx-1".parse().unwrap(),
            port: 443.try_into().unwrap(),
        },
        tls: false,
        path: "/ticket/1".parse().unwrap(),
        protocols: vec!["binary".parse().unwrap()],
    }
}

/// A WebSocket over a pipe of `size` bytes, and the server's end of the pipe.
fn socket(size: usize, ahead: &'static [u8]) -> (HostWebSocket<DuplexStream>, DuplexStream) {
    let (ours, theirs) = duplex(size);
    (HostWebSocket::new(ours, Bytes::from_static(ahead)), theirs)
}

fn server_frames(frames: &[(Opcode, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (opcode, payload) in frames {
        frame(*opcode, payload, &mut bytes);
    }
    bytes
}

/// What a server decodes of everything that it was sent.
fn sent(mut bytes: Vec<u8>) -> (Vec<u8>, Vec<Event>) {
    let (mut decoder, mut at) = (Decoder::new(1 << 20), 0);
    let (mut data, mut control) = (Vec::new(), Vec::new());
    while let Some(event) = decoder.next(&mut bytes, &mut at).unwrap() {
        match event {
            Event::Data { payload, .. } => data.extend_from_slice(&bytes[payload]),
            other => control.push(other),
        }
    }
    (data, control)
}

#[tokio::test]
async fn a_stream_goes_through_a_pipe_of_eight_bytes_and_empty_messages_end_nothing() {
    let (mut socket, server) = socket(8, b"\x82\x03RFB");
    let play_server = async {
        let pieces = [
            (Opcode::Binary, &b""[..]),
            (Opcode::Binary, b" 003"),
            (Opcode::Ping, b"there?"),
            (Opcode::Binary, b""),
            (Opcode::Pong, b"unasked"),
            (Opcode::Binary, b".008\n"),
        ];
        let (mut reads, mut writes) = tokio::io::split(server);
        let mut got = Vec::new();
        tokio::join!(
            async { writes.write_all(&server_frames(&pieces)).await.unwrap() },
            async { reads.read_to_end(&mut got).await.unwrap() },
        );
        got
    };
    let play_gateway = async {
        let mut version = [0; 12];
        socket.read_exact(&mut version).await.unwrap();
        assert_eq!(version, *b"RFB 003.008\n");
        socket.write_all(&[7; 40_000]).await.unwrap();
        socket.shutdown().await.unwrap();
        assert!(
            socket.write_all(b"more").await.is_err(),
            "nothing follows a close"
        );
    };
    let (got, ()) = tokio::join!(play_server, play_gateway);
    let (data, control) = sent(got);
    assert!(data == [7; 40_000], "{} bytes", data.len());
    let [Event::Pong(pong), Event::Close(Some(close))] = &control[..] else {
        panic!("{control:?}");
    };
    assert_eq!((&**pong, close.code), (&b"there?"[..], 1000));
}

#[tokio::test]
async fn pongs_leave_while_nothing_is_written() {
    let (mut socket, mut server) = socket(64, b"");
    server.write_all(b"\x89\x01?").await.unwrap();
    let mut pong = [0; 7];
    let mut byte = [0];
    tokio::select! {
        read = server.read_exact(&mut pong) => { read.unwrap(); }
        read = socket.read(&mut byte) => panic!("{read:?}"),
    }
    assert_eq!(pong[..2], [0x8a, 0x81]);
}

/// What reading comes to after `RFB` when a server sends `bytes` and leaves.
async fn end_after(bytes: &[u8]) -> Result<usize, String> {
    let (mut socket, mut server) = socket(1024, b"\x82\x03RFB");
    server.write_all(bytes).await.unwrap();
    drop(server);
    let mut said = [0; 3];
    socket.read_exact(&mut said).await.unwrap();
    assert_eq!(said, *b"RFB");
    socket
        .read(&mut said)
        .await
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_host_that_ends_says_why() {
    assert_eq!(end_after(b"").await, Ok(0), "without a word it just ends");
    for (bytes, words) in [
        (&b"\x88\0"[..], "the host closed its WebSocket"),
        (
            b"\x88\x02\x03\xe8",
            "the host closed its WebSocket with code 1000",
        ),
        (
            b"\x88\x09\x03\xf3off\r\n\x1bX",
            "the host closed its WebSocket with code 1011: \"off X\"",
        ),
        (
            b"\x81\x01x",
            "the host sent text through its WebSocket, and RFB is bytes",
        ),
        (
            b"\x82\x81\0\0\0\0x",
            "the host broke the framing of its WebSocket: the frame is masked",
        ),
    ] {
        assert_eq!(end_after(bytes).await, Err(words.to_owned()));
    }
    // What came before it is read first.
    assert_eq!(end_after(b"\x82\x01x\x88\0").await, Ok(1));
}

/// Runs the opening against a server that answers a request with `answer`, in which `KEY` stands
/// for what answers the key.
async fn opened(answer: &str) -> Result<HostWebSocket<DuplexStream>, WebSocketError> {
    let (ours, mut server) = duplex(8);
    let play_server = async {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(server.read_u8().await.unwrap());
        }
        let request = String::from_utf8(request).unwrap();
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
        let accept = accept_key(key.unwrap()).unwrap();
        // A client that has heard enough leaves.
        let _ = server
            .write_all(answer.replace("KEY", &accept).as_bytes())
            .await;
        server
    };
    let target = target();
    let (_server, opened) = tokio::join!(play_server, open(ours, &target, Extra::default()));
    opened
}

const YES: &str = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: KEY\r\nSec-WebSocket-Protocol: binary\r\n\r\n";

#[tokio::test]
async fn an_opening_is_taken_or_has_its_reason() {
    opened(YES).await.unwrap();
    for (answer, reason, words) in [
        (
            "HTTP/1.1 401 x\r\n\r\n".to_owned(),
            Reason::HostAuthFailed,
            "did not accept the login",
        ),
        (
            "HTTP/1.1 404 x\r\n\r\n".to_owned(),
            Reason::HostRefused,
            "ticket is used up",
        ),
        (
            "HTTP/1.1 301 x\r\nLocation: ws://b/\r\n\r\n".to_owned(),
            Reason::HostRefused,
            "is not followed",
        ),
        (
            "HTTP/1.1 200 x\r\n\r\n".to_owned(),
            Reason::HostRefused,
            "something else than a console",
        ),
        (
            YES.replace("binary", "base64"),
            Reason::HostProtocol,
            "a subprotocol that was not offered",
        ),
        (
            YES.replace("KEY", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            Reason::HostProtocol,
            "does not answer the key",
        ),
        (
            "RFB 003.008\n".to_owned(),
            Reason::HostProtocol,
            "it began with \"RFB 003.008\"",
        ),
    ] {
        let error = opened(&answer).await.map(drop).unwrap_err();
        assert_eq!(Reason::from(&error), reason, "{answer}");
        assert!(error.to_string().contains(words), "{error}");
    }
}
