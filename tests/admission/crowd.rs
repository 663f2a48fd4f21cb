//! Ten thousand connections that are refused.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;

use crate::ANSWERED;
use crate::common::gateway::TestGateway;
use crate::common::http::{Request, read_response};
use crate::common::wait::within;

const CONNECTIONS: usize = 10_000;

/// What a gateway may keep of them, in bytes: far less than a kilobyte each.
const KEPT: u64 = 8 << 20;

/// Connects from one of the many loopback addresses.
async fn connect_from(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<tokio::net::TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

/// The status that a request gets on a connection from an address; `None` when it is closed.
async fn status(from: Ipv4Addr, to: SocketAddr) -> Option<u16> {
    let mut stream = connect_from(from, to).await.ok()?;
    let request = Request::get(to, "/nothing").to_bytes();
    stream.write_all(&request).await.ok()?;
    let mut first = [0];
    match within("an answer or the end", ANSWERED, stream.peek(&mut first)).await {
        Ok(1..) => Some(read_response(&mut stream).await.status),
        _ => None,
    }
}

#[tokio::test]
async fn refused_connections_are_closed_at_once_and_leave_nothing() {
    let builder = TestGateway::builder().set("limits.connections_per_client", "50/h");
    let mut gateway = builder.start().await;
    let to = gateway.address;
    let (greedy, modest) = (Ipv4Addr::new(127, 0, 0, 7), Ipv4Addr::new(127, 0, 0, 8));
    let mut served = 0;
    while status(greedy, to).await.is_some() {
        served += 1;
        assert!(served <= 51, "the budget is spent");
    }
    // One may come back while they are spent.
    assert!(served >= 50, "{served}");
    let (memory, files) = {
        let process = gateway.process();
        (process.resident_bytes(), process.open_files())
    };
    for _ in 0..CONNECTIONS {
        // It may be closed before we know that it was open.
        if let Ok(mut stream) = connect_from(greedy, to).await {
            let ended = within("the end", ANSWERED, stream.read(&mut [0])).await;
            assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
        }
    }
    let process = gateway.process();
    let (memory_after, files_after) = (process.resident_bytes(), process.open_files());
    println!("{CONNECTIONS} refused: {memory} bytes before, {memory_after} after");
    assert!(memory_after < memory + KEPT, "{memory} -> {memory_after}");
    assert!(files_after <= files + 5, "{files} -> {files_after}");
    assert_eq!(status(modest, to).await, Some(404), "others are served");
    let log = gateway.log();
    let said = log.matches("connections come too often").count();
    assert!((1..100).contains(&said), "said {said} times");
}

#[tokio::test]
async fn ten_thousand_refused_consoles_leave_nothing() {
    let gateway = TestGateway::builder()
        .set("limits.connections_per_client", "1000000/s")
        .set("limits.handshakes_per_client", "1000000/s")
        .start()
        .await;
    let mut gateway = gateway;
    let to = gateway.address;
    let request = Request::get(to, "/websockify?token=forged")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let request = String::from_utf8(request.to_bytes()).unwrap();
    let request = request.replace("connection: close", "connection: Upgrade");
    let greeting = crate::masked_frame(0x82, b"RFB 003.008\n\x01", [1, 2, 3, 4]);
    let bytes = [request.as_bytes(), &greeting].concat();
    let refuse = async |count: usize| {
        for _ in 0..count {
            let mut stream = connect_from(Ipv4Addr::LOCALHOST, to).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
            let mut said = Vec::new();
            let told = async {
                while !String::from_utf8_lossy(&said).contains("[token_invalid]") {
                    let read = stream.read_buf(&mut said).await;
                    assert!(matches!(read, Ok(1..)), "{read:?} after {said:?}");
                }
            };
            within("the refusal", ANSWERED, told).await;
        }
    };
    // What the first of them need is there for all.
    refuse(500).await;
    let memory = gateway.process().resident_bytes();
    refuse(CONNECTIONS - 500).await;
    let after = gateway.process().resident_bytes();
    println!("{CONNECTIONS} refused: {memory} bytes before, {after} after");
    assert!(after < memory + KEPT, "{memory} -> {after}");
}
