//! One viewer of the machine, from its handshake to its end.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::secret::Secret;
use crate::wire::Reader;

use super::damage::{Area, View};
use super::frame::Frame;
use super::handshake::{Refused, greet};
use super::painter::{Easel, Input};
use super::pixels::{NATIVE, PixelWriter};
use super::protocol::{BadMessage, ClientMessage, put_rectangle, put_update_header};

/// From the first byte to ServerInit.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Within this a viewer takes a rectangle, at most 128 KiB.
const RECTANGLE: Duration = Duration::from_secs(30);

/// Why a viewer was sent away.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The connection broke.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The handshake came to nothing.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// It said what the machine does not understand.
    #[error(transparent)]
    BadMessage(#[from] BadMessage),
    /// It wants pixels that the machine cannot write.
    #[error("the viewer wants a pixel format without true colour, or an impossible one")]
    PixelFormat,
    /// It takes nothing.
    #[error("the viewer is too slow")]
    TooSlow,
    /// The machine is switched off.
    #[error("the machine stops")]
    Stopping,
}

/// Serves one viewer until it closes the connection.
///
/// # Cancel safety
/// Not cancel safe: a stream whose viewer was dropped is of no more use.
pub(super) async fn serve<S>(mut stream: S, password: &Secret, easel: Easel) -> Result<(), Ended>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    timeout(HANDSHAKE, greet(&mut stream, password))
        .await
        .map_err(|_| Ended::TooSlow)??;

    let mut frames = easel.frames.subscribe();
    tell(&easel, Input::Joined).await?;
    // Messages are short, and read off as soon as they are whole: see the limits in `protocol`.
    let mut input = BytesMut::new();
    let mut view = View::new();
    let Some(mut pixels) = PixelWriter::new(&NATIVE) else {
        return Err(Ended::PixelFormat);
    };
    loop {
        while let Some(message) = next(&mut input)? {
            match message {
                ClientMessage::PixelFormat(format) => {
                    pixels = PixelWriter::new(&format).ok_or(Ended::PixelFormat)?;
                }
                ClientMessage::UpdateRequest { incremental, area } => {
                    view.request(area, incremental);
                }
                ClientMessage::Key { down, keysym } => {
                    tell(&easel, Input::Key { down, keysym }).await?;
                }
                ClientMessage::Pointer { buttons, x, y } => {
                    tell(&easel, Input::Pointer { buttons, x, y }).await?;
                }
                ClientMessage::Ignored => {}
            }
        }
        if view.is_waiting() {
            let frame = Arc::clone(&frames.borrow_and_update());
            let areas = view.answer(&frame);
            update(&mut stream, &frame, &areas, &pixels).await?;
        }
        tokio::select! {
            read = stream.read_buf(&mut input) => if read? == 0 {
                return Ok(());
            },
            changed = frames.changed(), if view.is_waiting() => {
                changed.map_err(|_| Ended::Stopping)?;
            }
        }
    }
}

async fn tell(easel: &Easel, input: Input) -> Result<(), Ended> {
    easel.inputs.send(input).await.map_err(|_| Ended::Stopping)
}

/// Takes the message at the front off the bytes, when it is whole.
fn next(input: &mut BytesMut) -> Result<Option<ClientMessage>, BadMessage> {
    let mut reader = Reader::new(input);
    match ClientMessage::decode(&mut reader) {
        Ok(message) => {
            let used = input.len() - reader.rest().len();
            input.advance(used);
            Ok(Some(message))
        }
        Err(BadMessage::Short(_)) => Ok(None),
        Err(bad) => Err(bad),
    }
}

/// Sends one update, a rectangle at a time so that a viewer costs little memory; nothing when there
/// is no area, because viewers take an empty update badly.
async fn update<S>(
    stream: &mut S,
    frame: &Frame,
    areas: &[Area],
    pixels: &PixelWriter,
) -> Result<(), Ended>
where
    S: AsyncWrite + Unpin,
{
    if areas.is_empty() {
        return Ok(());
    }
    let mut out = Vec::new();
    put_update_header(areas.len() as u16, &mut out);
    for area in areas {
        put_rectangle(frame, *area, pixels, &mut out);
        timeout(RECTANGLE, stream.write_all(&out))
            .await
            .map_err(|_| Ended::TooSlow)??;
        out.clear();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::BufMut;
    use tokio::io::{DuplexStream, duplex};
    use tokio::task::JoinHandle;
    use tokio_util::task::TaskTracker;

    use crate::rfb::auth::vnc::response;
    use crate::rfb::init::{PixelFormat, ServerInit};
    use crate::rfb::version::LINE_3_8;

    use super::super::painter::Painter;
    use super::*;

    const PASSWORD: &[u8] = b"open";
    const NAME_LEN: usize = 21;

    /// A machine with its painter, without a socket.
    struct Machine {
        easel: Easel,
        tasks: TaskTracker,
    }

    impl Machine {
        fn new() -> Self {
            let (painter, easel) = Painter::new();
            let tasks = TaskTracker::new();
            tasks.spawn(painter.run());
            Self { easel, tasks }
        }

        /// A viewer's end of a pipe that holds `room` bytes, and how the machine's end ends.
        fn viewer(&self, room: usize) -> (Viewer, JoinHandle<Result<(), Ended>>) {
            let (near, far) = duplex(room);
            let easel = self.easel.clone();
            let served = async move { serve(far, &Secret::new(PASSWORD), easel).await };
            (Viewer { stream: near }, self.tasks.spawn(served))
        }
    }

    struct Viewer {
        stream: DuplexStream,
    }

    impl Viewer {
        async fn read<const N: usize>(&mut self) -> [u8; N] {
            let mut bytes = [0; N];
            self.stream.read_exact(&mut bytes).await.unwrap();
            bytes
        }

        async fn write(&mut self, bytes: &[u8]) {
            self.stream.write_all(bytes).await.unwrap();
        }

        /// Goes as far as SecurityResult.
        async fn authenticate(&mut self, line: &[u8; 12], password: &[u8]) -> u32 {
            assert_eq!(&self.read().await, LINE_3_8);
            self.write(line).await;
            assert_eq!(self.read().await, [1, 2], "VNC authentication alone");
            self.write(&[2]).await;
            let challenge = self.read().await;
            self.write(&response(password, &challenge)).await;
            u32::from_be_bytes(self.read().await)
        }

        async fn enter(&mut self) -> ServerInit {
            assert_eq!(self.authenticate(LINE_3_8, PASSWORD).await, 0);
            self.write(&[1]).await;
            let init: [u8; 24 + NAME_LEN] = self.read().await;
            ServerInit::decode(&mut Reader::new(&init)).unwrap()
        }

        async fn request(&mut self, incremental: bool, area: Area) {
            let mut out = vec![3, incremental.into()];
            for field in [area.x, area.y, area.width, area.height] {
                out.put_u16(field);
            }
            self.write(&out).await;
        }

        async fn key(&mut self, keysym: u32) {
            let mut out = vec![4, 1, 0, 0];
            out.put_u32(keysym);
            self.write(&out).await;
        }

        /// The rectangles of the next update, with four bytes a pixel.
        async fn update(&mut self) -> Vec<(Area, Vec<u8>)> {
            let [message_type, _, high, low] = self.read().await;
            assert_eq!(message_type, 0);
            let mut rectangles = Vec::new();
            for _ in 0..u16::from_be_bytes([high, low]) {
                let header: [u8; 12] = self.read().await;
                let mut header = Reader::new(&header);
                let mut field = || header.u16("field").unwrap();
                let area = Area {
                    x: field(),
                    y: field(),
                    width: field(),
                    height: field(),
                };
                assert_eq!(header.u32("encoding"), Ok(0), "Raw");
                let mut pixels = vec![0; usize::from(area.width) * usize::from(area.height) * 4];
                self.stream.read_exact(&mut pixels).await.unwrap();
                rectangles.push((area, pixels));
            }
            rectangles
        }
    }

    /// Where the first typed character stands: in the row of tiles below the greeting.
    const TYPED: Area = Area {
        x: 416,
        y: 288,
        width: 32,
        height: 32,
    };

    #[tokio::test(start_paused = true)]
    async fn a_key_comes_back_in_the_picture_even_eight_bytes_at_a_time() {
        let machine = Machine::new();
        let (mut viewer, served) = machine.viewer(8);
        let init = viewer.enter().await;
        assert_eq!((init.width, init.height), (1024, 640));
        assert_eq!(init.name, b"Fanlight demo machine");
        assert_eq!(init.format, NATIVE);

        viewer.write(&[2, 0, 0, 1, 0, 0, 0, 0]).await;
        viewer.request(false, TYPED).await;
        let before = viewer.update().await;
        assert_eq!(before.len(), 1);
        assert_eq!(before[0].0, TYPED);

        viewer.key(u32::from(b'W')).await;
        // The cursor blinks in that tile, too: a few updates may come before the one with the key.
        let mut seen = Vec::new();
        while seen.len() < 8 {
            viewer.request(true, TYPED).await;
            let update = viewer.update().await;
            assert!(!update.is_empty(), "never an empty update");
            assert_eq!(update[0].0, TYPED);
            seen.push(update[0].1.clone());
        }
        let ivory = [0xd6, 0xe6, 0xee, 0];
        let letters = |pixels: &[u8]| pixels.chunks(4).filter(|pixel| **pixel == ivory).count();
        assert_eq!(letters(&before[0].1), 0);
        assert!(letters(seen.last().unwrap()) > 20, "the letter is there");

        drop(viewer);
        served.await.unwrap().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn pixels_come_in_the_format_that_was_set() {
        let machine = Machine::new();
        let (mut viewer, served) = machine.viewer(1 << 16);
        viewer.enter().await;
        viewer.request(false, TYPED).await;
        let blue_first = viewer.update().await.remove(0).1;

        let novnc = PixelFormat {
            shift: [0, 8, 16],
            ..NATIVE
        };
        let mut message = vec![0; 4];
        novnc.encode(&mut message);
        viewer.write(&message).await;
        viewer.request(false, TYPED).await;
        let red_first = viewer.update().await.remove(0).1;
        let blues = |pixels: &[u8], at: usize| -> Vec<u8> {
            pixels.chunks(4).map(|pixel| pixel[at]).collect()
        };
        assert_eq!(blues(&blue_first, 0), blues(&red_first, 2));

        // A colour map.
        message[4 + 3] = 0;
        viewer.write(&message).await;
        assert!(matches!(served.await.unwrap(), Err(Ended::PixelFormat)));
        assert_eq!(viewer.stream.read(&mut [0]).await.unwrap(), 0, "closed");
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_password_is_told_why() {
        let machine = Machine::new();
        let (mut viewer, served) = machine.viewer(8);
        assert_eq!(viewer.authenticate(LINE_3_8, b"guess").await, 1);
        let mut reason = Vec::new();
        viewer.stream.read_to_end(&mut reason).await.unwrap();
        assert_eq!(reason, b"\0\0\0\x15the password is wrong");
        let ended = served.await.unwrap();
        assert!(matches!(ended, Err(Ended::Refused(Refused::Password))));

        let (mut viewer, _) = machine.viewer(8);
        assert_eq!(viewer.authenticate(b"RFB 003.007\n", b"").await, 1);
        let end = viewer.stream.read(&mut [0]).await.unwrap();
        assert_eq!(end, 0, "3.7 has no reasons");
    }

    #[tokio::test(start_paused = true)]
    async fn garbage_old_versions_and_silence_are_sent_away() {
        let machine = Machine::new();
        let (mut viewer, served) = machine.viewer(64);
        viewer.write(b"GET / HTTP/1.1\r\n\r\n").await;
        let ended = served.await.unwrap();
        assert!(matches!(ended, Err(Ended::Refused(Refused::NotRfb))));

        let (mut viewer, served) = machine.viewer(64);
        viewer.write(b"RFB 003.003\n").await;
        let mut said = Vec::new();
        viewer.stream.read_to_end(&mut said).await.unwrap();
        assert_eq!(said[12..20], [0, 0, 0, 0, 0, 0, 0, 24]);
        let ended = served.await.unwrap();
        assert!(matches!(ended, Err(Ended::Refused(Refused::Version(_)))));

        let (_viewer, served) = machine.viewer(64);
        assert!(matches!(served.await.unwrap(), Err(Ended::TooSlow)));

        let (mut viewer, served) = machine.viewer(64);
        viewer.enter().await;
        viewer.write(&[250]).await;
        let ended = served.await.unwrap();
        assert!(matches!(
            ended,
            Err(Ended::BadMessage(BadMessage::UnknownType(250)))
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_viewer_that_takes_nothing_holds_nobody_back_and_is_sent_away() {
        let machine = Machine::new();
        let (mut stuck, stuck_served) = machine.viewer(64);
        stuck.enter().await;
        let all = Area {
            x: 0,
            y: 0,
            width: 1024,
            height: 640,
        };
        stuck.request(false, all).await;

        let (mut viewer, _served) = machine.viewer(1 << 20);
        viewer.enter().await;
        viewer.request(false, all).await;
        let whole = viewer.update().await;
        let pixels: usize = whole.iter().map(|(_, pixels)| pixels.len()).sum();
        assert_eq!(pixels, 1024 * 640 * 4);
        for _ in 0..20 {
            viewer.request(true, all).await;
            viewer.update().await;
        }
        assert!(!stuck_served.is_finished());
        assert!(matches!(stuck_served.await.unwrap(), Err(Ended::TooSlow)));
    }
}
