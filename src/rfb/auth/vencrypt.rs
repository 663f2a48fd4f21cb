//! VeNCrypt 0.2: a list of sub-types of its own, most of them inside TLS ([rfbproto, VeNCrypt]).
//!
//! ```text
//! Version -> VersionAnswer -> SubTypes ── Plain ────────────────────────> the method
//!                                 └── X509* ──> TlsAnswer ──> TLS ──> Inside ──> the method
//! ```
//!
//! [rfbproto, VeNCrypt]: https://github.com/rfbproto/rfbproto/blob/master/rfbproto.rst#vencrypt

use bytes::BufMut;

use crate::rfb::auth::{Choice, Context, Conversation, List, Stop, Turn, begin, choose};
use crate::rfb::host::{HostError, HostSwap, StartTls};
use crate::rfb::security::SecurityType;
use crate::wire::Reader;

/// The one version that is spoken in the field.
const VERSION: [u8; 2] = [0, 2];

/// VeNCrypt, from the host's version to whatever method was chosen.
#[derive(Debug, Default)]
pub(super) struct VeNCrypt {
    state: State,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Version,
    VersionAnswer,
    SubTypes,
    TlsAnswer(Choice),
    Inside(Choice),
}

impl Conversation for VeNCrypt {
    fn step(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        self.state = match self.state {
            State::Version => {
                let version = input.array::<2>("VeNCrypt version")?;
                if version < VERSION {
                    return Err(HostError::VeNCryptVersion(version).into());
                }
                out.put_slice(&VERSION);
                State::VersionAnswer
            }
            State::VersionAnswer => {
                let answer = input.u8("VeNCrypt version answer")?;
                if answer != 0 {
                    return Err(HostError::VeNCryptRefused.into());
                }
                State::SubTypes
            }
            State::SubTypes => return self.sub_types(cx, input, out),
            State::TlsAnswer(choice) => {
                if input.u8("VeNCrypt TLS answer")? != 1 {
                    return Err(HostError::VeNCryptRefused.into());
                }
                self.state = State::Inside(choice);
                return Ok(Turn::Swap(HostSwap::Tls(StartTls::ready())));
            }
            State::Inside(choice) => return begin(choice, cx, out),
        };
        Ok(Turn::Again)
    }
}

impl VeNCrypt {
    fn sub_types(
        &mut self,
        cx: &mut Context<'_>,
        input: &mut Reader<'_>,
        out: &mut Vec<u8>,
    ) -> Result<Turn, Stop> {
        let count = input.u8("number of VeNCrypt sub-types")?;
        let mut list = Reader::new(input.bytes(4 * usize::from(count), "VeNCrypt sub-types")?);
        let mut offered = Vec::new();
        while let Ok(number) = list.u32("VeNCrypt sub-type") {
            offered.push(SecurityType(number));
        }
        cx.seen.offered.extend(&offered);
        let choice = choose(List::VeNCrypt, &offered, cx.params)?;
        cx.seen.chosen = Some(choice.carrier);
        out.put_u32(choice.carrier.0);
        if choice.method.is_inside_tls() {
            self.state = State::TlsAnswer(choice);
            Ok(Turn::Again)
        } else {
            begin(choice, cx, out)
        }
    }
}
