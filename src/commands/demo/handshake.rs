//! The machine's side of the handshake: 3.8 or 3.7, VNC authentication, ClientInit, ServerInit.

use bytes::BufMut;
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::entropy;
use crate::rfb::auth::vnc::{self, CHALLENGE_LEN};
use crate::rfb::init::ServerInit;
use crate::rfb::security::{SecurityResult, SecurityType};
use crate::rfb::version::{Dialect, LINE_3_8, LINE_LEN, ProtocolVersion};
use crate::secret::Secret;

use super::canvas::{HEIGHT, WIDTH};
use super::pixels::NATIVE;
use super::screen::NAME;

/// Why a viewer was not let in.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refused {
    /// The connection broke or ended.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It does not speak RFB.
    #[error("the viewer does not speak rfb")]
    NotRfb,
    /// It speaks RFB as it was before 3.7.
    #[error("the viewer speaks rfb {0}")]
    Version(ProtocolVersion),
    /// It chose a security type that was not offered.
    #[error("the viewer chose the security type {0}")]
    SecurityType(SecurityType),
    /// It does not know the password.
    #[error("the viewer does not know the password")]
    Password,
}

/// Lets a viewer in that knows the password. A refused one is told why, where the protocol can say it.
///
/// # Cancel safety
/// Not cancel safe: a stream whose handshake was dropped is of no more use.
pub(super) async fn greet<S>(stream: &mut S, password: &Secret) -> Result<(), Refused>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(LINE_3_8).await?;
    let mut line = [0; LINE_LEN];
    stream.read_exact(&mut line).await?;
    let version = ProtocolVersion::parse(&line).ok_or(Refused::NotRfb)?;
    let dialect = match version.dialect() {
        Some(dialect @ (Dialect::V3_7 | Dialect::V3_8)) => dialect,
        Some(Dialect::V3_3) | None => {
            // In 3.3 the server dictates the type as a u32, and "invalid" has a reason.
            let mut out = Vec::new();
            out.put_u32(SecurityType::INVALID.0);
            put_reason("RFB 3.7 or 3.8 is needed", &mut out);
            stream.write_all(&out).await?;
            return Err(Refused::Version(version));
        }
    };

    let offered = SecurityType::VNC_AUTHENTICATION;
    stream.write_all(&[1, offered.0 as u8]).await?;
    let chosen = SecurityType(stream.read_u8().await?.into());
    if chosen != offered {
        return Err(Refused::SecurityType(chosen));
    }
    let challenge = entropy::random::<CHALLENGE_LEN>();
    stream.write_all(&challenge).await?;
    let mut response = [0; CHALLENGE_LEN];
    stream.read_exact(&mut response).await?;
    let expected = vnc::response(password.expose(), &challenge);
    let mut out = Vec::new();
    if !bool::from(expected.ct_eq(&response)) {
        out.put_u32(SecurityResult::FAILED.0);
        if dialect == Dialect::V3_8 {
            put_reason("the password is wrong", &mut out);
        }
        stream.write_all(&out).await?;
        return Err(Refused::Password);
    }
    out.put_u32(SecurityResult::OK.0);
    stream.write_all(&out).await?;

    // The shared-flag: whoever asks for the machine alone shares it all the same.
    stream.read_u8().await?;
    let init = ServerInit {
        width: WIDTH as u16,
        height: HEIGHT as u16,
        format: NATIVE,
        name: NAME.into(),
    };
    out.clear();
    init.encode(&mut out);
    stream.write_all(&out).await?;
    Ok(())
}

fn put_reason(reason: &str, out: &mut Vec<u8>) {
    out.put_u32(reason.len() as u32);
    out.put_slice(reason.as_bytes());
}
