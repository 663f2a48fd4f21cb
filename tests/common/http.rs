//! An HTTP/1.1 client that sends exactly what it is told, right or wrong.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::net::{Stream, Trust, connect, connect_as};

/// What a server answered.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case, in the order of arrival.
    pub headers: Vec<(String, String)>,
    /// The body, whole.
    pub body: Vec<u8>,
    /// What came behind the head of an answer that has no body, such as `101`.
    pub rest: Vec<u8>,
}

impl Response {
    /// The one value of a header. Panics if it is there twice.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(n, _)| n == name);
        let value = values.next().map(|(_, v)| v.as_str());
        assert!(values.next().is_none(), "two {name} in {self:?}");
        value
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        let value = serde_json::from_slice(&self.body);
        value.unwrap_or_else(|e| panic!("{e} in {}", self.text()))
    }
}

/// A request in the making.
pub struct Request {
    address: SocketAddr,
    trust: Option<Trust>,
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    /// Starts a request. The target goes on the wire as it is.
    pub fn new(address: SocketAddr, method: &str, target: &str) -> Self {
        Self {
            address,
            trust: None,
            line: format!("{method} {target} HTTP/1.1"),
            headers: vec![("host".to_owned(), address.to_string())],
            body: Vec::new(),
        }
    }

    /// A `GET`.
    pub fn get(address: SocketAddr, target: &str) -> Self {
        Self::new(address, "GET", target)
    }

    /// Sends it over TLS, where there is something to trust.
    pub fn over_tls(mut self, trust: Option<&Trust>) -> Self {
        self.trust = trust.cloned();
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body and its type.
    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.header("content-type", content_type)
    }

    /// Sets a JSON body.
    pub fn json(self, value: &Value) -> Self {
        self.body("application/json", value.to_string())
    }

    /// The request's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.line);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            text += &format!("content-length: {}\r\n", self.body.len());
        }
        let mut bytes = (text + "connection: close\r\n\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }

    /// Sends it on a connection of its own and reads the whole answer.
    pub async fn send(self) -> Response {
        let stream = connect_as(self.address, self.trust.as_ref()).await;
        exchange(stream, &self.to_bytes()).await
    }
}

/// Sends `bytes` as they are and reads the answer.
pub async fn send_raw(address: SocketAddr, bytes: &[u8]) -> Response {
    exchange(connect(address).await, bytes).await
}

async fn exchange(mut stream: impl Stream, bytes: &[u8]) -> Response {
    // The server may answer and close before it has read everything, as it should for a request
    // that is too large: then writing fails, and the answer is there all the same.
    let _ = stream.write_all(bytes).await;
    read_response(&mut stream).await
}

/// Reads one answer. Bytes behind the head of a `101` are in [`Response::rest`].
pub async fn read_response(stream: &mut impl Stream) -> Response {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        let read = stream.read_buf(&mut bytes).await;
        assert!(
            matches!(read, Ok(1..)),
            "{read:?} after {:?}",
            String::from_utf8_lossy(&bytes)
        );
    };
    let mut rest = bytes.split_off(end);
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.trim_end().split("\r\n");
    let status_line = lines.next().unwrap();
    let status = status_line.split(' ').nth(1).and_then(|s| s.parse().ok());
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    let mut response = Response {
        status: status.unwrap_or_else(|| panic!("{status_line:?}")),
        headers: headers.collect(),
        body: Vec::new(),
        rest: Vec::new(),
    };
    if response.status == 101 {
        response.rest = rest;
        return response;
    }
    let length = response
        .header("content-length")
        .map(|l| l.parse::<usize>().unwrap());
    while length.is_none_or(|l| rest.len() < l) {
        match stream.read_buf(&mut rest).await {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) if length.is_none() => panic!("{error}"),
            Err(_) => break,
        }
    }
    let chunked = response.header("transfer-encoding") == Some("chunked");
    response.body = if chunked { unchunk(&rest) } else { rest };
    response
}

/// Takes the chunked transfer coding off (RFC 9112, 7.1).
fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|w| w == b"\r\n").unwrap();
        let size = std::str::from_utf8(&bytes[..end]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return body;
        }
        let data = &bytes[end + 2..];
        body.extend_from_slice(&data[..size]);
        bytes = &data[size + 2..];
    }
}
