//! Tight, security type 16: tunnels that nobody has, a list of ways to log in, and a ServerInit
//! that goes on behind the name ([rfbproto, Tight Security Type]).
//!
//! ```text
//! Tunnels ──> Ways ── none, or no authentication ──> as None
//!               ├──── VNC authentication ──────────> as VNC authentication
//!               ├──── VeNCrypt ────────────────────> as VeNCrypt
//!               ├──── SASL ────────────────────────> as SASL
//!               └──── user and password ───────────> as Plain
//! ```
//!
//! [rfbproto, Tight Security Type]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#tight-security-type

use bytes::BufMut;

use crate::rfb::auth::{Context, Conversation, List, Stop, Turn, begin, choose};
use crate::rfb::host::HostError;
use crate::rfb::security::SecurityType;
use crate::wire::{Reader, Short};

/// How many tunnels or ways to log in a host may list. Real ones list fewer than ten.
const MAX_LISTED: u32 = 64;

/// How many capabilities may follow ServerInit in all; TightVNC has fewer than a hundred.
/// A capability has 16 bytes.
pub const MAX_INTERACTIONS: u32 = 1024;

/// The only tunnel that is spoken, in the field as here: none.
const NO_TUNNEL: u32 = 0;

/// Tight's own code of user and password, which elsewhere is another type's number.
const LOGIN_CODE: u32 = 129;

/// Tight, from the tunnels to whatever method was chosen.
#[derive(Debug, Default)]
pub(super) struct Tight {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Tunnels,
    Ways,
}

impl Conversation for Tight {
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        match self.state {
            State::Tunnels => {
                let tunnels = Capability::list(input, "Tight tunnels")?;
                if !tunnels.is_empty() {
                    if !tunnels.iter().any(Capability::is_no_tunnel) {
                        return Err(HostError::TightTunnel.into());
                    }
                    out.put_u32(NO_TUNNEL);
                }
                self.state = State::Ways;
                Ok(Turn::Again)
            }
            State::Ways => {
                let ways = Capability::list(input, "Tight authentication types")?;
                login(&ways, cx, out)
            }
        }
    }
}

/// Chooses from the listed ways. An empty list says that nothing is asked for.
fn login(ways: &[Capability], cx: &mut Context<'_>, out: &mut Vec<u8>) -> Result<Turn, Stop> {
    let offered: Vec<_> = if ways.is_empty() {
        vec![SecurityType::NONE]
    } else {
        ways.iter().filter_map(Capability::way).collect()
    };
    cx.seen.offered.extend(&offered);
    let choice = choose(List::Tight, &offered, cx.params)?;
    cx.seen.chosen = Some(choice.carrier);
    if !ways.is_empty() {
        out.put_u32(match choice.carrier {
            SecurityType::TIGHT_LOGIN => LOGIN_CODE,
            SecurityType(number) => number,
        });
    }
    begin(choice, cx, out)
}

/// What a host says that it can do.
#[derive(Clone, Copy, Debug)]
struct Capability {
    code: u32,
    vendor: [u8; 4],
    signature: [u8; 8],
}

impl Capability {
    /// Length in bytes.
    const LEN: usize = 16;

    fn read(reader: &mut Reader<'_>) -> Result<Self, Short> {
        Ok(Self {
            code: reader.u32("capability code")?,
            vendor: reader.array("capability vendor")?,
            signature: reader.array("capability signature")?,
        })
    }

    /// Their number (u32), and as many of them.
    fn list(input: &mut Reader<'_>, field: &'static str) -> Result<Vec<Self>, Stop> {
        let count = input.u32(field)?;
        if count > MAX_LISTED {
            return Err(HostError::TightCapabilities(count).into());
        }
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(Self::read(input)?);
        }
        Ok(list)
    }

    /// Panels of Siemens list a tunnel of their own, and take none all the same.
    const fn is_no_tunnel(&self) -> bool {
        self.code == NO_TUNNEL || matches!((&self.vendor, &self.signature), (b"SICR", b"SCHANNEL"))
    }

    /// The security type that is meant; what cannot be one is passed over.
    fn way(&self) -> Option<SecurityType> {
        match (self.code, &self.vendor) {
            (LOGIN_CODE, b"TGHT") => Some(SecurityType::TIGHT_LOGIN),
            (0..=0xff, _) => Some(SecurityType(self.code)),
            _ => None,
        }
    }
}

/// Reads past what follows the name in ServerInit after Tight: three counts (u16) of messages of
/// the server, messages of the client and encodings, two bytes of padding, and all those
/// capabilities. A browser that was offered None expects none of it.
pub(in crate::rfb) fn skip_interactions(input: &mut Reader<'_>) -> Result<(), Stop> {
    let mut counts = Reader::new(input.bytes(8, "Tight interaction capabilities")?);
    let mut sum = 0_u32;
    for field in ["server messages", "client messages", "encodings"] {
        sum += u32::from(counts.u16(field)?);
    }
    if sum > MAX_INTERACTIONS {
        return Err(HostError::TightCapabilities(sum).into());
    }
    let len = usize::try_from(sum).unwrap_or(usize::MAX) * Capability::LEN;
    input.bytes(len, "Tight interaction capabilities")?;
    Ok(())
}
