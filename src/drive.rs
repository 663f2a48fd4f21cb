//! The one loop that runs a handshake machine over a stream, with a deadline for each stage.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout_at};

use crate::rfb::{Handshake, Interruption, Stage, Step, SwapError};
use crate::wire::Reader;

/// How many bytes are read at a time: every handshake message but a long desktop name fits.
const CHUNK: usize = 4096;

/// How long the words of a refusal are waited for. Many hosts close without them, some never close.
const REFUSAL_REASON: Duration = Duration::from_secs(2);

/// How long each stage of a handshake may take, from its start to its end.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// Until the peer's ProtocolVersion is there.
    pub version: Duration,
    /// Security types, authentication, SecurityResult.
    pub security: Duration,
    /// ClientInit and ServerInit.
    pub init: Duration,
}

impl Deadlines {
    /// The same time for each stage.
    #[must_use]
    pub const fn all(each: Duration) -> Self {
        Self {
            version: each,
            security: each,
            init: each,
        }
    }

    fn of(&self, stage: Stage) -> Duration {
        match stage {
            Stage::Version => self.version,
            Stage::Security => self.security,
            Stage::RefusalReason => REFUSAL_REASON.min(self.security),
            Stage::Init => self.init,
        }
    }
}

/// A stream whose transport can change in the middle of a handshake, as `S` says.
pub trait Transport<S>: AsyncRead + AsyncWrite + Unpin {
    /// Changes the transport.
    fn swap(&mut self, swap: S) -> impl Future<Output = Result<(), SwapError>> + Send;
}

/// What cannot be asked for can be done by every stream.
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Transport<Infallible> for T {
    async fn swap(&mut self, swap: Infallible) -> Result<(), SwapError> {
        match swap {}
    }
}

/// Runs `machine` over `stream` to its end.
///
/// `unread` are bytes that were read from the stream before; afterwards it holds those that belong
/// to whatever follows the handshake. It never grows beyond the longest message of the handshake
/// and 4 KiB.
///
/// # Errors
/// The machine's own: a stream that closes, breaks or takes too long is an
/// [`Interruption`] that the machine puts into its words.
///
/// # Cancel safety
/// Not cancel safe: what was read or half written is lost with the future. Drop the stream too.
pub async fn drive<M, S>(
    machine: &mut M,
    stream: &mut S,
    unread: &mut Vec<u8>,
    deadlines: &Deadlines,
) -> Result<M::Done, M::Error>
where
    M: Handshake,
    S: Transport<M::Swap>,
{
    let mut stage = machine.stage();
    let mut deadline = Instant::now() + deadlines.of(stage);
    let mut out = Vec::new();
    loop {
        let mut reader = Reader::new(unread);
        let step = machine.step(&mut reader, &mut out);
        let consumed = unread.len() - reader.rest().len();
        unread.drain(..consumed);
        let step = step?;

        if !out.is_empty() {
            let sent = timeout_at(deadline, send(stream, &out)).await;
            interruption(sent).map_err(|by| machine.interrupted(by, unread))?;
            out.clear();
        }
        if machine.stage() != stage {
            stage = machine.stage();
            deadline = Instant::now() + deadlines.of(stage);
        }
        match step {
            Step::Done(done) => return Ok(done),
            Step::Again => {}
            Step::Swap(_) if !unread.is_empty() => {
                return Err(machine.interrupted(Interruption::EarlyBytes, unread));
            }
            Step::Swap(swap) => {
                let swapped = timeout_at(deadline, stream.swap(swap)).await;
                let swapped = swapped.map_err(|_| Interruption::TimedOut);
                swapped
                    .and_then(|swapped| swapped.map_err(Interruption::Swap))
                    .map_err(|by| machine.interrupted(by, unread))?;
            }
            Step::NeedMore => {
                unread.reserve(CHUNK);
                let mut chunk = stream.take(CHUNK as u64);
                let read = timeout_at(deadline, chunk.read_buf(unread)).await;
                let read = interruption(read).map_err(|by| machine.interrupted(by, unread))?;
                if read == 0 {
                    return Err(machine.interrupted(Interruption::Closed, unread));
                }
            }
        }
    }
}

async fn send<S: AsyncWrite + Unpin>(stream: &mut S, out: &[u8]) -> std::io::Result<()> {
    stream.write_all(out).await?;
    stream.flush().await
}

/// A broken stream is one that was closed without manners.
fn interruption<T>(
    result: Result<std::io::Result<T>, tokio::time::error::Elapsed>,
) -> Result<T, Interruption> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(_)) => Err(Interruption::Closed),
        Err(_) => Err(Interruption::TimedOut),
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;
    use crate::rfb::auth::vnc;
    use crate::rfb::browser::{Admission, Greeting};
    use crate::rfb::host::{HostError, HostHandshake, HostParams, HostSwap};
    use crate::rfb::init::tests::qemu;
    use crate::rfb::login::Login;
    use crate::rfb::policy::Policy;
    use crate::secret::Secret;

    /// A pipe is no place for TLS.
    impl Transport<HostSwap> for DuplexStream {
        async fn swap(&mut self, _: HostSwap) -> Result<(), SwapError> {
            Err(SwapError::Failed("a pipe".to_owned()))
        }
    }

    const DEADLINES: Deadlines = Deadlines {
        version: Duration::from_secs(10),
        security: Duration::from_secs(30),
        init: Duration::from_secs(10),
    };

    fn params(password: Option<Secret>) -> HostParams {
        HostParams {
            login: Login::with_password(password),
            policy: Policy::default(),
            entropy: |bytes| bytes.fill(7),
            ra2_key: None,
            ra2_pin: None,
        }
    }

    #[tokio::test]
    async fn both_handshakes_pass_through_a_pipe_of_eight_bytes() {
        let (mut ours, mut host) = duplex(8);
        let (mut gateway, mut viewer) = duplex(8);

        let play_host = async {
            host.write_all(b"RFB 003.008\n").await.unwrap();
            assert_eq!(expect::<12>(&mut host).await, *b"RFB 003.008\n");
            host.write_all(&[1, 2]).await.unwrap();
            assert_eq!(expect::<1>(&mut host).await, [2]);
            host.write_all(&[7; 16]).await.unwrap();
            assert_eq!(
                expect::<16>(&mut host).await,
                vnc::response(b"pw", &[7; 16])
            );
            host.write_all(&[0; 4]).await.unwrap();
            assert_eq!(expect::<1>(&mut host).await, [1]);
            let mut init = Vec::new();
            qemu().encode(&mut init);
            host.write_all(&init).await.unwrap();
        };
        let play_viewer = async {
            assert_eq!(expect::<12>(&mut viewer).await, *b"RFB 003.008\n");
            viewer.write_all(b"RFB 003.008\n").await.unwrap();
            assert_eq!(expect::<2>(&mut viewer).await, [1, 1]);
            viewer.write_all(&[1]).await.unwrap();
            assert_eq!(expect::<4>(&mut viewer).await, [0; 4]);
            viewer.write_all(&[0]).await.unwrap();
            expect::<37>(&mut viewer).await
        };
        let play_gateway = async {
            let mut unread = Vec::new();
            let mut machine = HostHandshake::new(params(Some(Secret::new("pw"))));
            let init = drive(&mut machine, &mut ours, &mut unread, &DEADLINES)
                .await
                .unwrap();
            let mut unread = Vec::new();
            let greeted = drive(
                &mut Greeting::default(),
                &mut gateway,
                &mut unread,
                &DEADLINES,
            )
            .await;
            let mut admission = Admission::new(greeted.unwrap(), init);
            drive(&mut admission, &mut gateway, &mut unread, &DEADLINES)
                .await
                .unwrap();
        };
        let ((), init, ()) = tokio::join!(play_host, play_viewer, play_gateway);
        assert!(init.ends_with(b"QEMU (web-01)"));
    }

    async fn expect<const N: usize>(stream: &mut (impl AsyncRead + Unpin)) -> [u8; N] {
        let mut bytes = [0; N];
        stream.read_exact(&mut bytes).await.unwrap();
        bytes
    }

    #[tokio::test(start_paused = true)]
    async fn each_stage_has_its_own_deadline() {
        for (said, stage, seconds) in [
            (&b""[..], Stage::Version, 10),
            (b"RFB 003.008\n", Stage::Security, 30),
            (b"RFB 003.008\n\x01\x01\0\0\0\0", Stage::Init, 10),
        ] {
            let (mut ours, mut host) = duplex(64);
            host.write_all(said).await.unwrap();
            let started = Instant::now();
            let mut machine = HostHandshake::new(params(None));
            let end = drive(&mut machine, &mut ours, &mut Vec::new(), &DEADLINES).await;
            assert_eq!(end.unwrap_err(), HostError::TimedOut(stage));
            assert_eq!(started.elapsed().as_secs(), seconds);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_dripping_host_does_not_stretch_its_deadline() {
        let (mut ours, mut host) = duplex(64);
        let drip = async {
            for byte in *b"RFB 003.008\n" {
                if host.write_all(&[byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_secs(4)).await;
            }
        };
        let mut machine = HostHandshake::new(params(None));
        let mut unread = Vec::new();
        let gateway = drive(&mut machine, &mut ours, &mut unread, &DEADLINES);
        tokio::select! {
            end = gateway => assert_eq!(end.unwrap_err(), HostError::TimedOut(Stage::Version)),
            () = drip => panic!("the deadline did not end the handshake"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_without_words_is_not_waited_for_long() {
        let (mut ours, mut host) = duplex(64);
        host.write_all(b"RFB 003.008\n\0\xff\xff\xff\xffbusy")
            .await
            .unwrap();
        let started = Instant::now();
        let mut machine = HostHandshake::new(params(None));
        let end = drive(&mut machine, &mut ours, &mut Vec::new(), &DEADLINES).await;
        let error = end.unwrap_err();
        assert_eq!(error.said().map(|s| s.as_str()), Some("busy"));
        assert_eq!(started.elapsed(), REFUSAL_REASON);
    }
}
