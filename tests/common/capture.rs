//! What a real server says after ServerInit to a viewer that asks as noVNC 1.7.0 does.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use fanlight::rfb::init::{PixelFormat, ServerInit};
use fanlight::rfb::server_message::{Message, Piece, Walk};
use fanlight::wire::Reader;
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::net::connect;
use super::vnc_auth;
use super::wait::within;

/// How long a server may take over one update, on a busy test machine.
const UPDATE: Duration = Duration::from_secs(20);

/// What noVNC lists behind the encodings of pictures: quality, compression, sizes, LastRect, keys,
/// lights, layout, xvp, fence, continuous updates, name, clipboard, buttons, both cursors.
pub const PSEUDO: [i32; 15] = [
    -26,
    -254,
    -223,
    -224,
    -258,
    -261,
    -308,
    -309,
    -312,
    -313,
    -307,
    0xc0a1_e5ce_u32 as i32,
    -316,
    0x574d_5664,
    -239,
];

/// A recorded stream.
pub struct Capture {
    /// The screen, and the pixel format that was set.
    pub init: ServerInit,
    /// Everything behind ServerInit, up to the end of an update.
    pub stream: Vec<u8>,
    /// How many rectangles of each encoding it has.
    pub rectangles: BTreeMap<i32, usize>,
}

/// A viewer that records.
pub struct Recorder {
    server: BufReader<TcpStream>,
    /// How much it asks for, from the upper left corner of the screen: at most these columns and rows.
    area: (u16, u16),
    /// The longest message that is recorded, in bytes.
    most: usize,
    capture: Capture,
    walk: Walk,
}

impl Recorder {
    /// Logs in, and asks for noVNC's pixel format, these encodings and all that is no picture.
    pub async fn start(server: SocketAddr, password: &str, encodings: &[i32]) -> Self {
        let area = (u16::MAX, u16::MAX);
        Self::start_small(server, password, encodings, area, usize::MAX).await
    }

    /// The same for a part of the screen: at most these columns and rows. QEMU tells all of the screen
    /// first, whatever it is asked for, so longer messages than `most` are left out.
    pub async fn start_small(
        server: SocketAddr,
        password: &str,
        encodings: &[i32],
        area: (u16, u16),
        most: usize,
    ) -> Self {
        let mut server = BufReader::new(connect(server).await);
        let mut init = within("ServerInit", UPDATE, greet(&mut server, password)).await;
        init.format = PixelFormat::NOVNC;
        let mut message = vec![0; 4];
        init.format.encode(&mut message);
        let listed = [encodings, &PSEUDO].concat();
        message.extend([2, 0, 0, listed.len() as u8]);
        listed
            .iter()
            .for_each(|encoding| message.extend(encoding.to_be_bytes()));
        server.write_all(&message).await.unwrap();
        Self {
            server,
            area,
            most,
            walk: Walk::new(&init).unwrap(),
            capture: Capture {
                init,
                stream: Vec::new(),
                rectangles: BTreeMap::new(),
            },
        }
    }

    /// Records until an update is over that has more rectangles in this encoding than there were,
    /// asking for all of its area first and for what has changed then.
    pub async fn until(&mut self, encoding: i32) {
        let before = self.count(encoding);
        self.request(false).await;
        let what = format!("an update with encoding {encoding}");
        within(&what, UPDATE, async {
            while !self.message().await || self.count(encoding) == before {}
        })
        .await;
    }

    /// What was recorded.
    pub fn finish(self) -> Capture {
        self.capture
    }

    fn count(&self, encoding: i32) -> usize {
        let counts = &self.capture.rectangles;
        counts.get(&encoding).copied().unwrap_or_default()
    }

    async fn request(&mut self, incremental: bool) {
        let screen = self.walk.screen();
        let mut message = vec![3, u8::from(incremental), 0, 0, 0, 0];
        message.extend(screen.width.min(self.area.0).to_be_bytes());
        message.extend(screen.height.min(self.area.1).to_be_bytes());
        self.server.write_all(&message).await.unwrap();
    }

    /// Records one message and answers it; whether it was an update.
    ///
    /// It walks byte by byte, so that the record ends where the message does.
    async fn message(&mut self) -> bool {
        let (mut first, mut payload) = (None, Vec::<u8>::new());
        let (start, counts) = (self.capture.stream.len(), self.capture.rectangles.clone());
        loop {
            let byte = [self.server.read_u8().await.unwrap()];
            self.capture.stream.extend(byte);
            let mut input = Reader::new(&byte);
            loop {
                let piece = self.walk.next(&mut input);
                match piece.unwrap_or_else(|violation| panic!("{violation}")) {
                    Some(Piece::Message(message, _)) => first = Some(message),
                    Some(Piece::Rectangle(rectangle, _)) => {
                        let count = &mut self.capture.rectangles;
                        *count.entry(rectangle.encoding.0).or_default() += 1;
                    }
                    Some(Piece::Payload(bytes)) => payload.extend(bytes),
                    None => break,
                }
            }
            if self.walk.is_between_messages() {
                break;
            }
        }
        let recorded = self.capture.stream.len() - start <= self.most;
        if !recorded {
            self.capture.stream.truncate(start);
            self.capture.rectangles = counts;
        }
        match first.unwrap() {
            Message::Update { .. } => {
                self.request(recorded).await;
                true
            }
            // A fence that wants an answer.
            Message::Fence { flags, len } if flags >> 31 == 1 => {
                let mut answer = vec![248, 0, 0, 0];
                answer.extend((flags & 3).to_be_bytes());
                answer.push(len);
                answer.extend(payload);
                self.server.write_all(&answer).await.unwrap();
                false
            }
            _ => false,
        }
    }
}

async fn greet(server: &mut BufReader<TcpStream>, password: &str) -> ServerInit {
    let mut version = [0; 12];
    server.read_exact(&mut version).await.unwrap();
    server.write_all(b"RFB 003.008\n").await.unwrap();
    let count = server.read_u8().await.unwrap();
    let mut types = vec![0; count.into()];
    server.read_exact(&mut types).await.unwrap();
    assert!(types.contains(&2), "{types:?}");
    server.write_all(&[2]).await.unwrap();
    let mut challenge = [0; 16];
    server.read_exact(&mut challenge).await.unwrap();
    let response = vnc_auth::response(password.as_bytes(), challenge);
    server.write_all(&response).await.unwrap();
    assert_eq!(server.read_u32().await.unwrap(), 0, "SecurityResult");
    server.write_all(&[1]).await.unwrap();
    let mut init = vec![0; 24];
    server.read_exact(&mut init).await.unwrap();
    let name = u32::from_be_bytes(*init.last_chunk().unwrap());
    let mut rest = vec![0; name as usize];
    server.read_exact(&mut rest).await.unwrap();
    init.extend(rest);
    ServerInit::decode(&mut Reader::new(&init)).unwrap()
}
